/* tlsmaster - see tlsmaster.h */
#include "tlsmaster.h"

#include "clock.h"
#include "io.h"
#include "life.h"
#include "log.h"
#include "tlssession.h"
#include "unixsocket.h"
#include "wire.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>

enum { PAUSE_MS = 100, ACCEPT_BATCH = 32 };

static const int signals_handled[] = {SIGTERM, SIGINT, SIGHUP, SIGCHLD};

/* The question is not even read: the socket's close throws it away, with its descriptor. */
static void answer_full(int asker)
{
    struct str packet;
    str_init(&packet, WIRE_MAX_SIZE);
    wire_put_text(&packet, "no");
    wire_put_text(&packet, "too many TLS sessions");
    (void)wire_send(asker, str_slice(&packet), NULL, 0, 0);
    str_free(&packet);
}

static void say_full(struct tlsmaster *master)
{
    if (!master->full_said)
        log_trouble("serve more TLS sessions than", "tls-sessions-max", 0,
                    "raise control/tls-sessions-max, cdb rebuild, restart tlsd");
    master->full_said = true;
}

static const struct tlsmaster_asker *find_asker(const struct tlsmaster *master, int fd)
{
    uid_t uid;
    pid_t pid;
    if (!unixsocket_peer(fd, &uid, &pid))
        return NULL;
    for (size_t i = 0; i < master->asker_count; i++)
        if (master->askers[i].uid == uid)
            return &master->askers[i];
    return NULL;
}

static _Noreturn void be_session(struct tlsmaster *master, int fd, bool as_client)
{
    struct tlssession_task task = {.asker = fd,
                                   .as_client = as_client,
                                   .handshake_ms = master->handshake_ms,
                                   .keyd = master->keyd,
                                   .anchors = &master->anchors};
    io_close(&master->listener);
    io_close(&master->signals.watch.fd);
    loop_free(&master->loop);
    signal(SIGALRM, SIG_DFL);
    loop_unblock_signals();
    _exit(tlssession_run(&task));
}

static void start_session(struct tlsmaster *master, int fd)
{
    const struct tlsmaster_asker *asker = find_asker(master, fd);
    if (!asker)
        return;
    if (master->sessions >= master->sessions_max) {
        say_full(master);
        answer_full(fd);
        return;
    }
    pid_t pid = fork();
    if (pid == 0)
        be_session(master, fd, asker->as_client);
    if (pid > 0) {
        master->sessions++;
        return;
    }
    log_trouble("start", "a session", errno, NULL);
    answer_full(fd);
}

static void accept_again(struct loop_timer *timer)
{
    struct tlsmaster *master = timer->owner;
    loop_change(&master->loop, &master->watch, EPOLLIN);
}

/* Without descriptors or memory the loop would turn without end. */
static void pause_accepting(struct tlsmaster *master)
{
    if (loop_set_timer(&master->loop, &master->pause, clock_deadline(PAUSE_MS), accept_again,
                       master))
        loop_change(&master->loop, &master->watch, 0);
}

static void listener_ready(struct loop_watch *watch, uint32_t events)
{
    (void)events;
    struct tlsmaster *master = watch->owner;
    for (int i = 0; i < ACCEPT_BATCH; i++) {
        int fd = accept4(master->listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0) {
            start_session(master, fd);
            io_close(&fd);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            pause_accepting(master);
            return;
        } else if (errno != EINTR && errno != ECONNABORTED) {
            return;
        }
    }
}

static void reap(struct tlsmaster *master)
{
    while (waitpid(-1, NULL, WNOHANG) > 0)
        if (master->sessions > 0)
            master->sessions--;
    if (master->sessions < master->sessions_max)
        master->full_said = false;
}

static void handle_signal(int number, void *owner)
{
    struct tlsmaster *master = owner;
    if (number == SIGCHLD)
        reap(master);
    else if (number != SIGHUP) /* HUP: settings were read before the chroot, restart instead */
        loop_stop(&master->loop);
}

void tlsmaster_run(struct tlsmaster *master)
{
    if (!loop_init(&master->loop) ||
        !loop_add_signals(&master->loop, &master->signals, signals_handled,
                          sizeof signals_handled / sizeof *signals_handled, handle_signal,
                          master) ||
        !loop_add(&master->loop, &master->watch, master->listener, EPOLLIN, listener_ready,
                  master) ||
        !loop_run(&master->loop))
        life_die_passing("wait for", "questions");
    io_close(&master->listener);
    loop_free(&master->loop);
}
