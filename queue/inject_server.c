/* inject_server - see inject_server.h */
#include "inject_server.h"

#include "clock.h"
#include "exits.h"
#include "io.h"
#include "log.h"
#include "unixsocket.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- in a child -------------------------------------------------------------------------------
 */

static void close_parents(struct inject_server *server)
{
    io_close(&server->signals.watch.fd);
    io_close(&server->loop.epoll);
    io_close(&server->pair[0]);
}

static _Noreturn void become_worker(struct inject_server *server, struct place *place, pid_t parent)
{
    struct inject_worker worker = {.places = &server->places,
                                   .place = place,
                                   .listener = server->listener,
                                   .parent = server->pair[1],
                                   .serve = server->serve,
                                   .owner = server->owner};
    close_parents(server);
    /* When the parent ends, it takes no more peers: another parent listens then. */
    if (prctl(PR_SET_PDEATHSIG, SIGTERM) < 0 || getppid() != parent)
        _exit(EXIT_PASSING);
    server->enter(false, 0, server->owner);
    _exit(inject_worker_run(&worker));
}

static _Noreturn void serve_stranger(struct inject_server *server, int connection, uid_t uid)
{
    struct inject_limits limits;
    directory_hold(&server->directory);
    inject_limits_read(&server->directory, &limits);
    localrate_read(&server->directory, &limits.rate);
    limits.rate.directory = &server->directory;
    close_parents(server);
    io_close(&server->listener);
    io_close(&server->pair[1]);
    loop_unblock_signals();
    server->enter(true, uid, server->owner);
    server->serve(connection, uid, &limits, server->owner);
    _exit(EXIT_DONE);
}

/* ---- workers ----------------------------------------------------------------------------------
 */

static void start_worker(struct inject_server *server);

static void try_again(struct loop_timer *timer)
{
    start_worker(timer->owner);
}

static void start_worker(struct inject_server *server)
{
    if (!places_want_worker(&server->places))
        return;
    struct place *place = places_take(&server->places);
    if (!place)
        return; /* a worker that becomes free takes the next peer */
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid == 0)
        become_worker(server, place, parent);
    place->pid = pid;
    if (pid > 0)
        return;
    log_trouble("fork", "a worker", errno, NULL);
    places_leave(&server->places, pid);
    (void)loop_set_timer(&server->loop, &server->retry, clock_deadline(INJECT_SERVER_RETRY_MS),
                         try_again, server);
}

/* ---- strangers --------------------------------------------------------------------------------
 */

struct inject_stranger *inject_server_find_room(struct inject_stranger strangers[], uid_t uid)
{
    struct inject_stranger *room = NULL;
    size_t count = 0;
    for (size_t i = 0; i < INJECT_SERVER_STRANGERS_MAX; i++) {
        if (strangers[i].pid == 0)
            room = room ? room : &strangers[i];
        else
            count += strangers[i].uid == uid ? 1 : 0;
    }
    return count < INJECT_SERVER_STRANGER_MAX ? room : NULL;
}

static void say_refused(uid_t uid)
{
    struct log_line line;
    log_begin(&line, "refused");
    log_number(&line, "uid", (int64_t)uid);
    log_text(&line, "answer", "too many connections of this uid");
    log_end(&line);
}

static void take_stranger(struct inject_server *server, int connection)
{
    uid_t uid;
    pid_t pid;
    if (!unixsocket_peer(connection, &uid, &pid))
        return;
    struct inject_stranger *stranger = inject_server_find_room(server->strangers, uid);
    if (!stranger) {
        say_refused(uid);
        return;
    }
    pid = fork();
    if (pid == 0)
        serve_stranger(server, connection, uid);
    if (pid > 0)
        *stranger = (struct inject_stranger){.pid = pid, .uid = uid};
    else
        log_trouble("fork for", "a peer", errno, NULL);
}

/* ---- the loop ---------------------------------------------------------------------------------
 */

static void worker_speaks(struct loop_watch *watch, uint32_t events)
{
    struct inject_server *server = watch->owner;
    (void)events;
    if (wire_receive(server->pair[0], &server->message, CLOCK_NEVER) != WIRE_OK)
        return;
    int connection = wire_take_fd(&server->message, 0);
    if (connection >= 0)
        take_stranger(server, connection);
    io_close(&connection);
    start_worker(server);
}

static void bury(struct inject_server *server)
{
    pid_t pid;
    while ((pid = waitpid(-1, NULL, WNOHANG)) > 0) {
        if (places_leave(&server->places, pid))
            continue;
        for (size_t i = 0; i < INJECT_SERVER_STRANGERS_MAX; i++)
            if (server->strangers[i].pid == pid)
                server->strangers[i].pid = 0;
    }
    start_worker(server);
}

static void handle_signal(int signal, void *owner)
{
    struct inject_server *server = owner;
    if (signal == SIGCHLD)
        bury(server);
    else
        loop_stop(&server->loop);
}

/* Workers wait in accept itself. */
static bool prepare_listener(int listener)
{
    struct timeval wait = {.tv_sec = INJECT_WORKER_WAIT_MS / 1000};
    return io_set_nonblocking(listener, false) &&
           setsockopt(listener, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait) == 0;
}

bool inject_server_run(struct inject_server *server, int fd, inject_server_enter *enter,
                       inject_worker_serve *serve, void *owner)
{
    static const int signals[] = {SIGTERM, SIGINT, SIGCHLD};
    *server = (struct inject_server){
        .listener = fd, .pair = {-1, -1}, .enter = enter, .serve = serve, .owner = owner};
    directory_init(&server->directory);
    wire_init_small(&server->message, sizeof INJECT_WORKER_OTHER);
    bool done =
        prepare_listener(fd) && places_open(&server->places) &&
        unixsocket_pair(SOCK_SEQPACKET, server->pair) &&
        io_set_nonblocking(server->pair[0], true) && loop_init(&server->loop) &&
        loop_add_signals(&server->loop, &server->signals, signals, sizeof signals / sizeof *signals,
                         handle_signal, server) &&
        loop_add(&server->loop, &server->watch, server->pair[0], EPOLLIN, worker_speaks, server);
    if (done)
        start_worker(server);
    done = done && loop_run(&server->loop);
    /* Workers and strangers' processes finish what they have. */
    directory_close(&server->directory);
    loop_free(&server->loop);
    return done;
}
