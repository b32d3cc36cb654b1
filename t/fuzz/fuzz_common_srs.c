/* srs: a recipient that claims to be one of ours, and a sender to be rewritten - never a crash, and
 * what is rewritten comes back as it was. */
#include "srs.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct slice secret = {"0123456789abcdef", 16};
    struct slice input = slice_of(data, size);
    struct str rewritten, original;
    str_init(&rewritten, 1000);
    str_init(&original, 1000);
    srs_reverse(secret, 20779, input, SLICE("example.jp"), &original);
    str_clear(&original);
    if (srs_forward(secret, 20779, input, SLICE("example.jp"), &rewritten)) {
        struct slice local =
            slice_part(str_slice(&rewritten), 0, slice_find_last(str_slice(&rewritten), '@'));
        enum srs_result result = srs_reverse(secret, 20779, local, SLICE("example.jp"), &original);
        bool is_second = slice_starts(local, SLICE("SRS1"));
        if (result != SRS_OK && !is_second)
            abort();
        if (!is_second && !slice_equal(str_slice(&original), input))
            abort();
    }
    str_free(&rewritten);
    str_free(&original);
    return 0;
}
