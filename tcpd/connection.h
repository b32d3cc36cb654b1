/*
 * connection - one accepted connection, in the child that becomes its program
 */
#ifndef TCPD_CONNECTION_H
#define TCPD_CONNECTION_H

#include "gate.h"

enum { CONNECTION_PROXY_MS = 5000 };

struct connection {
    int fd;
    bool proxy; /* the line of control/listen says so */
    struct ip peer;
    uint16_t peer_port;
    struct slice variables; /* of the peer's access rule, unless `proxy` */
    struct gate *gate;
    struct seat *seat;
};

/* Reads the PROXY header if there is one to come, then execs the service's program with the
 * connection as descriptor 0 and 1. */
_Noreturn void connection_run(struct connection *connection);

/* Says in the protocol's words why not, as far as the socket takes it at once. */
void connection_refuse(int fd, const struct tcpservice *service, enum tcpservice_refusal refusal);
/* For the log. */
const char *connection_refusal_name(enum tcpservice_refusal refusal);

#endif
