/*
 * searchcontext - searches whose result is kept up to date: RETURN (UPDATE), ADDTO, REMOVEFROM,
 * CANCELUPDATE, NOUPDATE (RFC 5267, CONTEXT=SEARCH, CONTEXT=SORT)
 *
 * A context has its own copy of the search's keys, and the UIDs that fit at last. What the flags of all
 * messages were then is kept once for all contexts: so only messages that are new or have changed, by
 * whomever, are looked at again.
 */
#ifndef IMAPD_SEARCHCONTEXT_H
#define IMAPD_SEARCHCONTEXT_H

#include "search.h"
#include "sort.h"

enum { SEARCHCONTEXT_MAX = 8 }; /* of a session; RFC 5267 4.3.2: [NOUPDATE] beyond */

/* Is a search with this tag kept up to date? Another can't be, till it is cancelled (4.3). */
bool searchcontext_has(const struct imapsession *session, struct slice tag);
/* Keeps the search at work up to date from now on: `keys` is its text, `found` what it found, in the
 * order of the mailbox, or of a SORT's program (NULL: SEARCH). Where that can't be, the client is told: too many contexts, memory, or keys
 * that are message numbers, which mean other messages after an expunge. */
void searchcontext_add(struct imapsession *session, struct slice charset, struct slice keys,
                       const struct sort_program *program, const struct searchresult *found);
/* Forgets all contexts; the selected mailbox is closed. */
void searchcontext_clear(struct imapsession *session);

/* Before EXPUNGEs are told: REMOVEFROM for those messages, by the numbers that the client knows. */
void searchcontext_tell_gone(struct imapsession *session);
/* After all other news: what the rest of them means. */
void searchcontext_tell_news(struct imapsession *session);

#endif
