/*
 * tcpservice - the services that tcpd listens for, and what each of them is made of
 */
#ifndef TCPD_TCPSERVICE_H
#define TCPD_TCPSERVICE_H

#include "roles.h"
#include "slice.h"

enum tcpservice_refusal {
    TCPSERVICE_FULL,    /* too many connections in all */
    TCPSERVICE_CLIENT,  /* too many from this client */
    TCPSERVICE_DENIED,  /* by a rule of control/access */
    TCPSERVICE_TROUBLE, /* passing trouble here */
};

struct tcpservice {
    const char *name;    /* as in control/listen */
    const char *program; /* below ROOT/bin */
    const char *tls;     /* "implicit" or "starttls" */
    enum role role;
    const char *refusals[TCPSERVICE_TROUBLE + 1]; /* NULL under implicit TLS: no words yet */
};

/* NULL when there is no such service. */
const struct tcpservice *tcpservice_find(struct slice name);
/* Is it for loopback alone, unless a line of control/access opens it? LMTP takes mail from other
 * servers of the same operator, and asks nothing. */
bool tcpservice_is_closed(const struct tcpservice *service);
/* May `name` stand in control/listen? True also for services that others than tcpd listen for. */
bool tcpservice_is_known(struct slice name);

#endif
