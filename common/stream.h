/*
 * stream - lines in, answers out: the buffered connection of every protocol program
 *
 * Output is collected and leaves in one write when the program is about to wait for input
 * (or on stream_flush), so a pipelined batch is answered in one packet. Lines end in LF;
 * the line given back still has its line end, so that the caller decides about bare LF.
 * Nothing is lost over a limit: a line that is too long is reported once, and the rest of
 * it is skipped by stream_skip_line. A filter may stand between these bytes and those on the wire
 * (COMPRESS): all functions then speak of the bytes of the program.
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
    STREAM_WIRE_SIZE = 16384,  /* of one read or write of what a filter makes */
};

/* For the log, why a session whose stream gave this result is over. */
const char *stream_end_name(enum stream_result result);

/* Turns the program's bytes into those of the wire, and back, piece by piece. */
struct stream_filter {
    /* Takes bytes off the front of *plain and returns how many it made into `wire`. `flush`: the
     * peer shall be able to read all of it. *done: nothing is left to be made. */
    size_t (*encode)(struct stream_filter *filter, struct slice *plain, bool flush, char *wire,
                     size_t room, bool *done);
    /* Takes bytes off the front of *wire; *made says how many it made into `plain`, never more than
     * `room`. False: they make no sense, or there is no memory; with errno. */
    bool (*decode)(struct stream_filter *filter, struct slice *wire, char *plain, size_t room,
                   size_t *made);
};

struct stream {
    int in;
    int out;
    int64_t timeout_ms; /* for each wait; CLOCK_NEVER waits for ever */
    int64_t deadline;   /* of the whole session, CLOCK_NEVER for none */
    struct str input;   /* read and not yet consumed, from `consumed` on */
    size_t consumed;
    struct str output;
    enum stream_result broken; /* first failure of a write; later writes do nothing */
    uint64_t bytes_in;         /* totals on the wire, for the log */
    uint64_t bytes_out;
    struct stream_filter *filter; /* not owned; NULL: none */
    bool unflushed;               /* it has bytes that were not brought to the peer */
    struct str wire;              /* read and not yet decoded, from `decoded` on */
    size_t decoded;
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

/* Would stream_line or stream_bytes find something without waiting for the client? */
bool stream_has_input(struct stream *stream);
/* Gives back the buffers that hold nothing and are larger than `keep` bytes. */
void stream_slim(struct stream *stream, size_t keep);

void stream_write(struct stream *stream, struct slice bytes);
/* Room for at least one and at most `size` bytes at the end of what is collected: the caller fills
 * it and calls stream_wrote. NULL when the stream is broken. */
char *stream_room(struct stream *stream, size_t size, size_t *room);
void stream_wrote(struct stream *stream, size_t size);
void stream_write_text(struct stream *stream, const char *text);
void stream_format(struct stream *stream, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Sends what is collected. */
enum stream_result stream_flush(struct stream *stream);

/* Continues on another descriptor, after STARTTLS. Pending input is discarded. */
void stream_switch(struct stream *stream, int in, int out);
/* From here on all bytes go through `filter`, which must live as long as the stream. What was
 * collected is sent without it; what is pending was sent with it. */
enum stream_result stream_set_filter(struct stream *stream, struct stream_filter *filter);

#endif
