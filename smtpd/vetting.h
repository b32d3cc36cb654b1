/*
 * vetting - what is made of a client of port 25: its name, blocklists, greylisting, rates, patience
 *
 * lookupd is asked when the connection begins, and its answer read when the first recipient needs
 * it: by then it has come. Loopback clients, and those of the services where one logs in, are
 * nobody to ask about. Where lookupd can't be asked, nothing is held against anybody.
 */
#ifndef SMTPD_VETTING_H
#define SMTPD_VETTING_H

#include "directory.h"
#include "inject.h"
#include "lookup.h"

struct session;

struct vetting {
    bool is_stranger;      /* not exempt */
    int question;          /* the answer about the client comes here; -1: none is awaited */
    int64_t deadline;      /* for it */
    int lookupd;           /* kept for the other questions; -1 */
    bool is_unreachable;   /* said so */
    uint64_t greylisted_s; /* the null sender's: said at DATA */
    struct lookup_client client;
};

void vetting_init(struct vetting *vetting);
void vetting_free(struct vetting *vetting);
/* Keeps no place at lookupd: the client takes its time. */
void vetting_release(struct vetting *vetting);

/* Before the greeting, and whenever the client turns out to be another one. False: the client was
 * told that the connection ends. */
bool vetting_begin(struct session *session);
/* At MAIL. False: answered. */
bool vetting_sender(struct session *session);
/* At RCPT, for a mailbox of ours. False: answered. */
bool vetting_recipient(struct session *session, struct slice address,
                       const struct directory_account *account);
/* Before the message comes. False: not yet (4xx). */
bool vetting_takes_message(struct session *session);
/* An error is about to be answered: lets a client that errs on and on wait. */
void vetting_error(struct session *session);

/* The client's confirmed reverse name, "" without one. */
const char *vetting_name(struct session *session);
/* The fields that a listed client's message is marked with. */
void vetting_write_fields(struct session *session, struct inject *inject);

#endif
