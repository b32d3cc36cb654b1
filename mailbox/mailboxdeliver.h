/*
 * mailboxdeliver - a delivery that finds its place in the mailbox's index as well
 *
 * Where a folder has an index, a delivered message gets its UID with its name, and a record in the
 * index's log: who opens the folder next has nothing to rename and nothing to find out. Without an
 * index, or where another session keeps the lock, or anything else is not as it should be, the file
 * alone is delivered, as into any Maildir; the next session takes it from there.
 */
#ifndef MAILBOX_MAILBOXDELIVER_H
#define MAILBOX_MAILBOXDELIVER_H

#include "maildir.h"

/* maildir_place, and the record. False with delivery->error set: what maildir_place says. `repeats`:
 * it may have been delivered before; then it has no UID, so that it meets its own name. */
bool mailboxdeliver_place(struct maildir_delivery *delivery, bool repeats);

#endif
