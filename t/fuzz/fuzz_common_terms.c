/* terms: spawnd's and imapd's check of what authd says about an account - what is read is well
 * formed, and written again says the same. */
#include "terms.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = slice_of(data, size);
    struct terms terms, again;
    bool formed = terms_is_well_formed(text);
    if (terms_parse(text, &terms)) {
        struct str out;
        str_init(&out, TERMS_MAX);
        terms_append(&out, &terms);
        if (!formed || out.failed || !terms_parse(str_slice(&out), &again) ||
            memcmp(&terms, &again, sizeof terms) != 0)
            abort();
        str_free(&out);
    }
    return 0;
}
