/*
 * source - one message's bytes in wire form, read as little as an item needs
 *
 * A file with CRLF line ends (all that the suite wrote itself) is read into memory that is used
 * again for the next message; a header costs one small read, a large message is mapped, and
 * source_read takes any part straight to where it is wanted. Other files are read and converted.
 */
#ifndef IMAPD_SOURCE_H
#define IMAPD_SOURCE_H

#include "mailbox.h"
#include "mime.h"

struct source {
    struct mailbox *mailbox;
    size_t index;      /* of the message: its address may change with a sync */
    int fd;            /* -1: not open */
    bool is_known;     /* `size` is right, and so is `is_converted` */
    uint64_t size;     /* in wire form; set by source_open and source_whole alone */
    bool is_converted; /* the file is in another form: `bytes` has it */
    size_t front;      /* how much of a file is read in search of the header's end */
    struct str bytes;  /* the front of the message, as far as it was read; or all, converted */
    void *map;         /* or NULL */
    size_t map_size;
    size_t header_size; /* 0: not known */
    struct mime_part *root;
};

/* Opens nothing yet. */
void source_begin(struct source *source, struct mailbox *mailbox, size_t index);
/* Goes on with another message; what was got from the source before ends. */
void source_move(struct source *source, size_t index);
void source_end(struct source *source);

/* False with errno; ENOENT: expunged by another session. What they give is valid till source_move
 * or source_end, but a header only till source_whole. */
bool source_whole(struct source *source, struct slice *whole);
/* With the empty line that ends it. */
bool source_header(struct source *source, struct slice *header);
/* The tree of parts; NULL with errno. */
const struct mime_part *source_root(struct source *source);

/* Makes sure that the message can be read, and knows its size. */
bool source_open(struct source *source);
/* Copies `size` bytes at `offset`, which must lie within the message. */
bool source_read(struct source *source, uint64_t offset, char *room, size_t size);

/* The header of a message in wire form. */
struct slice source_header_of(struct slice whole);

#endif
