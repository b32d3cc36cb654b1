/*
 * maildirsize - how much mail an account has: Maildir++'s file Maildir/maildirsize
 *
 *     10485760S        the limit, in bytes; "0S" without one
 *     4096 1           then a line for each change, "bytes count": the sums are what is there
 *     -4096 -1
 *
 * Whoever adds or removes messages appends a line (O_APPEND, one write, a shared flock); who finds
 * the file over MAILDIRSIZE_FILE_MAX bytes folds it into one line, under the exclusive lock, so that
 * none of our lines is lost. Everything in the Maildir and its folders counts, Trash and \Deleted
 * too: it lies on the disk. The file is a cache and is never synced; what is wrong with it (torn
 * lines, a negative sum, another program's work) is put right by counting again, from the names'
 * S= fields alone. Without a file nothing is appended: an account without limit needs none.
 *
 * `maildir` is a descriptor of the account's Maildir. False and -1 come with errno.
 */
#ifndef COMMON_MAILDIRSIZE_H
#define COMMON_MAILDIRSIZE_H

#include "slice.h"

#include <stdint.h>

enum {
    MAILDIRSIZE_FILE_MAX = 5120,   /* as Maildir++ has it */
    MAILDIRSIZE_TRUST_S = 15 * 60, /* an account that seems full is counted again when its file is
                                     * older */
};

struct maildirsize {
    uint64_t limit;    /* bytes; 0: none */
    uint64_t bytes;    /* of all messages */
    uint64_t messages; /* how many there are */
};

/* Reads a file's content. False: it makes no sense, and all has to be counted. */
bool maildirsize_parse(struct slice content, struct maildirsize *size);

/* What the account has, with the limit `limit` put into the file. Counts where it has to. */
bool maildirsize_read(int maildir, uint64_t limit, struct maildirsize *size);
/* The same for who has no limit to say: that of the file stays, and the file, unless it makes no
 * sense. */
bool maildirsize_peek(int maildir, struct maildirsize *size);
/* Messages were added (or, negative, removed). True too when there is no file. */
bool maildirsize_add(int maildir, int64_t bytes, int64_t messages);
/* Counts everything again, and writes the file. */
bool maildirsize_count(int maildir, uint64_t limit, struct maildirsize *size);
/* A whole folder went: all is counted again when it is asked for. */
void maildirsize_forget(int maildir);
/* May `bytes` more come? */
bool maildirsize_has_room(const struct maildirsize *size, uint64_t bytes);

#endif
