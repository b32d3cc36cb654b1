/* loader - see loader.h */
#include "loader.h"

#include "clock.h"
#include "engine.h"
#include "exits.h"
#include "io.h"
#include "life.h"
#include "log.h"
#include "scanworker.h"
#include "tempfolder.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    WORKERS_MAX = 64,
    YOUNG_MS = 5000,        /* a worker that dies younger makes the next one wait */
    RESPAWN_WAIT_MIN = 100, /* milliseconds, doubled each time */
    RESPAWN_WAIT_MAX = 10000,
    IDLE_MS = 60000,
};

struct slot {
    pid_t pid; /* 0: to be started at `due` */
    int64_t started, due, wait;
    struct scanworker_note *note;
};

struct crew {
    const struct loader *loader;
    struct engine engine;
    struct slot slots[WORKERS_MAX];
    unsigned count;
    bool is_stopping;
};

/* ---- loading -------------------------------------------------------------------------------- */

static void log_loaded(const struct crew *crew, int64_t began)
{
    struct log_line line;
    log_begin(&line, "loaded");
    log_number(&line, "signatures", crew->engine.signatures);
    log_number(&line, "ms", clock_ms() - began);
    log_text(&line, "clamdb", crew->loader->config->clamdb);
    log_number(&line, "workers", crew->count);
    log_end(&line);
}

static void check_canary(struct crew *crew)
{
    char path[TEMPFOLDER_PATH_MAX];
    char reason[REASON_MAX];
    tempfolder_name(getpid(), path);
    if (!tempfolder_make(path) || !engine_set_folder(&crew->engine, path))
        life_die_passing("make", path);
    bool is_sound = engine_is_sound(&crew->engine, reason);
    tempfolder_remove(path);
    if (is_sound)
        return;
    log_trouble("scan", "a test message", 0, reason);
    exit(EXIT_PASSING);
}

static void load(struct crew *crew)
{
    const struct scanconfig *config = crew->loader->config;
    const char *const folders[] = {SCANCONFIG_OWN_SIGNATURES, config->clamdb};
    int64_t began = clock_ms();
    /* The library's own limit comes before the alarm, so that a message which is made to take long
     * meets the answer for limits, and does not come again and again. */
    unsigned scan_ms = config->timeout_s * 750;
    if (!engine_load(&crew->engine, folders, 2, scan_ms))
        exit(EXIT_PASSING);
    check_canary(crew);
    log_loaded(crew, began);
}

/* ---- workers -------------------------------------------------------------------------------- */

_Noreturn static void worker_run(const struct crew *crew, struct scanworker_note *note)
{
    const struct loader *loader = crew->loader;
    struct engine engine = crew->engine;
    struct scanworker worker = {.listener = loader->listener,
                                .welcome = loader->welcome,
                                .timeout_s = loader->config->timeout_s,
                                .engine = &engine,
                                .policy = loader->config->policy,
                                .note = note};
    pid_t parent = getppid();
    /* Without its loader a worker would outlive its signatures. */
    if (prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0) < 0 || getppid() != parent)
        exit(EXIT_PASSING);
    scanworker_confine(&worker);
    if (!scanworker_serve(&worker))
        exit(EXIT_PASSING);
    exit(EXIT_DONE);
}

static void start(struct crew *crew, struct slot *slot)
{
    slot->started = clock_ms();
    slot->note->id[0] = '\0';
    pid_t pid = fork();
    if (pid == 0)
        worker_run(crew, slot->note);
    if (pid > 0) {
        slot->pid = pid;
        return;
    }
    log_trouble("fork", "a worker", errno, NULL);
    slot->due = clock_deadline(RESPAWN_WAIT_MAX);
}

