/*
 * notify - NOTIFY (RFC 5465): events of mailboxes are told as they happen, with no command at work
 *
 * A session that has set it keeps a list of all folders, what the client wants to hear of each, and
 * what it was told last; inotify (watch.h) says where to look. A folder that is not selected is
 * opened, its figures compared with those told, and closed. IDLE is the same for a while, about the
 * selected mailbox alone.
 *
 * What the client does itself is not told again (5): names, subscriptions, annotations. Figures of
 * another mailbox that it changed are, since others may have changed it at the same time.
 */
#ifndef IMAPD_NOTIFY_H
#define IMAPD_NOTIFY_H

#include "fetch.h"
#include "imapsession.h"
#include "mailboxfilter.h"
#include "watch.h"

enum {
    NOTIFY_GROUPS_MAX = 64,           /* BAD */
    NOTIFY_NAMES_MAX = 1000,          /* of all groups; [NOTIFICATIONOVERFLOW] */
    NOTIFY_MAILBOXES_MAX = 2000,      /* of the account; the same */
    NOTIFY_TEXT_MAX = 65536,          /* bytes of the command; the same */
    NOTIFY_ARENA_MAX = 2 * 1048576,   /* what is parsed out of it; BAD */
    NOTIFY_LOOK_MS = 10000,           /* where nothing can be watched */
    NOTIFY_SUBSCRIPTIONS_MAX = 65536, /* bytes; overflow */
    NOTIFY_METADATA_MAX = 1048576,    /* bytes of names of annotations; overflow */
};

enum notify_event {
    NOTIFY_MESSAGE_NEW = 1 << 0, /* and MessageExpunge: one is never wanted without the other */
    NOTIFY_FLAG_CHANGE = 1 << 1,
    NOTIFY_MAILBOX_NAME = 1 << 2,
    NOTIFY_SUBSCRIPTION = 1 << 3,
    NOTIFY_MAILBOX_METADATA = 1 << 4,
    NOTIFY_SERVER_METADATA = 1 << 5,
    NOTIFY_MESSAGE_EXPUNGE = 1 << 6,
    NOTIFY_ANY_MESSAGE = NOTIFY_MESSAGE_NEW | NOTIFY_FLAG_CHANGE | NOTIFY_MESSAGE_EXPUNGE,
};

struct notify_group {
    struct mailboxfilter filter; /* of other than the selected mailbox */
    unsigned events;
};

/* What follows "NOTIFY SET". */
struct notify_request {
    bool status;                 /* figures are told at once */
    struct notify_group *groups; /* in the arena */
    size_t count;
    unsigned events; /* of all groups */
    bool has_selected, is_delayed;
    unsigned selected_events;
    bool has_fetch;
    struct fetch_request fetch; /* of new messages in the selected mailbox */
    bool has_unknown;           /* an event that there is not: [BADEVENT] */
};

/* " STATUS (SELECTED (MessageNew (UID) MessageExpunge)) (PERSONAL (MailboxName))": behind the word SET.
 * What it finds points into the text. False: BAD. */
bool notify_parse(struct imapsession *session, struct parse *parse, struct notify_request *request);
/* "BADEVENT (MessageNew ...)": what there is (3.1). */
void notify_append_events(struct str *out, const struct imapsession *session);

struct notify;

/* Tells all that has happened: of the selected mailbox as update_tell does, and what NOTIFY asked
 * for. `tells` is of UPDATE_... */
void notify_tell(struct imapsession *session, unsigned tells);
/* What of the selected mailbox is wanted: all, where no NOTIFY says otherwise. */
unsigned notify_selected_events(const struct imapsession *session);
/* Messages from position `first` on were just told by EXISTS: the items that NOTIFY wants of them. */
void notify_tell_new(struct imapsession *session, size_t first);
/* The command at work has done something to these names itself, which may be "": to the one before,
 * and to the one after. */
void notify_expect(struct imapsession *session, const char *from, const char *to);

/* Waits till the client has sent something, the deadline has passed, or the session has ended, and
 * tells events meanwhile. `tells` is of UPDATE_... */
void notify_wait(struct imapsession *session, int64_t deadline, unsigned tells);
/* The same between two commands. */
void notify_wait_for_command(struct imapsession *session);
/* For IDLE: watches the selected mailbox where no NOTIFY is set, and ends that. */
void notify_begin_idle(struct imapsession *session);
void notify_end_idle(struct imapsession *session);
/* Ends it. */
void notify_free(struct notify **notify);

#endif
