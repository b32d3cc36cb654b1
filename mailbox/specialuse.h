/*
 * specialuse - what folders are used for (RFC 6154): Maildir/special-use
 *
 * A line for each use that a folder has: "\Sent NAME", the name as on disk and on the wire of
 * IMAP4rev1 (modified UTF-7). One use belongs to one folder at most, so that two clients never
 * put what was sent into two places; one folder may have several. The file is replaced in one
 * step, under flock on Maildir. A line whose folder is not there counts for nothing.
 */
#ifndef MAILBOX_SPECIALUSE_H
#define MAILBOX_SPECIALUSE_H

#include "imapfolder.h"
#include "str.h"

#include <stdint.h>

enum specialuse {
    SPECIALUSE_ARCHIVE,
    SPECIALUSE_DRAFTS,
    SPECIALUSE_JUNK,
    SPECIALUSE_SENT,
    SPECIALUSE_TRASH,
    SPECIALUSE_COUNT
};
enum { SPECIALUSE_FILE_MAX = 8192 };

/* A set of uses is bits, 1 << index in the order of the attributes' names. */
enum { SPECIALUSE_ALL_BITS = (1 << SPECIALUSE_COUNT) - 1 };

struct specialuses {
    char names[SPECIALUSE_COUNT][IMAPFOLDER_NAME_MAX + 1]; /* "": no folder has it */
};

/* "\Sent" in any case: its bit. 0: RFC 6154 knows it not, or it is one that no folder here can
 * have (\All, \Flagged, \Important). */
unsigned specialuse_bit(struct slice attribute);
/* The name of the folder that is made for it. */
const char *specialuse_standard(size_t index);
/* Is this a name by which mail programs, Japanese ones included, make a folder for that use? Its
 * place among these names, the lower the likelier; SIZE_MAX: none of them. */
size_t specialuse_rank(size_t index, struct slice name);
/* The use for which that is so; 0: none. */
unsigned specialuse_customary(struct slice name);

/* The content of the file; lines that make no sense are passed over. */
void specialuse_parse(struct slice content, struct specialuses *uses);
bool specialuse_format(const struct specialuses *uses, struct str *content);
/* The uses of a folder. */
unsigned specialuse_of(const struct specialuses *uses, struct slice name);
/* "\Drafts \Sent" for bits. */
bool specialuse_append(struct str *out, unsigned bits);
/* Takes all uses from `name`, gives it `bits`, and takes these from others. */
void specialuse_set(struct specialuses *uses, struct slice name, unsigned bits);
/* `from` and what is below it have new names. True when that changed something. */
bool specialuse_renamed(struct specialuses *uses, struct slice from, struct slice to);

/* Reads the file; a missing one is an empty list. False with errno. */
bool specialuse_load(struct specialuses *uses);
/* The same with the lock of the account's lists, which is given back by specialuse_unlock. The
 * descriptor, -1 with errno. */
int specialuse_lock(struct specialuses *uses);
bool specialuse_store(int lock, const struct specialuses *uses);
void specialuse_unlock(int *lock);
/* Has the account ever had the file? */
bool specialuse_exists(void);

#endif
