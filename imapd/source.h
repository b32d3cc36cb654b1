/*
 * source - one message's bytes in wire form, read as little as an item needs
 *
 * A file with CRLF line ends (all that the suite wrote itself) is mapped: a header costs only its
 * first pages, and BODY[] goes out from the page cache. Others are read and converted.
 */
#ifndef IMAPD_SOURCE_H
#define IMAPD_SOURCE_H

#include "mailbox.h"
#include "mime.h"

struct source {
    struct mailbox *mailbox;
    size_t index; /* of the message: its address may change with a sync */
    bool loaded;  /* `whole` is there */
    void *map;    /* or NULL */
    size_t map_size;
    struct str copy; /* of a message that had to be converted */
    struct slice whole;
    struct mime_part *root;
};

/* Opens nothing yet. */
void source_begin(struct source *source, struct mailbox *mailbox, size_t index);
void source_end(struct source *source);

/* False with errno; ENOENT: expunged by another session. Valid till source_end. */
bool source_whole(struct source *source, struct slice *whole);
/* With the empty line that ends it. */
bool source_header(struct source *source, struct slice *header);
/* The tree of parts; NULL with errno. */
const struct mime_part *source_root(struct source *source);

/* The header of a message in wire form. */
struct slice source_header_of(struct slice whole);

#endif
