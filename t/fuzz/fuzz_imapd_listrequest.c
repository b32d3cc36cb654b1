/* listrequest: the arguments of LIST; metadatarequest and STATUS's items are parsed by it too */
#include "listrequest.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct parse parse;
    struct listrequest request;
    arena_init(&arena, 1 << 20);
    parse_begin(&parse, slice_of(data, size), &arena);
    if (listrequest_parse(&parse, &request)) {
        if (request.pattern_count == 0 || request.pattern_count > LISTREQUEST_PATTERNS_MAX)
            abort();
        for (size_t i = 0; i < request.metadata.count; i++)
            if (!slice_starts(request.metadata.names[i], SLICE("/")))
                abort();
    }
    arena_free(&arena);
    return 0;
}
