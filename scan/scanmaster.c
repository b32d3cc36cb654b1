/* scanmaster - see scanmaster.h */
#include "scanmaster.h"

#include "clock.h"
#include "io.h"
#include "loader.h"
#include "log.h"
#include "tempfolder.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

static void tick(struct loop_timer *timer);

static void schedule(struct scanmaster *master, int64_t ms)
{
    if (!loop_set_timer(&master->loop, &master->timer, clock_deadline(ms), tick, master))
        loop_stop(&master->loop);
}

static void retry_later(struct scanmaster *master)
{
    master->retry_at = clock_deadline(master->retry_ms);
    master->retry_ms *= 2;
    if (master->retry_ms > SCANMASTER_RETRY_MAX_MS)
        master->retry_ms = SCANMASTER_RETRY_MAX_MS;
}

/* ---- generations ---------------------------------------------------------------------------- */

static void generation_forget(struct scanmaster *master, struct generation *generation)
{
    if (generation->ready >= 0)
        loop_remove(&master->loop, &generation->watch);
    io_close(&generation->ready);
    generation->pid = 0;
}

static void finish(struct scanmaster *master)
{
    if (master->serving.pid > 0)
        kill(master->serving.pid, SIGTERM);
    master->ending = (struct generation){.pid = master->serving.pid, .ready = -1};
}

/* The loader has loaded: it takes over. */
static void loader_ready(struct loop_watch *watch, uint32_t events)
{
    (void)events;
    struct scanmaster *master = watch->owner;
    char byte;
    bool is_ready = read(master->loading.ready, &byte, 1) == 1;
    loop_remove(&master->loop, watch);
    io_close(&master->loading.ready);
    if (!is_ready)
        return; /* it died; SIGCHLD is on its way */
    finish(master);
    master->serving = (struct generation){
        .pid = master->loading.pid, .ready = -1, .config = master->loading.config};
    master->loading.pid = 0;
    master->retry_ms = SCANMASTER_RETRY_MIN_MS;
    master->retry_at = 0;
    tempfolder_remove_stale(); /* of a generation that was killed */
}

_Noreturn static void loader_child(struct scanmaster *master, int ready)
{
    struct loader loader = {.config = &master->loading.config,
                            .listener = master->listener,
                            .ready = ready,
                            .welcome = master->welcome};
    io_close(&master->loop.epoll);
    io_close(&master->signals.watch.fd);
    io_close(&master->loading.ready);
    directory_close(&master->directory);
    loader_run(&loader);
}

static void load(struct scanmaster *master, const struct scanconfig *config)
{
    int pipe_ends[2];
    struct generation *next = &master->loading;
    *next = (struct generation){.config = *config, .ready = -1};
    if (pipe2(pipe_ends, O_CLOEXEC) < 0) {
        log_trouble("start", "a loader", errno, NULL);
        retry_later(master);
        return;
    }
    next->ready = pipe_ends[0];
    next->pid = fork();
    if (next->pid == 0)
        loader_child(master, pipe_ends[1]);
    io_close(&pipe_ends[1]);
    if (next->pid < 0 ||
        !loop_add(&master->loop, &next->watch, next->ready, EPOLLIN, loader_ready, master)) {
        log_trouble("start", "a loader", errno, NULL);
        if (next->pid > 0)
            kill(next->pid, SIGKILL);
        io_close(&next->ready);
        next->pid = next->pid > 0 ? next->pid : 0;
        retry_later(master);
    }
}

/* ---- what happens --------------------------------------------------------------------------- */

static void log_end_of(const char *what, int status)
{
    struct log_line line;
    log_begin(&line, "trouble");
    log_text(&line, "action", "run");
    log_text(&line, "object", what);
    if (WIFSIGNALED(status))
        log_text(&line, "signal", strsignal(WTERMSIG(status)));
    else
        log_number(&line, "exit", WEXITSTATUS(status));
    log_text(&line, "remedy", "see the lines above; it is tried again");
    log_end(&line);
}

