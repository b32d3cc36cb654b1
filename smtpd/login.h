/*
 * login - the AUTH command (RFC 4954) with authd's help
 */
#ifndef SMTPD_LOGIN_H
#define SMTPD_LOGIN_H

#include "session.h"

void login_auth(struct session *session, struct slice argument);
/* The session is this account's from now on. False: the directory has none, or can't be read. */
bool login_take(struct session *session, const char *account);

#endif
