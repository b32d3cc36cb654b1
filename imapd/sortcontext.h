/*
 * sortcontext - the order of a SORT that is kept up to date, and at which places of it messages come
 * and go (RFC 5267 4.3.3, 4.3.4, CONTEXT=SORT)
 *
 * What a message is sorted by never changes, so the others stay in their order whatever comes or
 * goes. Which messages those are, searchcontext.h says.
 */
#ifndef IMAPD_SORTCONTEXT_H
#define IMAPD_SORTCONTEXT_H

#include "sort.h"

struct sortcontext {
    struct sort_program program;
    uint32_t *uids; /* in order */
    size_t count;
};

/* `found`: in the order of the program. NULL without memory. */
struct sortcontext *sortcontext_new(const struct imapsession *session,
                                    const struct sort_program *program,
                                    const struct searchresult *found);
void sortcontext_free(struct sortcontext **context);

/* Takes out the messages at `indexes`, which are in the order of the mailbox; appends "8 5 3 2":
 * places and numbers, the last place first, so that each is right when its turn comes. */
bool sortcontext_remove(struct sortcontext *context, const struct imapsession *session, bool uid,
                        const struct searchresult *removed, struct str *out);
/* Puts in messages that were not there; the first place first. False without memory. */
bool sortcontext_add(struct sortcontext *context, struct imapsession *session, bool uid,
                     const struct searchresult *added, struct str *out);

#endif
