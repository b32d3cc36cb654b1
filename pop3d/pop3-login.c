/*
 * pop3-login - speaks POP3 with one client until a login succeeds; the connection is pop3d's then
 *
 * Runs as     ROLE_POP3_LOGIN; sandbox: connects to our sockets, opens no file
 * Started by  tcpd, as a template (common/template.h) that is copied for each connection; a copy
 *             ends at login, QUIT, disconnection or a limit
 * Descriptors 0 tcpd; in a copy 0/1 client (one socket), 2 log
 * Reads       environment SERVICE; from tcpd CLIENT SERVER; cdb/host.cdb before the sandbox is
 *             entered
 * Asks        tlsd (TLS), authd (passwords; authd has the client handed to pop3d)
 * Trusts      those two; nothing that arrives on 0
 * If taken    attacker sees this one client's bytes, and may try passwords as from outside; no
 *             password file, no mailbox, no key
 * Limits      line 512 (AUTH 12288), 20 errors, 3 failed logins, 60 s of silence, 3 minutes in all
 * Exits       0 done, 100 wrong use or configuration, 111 passing trouble
 */
#include "directory.h"
#include "exits.h"
#include "life.h"
#include "pop3login.h"
#include "sandbox.h"
#include "template.h"

#include <string.h>
#include <unistd.h>

#define STARTED_BY "start pop3-login by tcpd"

static void read_host(struct pop3login_host *host)
{
    struct directory directory;
    struct str me;
    directory_init(&directory);
    str_init(&me, POP3LOGIN_ME_MAX);
    if (!directory_host(&directory, "me", &me) ||
        !slice_copy_text(str_slice(&me), host->me, sizeof host->me) || host->me[0] == '\0')
        life_die_passing("read the setting me from", "cdb/host.cdb");
    host->plaintext_auth = directory_host_is_on(&directory, "plaintext-auth");
    host->apop = directory_host_is_on(&directory, "apop");
    str_free(&me);
    directory_close(&directory);
}

static bool is_implicit_tls(const char *service)
{
    bool implicit = strcmp(service, "pop3s") == 0;
    if (!implicit && strcmp(service, "pop3") != 0)
        life_die_permanent("serve", service, "SERVICE is pop3 or pop3s");
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
    static struct pop3login login;
    struct pop3login_host host = {0};
    life_begin("pop3-login");
    struct pop3login_peer peer = {.service = life_environment("SERVICE", STARTED_BY)};
    peer.implicit_tls = is_implicit_tls(peer.service);
    life_drop(ROLE_POP3_LOGIN, true, NULL);
    life_limit(&(struct life_limits){.memory_bytes = 64UL << 20, .open_files = 32});
    read_host(&host);
    wire_init(&connection);
    sandbox_enter(&(struct sandbox){.grants = SANDBOX_UNIX | SANDBOX_TEMPLATE});
    if (!template_serve(&connection, NULL, NULL))
        return EXIT_DONE;

    peer.client = variable(&connection, "CLIENT");
    peer.server = variable(&connection, "SERVER");
    if (!pop3login_init(&login, &peer, &host, 0, 1))
        life_die_passing("set up", "the session");
    pop3login_run(&login);
    pop3login_free(&login);
    /* The end of the process frees and closes faster than we could. */
    _exit(EXIT_DONE);
}
