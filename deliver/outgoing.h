/*
 * outgoing - the bytes of a queued message, in the form in which a server takes them
 *
 * Small messages are read, larger ones mapped: nothing is copied. The queue never changes or cuts
 * the part of its file that holds the message.
 */
#ifndef DELIVER_OUTGOING_H
#define DELIVER_OUTGOING_H

#include "downgrade.h"

#include <stdint.h>
#include <sys/types.h>

enum outgoing_form {
    OUTGOING_AS_IS,
    OUTGOING_8BIT, /* encoded where it is binary */
    OUTGOING_7BIT, /* encoded where it is binary or has 8 bits */
};

struct outgoing {
    struct slice message;
    unsigned traits; /* of downgrade.h */
    void *map;
    size_t map_size;
};

/* `size` bytes of the file from `start` on; `buffer` is used where they fit. False with errno. */
bool outgoing_open(struct outgoing *outgoing, int fd, off_t start, uint64_t size, char *buffer,
                   size_t capacity);
void outgoing_close(struct outgoing *outgoing);

/* The bytes it has in that form; 0 when it can't be had (no memory). */
uint64_t outgoing_size(const struct outgoing *outgoing, enum outgoing_form form);
/* Hands over the bytes. False: no memory, or `take` said no. */
bool outgoing_write(const struct outgoing *outgoing, enum outgoing_form form,
                    contentwriter_take *take, void *owner);

#endif
