/*
 * outgoing - a message on its way to the client: line ends, dots, the limit of TOP
 *
 * Fed with the file's bytes in pieces of any size; writes to the stream what RFC 1939 3 wants: each
 * line ends in CRLF, one that begins with '.' gets another in front, ".\r\n" at the end. A file in
 * wire form goes out in long runs. Every LF without a CR in front becomes CRLF, also where a file
 * mixes both.
 */
#ifndef POP3D_OUTGOING_H
#define POP3D_OUTGOING_H

#include "stream.h"

#include <stdint.h>

#define OUTGOING_ALL UINT64_MAX

struct outgoing {
    struct stream *stream;
    uint64_t lines_left; /* of the body */
    bool in_body;
    bool at_line_start;
    bool last_was_cr;
    bool is_blank;  /* so far the line holds nothing, or a CR */
    uint64_t bytes; /* sent, without the dots that were added */
};

/* `body_lines` lines of the body are sent; OUTGOING_ALL sends everything. */
void outgoing_begin(struct outgoing *outgoing, struct stream *stream, uint64_t body_lines);
/* False when nothing more is wanted. */
bool outgoing_feed(struct outgoing *outgoing, struct slice bytes);
void outgoing_end(struct outgoing *outgoing);

#endif
