/*
 * header - watches the header section of a message that streams by
 *
 * Counts what limits are for, and on submission adds the Date and Message-ID fields that a client
 * left out (RFC 6409 8), at the end of the section. Holds back no more than the beginning of one
 * line. A line that is no header field ends the section, and gets an empty line before it.
 */
#ifndef SMTPD_HEADER_H
#define SMTPD_HEADER_H

#include "str.h"

#include <stdint.h>

enum {
    HEADER_NAME_MAX = 128, /* bytes of a line that are looked at; no field has a longer name */
};

typedef void header_write(void *owner, struct slice bytes);

enum header_place {
    HEADER_LINE_START, /* what came of a line is held, till its kind is known */
    HEADER_IN_FIELD,   /* the rest of a field's line goes through */
    HEADER_ENDED,
};

struct header {
    header_write *write;
    void *owner;
    enum header_place place;
    char held[HEADER_NAME_MAX];
    size_t held_size;
    uint64_t size;     /* bytes of the section so far */
    unsigned received; /* Received and Delivered-To fields */
    bool has_line;     /* before it a folded line would go on with our own Received field */
    bool has_date;
    bool has_message_id;
    bool completes; /* add what is missing */
    char date[64];  /* whole fields with line ends */
    char message_id[384];
};

/* `date` and `message_id` are the fields to add where missing; NULL both to add none. */
void header_init(struct header *header, header_write *write, void *owner, const char *date,
                 const char *message_id);
/* Takes the next bytes of the message (lines end in CRLF) and passes them on to `write`. */
void header_take(struct header *header, struct slice bytes);
/* The message is at its end: what is held back goes out. */
void header_finish(struct header *header);

#endif
