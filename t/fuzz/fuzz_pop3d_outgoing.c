/* POP3 messages: however a file is read in pieces, the same goes out, in CRLF lines up to one dot */
#include "outgoing.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SENT_MAX = 8192, STORED_MAX = 2048 };

static void send_pieces(struct stream *stream, struct slice stored, uint64_t lines, size_t piece)
{
    struct outgoing outgoing;
    bool more = true;
    stream->output.size = 0;
    outgoing_begin(&outgoing, stream, lines);
    for (size_t at = 0; at < stored.size && more; at += piece)
        more = outgoing_feed(&outgoing, slice_part(stored, at, piece));
    outgoing_end(&outgoing);
}

/* Every LF has its CR; ".\r\n" is the last line, and none before it. */
static void check(struct slice sent)
{
    while (sent.size > 0) {
        size_t end = slice_find(sent, '\n');
        if (end == sent.size || end == 0 || sent.data[end - 1] != '\r')
            abort();
        struct slice line = slice_part(sent, 0, end + 1);
        sent = slice_from(sent, end + 1);
        if (slice_equal(line, SLICE(".\r\n")) != (sent.size == 0))
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct stream stream;
    struct str whole;
    if (size < 2 || size > STORED_MAX)
        return 0;
    uint64_t lines = data[0] < 8 ? data[0] : OUTGOING_ALL;
    struct slice stored = slice_of(data + 2, size - 2);
    if (!stream_init(&stream, 0, 1, 100, 0))
        return 0;
    str_init(&whole, SENT_MAX);
    send_pieces(&stream, stored, lines, SIZE_MAX / 2);
    check(str_slice(&stream.output));
    if (!str_append(&whole, str_slice(&stream.output)))
        abort();
    send_pieces(&stream, stored, lines, 1 + data[1] % 16);
    if (!slice_equal(str_slice(&whole), str_slice(&stream.output)))
        abort();
    str_free(&whole);
    stream_free(&stream);
    return 0;
}
