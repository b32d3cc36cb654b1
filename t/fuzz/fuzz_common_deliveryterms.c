/* deliveryterms: what local is told about an account - what is read, written again says the same */
#include "deliveryterms.h"

#include <stdlib.h>

enum { FIELD_MAX = 65536 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct delivery_terms terms, again;
    struct str once, twice;
    if (!deliveryterms_read(slice_of(data, size), &terms))
        return 0;
    str_init(&once, FIELD_MAX);
    str_init(&twice, FIELD_MAX);
    deliveryterms_put(&once, &terms);
    if (once.failed || !deliveryterms_read(str_slice(&once), &again))
        abort();
    deliveryterms_put(&twice, &again);
    if (!slice_equal(str_slice(&once), str_slice(&twice)))
        abort();
    str_free(&once);
    str_free(&twice);
    return 0;
}
