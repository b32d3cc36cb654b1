/*
 * mailboxfilter - which mailboxes a command is about (filter-mailboxes of RFC 5465 6, 7377 2.2)
 */
#ifndef IMAPD_MAILBOXFILTER_H
#define IMAPD_MAILBOXFILTER_H

#include "foldertree.h"
#include "imapsession.h"
#include "subscribe.h"

enum { MAILBOXFILTER_MAX = 64, MAILBOXFILTER_NAMES_MAX = 1000 };

enum mailboxfilter_kind {
    MAILBOXFILTER_SELECTED,
    MAILBOXFILTER_SELECTED_DELAYED, /* of NOTIFY alone */
    MAILBOXFILTER_INBOXES,          /* where mail is delivered: INBOX */
    MAILBOXFILTER_PERSONAL,
    MAILBOXFILTER_SUBSCRIBED,
    MAILBOXFILTER_SUBTREE,
    MAILBOXFILTER_SUBTREE_ONE, /* with the level below it, no more */
    MAILBOXFILTER_MAILBOXES,
};

struct mailboxfilter {
    enum mailboxfilter_kind kind;
    struct slice *names; /* as on disk; in the arena */
    size_t name_count;
};

struct mailboxfilters {
    struct mailboxfilter all[MAILBOXFILTER_MAX];
    size_t count;
};

/* One of them. */
bool mailboxfilter_parse_one(struct imapsession *session, struct parse *parse,
                             struct mailboxfilter *filter);
/* Filters with a blank between them. Names that can't be are passed over; SELECTED-DELAYED is none
 * of them. False: BAD. */
bool mailboxfilter_parse(struct imapsession *session, struct parse *parse,
                         struct mailboxfilters *filters);
/* Is the selected mailbox all that it is about? */
bool mailboxfilter_is_selected_alone(const struct mailboxfilters *filters);
/* Is the mailbox of that name meant? Of SELECTED: is it selected? */
bool mailboxfilter_meets(const struct imapsession *session, const struct mailboxfilter *filter,
                         const struct subscriptions *list, struct slice name);
/* Reads the folders and sets `meets` of those that exist and are meant. False with errno. */
bool mailboxfilter_choose(const struct imapsession *session, const struct mailboxfilters *filters,
                          struct foldertree *tree);

#endif
