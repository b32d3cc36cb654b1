/*
 * stated - keeps what changes: failed logins, locks, the states of accounts, counts of messages
 *
 * Runs as     ROLE_STATED with the directory group; sandbox: reads cdb/, writes state/, no network,
 *             no fork
 * Started by  the service tree
 * Descriptors 2 log; the socket run/stated/socket; writes run/stated/board, mapped as root
 * Reads       cdb/host.cdb (lock-failures, lock-window, lock-time), state/journal
 * Trusts      authd's word about logins, smtpd's and queue-inject's about messages and limits,
 *             queued's about full mailboxes, root's about states; the kernel's word who is who
 * If taken    attacker can lock accounts out or unlock them; sees no password, key or mail
 * Limits      65536 states, 32768 pairs and 16384 accounts and addresses of failed logins, 32768
 *             counters (the least recently used go), 1024 peers; a message of 64 KiB
 * Exits       0 told to stop, 100 wrong configuration, 111 passing trouble
 */
#include "board.h"
#include "clock.h"
#include "directory.h"
#include "exits.h"
#include "io.h"
#include "life.h"
#include "log.h"
#include "sandbox.h"
#include "service.h"
#include "state.h"
#include "unixsocket.h"
#include "verbs.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    STATED_PEERS_MAX = 1024,
    STATED_FILES = STATED_PEERS_MAX + 64,
    STATED_BACKLOG = 1024,
    STATED_WRITE_MS = 1000, /* how long counts and logins may wait */
    STATED_TIDY_MS = 60000,
    STATED_MEMORY = 512 * 1024 * 1024,
    LOCK_FAILURES = 10, /* as in the table of settings, should there be no cdb/host.cdb */
    LOCK_WINDOW_S = 600,
    LOCK_TIME_S = 900,
};

struct stated {
    struct loop loop;
    struct loop_signals signals;
    struct loop_timer write;
    struct loop_timer tidy;
    struct service service;
    struct directory directory;
    struct board board;
    struct ledger ledger;
    struct journal journal;
    struct verbs verbs;
    struct str answer;
    int folder; /* state/ */
};

static bool welcome(uid_t uid, void *owner)
{
    (void)owner;
    return uid == 0 || uid == life_uid(ROLE_AUTHD) || uid == life_uid(ROLE_SMTPD) ||
           uid == life_uid(ROLE_QUEUE);
}

static enum verbs_peer peer_kind(uid_t uid)
{
    if (uid == 0)
        return VERBS_ROOT;
    if (uid == life_uid(ROLE_QUEUE))
        return VERBS_QUEUE;
    return uid == life_uid(ROLE_AUTHD) ? VERBS_AUTHD : VERBS_OTHER;
}

static void write_due(struct loop_timer *timer)
{
    struct stated *stated = timer->owner;
    verbs_write(&stated->verbs);
}

/* Counts and logins are written together; who is idle is not woken. */
static void write_soon(struct stated *stated)
{
    if (stated->write.position == 0 && verbs_wants_write(&stated->verbs))
        loop_set_timer(&stated->loop, &stated->write, clock_deadline(STATED_WRITE_MS), write_due,
                       stated);
}

static void question_came(struct service_peer *peer, struct wire_message *message)
{
    struct stated *stated = peer->service->owner;
    str_clear(&stated->answer);
    if (!verbs_answer(&stated->verbs, peer_kind(peer->uid), clock_seconds(), message,
                      &stated->answer))
        service_close(peer);
    else if (stated->answer.size > 0)
        service_answer(peer, str_slice(&stated->answer), NULL, 0);
    write_soon(stated);
}

static uint64_t host_number(struct stated *stated, const char *name, uint64_t least,
                            uint64_t otherwise)
{
    uint64_t value;
    bool found = directory_host_number(&stated->directory, name, &value);
    return found && value >= least && value <= INT32_MAX ? value : otherwise;
}

static void read_limits(struct stated *stated)
{
    stated->ledger.limits = (struct failures_limits){
        .limit = (unsigned)host_number(stated, "lock-failures", 1, LOCK_FAILURES),
        .window_s = (int64_t)host_number(stated, "lock-window", 1, LOCK_WINDOW_S),
        .lock_s = (int64_t)host_number(stated, "lock-time", 1, LOCK_TIME_S),
    };
}

