/*
 * transaction - MAIL and RCPT: who may send from which address, to whom
 */
#ifndef SMTPD_TRANSACTION_H
#define SMTPD_TRANSACTION_H

#include "session.h"

void transaction_mail(struct session *session, struct slice argument);
void transaction_rcpt(struct session *session, struct slice argument);
/* The size limit as it is known without recipients: the host's, and the authenticated account's.
 * False: the directory can't be read. */
bool transaction_set_size_limit(struct session *session);

#endif
