/* outgoing - see outgoing.h */
#include "outgoing.h"

void outgoing_begin(struct outgoing *outgoing, struct stream *stream, uint64_t body_lines)
{
    *outgoing = (struct outgoing){.stream = stream,
                                  .lines_left = body_lines,
                                  .in_body = body_lines == OUTGOING_ALL,
                                  .at_line_start = true,
                                  .is_blank = true};
}

static void send_run(struct outgoing *outgoing, struct slice run)
{
    stream_write(outgoing->stream, run);
    outgoing->bytes += run.size;
}

static bool is_only_cr(struct slice text)
{
    return text.size == 0 || (text.size == 1 && text.data[0] == '\r');
}

/* A line ended. False when it was the last that is wanted. */
static bool count_line(struct outgoing *outgoing)
{
    if (outgoing->lines_left == OUTGOING_ALL)
        return true;
    if (!outgoing->in_body) {
        outgoing->in_body = outgoing->is_blank;
        return !outgoing->in_body || outgoing->lines_left > 0;
    }
    return --outgoing->lines_left > 0;
}

/* `bytes` begin at `start` with what was not yet sent; the line's own bytes end before `end`, where
 * its LF stands. Sends nothing that can wait: only what comes before a byte that is added. */
static size_t end_line(struct outgoing *outgoing, struct slice bytes, size_t start, size_t end)
{
    bool has_cr = end > 0 ? bytes.data[end - 1] == '\r' : outgoing->last_was_cr;
    if (has_cr)
        return start;
    send_run(outgoing, slice_part(bytes, start, end - start));
    send_run(outgoing, SLICE("\r"));
    return end;
}

static size_t add_dot(struct outgoing *outgoing, struct slice bytes, size_t start, size_t at)
{
    if (!outgoing->at_line_start || bytes.data[at] != '.')
        return start;
    send_run(outgoing, slice_part(bytes, start, at - start));
    stream_write(outgoing->stream, SLICE("."));
    return at;
}

bool outgoing_feed(struct outgoing *outgoing, struct slice bytes)
{
    size_t start = 0, at = 0; /* what is not yet sent; the line under way */
    bool more = true;
    while (at < bytes.size && more) {
        start = add_dot(outgoing, bytes, start, at);
        struct slice rest = slice_from(bytes, at);
        size_t size = slice_find(rest, '\n');
        if (!outgoing->in_body) {
            struct slice line = slice_part(rest, 0, size);
            outgoing->is_blank = is_only_cr(line) && outgoing->is_blank &&
                                 (line.size == 0 || !outgoing->last_was_cr);
        }
        outgoing->at_line_start = size < rest.size;
        at += size;
        if (!outgoing->at_line_start)
            break;
        start = end_line(outgoing, bytes, start, at);
        at++;
        more = count_line(outgoing);
        outgoing->is_blank = true;
        outgoing->last_was_cr = false;
    }
    send_run(outgoing, slice_part(bytes, start, at - start));
    if (at > 0)
        outgoing->last_was_cr = bytes.data[at - 1] == '\r';
    return more && outgoing->stream->broken == STREAM_OK;
}

/* A message whose last line has no end gets one: the dot must stand alone. */
void outgoing_end(struct outgoing *outgoing)
{
    if (!outgoing->at_line_start) {
        if (outgoing->last_was_cr)
            send_run(outgoing, SLICE("\n"));
        else
            send_run(outgoing, SLICE("\r\n"));
    }
    stream_write(outgoing->stream, SLICE(".\r\n"));
}
