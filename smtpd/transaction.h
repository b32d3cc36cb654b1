/*
 * transaction - MAIL and RCPT: who may send from which address, to whom
 */
#ifndef SMTPD_TRANSACTION_H
#define SMTPD_TRANSACTION_H

#include "session.h"

void transaction_mail(struct session *session, struct slice argument);
void transaction_rcpt(struct session *session, struct slice argument);
#endif
