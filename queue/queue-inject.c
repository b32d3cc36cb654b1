/*
 * queue-inject - takes messages over a unix socket and puts them into the queue
 *
 * Runs as     the queue's uid, group that may read cdb/; workers for the peers of ours, a process for
 *             each other peer; both sandboxed: files below queue/message, and cdb/ to read
 * Started by  the service tree, as root, to bind its socket; drops at once
 * Descriptors 2 log; run/inject/socket (common/inject.h)
 * Reads       cdb/host.cdb: databytes (104857600), sync-folders (on), sendmail-limit (10000),
 *             sendmail-window (3600), sendmail-pause (3600); cdb/domains.cdb, cdb/domain/: send-limit
 *             (50000), send-window (3600), limit-pause (3600), message-size (52428800) of the domain it
 *             sends as
 * Asks        stated: whether a uid that is not ours, or that domain, sends too much
 * Trusts      the kernel's word on the peer's uid; of what a peer says nothing that is not checked.
 *             smtpd, bounce, queue and the domains' uids may state a message's origin
 * If taken    attacker sees and changes what is in the queue, and learns who lives here; no mailbox,
 *             no password, no key
 * Limits      1000 peers at once, the next wait; 875 of smtpd, 20 of one foreign uid, the next are
 *             closed; 1000 recipients, 320 bytes an address; databytes: 552; sendmail-limit: deferred; 20 minutes
 *             of silence: closed
 * Exits       0 done, 100 wrong use, 111 passing trouble
 */
#include "exits.h"
#include "inject.h"
#include "inject_server.h"
#include "intake.h"
#include "life.h"
#include "sandbox.h"
#include "unixsocket.h"

#include <sys/socket.h>

enum { LISTEN_BACKLOG = 1024, OPEN_FILES_MAX = 4096 };

static const struct sandbox sandbox = {
    .grants = SANDBOX_WRITE_FILES,
    .read_paths = {"cdb"},
    .write_paths = {"queue/message"},
};

static const struct sandbox sandbox_for_stranger = {
    .grants = SANDBOX_WRITE_FILES,
    .read_paths = {"cdb"},
    .write_paths = {"queue/message"},
};

static void enter(bool for_stranger, uid_t uid, void *owner)
{
    if (for_stranger)
        intake_prepare(owner, uid);
    sandbox_enter(for_stranger ? &sandbox_for_stranger : &sandbox);
}

static void serve(int connection, uid_t uid, const struct inject_limits *limits, void *owner)
{
    intake_serve(owner, connection, uid, limits);
}

int main(void)
{
    static struct intake intake;
    static struct inject_server server;
    life_begin("queue-inject");
    int fd = unixsocket_listen(INJECT_SOCKET, SOCK_STREAM, LISTEN_BACKLOG);
    if (fd < 0)
        life_die_passing("listen on", INJECT_SOCKET);
    life_limit(&(struct life_limits){.open_files = OPEN_FILES_MAX});
    life_drop(ROLE_QUEUE, true, NULL);
    int folder = store_open_folder();
    if (folder < 0)
        life_die_passing("open", "queue/message");
    intake_init(&intake, folder);
    if (!inject_server_run(&server, fd, enter, serve, &intake))
        life_die_passing("run", "the event loop");
    intake_free(&intake);
    return EXIT_DONE;
}
