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
    str_init(&stream->wire, input_max > STREAM_WIRE_SIZE ? input_max : STREAM_WIRE_SIZE);
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
    str_free(&stream->wire);
    stream->consumed = stream->decoded = 0;
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

/* One read of the descriptor. */
static enum stream_result read_wire(struct stream *stream, char *at, size_t room, size_t *got)
{
    ssize_t read = io_read(stream->in, at, room, next_deadline(stream));
    *got = read > 0 ? (size_t)read : 0;
    stream->bytes_in += *got;
    if (read < 0)
        return result_from_errno();
    return read == 0 ? STREAM_END : STREAM_OK;
}

static enum stream_result no_memory(struct str *str)
{
    str->failed = false;
    errno = ENOMEM;
    return STREAM_ERROR;
}

/* What can be had out of the bytes that were read already. */
static bool decode(struct stream *stream, char *at, size_t room, size_t *got)
{
    struct slice wire = slice_from(str_slice(&stream->wire), stream->decoded);
    size_t before = wire.size;
    bool done = stream->filter->decode(stream->filter, &wire, at, room, got);
    stream->decoded += before - wire.size;
    return done;
}

/* Reads through the filter, which makes of one read no more than there is room for: the rest waits
 * in `wire`, so that a small packet can't become a large buffer. */
static enum stream_result read_filtered(struct stream *stream, char *at, size_t room, size_t *got)
{
    for (;;) {
        if (!decode(stream, at, room, got))
            return STREAM_ERROR;
        if (*got > 0)
            return STREAM_OK;
        str_remove_front(&stream->wire, stream->decoded);
        stream->decoded = 0;
        size_t size, most = stream->wire.max - stream->wire.size;
        if (most > STREAM_WIRE_SIZE)
            most = STREAM_WIRE_SIZE;
        char *end = most > 0 ? str_reserve(&stream->wire, most) : NULL;
        if (!end)
            return no_memory(&stream->wire);
        enum stream_result result = read_wire(stream, end, most, &size);
        if (result != STREAM_OK)
            return result;
        str_added(&stream->wire, size);
    }
}

static enum stream_result fill(struct stream *stream)
{
    compact(stream);
    if (stream->input.size >= stream->input.max)
        return STREAM_TOO_LONG;
    enum stream_result result = stream_flush(stream);
    if (result != STREAM_OK)
        return result;
    /* Who sends without a pause is never waited for, and has no more time than others. */
    if (stream->deadline != CLOCK_NEVER && clock_left(stream->deadline) == 0)
        return STREAM_TIMEOUT;
    size_t got, room = read_size(stream);
    char *at = str_reserve(&stream->input, room);
    if (!at)
        return no_memory(&stream->input);
    result =
        stream->filter ? read_filtered(stream, at, room, &got) : read_wire(stream, at, room, &got);
    if (result == STREAM_OK)
        str_added(&stream->input, got);
    return result;
}

bool stream_has_input(struct stream *stream)
{
    if (!stream->filter || stream_pending(stream).size > 0)
        return stream_pending(stream).size > 0;
    compact(stream);
    size_t got = 0, room = read_size(stream);
    char *at = str_reserve(&stream->input, room);
    if (!at) {
        stream->input.failed = false;
        return true;
    }
    bool readable = decode(stream, at, room, &got);
    str_added(&stream->input, got);
    return got > 0 || !readable;
}

static void slim(struct str *str, size_t keep)
{
    if (str->size == 0 && str->capacity > keep)
        str_free(str);
}

void stream_slim(struct stream *stream, size_t keep)
{
    compact(stream);
    slim(&stream->input, keep);
    slim(&stream->output, keep);
    str_remove_front(&stream->wire, stream->decoded);
    stream->decoded = 0;
    slim(&stream->wire, keep);
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

/* Through the filter, in pieces. */
static bool write_filtered(struct stream *stream, struct slice bytes, bool flush)
{
    char wire[STREAM_WIRE_SIZE];
    bool done = false;
    while (!done) {
        size_t size =
            stream->filter->encode(stream->filter, &bytes, flush, wire, sizeof wire, &done);
        if (!io_write_all(stream->out, slice_of(wire, size), next_deadline(stream)))
            return false;
        stream->bytes_out += size;
    }
    return true;
}

static void send_out(struct stream *stream, struct slice bytes, bool flush)
{
    bool done;
    if (stream->filter) {
        done = write_filtered(stream, bytes, flush);
    } else {
        done = io_write_all(stream->out, bytes, next_deadline(stream));
        stream->bytes_out += bytes.size;
    }
    if (!done)
        stream->broken = result_from_errno();
}

/* Makes room in the middle of an answer: a filter need not bring all of it to the peer. */
static void send_collected(struct stream *stream, bool flush)
{
    if (stream->broken == STREAM_OK && (stream->output.size > 0 || (flush && stream->unflushed)))
        send_out(stream, str_slice(&stream->output), flush);
    stream->unflushed = stream->filter && !flush;
    str_clear(&stream->output);
}

static void fail_for_memory(struct stream *stream)
{
    errno = ENOMEM;
    stream->broken = STREAM_ERROR;
}

void stream_write(struct stream *stream, struct slice bytes)
{
    if (stream->broken != STREAM_OK || bytes.size == 0)
        return;
    if (bytes.size > STREAM_OUTPUT_MAX - stream->output.size)
        send_collected(stream, false);
    if (stream->broken != STREAM_OK)
        return;
    if (bytes.size > STREAM_OUTPUT_MAX) { /* Too much to be worth a copy. */
        send_out(stream, bytes, false);
        stream->unflushed = stream->filter;
    } else if (!str_append(&stream->output, bytes)) {
        fail_for_memory(stream);
    }
}

char *stream_room(struct stream *stream, size_t size, size_t *room)
{
    size_t left = STREAM_OUTPUT_MAX - stream->output.size;
    /* What is collected leaves along with much of what comes, rather than alone. */
    if (left < size && left < STREAM_OUTPUT_MAX / 2) {
        send_collected(stream, false);
        left = STREAM_OUTPUT_MAX;
    }
    if (stream->broken != STREAM_OK)
        return NULL;
    *room = size < left ? size : left;
    char *at = str_reserve(&stream->output, *room);
    if (!at)
        fail_for_memory(stream);
    return at;
}

void stream_wrote(struct stream *stream, size_t size)
{
    str_added(&stream->output, size);
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
    if (str_format_list(&text, format, list))
        stream_write(stream, str_slice(&text));
    else
        fail_for_memory(stream);
    va_end(list);
    str_free(&text);
}

enum stream_result stream_flush(struct stream *stream)
{
    if (stream->output.size > 0 || stream->unflushed)
        send_collected(stream, true);
    return stream->broken;
}

enum stream_result stream_set_filter(struct stream *stream, struct stream_filter *filter)
{
    enum stream_result result = stream_flush(stream);
    if (result == STREAM_OK && !str_append(&stream->wire, stream_pending(stream)))
        result = no_memory(&stream->wire);
    stream_discard_pending(stream);
    stream->filter = filter;
    return result;
}

void stream_switch(struct stream *stream, int in, int out)
{
    stream->in = in;
    stream->out = out;
    stream_discard_pending(stream);
}
