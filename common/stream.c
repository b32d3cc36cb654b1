/* stream - see stream.h */
#include "stream.h"

#include "clock.h"
#include "io.h"

#include <errno.h>
#include <stdlib.h>

static size_t read_size(const struct stream *stream)
{
    size_t room = stream->input.max - stream->input.size;
    return room < STREAM_INPUT_SIZE ? room : STREAM_INPUT_SIZE;
}

static void set_up(struct stream *stream, size_t input_max, int64_t timeout_ms)
{
    *stream = (struct stream){.in = -1,
                              .out = -1,
                              .timeout_ms = timeout_ms,
                              .deadline = CLOCK_NEVER,
                              .broken = STREAM_OK};
    str_init(&stream->input, input_max);
    str_init(&stream->output, STREAM_OUTPUT_MAX);
}

bool stream_init(struct stream *stream, int in, int out, size_t input_max, int64_t timeout_ms)
{
    set_up(stream, input_max, timeout_ms);
    return stream_begin(stream, in, out);
}

void stream_prepare(struct stream *stream, size_t input_max, int64_t timeout_ms)
{
    set_up(stream, input_max, timeout_ms);
    str_prepare(&stream->input, read_size(stream));
    str_prepare(&stream->output, STREAM_OUTPUT_MAX);
}

bool stream_begin(struct stream *stream, int in, int out)
{
    stream->in = in;
    stream->out = out;
    /* Deadlines hold for writes only where write(2) comes back. */
    return io_set_nonblocking(in, true) && io_set_nonblocking(out, true);
}

void stream_free(struct stream *stream)
{
    str_free(&stream->input);
    str_free(&stream->output);
    stream->consumed = 0;
}

static enum stream_result result_from_errno(void)
{
    if (errno == ETIMEDOUT)
        return STREAM_TIMEOUT;
    if (errno == ECONNRESET || errno == EPIPE)
        return STREAM_END;
    return STREAM_ERROR;
}

static int64_t next_deadline(const struct stream *stream)
{
    int64_t wait =
        stream->timeout_ms == CLOCK_NEVER ? CLOCK_NEVER : clock_deadline(stream->timeout_ms);
    return wait < stream->deadline ? wait : stream->deadline;
}

/* Drops what was consumed. Called only when more is to be read, so slices stay valid till then. */
static void compact(struct stream *stream)
{
    str_remove_front(&stream->input, stream->consumed);
    stream->consumed = 0;
}

static enum stream_result fill(struct stream *stream)
{
    compact(stream);
    if (stream->input.size >= stream->input.max)
        return STREAM_TOO_LONG;
    enum stream_result flushed = stream_flush(stream);
    if (flushed != STREAM_OK)
        return flushed;
    /* Who sends without a pause is never waited for, and has no more time than others. */
    if (stream->deadline != CLOCK_NEVER && clock_left(stream->deadline) == 0)
        return STREAM_TIMEOUT;
    size_t room = read_size(stream);
    char *at = str_reserve(&stream->input, room);
    if (!at) {
        stream->input.failed = false;
        errno = ENOMEM;
        return STREAM_ERROR;
    }
    ssize_t got = io_read(stream->in, at, room, next_deadline(stream));
    if (got < 0)
        return result_from_errno();
    if (got == 0)
        return STREAM_END;
    str_added(&stream->input, (size_t)got);
    stream->bytes_in += (uint64_t)got;
    return STREAM_OK;
}

const char *stream_end_name(enum stream_result result)
{
    if (result == STREAM_TIMEOUT)
        return "timeout";
    return result == STREAM_END ? "disconnected" : "connection-trouble";
}

struct slice stream_pending(const struct stream *stream)
{
    return slice_from(str_slice(&stream->input), stream->consumed);
}

enum stream_result stream_line(struct stream *stream, size_t max, struct slice *line)
{
    size_t searched = 0;
    for (;;) {
        struct slice pending = stream_pending(stream);
        struct slice fresh = slice_from(pending, searched);
        size_t end = searched + slice_find(fresh, '\n');
        if (end < pending.size && end < max) {
            *line = slice_part(pending, 0, end + 1);
            stream->consumed += end + 1;
            return STREAM_OK;
        }
        if (pending.size >= max)
            return STREAM_TOO_LONG;
        searched = pending.size;
        enum stream_result result = fill(stream);
        if (result != STREAM_OK)
            return result;
    }
}

enum stream_result stream_skip_line(struct stream *stream)
{
    for (;;) {
        struct slice pending = stream_pending(stream);
        size_t end = slice_find(pending, '\n');
        if (end < pending.size) {
            stream->consumed += end + 1;
            return STREAM_OK;
        }
        stream->consumed += pending.size;
        enum stream_result result = fill(stream);
        if (result != STREAM_OK)
            return result;
    }
}

enum stream_result stream_bytes(struct stream *stream, size_t max, struct slice *bytes)
{
    if (stream_pending(stream).size == 0) {
        enum stream_result result = fill(stream);
        if (result != STREAM_OK)
            return result;
    }
    *bytes = slice_part(stream_pending(stream), 0, max);
    stream->consumed += bytes->size;
    return STREAM_OK;
}

void stream_unread(struct stream *stream, size_t size)
{
    stream->consumed -= size < stream->consumed ? size : stream->consumed;
}

void stream_discard_pending(struct stream *stream)
{
    str_clear(&stream->input);
    stream->consumed = 0;
}

bool stream_push_pending(struct stream *stream, struct slice bytes)
{
    struct str joined;
    str_init(&joined, stream->input.max);
    str_append(&joined, bytes);
    if (!str_append(&joined, stream_pending(stream))) {
        str_free(&joined);
        return false;
    }
    str_free(&stream->input);
    stream->input = joined;
    stream->consumed = 0;
    return true;
}

void stream_write(struct stream *stream, struct slice bytes)
{
    if (stream->broken != STREAM_OK || bytes.size == 0)
        return;
    if (bytes.size > STREAM_OUTPUT_MAX - stream->output.size)
        stream_flush(stream);
    if (stream->broken != STREAM_OK)
        return;
    if (bytes.size > STREAM_OUTPUT_MAX) {
        /* Too much to be worth a copy. */
        if (!io_write_all(stream->out, bytes, next_deadline(stream)))
            stream->broken = result_from_errno();
        stream->bytes_out += bytes.size;
        return;
    }
    if (!str_append(&stream->output, bytes)) {
        errno = ENOMEM;
        stream->broken = STREAM_ERROR;
    }
}

void stream_write_text(struct stream *stream, const char *text)
{
    stream_write(stream, slice_text(text));
}

void stream_format(struct stream *stream, const char *format, ...)
{
    struct str text;
    str_init(&text, STREAM_OUTPUT_MAX);
    va_list list;
    va_start(list, format);
    if (str_format_list(&text, format, list)) {
        stream_write(stream, str_slice(&text));
    } else {
        errno = ENOMEM;
        stream->broken = STREAM_ERROR;
    }
    va_end(list);
    str_free(&text);
}

enum stream_result stream_flush(struct stream *stream)
{
    if (stream->broken == STREAM_OK && stream->output.size > 0) {
        if (!io_write_all(stream->out, str_slice(&stream->output), next_deadline(stream)))
            stream->broken = result_from_errno();
        stream->bytes_out += stream->output.size;
        str_clear(&stream->output);
    }
    return stream->broken;
}

void stream_switch(struct stream *stream, int in, int out)
{
    stream->in = in;
    stream->out = out;
    stream_discard_pending(stream);
}
