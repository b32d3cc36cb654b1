/* terms: spawnd's and imapd's check of what authd says about an account - what is read is well
 * formed, and written again says the same. */
#include "terms.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = slice_of(data, size);
    struct terms terms, again;
    bool formed = terms_is_well_formed(text);
    if (terms_parse_chosen(text, &terms) && !terms_parse(text, &again))
        abort();
    if (terms_parse(text, &terms)) {
        struct str once, twice;
        str_init(&once, TERMS_MAX);
        str_init(&twice, TERMS_MAX);
        terms_append(&once, &terms);
        if (!formed || once.failed || !terms_parse(str_slice(&once), &again))
            abort();
        terms_append(&twice, &again);
        if (!slice_equal(str_slice(&once), str_slice(&twice)))
            abort();
        str_free(&once);
        str_free(&twice);
    }
    return 0;
}
