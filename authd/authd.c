/*
 * authd - checks passwords; with a right one the connection goes to spawnd
 *
 * Runs as     ROLE_AUTHD with the directory group; sandbox: reads cdb/, connects to unix sockets;
 *             no network, no fork after start. Two children compute hashes: no files, no sockets
 * Started by  the service tree
 * Descriptors 2 log; the socket run/authd/socket
 * Reads       cdb/domains.cdb, cdb/domain/, cdb/host.cdb (defaultdomain), cdb/secret/
 * Trusts      its files; the kernel's word who asks: smtpd asks for smtp only, imap-login for imap,
 *             pop3-login for pop3; spawnd and stated
 * If taken    attacker reads all password hashes (and APOP secrets), may open any account by
 *             spawnd; root and the TLS keys stay out of reach
 * Limits      2048 peers with one login each, 2 hashes at once, 256 waiting (64 of one address);
 *             beyond: "trouble", a passing refusal. A remembered password lives 5 minutes
 * Exits       0 told to stop, 100 wrong configuration, 111 passing trouble
 */
#include "attempt.h"
#include "exits.h"
#include "life.h"
#include "log.h"
#include "sandbox.h"
#include "spawn.h"
#include "state.h"
#include "unixsocket.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    AUTHD_PEERS_MAX = 2048,
    AUTHD_BACKLOG = 1024,
    AUTHD_FILES = 8 * AUTHD_PEERS_MAX,
    AUTHD_MEMORY = 1024 * 1024 * 1024,
    DUMMY_SECRET_SIZE = 24,
};

struct authd {
    struct loop loop;
    struct loop_signals signals;
    struct service service;
    struct attempts attempts;
};

static void signal_came(int number, void *owner)
{
    struct authd *authd = owner;
    (void)number;
    loop_stop(&authd->loop);
}

/* The sandbox forbids to fork: being started anew is the way to new children. */
static void hashers_broken(void *owner)
{
    (void)owner;
    exit(EXIT_PASSING);
}

/* A hash of the scheme that accounts have, of a password that nobody knows. */
static void make_dummy_hash(struct attempts *attempts)
{
    unsigned char bytes[DUMMY_SECRET_SIZE];
    char secret[2 * DUMMY_SECRET_SIZE + 1];
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        life_die_passing("get", "random bytes");
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(secret + 2 * i, 3, "%02x", bytes[i]);
    if (!password_hash(slice_text(secret), attempts->dummy_hash))
        life_die_passing("compute", "a password hash");
}

static void drop(struct authd *authd)
{
    static const struct life_limits limits = {.memory_bytes = AUTHD_MEMORY,
                                              .open_files = AUTHD_FILES};
    static const struct sandbox sandbox = {
        .grants = SANDBOX_READ_FILES | SANDBOX_UNIX,
        .read_paths = {"cdb", NULL},
    };
    life_limit(&limits);
    life_drop(ROLE_AUTHD, true, NULL);
    if (!hashers_fork(&authd->attempts.hashers))
        life_die_passing("start", "hashing children");
    if (access("cdb", R_OK | X_OK) < 0)
        life_die_permanent("read", "cdb", "run cdb rebuild, and start authd again");
    sandbox_enter(&sandbox);
}

static void prepare(struct authd *authd)
{
    struct attempts *attempts = &authd->attempts;
    if (!loop_init(&authd->loop))
        life_die_passing("start", "event loop");
    attempts->loop = &authd->loop;
    directory_init(&attempts->directory);
    asker_init(&attempts->stated, &authd->loop, STATE_SOCKET);
    asker_init(&attempts->spawnd, &authd->loop, SPAWN_SOCKET);
    if (!cache_init(&attempts->cache))
        life_die_passing("get", "random bytes");
    make_dummy_hash(attempts);
}

static void serve(struct authd *authd, int socket)
{
    static const int stops[] = {SIGTERM, SIGINT};
    if (!loop_add_signals(&authd->loop, &authd->signals, stops, 2, signal_came, authd) ||
        !hashers_start(&authd->attempts.hashers, &authd->loop, hashers_broken, authd) ||
        !service_start(&authd->service, &authd->loop, socket, AUTHD_PEERS_MAX, attempt_welcome,
                       attempt_message, attempt_gone, &authd->attempts))
        life_die_passing("start", "event loop");
    log_event("started", NULL, NULL);
    if (!loop_run(&authd->loop))
        life_die_passing("wait for", "events");
}

static void finish(struct authd *authd)
{
    service_stop(&authd->service);
    hashers_stop(&authd->attempts.hashers);
    asker_free(&authd->attempts.stated);
    asker_free(&authd->attempts.spawnd);
    directory_close(&authd->attempts.directory);
    loop_free(&authd->loop);
}

int main(void)
{
    static struct authd authd;
    life_begin("authd");
    int socket = unixsocket_listen(AUTH_SOCKET, SOCK_SEQPACKET, AUTHD_BACKLOG);
    if (socket < 0)
        life_die_passing("listen on", AUTH_SOCKET);
    drop(&authd);
    prepare(&authd);
    serve(&authd, socket);
    finish(&authd);
    return EXIT_DONE;
}
