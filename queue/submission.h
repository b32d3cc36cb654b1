/*
 * submission - a message as local programs write it, made fit for the queue
 *
 * Pure: text in wire form in; header fields looked at, removed and added; recipients out.
 */
#ifndef QUEUE_SUBMISSION_H
#define QUEUE_SUBMISSION_H

#include "envelope.h"

#include <stdint.h>

enum { SUBMISSION_HEADER_MAX = 1048576 };

/* The end of input at a line that is just "." (unless -i): incremental, over the bytes as they come. */
struct submission_dot {
    enum { SUBMISSION_LINE_START, SUBMISSION_MIDDLE, SUBMISSION_DOT, SUBMISSION_DOT_CR } place;
    bool ended;
};
/* Takes bytes off the front of *input, and gives the run of message they stand for (which points
 * into the input, or is a constant). Call till *input is empty or `ended`. */
struct slice submission_undot(struct submission_dot *dot, struct slice *input);

struct submission {
    /* in */
    const char *me;
    struct slice sender; /* address for From when that is missing */
    struct slice name;   /* display name for it; may be empty */
    bool reads_recipients;
    int64_t now;
    const char *unique; /* for a Message-ID */
    /* out */
    size_t header_size; /* bytes of the input that are header, with the empty line */
    size_t bad_count;   /* addresses that are none */
    struct str header;  /* the new header, with the empty line */
};

void submission_init(struct submission *submission);
void submission_free(struct submission *submission);

/* Does the header end within `text` (a message's beginning)? */
bool submission_has_header(struct slice text, bool is_whole);
/* Reads the header of `text`, writes the new one, adds recipients to the envelope (with -t). False:
 * too many recipients, header too large, or no memory. */
bool submission_read(struct submission *submission, struct slice text, struct envelope *envelope);
/* "user" becomes "user@me". False when it does not fit. */
bool submission_qualify(struct slice address, const char *me, struct str *full);

#endif
