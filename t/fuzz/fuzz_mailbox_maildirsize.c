/* maildirsize: the file of Maildir++, written by whatever program */
#include "maildirsize.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct maildirsize sums;
    struct slice content = slice_of(data, size);
    if (maildirsize_parse(content, &sums) &&
        (!slice_ends(content, SLICE("\n")) || sums.bytes > INT64_MAX || sums.messages > INT64_MAX ||
         sums.limit > INT64_MAX))
        abort();
    return 0;
}
