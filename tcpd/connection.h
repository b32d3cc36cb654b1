/*
 * connection - one accepted connection, on its way to a template
 */
#ifndef TCPD_CONNECTION_H
#define TCPD_CONNECTION_H

#include "gate.h"
#include "listener.h"
#include "templates.h"

enum {
    CONNECTION_PROXY_MS = 5000,
    CONNECTION_PACKET_MAX = 4096,
    CONNECTION_GAVE_ON = 3, /* exit code of connection_behind_proxy: a template has it */
};

struct connection {
    int fd;
    const struct listener_line *line;
    struct ip peer;
    uint16_t peer_port;
    struct slice variables; /* of the peer's access rule, unless it is a proxy */
    struct gate *gate;
    struct templates *templates;
    struct seat *seat;
};

/* A client that came by itself: takes over the descriptor. False: it was reset, or its rule has too
 * many variables; the descriptor and the seat stay the caller's. */
bool connection_give(struct connection *connection);
/* In a child of its own: waits for the PROXY header, judges the client that it names, and gives the
 * connection to the template. */
_Noreturn void connection_behind_proxy(struct connection *connection);

/* Says in the protocol's words why not, as far as the socket takes it at once. */
void connection_refuse(int fd, const struct tcpservice *service, enum tcpservice_refusal refusal);
/* For the log. */
const char *connection_refusal_name(enum tcpservice_refusal refusal);

#endif
