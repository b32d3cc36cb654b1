/*
 * smtpd - speaks SMTP with one client: mail from other servers (25), submission (587, 465),
 *         LMTP from servers that deliver here
 *
 * Runs as     ROLE_SMTPD with the directory's group; sandbox: reads cdb/ and stated's board,
 *             connects to our sockets
 * Started by  tcpd, as a template (common/template.h) that is copied for each connection; a copy
 *             ends at QUIT, disconnection or a limit
 * Descriptors 0 tcpd; in a copy 0/1 client (one socket), 2 log
 * Reads       environment SERVICE; from tcpd CLIENT CLIENT_PORT SERVER and, for those of
 *             control/xclient, XCLIENT; cdb/host.cdb, cdb/domains.cdb, cdb/domain/
 * Asks        tlsd (TLS), authd (AUTH), stated and its board (may this account send, receive),
 *             lookupd (what is known about a stranger), queue-inject
 * Trusts      those five, the compiled directory, and XCLIENT where tcpd says so; nothing else that
 *             arrives on 0
 * If taken    attacker sees this one client's bytes, may queue mail and ask who lives here; no
 *             mailbox, no password, no key, no other client
 * Limits      command line 512 (MAIL 1181, RCPT 1048, AUTH 12288), errors-max, recipients-max,
 *             databytes, header section 1 MiB, hops-max, line-max, timeout-smtp,
 *             timeout-smtp-data, 5 failed logins, 100 commands without a message; each answered
 *             with 4xx or 5xx
 * Exits       0 done, 100 wrong use or configuration, 111 passing trouble
 */
#include "exits.h"
#include "life.h"
#include "sandbox.h"
#include "session.h"
#include "template.h"

#include <string.h>
#include <unistd.h>

#define STARTED_BY "start smtpd by tcpd"

enum { PAGE = 4096 }; /* of memory: session.h says why */

static enum session_service find_service(const char *name)
{
    static const char *const names[] = {"smtp", "submission", "submissions", "lmtp"};
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0)
            return (enum session_service)i;
    life_die_permanent("serve", name, "SERVICE is smtp, submission, submissions or lmtp");
}

static const char *variable(const struct wire_message *connection, const char *name)
{
    const char *value = template_variable(connection, name);
    if (!value)
        life_die_permanent("learn about the connection", name, STARTED_BY);
    return value;
}

int main(void)
{
    static struct wire_message connection;
    static _Alignas(PAGE) struct session session;
    life_begin("smtpd");
    struct session_peer peer = {.service_name = life_environment("SERVICE", STARTED_BY)};
    peer.service = find_service(peer.service_name);
    life_drop(ROLE_SMTPD, true, NULL);
    life_limit(&(struct life_limits){.memory_bytes = 256UL << 20, .open_files = 64});
    wire_init(&connection);
    sandbox_enter(&(struct sandbox){.grants = SANDBOX_READ_FILES | SANDBOX_UNIX | SANDBOX_TEMPLATE,
                                    .read_paths = {"cdb", "run/stated"}});
    session_prepare(&session);
    if (!template_serve(&connection, session_renew, &session))
        return EXIT_DONE;

    peer.client = variable(&connection, "CLIENT");
    peer.client_port = variable(&connection, "CLIENT_PORT");
    peer.server = variable(&connection, "SERVER");
    peer.speaks_for_others = template_variable(&connection, "XCLIENT") != NULL;
    if (!session_begin(&session, &peer, 0, 1))
        life_die_passing("set up", "the session");
    session_run(&session);
    /* The end of the process frees and closes faster than we could. */
    _exit(EXIT_DONE);
}
