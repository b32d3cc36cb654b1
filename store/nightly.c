/*
 * nightly - what is to be done once a night: has each domain's mail aged (archive-days, trash-days)
 *
 * Runs as     ROLE_NIGHTLY with the directory group; sandbox: reads cdb/, writes state/nightly/,
 *             connects to spawnd
 * Started by  the service tree
 * Descriptors 2 log
 * Reads       cdb/ (who has which days; ageing-hour, me), state/nightly/done
 * Trusts      what spawnd says; nothing of what an ageing worker says but that it is an answer
 * If taken    mail of whose days the attacker lies is archived or deleted: he may make trash and INBOX of
 *             any account go their way too early, and can read none
 * Limits      one worker at a time, an hour for an account, six hours for a night's begin
 * Exits       0 told to stop, 100 wrong configuration, 111 passing trouble
 */
#include "clock.h"
#include "exits.h"
#include "io.h"
#include "life.h"
#include "log.h"
#include "night.h"
#include "nightrun.h"
#include "number.h"
#include "sandbox.h"
#include "str.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#define DONE "done" /* when the last night began whose work is done, seconds since 1970 */

enum {
    HOUR = 3, /* as in the table of settings, should there be no cdb/host.cdb */
    HOURS = 24,
    LOOK_MS = 60 * 1000, /* a new hour holds, and a clock that was set, within a minute */
    AGAIN_MS = 500, /* after a night in which nothing worked, as when spawnd starts up with us; */
    AGAIN_MOST_MS = 600000,      /* twice as long each time */
    DONE_MAX = NUMBER_TEXT_SIZE, /* bytes of the file */
};

struct nightly {
    struct directory directory;
    struct nightrun run;
    int folder, lock;
    int64_t done;
    int64_t again_ms;
};

static int64_t read_done(int folder)
{
    char bytes[DONE_MAX];
    struct str text = str_on(bytes, sizeof bytes);
    uint64_t done;
    bool read = io_read_file(folder, DONE, &text) &&
                number_parse(slice_trim(str_slice(&text)), INT64_MAX, &done);
    return read ? (int64_t)done : 0;
}

/* What can't be written costs a second look at mail that was looked at already. */
static void write_done(struct nightly *nightly)
{
    char bytes[DONE_MAX];
    struct str text = str_on(bytes, sizeof bytes);
    str_append_number(&text, (uint64_t)nightly->done);
    str_append_byte(&text, '\n');
    if (!io_replace_file(nightly->folder, DONE, str_slice(&text), 0600, (uid_t)-1, (gid_t)-1))
        log_trouble("write", NIGHTREPORT_FOLDER "/" DONE, errno, "make room");
}

/* For mailctl status. */
static void write_report(const struct nightly *nightly)
{
    char bytes[NIGHTREPORT_MAX];
    struct str text = str_on(bytes, sizeof bytes);
    nightreport_put(&text, &nightly->run.report);
    if (!io_replace_file(nightly->folder, NIGHTREPORT_FILE, str_slice(&text), 0600, (uid_t)-1,
                         (gid_t)-1))
        log_trouble("write", NIGHTREPORT_FOLDER "/" NIGHTREPORT_FILE, errno, "make room");
}

/* When tonight's work begins, or began. */
static int64_t find_latest(struct nightly *nightly, int64_t now)
{
    uint64_t hour;
    struct str host;
    directory_hold(&nightly->directory);
    if (!directory_host_number(&nightly->directory, "ageing-hour", &hour) || hour >= HOURS)
        hour = HOUR;
    str_init(&host, DIRECTORY_VALUE_MAX);
    (void)directory_host(&nightly->directory, "me", &host);
    int64_t latest = night_latest(now, (unsigned)hour, night_minute(str_slice(&host)));
    str_free(&host);
    return latest;
}

static int64_t wait_after(struct nightly *nightly, enum nightreport_result result)
{
    if (result != NIGHTREPORT_FAILED) {
        nightly->again_ms = AGAIN_MS;
        return LOOK_MS;
    }
    int64_t wait_ms = nightly->again_ms;
    nightly->again_ms = wait_ms * 2 < AGAIN_MOST_MS ? wait_ms * 2 : AGAIN_MOST_MS;
    return wait_ms;
}

/* Does what is due; how long to wait then. */
static int64_t look(struct nightly *nightly)
{
    int64_t now = clock_seconds();
    int64_t latest = find_latest(nightly, now);
    if (!night_is_due(now, latest, nightly->done))
        return LOOK_MS;
    enum nightreport_result result = nightrun_do(&nightly->run);
    write_report(nightly);
    if (result == NIGHTREPORT_DONE) {
        nightly->done = latest;
        write_done(nightly);
    }
    return wait_after(nightly, result);
}

static void drop(void)
{
    static const struct sandbox sandbox = {
        .grants = SANDBOX_READ_FILES | SANDBOX_WRITE_FILES | SANDBOX_UNIX,
        .read_paths = {"cdb", "/etc/localtime", "/usr/share/zoneinfo", NULL},
        .write_paths = {NIGHTREPORT_FOLDER, NULL},
    };
    static const struct life_limits limits = {.memory_bytes = 256UL << 20, .open_files = 64};
    life_limit(&limits);
    life_drop(ROLE_NIGHTLY, true, NULL);
    sandbox_enter(&sandbox);
}

static int open_signals(void)
{
    sigset_t stops;
    sigemptyset(&stops);
    sigaddset(&stops, SIGTERM);
    sigaddset(&stops, SIGINT);
    return sigprocmask(SIG_BLOCK, &stops, NULL) < 0 ? -1 : signalfd(-1, &stops, SFD_CLOEXEC);
}

int main(void)
{
    static struct nightly nightly;
    life_begin("nightly");
    nightly.run =
        (struct nightrun){.directory = &nightly.directory, .signals = open_signals(), .spawnd = -1};
    if (nightly.run.signals < 0)
        life_die_passing("wait for", "signals");
    tzset();
    drop();
    directory_init(&nightly.directory);
    wire_init(&nightly.run.message);
    nightly.folder = open(NIGHTREPORT_FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (nightly.folder < 0)
        life_die_passing("open", NIGHTREPORT_FOLDER);
    nightly.lock = nightreport_lock(nightly.folder);
    if (nightly.lock < 0)
        life_die_passing("lock", NIGHTREPORT_FOLDER "/" NIGHTREPORT_LOCK);
    nightly.done = read_done(nightly.folder);
    nightly.again_ms = AGAIN_MS;
    log_event("started", NULL, NULL);
    while (!nightly.run.is_told)
        (void)nightrun_wait(&nightly.run, -1, clock_deadline(look(&nightly)));
    wire_free(&nightly.run.message);
    directory_close(&nightly.directory);
    io_close(&nightly.folder);
    io_close(&nightly.lock);
    return EXIT_DONE;
}
