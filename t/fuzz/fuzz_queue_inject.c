/* A peer's bytes through inject_stream and admission: whole and in pieces they mean the same */
#include "admission.h"
#include "hash.h"
#include "inject_stream.h"
#include "queuefile.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
    struct envelope envelope;
    uint64_t hash;
};

static void mix(struct seen *seen, struct slice bytes)
{
    seen->hash = hash_add(seen->hash, bytes);
}

static bool see_envelope(void *owner, struct slice fields)
{
    struct seen *seen = owner;
    enum admission_result result = admission_read(fields, ADMISSION_TRUSTED, 0, &seen->envelope);
    if (result == ADMISSION_OK) {
        struct str block;
        off_t offset;
        str_init(&block, QUEUEFILE_BLOCK_MAX);
        /* What was admitted can be written. */
        if (!queuefile_format(&block, SLICE("0cw9x2k4m7q1p"), 1, &seen->envelope, &offset))
            abort();
        mix(seen, str_slice(&block));
        str_free(&block);
    }
    mix(seen, SLICE("E"));
    return result != ADMISSION_BAD;
}

static void see_data(void *owner, struct slice bytes)
{
    mix(owner, bytes);
}

static const struct inject_stream_hooks hooks = {see_envelope, see_data};

static uint64_t feed(struct slice bytes, size_t step, bool *good)
{
    struct inject_stream stream;
    struct seen seen = {.hash = 1};
    envelope_init(&seen.envelope);
    inject_stream_init(&stream, &hooks, &seen);
    *good = true;
    while (bytes.size > 0 && *good) {
        *good = inject_stream_feed(&stream, slice_part(bytes, 0, step));
        bytes = slice_from(bytes, step);
    }
    if (stream.state == INJECT_STREAM_DONE)
        mix(&seen, SLICE("."));
    inject_stream_free(&stream);
    envelope_free(&seen.envelope);
    return seen.hash;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bool whole, pieces;
    uint64_t first = feed(slice_of(data, size), size, &whole);
    uint64_t second = feed(slice_of(data, size), 1 + size / 7, &pieces);
    if (first != second || whole != pieces)
        abort();
    return 0;
}
