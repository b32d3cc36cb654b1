/*
 * proxied - the client that a trusted proxy speaks for (xclient.h), and the session that begins
 * anew with it
 */
#ifndef SMTPD_PROXIED_H
#define SMTPD_PROXIED_H

#include "xclient.h"

struct session;

/* What was said so far; the session's peer points into it. */
struct proxied {
    char proxy[IP_TEXT_MAX];         /* who connected */
    char name[XCLIENT_NAME_MAX + 1]; /* the client's name as the proxy found it; "" is none */
    char client[IP_TEXT_MAX];
    char client_port[XCLIENT_PORT_MAX + 1];
    char server[IP_TEXT_MAX];
};

/* May this client say for whom it speaks? */
bool proxied_is_trusted(const struct session *session);
/* The XCLIENT command, outside of a mail transaction. */
void proxied_take(struct session *session, struct slice argument);

#endif
