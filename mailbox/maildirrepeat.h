/*
 * maildirrepeat - was this message from the queue delivered into the mailbox before?
 *
 * A delivery that is repeated takes the place of what bears its own name in new/ (maildir.h). A mail
 * program may have taken the first one to cur/ meanwhile, and it may have had other lines in front:
 * reading both folders finds it all the same. That is done when a repeat is likely: after a restart of
 * the queue manager, or when a worker died over it.
 */
#ifndef MAILBOX_MAILDIRREPEAT_H
#define MAILBOX_MAILDIRREPEAT_H

#include "slice.h"

#include <stdint.h>
#include <sys/types.h>

/* What a whole delivery consists of: `head`, lines of any kind, then the message. */
struct maildirrepeat_content {
    struct slice head;
    int fd; /* the message: `size` bytes from `start` on */
    off_t start;
    uint64_t size;
};

/* True: the message `id` (as for maildir_begin, host NULL) is in new/ or cur/ of the Maildir `path`
 * below `directory`, whole, and by now on disk. False: it is not, or nobody can tell; deliver it.
 * What bears its name and is not whole - a power cut took the bytes, not the name - is removed. */
bool maildirrepeat_find(int directory, const char *path, const char *id,
                        const struct maildirrepeat_content *content);

#endif
