/* failure_next over any bytes: bounded lines, and what was read can be written the same */
#include "failure.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rest = slice_of(data, size);
    struct failure failure, again;
    struct str line;
    str_init(&line, FAILURE_LINE_MAX * 2);
    while (failure_next(&rest, &failure)) {
        str_clear(&line);
        if (!failure_format(&line, &failure))
            abort();
        struct slice copy = str_slice(&line);
        if (!failure_next(&copy, &again) || copy.size != 0 ||
            again.recipient.size != failure.recipient.size || again.text.size != failure.text.size)
            abort();
    }
    str_free(&line);
    return 0;
}
