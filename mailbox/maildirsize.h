/*
 * maildirsize - how much mail an account has: Maildir++'s file Maildir/maildirsize
 *
 *     10485760S        the limit, in bytes; "0S" without one
 *     4096 1           then lines "bytes count": the sums are what is there
 *     0 0 +            a change begins
 *     -4096 -1 =       it is done; this is what it was
 *
 * Whoever adds or removes messages holds a shared flock from before the first of them is seen till the
 * line that ends the change (O_APPEND, one write each). So who gets the exclusive lock and finds a change
 * without its end knows that it was cut off, by kill -9 say, and counts. Counting and folding (of a file
 * over MAILDIRSIZE_FILE_MAX bytes, into one line) are done under that lock, and not at all while others
 * are at work: the sums are true so far, and nobody waits for them.
 *
 * Everything in the Maildir and its folders counts, Trash and \Deleted too: it lies on the disk. The
 * file is a cache and is never synced; what is wrong with it (torn lines, a negative sum, another
 * program's work) is put right by counting again, from the names' S= fields alone. Without a file
 * nothing is appended: an account without limit needs none.
 *
 * `maildir` is a descriptor of the account's Maildir. False and -1 come with errno.
 */
#ifndef MAILBOX_MAILDIRSIZE_H
#define MAILBOX_MAILDIRSIZE_H

#include "slice.h"

#include <stdint.h>

enum {
    MAILDIRSIZE_FILE_MAX = 5120,   /* as Maildir++ has it */
    MAILDIRSIZE_TRUST_S = 15 * 60, /* an account that seems full is counted again when its file is
                                     * older */
};

struct maildirsize {
    uint64_t limit;     /* bytes; 0: none */
    uint64_t bytes;     /* of all messages */
    uint64_t messages;  /* how many there are */
    uint64_t under_way; /* changes that have begun; maildirsize_count leaves it 0 */
};

/* Reads a file's content. False: it makes no sense, and all has to be counted. */
bool maildirsize_parse(struct slice content, struct maildirsize *size);

/* What the account has, with the limit `limit` put into the file. Counts where it has to. */
bool maildirsize_read(int maildir, uint64_t limit, struct maildirsize *size);
/* The same for who has no limit to say: that of the file stays, and the file, unless it makes no
 * sense. */
bool maildirsize_peek(int maildir, struct maildirsize *size);

/* A change of what the account has. */
struct maildirsize_change {
    bool has_begun;
    bool is_long; /* it may be time to fold the file */
    int fd;       /* -1: there is no file */
};

/* Before the first message comes or goes. */
void maildirsize_begin(int maildir, struct maildirsize_change *change);
/* So much was added, or, negative, removed. */
void maildirsize_end(int maildir, struct maildirsize_change *change, int64_t bytes,
                     int64_t messages);

/* Counts everything again, and writes the file, if nobody else is at work. */
bool maildirsize_count(int maildir, uint64_t limit, struct maildirsize *size);
/* Nobody knows how much it was: all is counted again when it is asked for. */
void maildirsize_end_uncounted(int maildir, struct maildirsize_change *change);
/* The same for what was changed before. */
void maildirsize_forget(int maildir);
/* May `bytes` more come? */
bool maildirsize_has_room(const struct maildirsize *size, uint64_t bytes);

#endif