/* A worker shares the note: nothing says that it holds a text. */
static void log_death(const struct slot *slot, int status)
{
    struct log_line line;
    char id[QUESTION_ID_MAX + 1];
    memcpy(id, slot->note->id, sizeof id);
    id[QUESTION_ID_MAX] = '\0';
    log_begin(&line, "worker-died");
    log_number(&line, "pid", slot->pid);
    if (WIFSIGNALED(status))
        log_text(&line, WTERMSIG(status) == SIGALRM ? "timeout" : "signal",
                 strsignal(WTERMSIG(status)));
    else
        log_number(&line, "exit", WEXITSTATUS(status));
    if (id[0] != '\0')
        log_text(&line, "id", id);
    log_end(&line);
}

static void bury(struct crew *crew, pid_t pid, int status)
{
    char path[TEMPFOLDER_PATH_MAX];
    tempfolder_name(pid, path);
    tempfolder_remove(path);
    for (unsigned i = 0; i < crew->count; i++) {
        struct slot *slot = &crew->slots[i];
        if (slot->pid != pid)
            continue;
        bool is_well = WIFEXITED(status) && WEXITSTATUS(status) == EXIT_DONE;
        bool is_young = clock_ms() - slot->started < YOUNG_MS;
        if (!is_well)
            log_death(slot, status);
        slot->wait = is_well || !is_young ? RESPAWN_WAIT_MIN : slot->wait * 2;
        if (slot->wait > RESPAWN_WAIT_MAX)
            slot->wait = RESPAWN_WAIT_MAX;
        slot->due = is_well ? 0 : clock_deadline(slot->wait);
        slot->pid = 0;
    }
}

static void bury_all(struct crew *crew)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        bury(crew, pid, status);
}

/* Starts what is due; returns how long nothing else is. */
static int64_t start_due(struct crew *crew)
{
    int64_t now = clock_ms();
    int64_t wait = IDLE_MS;
    for (unsigned i = 0; i < crew->count && !crew->is_stopping; i++) {
        struct slot *slot = &crew->slots[i];
        if (slot->pid == 0 && slot->due <= now)
            start(crew, slot);
        if (slot->pid == 0 && slot->due - now < wait)
            wait = slot->due - now;
    }
    return wait > 0 ? wait : 1;
}

static void stop(struct crew *crew)
{
    crew->is_stopping = true;
    for (unsigned i = 0; i < crew->count; i++)
        if (crew->slots[i].pid > 0)
            kill(crew->slots[i].pid, SIGTERM);
}

static bool is_over(const struct crew *crew)
{
    for (unsigned i = 0; i < crew->count; i++)
        if (crew->slots[i].pid > 0)
            return false;
    return crew->is_stopping;
}

/* SIGTERM and SIGCHLD are blocked, and taken here. */
static void keep_running(struct crew *crew, const sigset_t *signals)
{
    while (!is_over(crew)) {
        int64_t wait = start_due(crew);
        struct timespec timeout = {.tv_sec = wait / 1000, .tv_nsec = wait % 1000 * 1000000};
        if (sigtimedwait(signals, NULL, &timeout) == SIGTERM && !crew->is_stopping)
            stop(crew);
        bury_all(crew);
    }
}

static void hire(struct crew *crew)
{
    size_t size = sizeof(struct scanworker_note) * crew->count;
    struct scanworker_note *notes =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (notes == MAP_FAILED)
        life_die_passing("share memory with", "the workers");
    for (unsigned i = 0; i < crew->count; i++)
        crew->slots[i] = (struct slot){.note = &notes[i], .wait = RESPAWN_WAIT_MIN};
}

_Noreturn void loader_run(const struct loader *loader)
{
    sigset_t signals;
    struct crew crew = {.loader = loader, .count = loader->config->workers};
    if (crew.count > WORKERS_MAX)
        crew.count = WORKERS_MAX;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGCHLD);
    sigprocmask(SIG_SETMASK, &signals, NULL);
    prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
    load(&crew);
    hire(&crew);
    if (!io_write_all(loader->ready, SLICE("r"), CLOCK_NEVER))
        exit(EXIT_PASSING); /* the master is gone */
    keep_running(&crew, &signals);
    exit(EXIT_DONE);
}
