/*
 * queued - the queue manager: scans, routes, delivers and tries again, reports failures
 *
 * Runs as     the queue's uid, group that may read cdb/; sandbox: files below queue/, reading cdb/,
 *             the suite's sockets
 * Started by  the service tree, as root, to bind its socket; drops at once
 * Descriptors 2 log; run/queued/socket (root only); asks run/scand/socket, run/spawnd/socket and, about
 *             accounts that forward, run/stated/socket;
 *             a socket to each worker (local, remote, bounce)
 * Reads       queue/; cdb/host.cdb, every 5 seconds: scan on, concurrency-scan 4 (at most scan-workers),
 *             concurrency-local 60, concurrency-remote 100, concurrency-destination 20,
 *             queue-lifetime and bounce-lifetime 432000, retry-min 300, retry-max 4000,
 *             delay-warning 14400, scan-lifetime 86400;
 *             cdb/domains.cdb, cdb/domain/, cdb/routes.cdb
 * Trusts      scand's verdict; stated about who may send; a worker's verdict on its own recipients; nothing in a queue file
 *             that does not parse
 * If taken    attacker sees and changes what is in the queue, and has anything delivered into
 *             mailboxes; reads no mailbox, no password, no key
 * Limits      workers by the settings above; 60 recipients per remote request; 180 s per scan,
 *             5 minutes per local delivery, 2 hours per remote one: tried again
 * Exits       0 done, 100 wrong use, 111 passing trouble
 */
#include "arrival.h"
#include "cleanup.h"
#include "clock.h"
#include "exits.h"
#include "life.h"
#include "log.h"
#include "operator.h"
#include "queuectl.h"
#include "sandbox.h"
#include "unixsocket.h"

#include <signal.h>
#include <sys/socket.h>

enum { LISTEN_BACKLOG = 20, OPEN_FILES_MAX = 8192, STOP_MS = 5000, STOP_STEP_MS = 50 };

static const struct sandbox sandbox = {
    .grants = SANDBOX_READ_FILES | SANDBOX_WRITE_FILES | SANDBOX_UNIX,
    .read_paths = {"cdb"},
    .write_paths = {"queue"},
};

struct daemon {
    struct loop loop;
    struct loop_signals signals;
    struct manager manager;
    struct arrival arrival;
    struct service service;
};

static void found(void *owner, struct slice name, bool is_new)
{
    struct daemon *daemon = owner;
    manager_add(&daemon->manager, name, is_new);
}

static void stop(int signal, void *owner)
{
    struct daemon *daemon = owner;
    (void)signal;
    loop_stop(&daemon->loop);
}

static void start(struct daemon *daemon, int fd)
{
    static const int signals[] = {SIGTERM, SIGINT};
    struct manager_folders folders;
    if (!manager_open_folders(&folders))
        life_die_passing("open", "the folders below queue");
    cleanup_run(&folders, clock_seconds());
    if (!loop_init(&daemon->loop) ||
        !loop_add_signals(&daemon->loop, &daemon->signals, signals,
                          sizeof signals / sizeof *signals, stop, daemon))
        life_die_passing("make", "the event loop");
    manager_init(&daemon->manager, &daemon->loop, &folders);
    if (!operator_start(&daemon->service, &daemon->loop, fd, &daemon->manager))
        life_die_passing("serve on", QUEUECTL_SOCKET);
    /* Watch first, then look: what comes in between is seen twice, not missed. */
    if (!arrival_init(&daemon->arrival, &daemon->loop, folders.message, "queue/message", found,
                      daemon))
        life_die_passing("watch", "queue/message");
}

static void read_queue(struct daemon *daemon)
{
    struct log_line line;
    int64_t start_ms = clock_ms();
    long count = arrival_read_folder(&daemon->arrival);
    if (count < 0)
        life_die_passing("read", "queue/message");
    manager_begin(&daemon->manager);
    log_begin(&line, "started");
    log_number(&line, "messages", count);
    log_number(&line, "ms", clock_ms() - start_ms);
    log_end(&line);
}

/* Lets what runs come to its end for a few seconds. Killing it loses nothing, but makes work. */
static void finish(struct daemon *daemon)
{
    int64_t deadline = clock_deadline(STOP_MS);
    manager_stop(&daemon->manager);
    daemon->loop.stopping = false;
    while (manager_is_busy(&daemon->manager) && clock_ms() < deadline)
        if (!loop_once(&daemon->loop, STOP_STEP_MS))
            break;
    log_event("stopped", NULL, NULL);
}

int main(void)
{
    static struct daemon daemon;
    life_begin("queued");
    int fd = unixsocket_listen(QUEUECTL_SOCKET, SOCK_SEQPACKET, LISTEN_BACKLOG);
    if (fd < 0)
        life_die_passing("listen on", QUEUECTL_SOCKET);
    life_limit(&(struct life_limits){.open_files = OPEN_FILES_MAX});
    life_drop(ROLE_QUEUE, true, NULL);
    start(&daemon, fd);
    sandbox_enter(&sandbox);
    read_queue(&daemon);
    if (!loop_run(&daemon.loop))
        life_die_passing("run", "the event loop");
    finish(&daemon);
    service_stop(&daemon.service);
    arrival_free(&daemon.arrival, &daemon.loop);
    manager_free(&daemon.manager);
    loop_free(&daemon.loop);
    return EXIT_DONE;
}
