/* keymaster - see keymaster.h */
#include "keymaster.h"

#include "clock.h"
#include "io.h"
#include "keyworker.h"
#include "life.h"
#include "log.h"
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static const int signals_handled[] = {SIGTERM, SIGINT, SIGHUP, SIGCHLD};

static void schedule_restart(struct keymaster *master);

/* In the child: holds the keys, may do nothing but answer. */
static _Noreturn void be_worker(struct keymaster *master)
{
    struct keyworker_task task = {.listener = master->listener,
                                  .leash = master->leash_of_workers,
                                  .asker = master->asker,
                                  .keyset = &master->keyset,
                                  .sessions = master->sessions};
    io_close(&master->leash); /* or this worker would hold its own leash */
    io_close(&master->signals.watch.fd);
    loop_free(&master->loop);
    sandbox_enter(&(struct sandbox){.grants = SANDBOX_NOTHING});
    int code = keyworker_run(&task);
    keyset_free(&master->keyset);
    exit(code);
}

static void start_workers(struct keymaster *master)
{
    for (size_t i = 0; i < KEYMASTER_WORKERS; i++) {
        if (master->workers[i] != 0)
            continue;
        pid_t pid = fork();
        if (pid == 0)
            be_worker(master);
        if (pid < 0) {
            log_trouble("start", "a worker", errno, NULL);
            schedule_restart(master);
            return;
        }
        master->workers[i] = pid;
    }
}

static void restart_due(struct loop_timer *timer)
{
    start_workers(timer->owner);
}

/* Not at once: a worker that dies as it starts must not become a storm of forks. */
static void schedule_restart(struct keymaster *master)
{
    if (master->restart.position == 0 &&
        !loop_set_timer(&master->loop, &master->restart, clock_deadline(KEYMASTER_RESTART_MS),
                        restart_due, master))
        life_die_passing("set", "a timer");
}

static void new_leash(struct keymaster *master)
{
    int pipe_ends[2];
    if (pipe2(pipe_ends, O_CLOEXEC) < 0)
        life_die_passing("make", "a pipe");
    master->leash_of_workers = pipe_ends[0];
    master->leash = pipe_ends[1];
}

/* The workers have the keys they were forked with: others take their place, and they go when what
 * they have begun is done. Connections meanwhile wait in the listen queue. */
static void replace_workers(struct keymaster *master)
{
    io_close(&master->leash);
    io_close(&master->leash_of_workers);
    for (size_t i = 0; i < KEYMASTER_WORKERS; i++)
        master->workers[i] = 0;
    new_leash(master);
    start_workers(master);
}

static void warn_if_empty(const struct keymaster *master)
{
    if (keyset_pairs(&master->keyset) == 0)
        log_trouble("find a certificate in", KEYSET_FOLDER, 0,
                    "put cert.pem and key.pem into control/tls/default; until then TLS fails");
}

static void look_due(struct loop_timer *timer)
{
    struct keymaster *master = timer->owner;
    if (keyset_look(&master->keyset, KEYSET_FOLDER, true)) {
        warn_if_empty(master);
        replace_workers(master);
    }
    if (++master->looks % KEYMASTER_SWEEP_LOOKS == 0)
        sessiontable_sweep(master->sessions, clock_ms());
    if (!loop_set_timer(&master->loop, timer, clock_deadline(KEYMASTER_LOOK_MS), look_due, master))
        life_die_passing("set", "a timer");
}

static void reap(struct keymaster *master)
{
    pid_t pid;
    while ((pid = waitpid(-1, NULL, WNOHANG)) > 0) {
        for (size_t i = 0; i < KEYMASTER_WORKERS; i++) {
            if (master->workers[i] != pid)
                continue;
            master->workers[i] = 0;
            log_event("worker-ended", NULL, NULL);
            schedule_restart(master);
        }
    }
}

static void handle_signal(int number, void *owner)
{
    struct keymaster *master = owner;
    if (number == SIGCHLD)
        reap(master);
    else if (number != SIGHUP) /* HUP: the files are looked at every two seconds anyway */
        loop_stop(&master->loop);
}

void keymaster_run(struct keymaster *master, int listener, uid_t asker)
{
    *master = (struct keymaster){.listener = listener, .asker = asker};
    master->sessions = sessiontable_make();
    if (!master->sessions || !loop_init(&master->loop) ||
        !loop_add_signals(&master->loop, &master->signals, signals_handled,
                          sizeof signals_handled / sizeof *signals_handled, handle_signal, master))
        life_die_passing("prepare", "the event loop");
    keyset_init(&master->keyset);
    (void)keyset_look(&master->keyset, KEYSET_FOLDER, false);
    warn_if_empty(master);
    new_leash(master);
    start_workers(master);
    if (!loop_set_timer(&master->loop, &master->look, clock_deadline(KEYMASTER_LOOK_MS), look_due,
                        master) ||
        !loop_run(&master->loop))
        life_die_passing("wait for", "events");
    /* The end of the leash ends the workers. */
    io_close(&master->leash);
    keyset_free(&master->keyset);
    sessiontable_free(&master->sessions);
    loop_free(&master->loop);
}