static void tidy_due(struct loop_timer *timer)
{
    struct stated *stated = timer->owner;
    int64_t now = clock_seconds();
    read_limits(stated);
    verbs_end_states(&stated->verbs, now);
    if (!journal_sync(&stated->journal))
        log_trouble("sync", "state/journal", errno, NULL);
    verbs_compact(&stated->verbs, now);
    if (stated->journal.fd < 0)
        life_die_passing("open", "state/journal");
    loop_set_timer(&stated->loop, timer, clock_deadline(STATED_TIDY_MS), tidy_due, stated);
}

static void signal_came(int number, void *owner)
{
    struct stated *stated = owner;
    (void)number;
    loop_stop(&stated->loop);
}

static bool apply(void *owner, struct slice record)
{
    struct stated *stated = owner;
    return ledger_apply(&stated->ledger, record, NULL);
}

static void open_ledger(struct stated *stated)
{
    struct failures_limits none = {.limit = 1};
    uint64_t seed;
    if (getrandom(&seed, sizeof seed, 0) != (ssize_t)sizeof seed ||
        !ledger_init(&stated->ledger, seed, &none))
        life_die_passing("make", "tables");
    directory_init(&stated->directory);
    read_limits(stated);
}

static void open_journal(struct stated *stated)
{
    struct journal_replay replay;
    struct log_line line;
    stated->folder = open("state", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (stated->folder < 0 ||
        !journal_open(&stated->journal, stated->folder, "journal", apply, stated, &replay))
        life_die_passing("open", "state/journal");
    log_begin(&line, "started");
    log_number(&line, "records", (int64_t)replay.records);
    log_number(&line, "damaged", (int64_t)replay.damaged);
    log_number(&line, "cut", (int64_t)replay.cut_size);
    log_number(&line, "states", (int64_t)stated->ledger.states.count);
    log_end(&line);
    if (replay.damaged > 0)
        log_trouble("read all of", "state/journal", 0,
                    "lines were damaged; the file is kept as state/journal.damaged");
}

static void drop(void)
{
    static const struct sandbox sandbox = {
        .grants = SANDBOX_READ_FILES | SANDBOX_WRITE_FILES,
        .read_paths = {"cdb", NULL},
        .write_paths = {"state", NULL},
    };
    static const struct life_limits limits = {.memory_bytes = STATED_MEMORY,
                                              .open_files = STATED_FILES};
    life_limit(&limits);
    life_drop(ROLE_STATED, true, NULL);
    sandbox_enter(&sandbox);
}

static void serve(struct stated *stated, int socket)
{
    static const int stops[] = {SIGTERM, SIGINT};
    str_init(&stated->answer, WIRE_MAX_SIZE);
    stated->verbs = (struct verbs){
        .ledger = &stated->ledger, .journal = &stated->journal, .board = &stated->board};
    verbs_write_board(&stated->verbs);
    board_begin(&stated->board);
    if (!loop_init(&stated->loop) ||
        !loop_add_signals(&stated->loop, &stated->signals, stops, 2, signal_came, stated) ||
        !service_start(&stated->service, &stated->loop, socket, STATED_PEERS_MAX, welcome,
                       question_came, NULL, stated) ||
        !loop_set_timer(&stated->loop, &stated->tidy, clock_deadline(0), tidy_due, stated))
        life_die_passing("start", "event loop");
    stated->service.is_alone = true;
    if (!loop_run(&stated->loop))
        life_die_passing("wait for", "events");
}

static void finish(struct stated *stated)
{
    board_end(&stated->board);
    service_stop(&stated->service);
    verbs_write(&stated->verbs);
    if (!journal_sync(&stated->journal))
        log_trouble("sync", "state/journal", errno, NULL);
    journal_close(&stated->journal);
    io_close(&stated->folder);
    ledger_free(&stated->ledger);
    directory_close(&stated->directory);
    str_free(&stated->answer);
    loop_free(&stated->loop);
}

int main(void)
{
    static struct stated stated;
    life_begin("stated");
    int socket = unixsocket_listen(STATE_SOCKET, SOCK_SEQPACKET, STATED_BACKLOG);
    if (socket < 0)
        life_die_passing("listen on", STATE_SOCKET);
    if (!board_make(&stated.board, life_uid(ROLE_SMTPD)))
        log_trouble("make", BOARD_FILE, errno, "smtpd asks about every message till it is there");
    tzset(); /* while the zone's file can be read */
    drop();
    open_ledger(&stated);
    open_journal(&stated);
    serve(&stated, socket);
    finish(&stated);
    return EXIT_DONE;
}
