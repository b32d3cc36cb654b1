/*
 * ehlo - the extensions offered, by service and state of the connection
 */
#ifndef SMTPD_EHLO_H
#define SMTPD_EHLO_H

#include "session.h"

/* Is STARTTLS (AUTH) offered now? The commands themselves ask the same. */
bool ehlo_offers_starttls(const struct session *session);
bool ehlo_offers_auth(const struct session *session);
/* Appends the whole multi-line reply to EHLO. */
bool ehlo_format(const struct session *session, struct str *reply);

#endif
