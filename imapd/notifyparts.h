/*
 * notifyparts - what the files of notify share
 */
#ifndef IMAPD_NOTIFYPARTS_H
#define IMAPD_NOTIFYPARTS_H

#include "notify.h"
#include "subscribe.h"

/* What a STATUS told. */
struct notify_figures {
    uint32_t uidvalidity, uidnext, messages, unseen;
    uint64_t modseq;
};

/* A folder of the account. */
struct notify_mailbox {
    char *name;
    uint64_t device, inode; /* it stays the same folder when it is renamed */
    unsigned events;
    struct watched watched;
    bool messages_changed, metadata_changed; /* to be looked at */
    bool is_quiet; /* what is found then is not told: the client knows, or wants no STATUS */
    struct notify_figures told;
    struct str annotations; /* as metadata_lines makes them */
    struct notify_mailbox
        *other; /* while two looks are compared: the same folder in the other one */
};

struct notify_mailboxes {
    struct notify_mailbox *all; /* in order of name, INBOX first */
    size_t count;
};

struct notify {
    struct arena arena;            /* of the request */
    struct notify_request request; /* in effect */
    bool is_idle;                  /* there is no NOTIFY, but IDLE waits */
    int watch;
    bool overflow; /* more than we keep: to be ended */

    struct watched selected;           /* the selected mailbox */
    uint64_t selected_id;              /* its MAILBOXID; 0: none is watched */
    struct notify_mailboxes mailboxes; /* empty, where only the selected one matters */
    struct subscriptions subscriptions;
    struct str annotations; /* of the account */
    bool names_changed, server_metadata_changed;

    bool has_own; /* the command at work has changed these itself */
    char own_from[IMAPFOLDER_NAME_MAX + 1], own_to[IMAPFOLDER_NAME_MAX + 1];
};

/* notifynames.c: folders and subscriptions */

/* Reads them; tells what has changed since they were read last, where `tells`. What has come, and is
 * wanted, is watched from then on, and marked to be looked at. False with notify->overflow, or with
 * errno for passing trouble. */
bool notifynames_refresh(struct imapsession *session, bool tells);
/* Has the command at work changed it itself? */
bool notifynames_is_own(const struct notify *notify, const char *name);
void notifynames_free(struct notify *notify);

/* notifymailbox.c: figures and annotations */

/* Looks at the mailbox and tells what differs from what was told, if it is wanted. */
void notifymailbox_tell(struct imapsession *session, struct notify_mailbox *mailbox);
void notifymailbox_tell_annotations(struct imapsession *session, struct notify_mailbox *mailbox);
void notifymailbox_tell_server(struct imapsession *session, bool tells);

#endif
