/*
 * messagefile - reads one message after the other, for who looks into many
 *
 * One buffer for all; a header costs one read of its first pages, a small message one read. Bytes are
 * as they lie on the disk: files of other programs have LF line ends (source.h converts those).
 */
#ifndef IMAPD_MESSAGEFILE_H
#define IMAPD_MESSAGEFILE_H

#include "mailbox.h"

struct messagefile {
    struct mailbox *mailbox;
    size_t index;       /* of the message */
    int fd;             /* -1: not opened yet */
    bool failed;        /* it can't be read */
    bool whole;         /* `bytes` or `map` is all of it */
    size_t header_size; /* 0: not looked for yet */
    struct str bytes;
    void *map; /* of a large message; or NULL */
    size_t map_size;
};

void messagefile_init(struct messagefile *file);
void messagefile_free(struct messagefile *file);
/* Goes on to another message; opens nothing yet. */
void messagefile_begin(struct messagefile *file, struct mailbox *mailbox, size_t index);
/* Gives the message back: to be called before the mailbox changes. */
void messagefile_end(struct messagefile *file);

/* The header with the empty line that ends it. False: can't be read (gone, or without memory). Valid
 * till the next call. */
bool messagefile_header(struct messagefile *file, struct slice *header);
/* All of it, and how much of it is the header. */
bool messagefile_whole(struct messagefile *file, struct slice *whole, size_t *header_size);

#endif
