/*
 * subscribe - the list of folders that the user subscribed to: Maildir/subscriptions
 *
 * The file has Dovecot's second form ("V<tab>2", an empty line, then a name per line, its levels
 * parted by tabs), so that a Maildir can move between the two; the older form (names as on disk,
 * without the leading dot) is read too, and where there is no such file Courier's, whose names begin
 * with "INBOX.". It is replaced in one step, under flock on Maildir.
 */
#ifndef MAILBOX_SUBSCRIBE_H
#define MAILBOX_SUBSCRIBE_H

#include "str.h"

struct subscriptions {
    struct str names; /* each as on the wire, with a line end */
};

enum { SUBSCRIBE_FILE_MAX = 1048576 };

/* Reads the file; a missing one is an empty list. False with errno. */
bool subscribe_load(struct subscriptions *list);
void subscribe_free(struct subscriptions *list);
bool subscribe_has(const struct subscriptions *list, struct slice name);
/* Walks the names: *rest starts as str_slice(&list->names). */
bool subscribe_next(struct slice *rest, struct slice *name);

/* Adds or removes one name. False with errno; removing what is not there is no error. */
bool subscribe_change(struct slice name, bool subscribed);
/* Adds several, a line each, in one step. */
bool subscribe_add(struct slice names);
/* Has the account ever had a list? */
bool subscribe_exists(void);

#endif
