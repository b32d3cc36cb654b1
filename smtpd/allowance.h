/*
 * allowance - what an account may send and receive now: size, rate, states (SPEC R4, R5, R10)
 *
 * At MAIL for who has logged in, and at each RCPT for a recipient of ours: stated is asked, unless its
 * board (common/board.h) says that nothing stands against it. What was accepted is told to stated,
 * which answers nothing: once for the sender, once for each domain that gets it.
 */
#ifndef SMTPD_ALLOWANCE_H
#define SMTPD_ALLOWANCE_H

#include "session.h"

/* "@domain" and a NUL for every domain; a message for more is counted for the first of them. */
enum { ALLOWANCE_RECEIVERS_MAX = 32768 };

/* Sets the size limit as it is without recipients: the host's, and the authenticated account's.
 * False: the directory can't be read. */
bool allowance_set_size(struct session *session);
/* May the authenticated account send now? If not, it is answered. */
bool allowance_sender(struct session *session);
/* May this mailbox of ours get the message, as far as it is known? If not, it is answered. */
bool allowance_recipient(struct session *session, struct slice address,
                         const struct directory_account *account);
/* Who has logged in named a recipient of ours that does not exist. */
void allowance_count_rejected(struct session *session);
/* The message was accepted. */
void allowance_count(struct session *session);

#endif