static void bury(struct scanmaster *master, pid_t pid, int status)
{
    struct generation *generation = pid == master->serving.pid   ? &master->serving
                                    : pid == master->loading.pid ? &master->loading
                                    : pid == master->ending.pid  ? &master->ending
                                                                 : NULL;
    if (!generation)
        return;
    generation_forget(master, generation);
    if (generation == &master->ending || master->is_stopping)
        return;
    log_end_of(generation == &master->serving ? "the serving generation" : "the loader", status);
    retry_later(master);
}

static bool is_empty(const struct scanmaster *master)
{
    return master->serving.pid == 0 && master->loading.pid == 0 && master->ending.pid == 0;
}

static void bury_all(struct scanmaster *master)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        bury(master, pid, status);
    if (master->is_stopping && is_empty(master))
        loop_stop(&master->loop);
    else if (!master->is_stopping && master->serving.pid == 0 && master->loading.pid == 0)
        schedule(master, SCANMASTER_RETRY_MIN_MS); /* nobody serves */
}

/* Looks at folders and settings, and loads when they differ from what serves and have not changed
 * since the last look. Without a serving generation there is nothing to wait for. */
static void look(struct scanmaster *master)
{
    struct scanconfig now;
    bool is_busy = master->loading.pid > 0 || master->ending.pid > 0;
    if (!scanconfig_read(&master->directory, &now))
        now = master->seen; /* told by others; what was read last holds */
    bool is_steady = scanconfig_is_same(&now, &master->seen);
    bool is_new = master->serving.pid == 0 || !scanconfig_is_same(&now, &master->serving.config);
    master->seen = now;
    if (!is_steady)
        master->retry_at = 0; /* what failed may be mended */
    if (is_busy || !is_new || clock_ms() < master->retry_at)
        return;
    if (is_steady || master->serving.pid == 0)
        load(master, &now);
}

static void tick(struct loop_timer *timer)
{
    struct scanmaster *master = timer->owner;
    if (master->is_stopping) {
        /* Workers end by themselves when their scan is done, or by its alarm. */
        log_event("stop", "left", "workers that still scan");
        loop_stop(&master->loop);
        return;
    }
    look(master);
    schedule(master, SCANMASTER_POLL_MS);
}

static void stop(struct scanmaster *master)
{
    if (master->is_stopping)
        return;
    master->is_stopping = true;
    const pid_t pids[] = {master->serving.pid, master->loading.pid, master->ending.pid};
    for (size_t i = 0; i < sizeof pids / sizeof pids[0]; i++)
        if (pids[i] > 0)
            kill(pids[i], SIGTERM);
    schedule(master, SCANMASTER_STOP_MS);
}

static void signal_came(int signal, void *owner)
{
    struct scanmaster *master = owner;
    if (signal == SIGCHLD)
        bury_all(master);
    else if (signal == SIGHUP)
        schedule(master, 0);
    else
        stop(master);
    if (master->is_stopping && is_empty(master))
        loop_stop(&master->loop);
}

bool scanmaster_start(struct scanmaster *master, int listener, uid_t welcome,
                      const struct scanconfig *config)
{
    static const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGCHLD};
    *master = (struct scanmaster){.listener = listener,
                                  .welcome = welcome,
                                  .seen = *config,
                                  .retry_ms = SCANMASTER_RETRY_MIN_MS};
    master->serving.ready = master->loading.ready = master->ending.ready = -1;
    directory_init(&master->directory);
    if (!loop_init(&master->loop) ||
        !loop_add_signals(&master->loop, &master->signals, signals,
                          sizeof signals / sizeof signals[0], signal_came, master))
        return false;
    load(master, config);
    schedule(master, SCANMASTER_POLL_MS);
    return true;
}

bool scanmaster_run(struct scanmaster *master)
{
    bool done = loop_run(&master->loop);
    directory_close(&master->directory);
    loop_free(&master->loop);
    return done;
}
