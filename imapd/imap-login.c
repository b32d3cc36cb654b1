/*
 * imap-login - speaks IMAP with one client until a login succeeds; the connection is imapd's then
 *
 * Runs as     ROLE_IMAP_LOGIN; sandbox: connects to our sockets, opens no file
 * Started by  tcpd, as a template (common/template.h) that is copied for each connection; a copy
 *             ends at login, LOGOUT, disconnection or a limit
 * Descriptors 0 tcpd; in a copy 0/1 client (one socket), 2 log
 * Reads       environment SERVICE; from tcpd CLIENT SERVER; cdb/host.cdb before the sandbox is
 *             entered
 * Asks        tlsd (TLS), authd (passwords; authd has the client handed to imapd)
 * Trusts      those two; nothing that arrives on 0
 * If taken    attacker sees this one client's bytes, and may try passwords as from outside; no
 *             password file, no mailbox, no key
 * Limits      line 8 KiB (responses 12 KiB), literal 4 KiB, 20 commands, 3 failed logins, 60 s of
 *             silence, 3 minutes in all; each answered with BAD or BYE
 * Exits       0 done, 100 wrong use or configuration, 111 passing trouble
 */
#include "directory.h"
#include "exits.h"
#include "imaplogin.h"
#include "life.h"
#include "sandbox.h"
#include "template.h"

#include <string.h>
#include <unistd.h>

#define STARTED_BY "start imap-login by tcpd"

/* What can't be read counts as off: then clients are asked for TLS. */
static bool takes_plaintext(void)
{
    struct directory directory;
    directory_init(&directory);
    bool on = directory_host_is_on(&directory, "plaintext-auth");
    directory_close(&directory);
    return on;
}

static bool is_implicit_tls(const char *service)
{
    bool implicit = strcmp(service, "imaps") == 0;
    if (!implicit && strcmp(service, "imap") != 0)
        life_die_permanent("serve", service, "SERVICE is imap or imaps");
    return implicit;
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
    static struct imaplogin login;
    life_begin("imap-login");
    struct imaplogin_peer peer = {.service = life_environment("SERVICE", STARTED_BY)};
    peer.implicit_tls = is_implicit_tls(peer.service);
    life_drop(ROLE_IMAP_LOGIN, true, NULL);
    life_limit(&(struct life_limits){.memory_bytes = 64UL << 20, .open_files = 32});
    peer.plaintext_auth = takes_plaintext();
    wire_init(&connection);
    sandbox_enter(&(struct sandbox){.grants = SANDBOX_UNIX | SANDBOX_TEMPLATE});
    if (!template_serve(&connection, NULL, NULL))
        return EXIT_DONE;

    peer.client = variable(&connection, "CLIENT");
    peer.server = variable(&connection, "SERVER");
    if (!imaplogin_init(&login, &peer, 0, 1))
        life_die_passing("set up", "the session");
    imaplogin_run(&login);
    imaplogin_free(&login);
    /* The end of the process frees and closes faster than we could. */
    _exit(EXIT_DONE);
}
