/*
 * pick - the messages that a command's set names, one after the other
 */
#ifndef IMAPD_PICK_H
#define IMAPD_PICK_H

#include "imapsession.h"
#include "partial.h"

struct pick {
    struct sequence set;
    bool uid;
    size_t next;  /* index to go on from */
    bool gone;    /* one of the messages was expunged by another session */
    bool is_page; /* no more than `left` are to come */
    size_t left;
};

/* Parses a set of message numbers, or (UID commands) of UIDs, and makes it fit the mailbox.
 * ANSWER_DONE, or what is wrong with it. */
enum answer pick_begin(struct pick *pick, struct imapsession *session, struct parse *parse);
/* The next message by its index; those that are gone are left out. */
bool pick_next(struct pick *pick, struct imapsession *session, size_t *index);
/* Narrows it to a page of its messages (RFC 9394). */
void pick_page(struct pick *pick, struct imapsession *session, const struct partial *page);
/* How a command over these messages ends: done, or "some were gone" (not for UIDs: RFC 3501 6.4.8
 * takes what is not there in silence). */
enum answer pick_end(const struct pick *pick);

/* Makes a parsed set fit the selected mailbox, be it of UIDs or of message numbers: '*' gets its value,
 * "$" the messages that were saved (memory of `arena`). False without memory. */
bool pick_resolve(const struct imapsession *session, struct sequence *set, bool uid,
                  struct arena *arena);
uint32_t pick_highest_uid(const struct imapsession *session);

#endif
