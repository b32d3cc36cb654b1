/*
 * allowance - what an account may send and receive now: size, rate, states (SPEC R4, R5, R10)
 *
 * One question to stated at MAIL, one per recipient of ours at RCPT; what was accepted is counted
 * without waiting for an answer: once for the sender, once for each domain that gets it. It is told
 * with the next question, or when the session ends or waits, so that stated is not woken for it
 * alone. SIGTERM waits till it is told.
 */
#ifndef SMTPD_ALLOWANCE_H
#define SMTPD_ALLOWANCE_H

#include "session.h"

/* "@domain" and a NUL for every domain; a message for more is counted for the first of them. All of
 * them, as packets to stated, fit into one. */
enum { ALLOWANCE_RECEIVERS_MAX = 32768 };

/* Sets the size limit as it is without recipients: the host's, and the authenticated account's.
 * False: the directory can't be read. */
bool allowance_set_size(struct session *session);
/* May the authenticated account send now? If not, it is answered. */
bool allowance_sender(struct session *session);
/* May this mailbox of ours get the message, as far as it is known? If not, it is answered. */
bool allowance_recipient(struct session *session, struct slice address,
                         const struct directory_account *account);
/* The message was accepted: notes it. */
void allowance_count(struct session *session);
/* The client may take his time from here on, or is gone: tells what was noted, and keeps no
 * connection to stated. */
void allowance_leave(struct session *session);

#endif
