/*
 * mailboxparts - what the files mailbox*.c share with each other and with nobody else
 */
#ifndef COMMON_MAILBOXPARTS_H
#define COMMON_MAILBOXPARTS_H

#include "mailbox.h"

#include <limits.h>
#include <sys/stat.h>

/* Keeps errno in mailbox->error; false, for the caller's return. */
bool mailbox_fail(struct mailbox *mailbox);

/* ---- mailboxlock.c */
/* Is what the list says still so, as far as the stamps tell? */
bool mailbox_cur_is_known(struct mailbox *mailbox);
bool mailbox_new_is_known(struct mailbox *mailbox);
/* Takes the stamp of a folder that is about to be listed. */
bool mailbox_stamp_cur(struct mailbox *mailbox);
bool mailbox_stamp_new(struct mailbox *mailbox);
/* To be called under the lock before the first change of a name in cur/ or new/. */
bool mailbox_begin_change(struct mailbox *mailbox);

/* ---- mailboxfiles.c */
/* Reads mailbox-uids, which is made when missing; `highest` is the highest UID in a file name. */
bool mailbox_load_uids(struct mailbox *mailbox, uint32_t highest);
/* Gives out `count` UIDs from *first on. After mailbox_load_uids under the same lock. */
bool mailbox_reserve_uids(struct mailbox *mailbox, uint32_t count, uint32_t *first);
/* Takes back those from `next` on, under the same lock. */
bool mailbox_return_uids(struct mailbox *mailbox, uint32_t next);
/* Before a message is removed: sees to it that its UID isn't given out again. */
bool mailbox_keep_uid_used(struct mailbox *mailbox, uint32_t uid);
bool mailbox_load_keywords(struct mailbox *mailbox);

/* ---- mailboxscan.c */
bool mailbox_sync_locked(struct mailbox *mailbox);
/* Finds the names that known messages have now; takes no new ones, so the list stays where it is.
 */
bool mailbox_refresh(struct mailbox *mailbox);
/* Puts a message behind the last one; `name` becomes the mailbox's. NULL without room. */
struct mailbox_message *mailbox_add(struct mailbox *mailbox, const struct maildir_name *facts,
                                    char *name);
/* Renames `old_name` in `from` to what `facts` say in `to`, never over another file; a name that
 * is too long, or taken, gets a new unique part. Returns the name, to be freed; NULL with errno. */
char *mailbox_rename(int from, const char *old_name, int to, const struct maildir_name *facts);
/* The same by a hard link, under a unique part of its own. */
char *mailbox_link(int from, const char *old_name, int to, const struct maildir_name *facts);
/* The facts of a message as its name and the list have them. */
struct maildir_name mailbox_facts(const struct mailbox_message *message);
/* The folder that the message's file lies in. */
int mailbox_folder_of(const struct mailbox *mailbox, const struct mailbox_message *message);

#endif
