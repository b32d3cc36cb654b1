/*
 * template - a program that is set up once, and copied for each connection
 *
 * tcpd starts the program with one end of a socketpair as descriptor 0. The program does all that
 * does not depend on a client (drop, sandbox, settings, databases), and then waits for connections
 * in template_serve. Each is served by a copy of the process: a fork, no exec. The copy is tcpd's
 * child (CLONE_PARENT), not the template's, so tcpd hears of its end whatever became of the
 * template, which keeps no list and waits for nobody. A copy can't be copied again: its limit of
 * processes is zero, for ever.
 *
 * All copies share the template's address layout, stack guard and heap. So the template reads
 * nothing that comes from a client, and tcpd starts a new one when a copy crashed. It also does so
 * when cdb/host.cdb was replaced: the host's settings are read before template_serve, once.
 *
 * Protocol over SOCK_SEQPACKET, netstrings (wire.h), each side in order:
 *   program -> tcpd   "template/1"                        it is ready
 *   tcpd -> program   "template/1", seat, "NAME=VALUE"... the connection as descriptor, and perhaps
 *                                                         a second one
 *   program -> tcpd   "template/1", seat, pid             said by the copy itself, before it looks
 *                                                         at the connection; pid 0, by the template:
 *                                                         no process could be had
 * spawnd does the same for imapd and pop3d (authd/templates.h).
 * When tcpd's end is shut, the program ends once all that was sent before is served. tcpd sees the end
 * of the socket only when the template and each copy that has not spoken yet are gone: so what was
 * not reported by then is served by nobody, and may be given to another template.
 */
#ifndef COMMON_TEMPLATE_H
#define COMMON_TEMPLATE_H

#include "wire.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum {
    TEMPLATE_SEAT_MAX = 1000000,
    TEMPLATE_SECOND_FD = 3, /* what a second descriptor becomes in the copy */
};

/* ---- the program's side ---- */

/* Called in the template before each copy is made: what went stale since the last is renewed once, and
 * not in each copy. */
typedef void template_renew(void *owner);
/* True in a copy, which has the connection as descriptors 0 and 1, and its variables in `message`
 * (initialised). False in the template: tcpd wants no more (errno 0), or is not to be understood.
 * `renew` may be NULL. */
bool template_serve(struct wire_message *message, template_renew *renew, void *owner);
/* What tcpd says about the connection: "CLIENT", "CLIENT_PORT", "SERVER", "SERVER_PORT", and the
 * names of its access rule. It points into `message`. NULL when there is no such variable. */
const char *template_variable(const struct wire_message *message, const char *name);

/* ---- tcpd's side ---- */

/* The packet for a connection but for its variables, which follow as fields. */
void template_put_connection(struct str *packet, uint64_t seat);
void template_put_variable(struct str *packet, const char *name, const char *value);

enum template_word { TEMPLATE_NONSENSE, TEMPLATE_READY, TEMPLATE_STARTED };

struct template_report {
    uint64_t seat;
    pid_t pid; /* 0: none was started */
};

enum template_word template_read_report(const struct wire_message *message,
                                        struct template_report *report);

/* Does a status of waitpid(2) tell of a crash, and not of a signal that a supervisor or an operator
 * sends? It may have been a look at the layout that all copies share. */
bool template_copy_crashed(int status);
/* What template_serve takes for a connection. */
bool template_read_connection(const struct wire_message *message, uint64_t *seat);

#endif
