/* inject_stream - see inject_stream.h */
#include "inject_stream.h"

#include "inject.h"

void inject_stream_init(struct inject_stream *stream, const struct inject_stream_hooks *hooks,
                        void *owner)
{
    *stream = (struct inject_stream){.hooks = hooks, .owner = owner};
    str_init(&stream->envelope, INJECT_ENVELOPE_MAX);
}

void inject_stream_free(struct inject_stream *stream)
{
    str_free(&stream->envelope);
}

static void enter(struct inject_stream *stream, enum inject_stream_state state)
{
    stream->state = state;
    stream->number = 0;
    stream->digits = 0;
}

static char take_byte(struct slice *bytes)
{
    char byte = bytes->data[0];
    *bytes = slice_from(*bytes, 1);
    return byte;
}

/* One byte of "123:"; numbers have one writing, as in wire.c. */
static bool read_size(struct inject_stream *stream, struct slice *bytes, uint64_t max,
                      enum inject_stream_state next)
{
    char byte = take_byte(bytes);
    if (byte == ':' && stream->digits > 0) {
        stream->left = stream->number;
        enter(stream, next);
        return true;
    }
    if (!slice_is_digit(byte) || (stream->digits > 0 && stream->number == 0))
        return false;
    stream->number = stream->number * 10 + (uint64_t)(byte - '0');
    stream->digits++;
    return stream->number <= max;
}

static bool read_envelope_size(struct inject_stream *stream, struct slice *bytes)
{
    str_clear(&stream->envelope);
    return read_size(stream, bytes, INJECT_ENVELOPE_MAX, INJECT_STREAM_ENVELOPE);
}

static struct slice take_run(struct inject_stream *stream, struct slice *bytes)
{
    size_t size = bytes->size < stream->left ? bytes->size : (size_t)stream->left;
    struct slice run = slice_part(*bytes, 0, size);
    *bytes = slice_from(*bytes, size);
    stream->left -= size;
    return run;
}

static bool read_envelope(struct inject_stream *stream, struct slice *bytes)
{
    if (!str_append(&stream->envelope, take_run(stream, bytes)))
        return false;
    if (stream->left == 0)
        enter(stream, INJECT_STREAM_ENVELOPE_END);
    return true;
}

static bool end_envelope(struct inject_stream *stream, struct slice *bytes)
{
    if (take_byte(bytes) != ',')
        return false;
    enter(stream, INJECT_STREAM_CHUNK_SIZE);
    bool goes_on = stream->hooks->envelope(stream->owner, str_slice(&stream->envelope));
    str_free(&stream->envelope);
    return goes_on;
}

static bool read_chunk_size(struct inject_stream *stream, struct slice *bytes)
{
    if (!read_size(stream, bytes, INJECT_CHUNK_MAX, INJECT_STREAM_CHUNK))
        return false;
    if (stream->state == INJECT_STREAM_CHUNK) {
        stream->is_last = stream->left == 0;
        if (stream->is_last)
            enter(stream, INJECT_STREAM_CHUNK_END);
    }
    return true;
}

static bool read_chunk(struct inject_stream *stream, struct slice *bytes)
{
    stream->hooks->data(stream->owner, take_run(stream, bytes));
    if (stream->left == 0)
        enter(stream, INJECT_STREAM_CHUNK_END);
    return true;
}

static bool end_chunk(struct inject_stream *stream, struct slice *bytes)
{
    if (take_byte(bytes) != ',')
        return false;
    enter(stream, stream->is_last ? INJECT_STREAM_DONE : INJECT_STREAM_CHUNK_SIZE);
    return true;
}

static bool refuse_more(struct inject_stream *stream, struct slice *bytes)
{
    (void)stream;
    (void)bytes;
    return false;
}

/* Each takes at least one byte off the front, or fails. */
static bool (*const readers[])(struct inject_stream *stream, struct slice *bytes) = {
    [INJECT_STREAM_ENVELOPE_SIZE] = read_envelope_size,
    [INJECT_STREAM_ENVELOPE] = read_envelope,
    [INJECT_STREAM_ENVELOPE_END] = end_envelope,
    [INJECT_STREAM_CHUNK_SIZE] = read_chunk_size,
    [INJECT_STREAM_CHUNK] = read_chunk,
    [INJECT_STREAM_CHUNK_END] = end_chunk,
    [INJECT_STREAM_DONE] = refuse_more,
};

bool inject_stream_feed(struct inject_stream *stream, struct slice bytes)
{
    while (bytes.size > 0)
        if (!readers[stream->state](stream, &bytes))
            return false;
    return true;
}
