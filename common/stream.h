/*
 * stream - lines in, answers out: the buffered connection of every protocol program
 *
 * Output is collected and leaves in one write when the program is about to wait for input
 * (or on stream_flush), so a pipelined batch is answered in one packet. Lines end in LF;
 * the line given back still has its line end, so that the caller decides about bare LF.
 * Nothing is lost over a limit: a line that is too long is reported once, and the rest of
 * it is skipped by stream_skip_line.
 */
#ifndef COMMON_STREAM_H
#define COMMON_STREAM_H

#include "str.h"

#include <stdint.h>

enum stream_result {
    STREAM_OK,
    STREAM_END,      /* the peer closed */
    STREAM_TIMEOUT,  /* nothing came, or nothing could be sent, in time */
    STREAM_TOO_LONG, /* no line end within the maximum */
    STREAM_ERROR,    /* errno says */
};

enum {
    STREAM_INPUT_SIZE = 32768, /* of one read */
    STREAM_OUTPUT_MAX = 65536, /* more than this is written out before more is taken */
};

/* For the log, why a session whose stream gave this result is over. */
const char *stream_end_name(enum stream_result result);

struct stream {
    int in;
    int out;
    int64_t timeout_ms; /* for each wait; CLOCK_NEVER waits for ever */
    int64_t deadline;   /* of the whole session, CLOCK_NEVER for none */
    struct str input;   /* read and not yet consumed, from `consumed` on */
    size_t consumed;
    struct str output;
    enum stream_result broken; /* first failure of a write; later writes do nothing */
    uint64_t bytes_in;         /* totals, for the log */
    uint64_t bytes_out;
};

/* `input_max` bounds what is buffered, and so the longest line. The stream does not own the
 * descriptors, and makes them non-blocking. False with errno. */
bool stream_init(struct stream *stream, int in, int out, size_t input_max, int64_t timeout_ms);
/* The same in two steps, for a template: room for input and output first (without it, it is made when
 * it is needed), the descriptors in the copy. */
void stream_prepare(struct stream *stream, size_t input_max, int64_t timeout_ms);
bool stream_begin(struct stream *stream, int in, int out);
void stream_free(struct stream *stream);

/* The next line with its line end, of at most `max` bytes. Valid till the next call. */
enum stream_result stream_line(struct stream *stream, size_t max, struct slice *line);
/* Drops input up to and with the next LF, however long. */
enum stream_result stream_skip_line(struct stream *stream);
/* At least one and at most `max` bytes of input. Valid till the next call. */
enum stream_result stream_bytes(struct stream *stream, size_t max, struct slice *bytes);
/* Gives back the last `size` bytes of what stream_line or stream_bytes returned last. */
void stream_unread(struct stream *stream, size_t size);

/* What is buffered and not yet consumed, and forgetting it (STARTTLS: CVE-2011-0411). */
struct slice stream_pending(const struct stream *stream);
void stream_discard_pending(struct stream *stream);
/* Puts bytes in front of what will be read (the input that a login program handed over). */
bool stream_push_pending(struct stream *stream, struct slice bytes);

void stream_write(struct stream *stream, struct slice bytes);
void stream_write_text(struct stream *stream, const char *text);
void stream_format(struct stream *stream, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Sends what is collected. */
enum stream_result stream_flush(struct stream *stream);

/* Continues on another descriptor, after STARTTLS. Pending input is discarded. */
void stream_switch(struct stream *stream, int in, int out);

#endif
