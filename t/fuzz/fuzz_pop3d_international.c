/* international: whatever header a stranger sent - never a crash, and what is ASCII is for everybody. */
#include "international.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice head = slice_of(data, size);
    if (international_is(head) && !slice_has_high(head))
        abort();
    return 0;
}
