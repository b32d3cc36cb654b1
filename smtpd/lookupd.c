/*
 * lookupd - asks the DNS about smtpd's clients, counts what they do, remembers who was greylisted
 *
 * Runs as     ROLE_LOOKUPD with the directory's group; sandbox: the network, reads cdb/ and the
 *             resolver's files, writes state/greylist/
 * Started by  the service tree
 * Descriptors 2 log; the socket run/lookupd/socket
 * Reads       cdb/host.cdb (resolver, client-names, greylist-*, *-rate), cdb/rbl.cdb,
 *             /etc/resolv.conf, state/greylist/journal
 * Asks        the DNS: the reverse names of clients, blocklists
 * Trusts      smtpd about addresses; nothing that the DNS says but what it is asked for
 * If taken    attacker can have any client refused, let in or given a false name; sees no mail, no
 *             password, no key
 * Limits      20000 remembered clients in 32 MB, 500 clients being asked about, 4.5 s for each,
 *             65536 counts, 262144 triplets and 32768 networks of the greylist, 4096 peers
 * Exits       0 told to stop, 100 wrong configuration, 111 passing trouble
 */
#include "clock.h"
#include "exits.h"
#include "io.h"
#include "life.h"
#include "log.h"
#include "lookups.h"
#include "sandbox.h"
#include "unixsocket.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>

#define FOLDER "state/greylist"

enum {
    LOOKUPD_PEERS_MAX = 4096,
    LOOKUPD_FILES = LOOKUPD_PEERS_MAX + 256,
    LOOKUPD_BACKLOG = 1024,
    LOOKUPD_SYNC_MS = 5000,
    LOOKUPD_TIDY_MS = 60000,
};

struct lookupd {
    struct loop loop;
    struct loop_signals signals;
    struct loop_timer sync;
    struct loop_timer tidy;
    struct service service;
    struct lookups lookups;
    int folder;
};

static bool welcome(uid_t uid, void *owner)
{
    (void)owner;
    return uid == life_uid(ROLE_SMTPD);
}

static void question_came(struct service_peer *peer, struct wire_message *message)
{
    struct lookupd *lookupd = peer->service->owner;
    lookups_answer(&lookupd->lookups, peer, message);
}

static void set_timer(struct lookupd *lookupd, struct loop_timer *timer, int64_t wait_ms,
                      loop_due *due)
{
    if (!loop_set_timer(&lookupd->loop, timer, clock_deadline(wait_ms), due, lookupd))
        life_die_passing("set", "a timer");
}

static void sync_due(struct loop_timer *timer)
{
    struct lookupd *lookupd = timer->owner;
    lookups_sync(&lookupd->lookups);
    set_timer(lookupd, timer, LOOKUPD_SYNC_MS, sync_due);
}

static void tidy_due(struct loop_timer *timer)
{
    struct lookupd *lookupd = timer->owner;
    lookups_tidy(&lookupd->lookups);
    if (lookupd->lookups.journal.fd < 0)
        life_die_passing("open", FOLDER "/journal");
    set_timer(lookupd, timer, LOOKUPD_TIDY_MS, tidy_due);
}

static void signal_came(int number, void *owner)
{
    struct lookupd *lookupd = owner;
    (void)number;
    loop_stop(&lookupd->loop);
}

static void drop(void)
{
    static const struct sandbox sandbox = {
        .grants = SANDBOX_READ_FILES | SANDBOX_WRITE_FILES | SANDBOX_NETWORK,
        /* The last is where c-ares has its random numbers from, when the resolver changes. */
        .read_paths = {"cdb", "/etc/resolv.conf", "/etc/nsswitch.conf", "/etc/host.conf",
                       "/dev/urandom", NULL},
        .write_paths = {FOLDER, NULL},
    };
    static const struct life_limits limits = {.memory_bytes = 512UL << 20,
                                              .open_files = LOOKUPD_FILES};
    life_limit(&limits);
    life_drop(ROLE_LOOKUPD, true, NULL);
    sandbox_enter(&sandbox);
}

static void open_lookups(struct lookupd *lookupd)
{
    struct journal_replay replay;
    struct log_line line;
    lookupd->folder = open(FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (lookupd->folder < 0)
        life_die_passing("open", FOLDER);
    if (!loop_init(&lookupd->loop) ||
        !lookups_open(&lookupd->lookups, &lookupd->loop, lookupd->folder, &replay))
        life_die_passing("open", FOLDER "/journal");
    log_begin(&line, "started");
    log_number(&line, "records", (int64_t)replay.records);
    log_number(&line, "damaged", (int64_t)replay.damaged);
    log_number(&line, "cut", (int64_t)replay.cut_size);
    log_number(&line, "lists", (int64_t)lookupd->lookups.clients.context.list.zone_count);
    log_end(&line);
}

static void serve(struct lookupd *lookupd, int socket)
{
    static const int stops[] = {SIGTERM, SIGINT};
    if (!loop_add_signals(&lookupd->loop, &lookupd->signals, stops, 2, signal_came, lookupd) ||
        !service_start(&lookupd->service, &lookupd->loop, socket, LOOKUPD_PEERS_MAX, welcome,
                       question_came, clients_gone, lookupd))
        life_die_passing("start", "event loop");
    lookupd->service.is_alone = true;
    set_timer(lookupd, &lookupd->sync, LOOKUPD_SYNC_MS, sync_due);
    set_timer(lookupd, &lookupd->tidy, 0, tidy_due);
    if (!loop_run(&lookupd->loop))
        life_die_passing("wait for", "events");
}

static void finish(struct lookupd *lookupd)
{
    service_stop(&lookupd->service);
    lookups_close(&lookupd->lookups);
    io_close(&lookupd->folder);
    loop_free(&lookupd->loop);
}

int main(void)
{
    static struct lookupd lookupd;
    life_begin("lookupd");
    int socket = unixsocket_listen(LOOKUP_SOCKET, SOCK_SEQPACKET, LOOKUPD_BACKLOG);
    if (socket < 0)
        life_die_passing("listen on", LOOKUP_SOCKET);
    drop();
    open_lookups(&lookupd);
    serve(&lookupd, socket);
    finish(&lookupd);
    return EXIT_DONE;
}
