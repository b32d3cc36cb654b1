/*
 * tlsd - puts TLS between a client and a program that knows none
 *
 * Usage       tlsd
 * Runs as     root till its socket is bound, then tlsd, no groups, chroot ROOT/run/keyd, sandbox:
 *             connects to keyd, forks; each session's child, once connected: no more at all
 * Started by  the supervisor; a child per TLS session, without exec
 * Descriptors 2 log; a socket at run/tlsd/socket; children: the peer, the program, keyd
 * Reads       at the start cdb/host.cdb (tls-handshake-timeout, tls-sessions-max, tls-ca), and the
 *             trust anchors in the file that tls-ca names
 * Trusts      the kernel about who asks: smtpd, imap-login and pop3-login serve clients, remote
 *             connects to servers; keyd's certificates; the trust anchors
 * If taken    attacker sees this one session's plaintext; no key, no file, no network
 * Limits      tls-sessions-max children, tls-handshake-timeout, 35 minutes without a byte
 * Exits       0 stopped (sessions go on), 100 wrong use, 111 passing trouble
 */
#include "directory.h"
#include "exits.h"
#include "key.h"
#include "life.h"
#include "log.h"
#include "sandbox.h"
#include "tls.h"
#include "tlsmaster.h"
#include "unixsocket.h"

#include <errno.h>
#include <sys/socket.h>

enum {
    BACKLOG = 1024,
    HANDSHAKE_SECONDS = 30, /* the settings' defaults, while there is no cdb/host.cdb */
    SESSIONS_MAX = 2000,
    ANSWER_MARGIN_MS = 1000, /* the asker waits TLS_HANDSHAKE_MS for the answer */
};

static uint64_t host_number(struct directory *directory, const char *name, uint64_t otherwise)
{
    uint64_t number;
    return directory_host_number(directory, name, &number) ? number : otherwise;
}

/* Without them servers that must be verified count as untrusted; all else goes on. */
static void read_anchors(struct tlsmaster *master, struct directory *directory)
{
    struct str path;
    str_init(&path, DIRECTORY_VALUE_MAX);
    const char *name = directory_host(directory, "tls-ca", &path) ? str_text(&path) : NULL;
    if (name && !tlsanchors_load(&master->anchors, name))
        log_trouble("read trust anchors from", name, errno,
                    "install ca-certificates or set control/tls-ca, cdb rebuild, restart tlsd");
    str_free(&path);
}

static void read_settings(struct tlsmaster *master)
{
    struct directory directory;
    directory_init(&directory);
    int64_t ms =
        1000 * (int64_t)host_number(&directory, "tls-handshake-timeout", HANDSHAKE_SECONDS);
    master->handshake_ms =
        ms < TLS_HANDSHAKE_MS - ANSWER_MARGIN_MS ? ms : TLS_HANDSHAKE_MS - ANSWER_MARGIN_MS;
    master->sessions_max = host_number(&directory, "tls-sessions-max", SESSIONS_MAX);
    read_anchors(master, &directory);
    directory_close(&directory);
}

static void name_askers(struct tlsmaster *master)
{
    master->askers[0] = (struct tlsmaster_asker){.uid = life_uid(ROLE_SMTPD)};
    master->askers[1] = (struct tlsmaster_asker){.uid = life_uid(ROLE_IMAP_LOGIN)};
    master->askers[2] = (struct tlsmaster_asker){.uid = life_uid(ROLE_POP3_LOGIN)};
    master->askers[3] = (struct tlsmaster_asker){.uid = life_uid(ROLE_REMOTE), .as_client = true};
    master->asker_count = TLSMASTER_ASKERS_MAX;
}

int main(int count, char **arguments)
{
    static struct tlsmaster master = {.keyd = KEY_SOCKET_IN_CHROOT};
    (void)arguments;
    life_begin("tlsd");
    if (count != 1)
        life_die_permanent("understand", "the arguments", "tlsd takes none");
    read_settings(&master);
    name_askers(&master);
    master.listener = unixsocket_listen(TLS_SOCKET, SOCK_SEQPACKET, BACKLOG);
    if (master.listener < 0)
        life_die_passing("listen on", TLS_SOCKET);
    life_limit(&(struct life_limits){0});
    life_drop(ROLE_TLSD, false, "run/keyd");
    sandbox_enter(&(struct sandbox){.grants = SANDBOX_UNIX | SANDBOX_FORK | SANDBOX_TIGHTEN});
    tlsmaster_run(&master);
    return EXIT_DONE;
}
