/*
 * tcpd - listens for one service and starts its program for each connection
 *
 * Usage       tcpd smtp|submission|submissions|lmtp|pop3|pop3s|imap|imaps
 * Runs as     root till the ports are bound, then the service's role with the group that reads cdb/
 * Started by  the supervisor, one for each service
 * Descriptors 2 log; of its children: 0 and 1 the connection, 2 log
 * Reads       control/listen, cdb/access.cdb, cdb/host.cdb (connections-max, connections-per-
 *             client)
 * Trusts      a PROXY header from the networks of control/proxies; nothing else that strangers send
 *             is read here
 * If taken    attacker can accept and refuse this service's connections, and read cdb/
 * Limits      connections in all and per client address, 5 s for a PROXY header; each answered in
 *             the protocol's words, where the service starts in plaintext
 * Exits       0 stopped, 100 wrong use or control/listen, 111 port in use or passing trouble
 */
#include "acceptor.h"
#include "exits.h"
#include "life.h"

#include <stdlib.h>

static const struct tcpservice *parse_arguments(int count, char **arguments)
{
    const struct tcpservice *service = NULL;
    if (count == 2)
        service = tcpservice_find(slice_text(arguments[1]));
    if (service)
        return service;
    life_die_permanent("understand", "the arguments",
                       "tcpd smtp|submission|submissions|lmtp|pop3|pop3s|imap|imaps");
}

int main(int count, char **arguments)
{
    static struct acceptor acceptor;
    life_begin("tcpd");
    const struct tcpservice *service = parse_arguments(count, arguments);
    acceptor_open(&acceptor, service);
    life_drop(service->role, true, NULL);
    life_limit(&(struct life_limits){0});
    acceptor_run(&acceptor);
    return EXIT_DONE;
}
