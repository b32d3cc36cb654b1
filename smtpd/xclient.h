/*
 * xclient - the XCLIENT command: a trusted proxy says for whom it speaks (Postfix XCLIENT_README)
 *
 * Offered to the addresses of control/xclient alone, and taken from them alone. What it says holds
 * for everything after it: logs, checks, Received fields, the login. The session begins anew with
 * the greeting.
 */
#ifndef SMTPD_XCLIENT_H
#define SMTPD_XCLIENT_H

#include "auth.h"
#include "ip.h"
#include "mailaddress.h"
#include "trace.h"

#include <stdbool.h>

enum { XCLIENT_NAME_MAX = 255, XCLIENT_PORT_MAX = 5 };

/* The attributes offered, behind the keyword of EHLO. */
#define XCLIENT_ATTRIBUTES "NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT"

/* What a command says. An attribute that is [UNAVAILABLE] or [TEMPUNAVAIL] is said to be empty. */
struct xclient {
    unsigned said; /* bits: 1 << enum xclient_attribute */
    char name[XCLIENT_NAME_MAX + 1];
    char address[IP_TEXT_MAX];
    char port[XCLIENT_PORT_MAX + 1];
    char protocol[8]; /* "SMTP", "ESMTP", as the proxy met it */
    char helo[TRACE_HELO_MAX + 1];
    char login[AUTH_USER_MAX + 1];
    char server_address[IP_TEXT_MAX];
    char server_port[XCLIENT_PORT_MAX + 1];
};

enum xclient_attribute {
    XCLIENT_NAME,
    XCLIENT_ADDR,
    XCLIENT_PORT,
    XCLIENT_PROTO,
    XCLIENT_HELO,
    XCLIENT_LOGIN,
    XCLIENT_DESTADDR,
    XCLIENT_DESTPORT,
};

/* "ADDR=192.0.2.1 NAME=[UNAVAILABLE]": at least one, each at most once. Pure. */
bool xclient_parse(struct slice argument, struct xclient *xclient);
static inline bool xclient_says(const struct xclient *xclient, enum xclient_attribute attribute)
{
    return (xclient->said & 1u << attribute) != 0;
}

#endif
