/* inject_server - see inject_server.h */
#include "inject_server.h"

#include "admission.h"
#include "clock.h"
#include "exits.h"
#include "io.h"
#include "log.h"
#include "unixsocket.h"
#include "wire.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    DATABYTES_DEFAULT = 104857600,
    /* smtpd has counted what its client sent; the fields that it put in front come on top. */
    FIELDS_ADDED_MAX = 65536,
    TIDY_MS = 10000,
};

struct inject_child {
    struct inject_server *server;
    struct loop_watch watch;
    int fd; /* to the child: connections out, "i" for idle in */
    uid_t uid;
    bool is_idle;
    int64_t idle_since;
    struct inject_child *next, *previous;
};

static bool is_stranger(uid_t uid)
{
    return admission_trust(uid) == ADMISSION_STRANGER;
}

static uint64_t size_limit(struct inject_server *server, uid_t uid)
{
    uint64_t databytes;
    if (!directory_host_number(&server->directory, "databytes", &databytes))
        databytes = DATABYTES_DEFAULT;
    return is_stranger(uid) ? databytes : databytes + FIELDS_ADDED_MAX;
}

/* ---- in the child ------------------------------------------------------------------------------
 */

/* The one thing that a child hears: the next connection of its uid, with its limits. */
static int receive_connection(int fd, struct wire_message *message,
                              struct inject_server_limits *limits)
{
    if (wire_receive(fd, message, CLOCK_NEVER) != WIRE_OK ||
        !wire_number(message, 0, INT64_MAX, &limits->databytes) ||
        !wire_number(message, 1, UINT64_MAX, &limits->rate.limit) ||
        !wire_number(message, 2, UINT64_MAX, &limits->rate.window_s) ||
        !wire_number(message, 3, UINT64_MAX, &limits->rate.pause_s))
        return -1;
    return wire_take_fd(message, 0);
}

static bool say_idle(int fd)
{
    return wire_send(fd, SLICE("4:idle,"), NULL, 0, CLOCK_NEVER) == WIRE_OK;
}

static _Noreturn void child_main(struct inject_server *server, int fd, uid_t uid)
{
    struct wire_message message;
    struct inject_server_limits limits;
    server->enter_child(uid, server->owner);
    wire_init(&message);
    for (;;) {
        int connection = receive_connection(fd, &message, &limits);
        if (connection < 0)
            _exit(EXIT_DONE);
        server->serve(connection, uid, &limits, server->owner);
        io_close(&connection);
        if (!say_idle(fd))
            _exit(EXIT_DONE);
    }
}

/* What belongs to the parent alone: above all the ends of the other children, who would not see
 * the parent's end otherwise. */
static void close_parents(struct inject_server *server)
{
    for (struct inject_child *child = server->children; child; child = child->next)
        io_close(&child->fd);
    io_close(&server->signals.watch.fd);
    io_close(&server->loop.epoll);
    io_close(&server->fd);
    loop_unblock_signals();
}

/* ---- children, as the parent sees them ---------------------------------------------------------
 */

static void pause_accept(struct inject_server *server, bool pause)
{
    if (server->is_paused != pause) {
        server->is_paused = pause;
        loop_change(&server->loop, &server->listening, pause ? 0 : EPOLLIN);
    }
}

static void child_remove(struct inject_child *child)
{
    struct inject_server *server = child->server;
    loop_remove(&server->loop, &child->watch);
    io_close(&child->fd);
    if (child->previous)
        child->previous->next = child->next;
    else
        server->children = child->next;
    if (child->next)
        child->next->previous = child->previous;
    server->child_count--;
    server->idle_count -= child->is_idle ? 1 : 0;
    server->stranger_count -= is_stranger(child->uid) ? 1 : 0;
    free(child);
    pause_accept(server, false);
}

static void child_ready(struct loop_watch *watch, uint32_t events)
{
    (void)events;
    struct inject_child *child = watch->owner;
    struct inject_server *server = child->server;
    char byte[sizeof "4:idle,"];
    ssize_t got = read(child->fd, byte, sizeof byte);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    /* A stranger's child has done its work; ours wait for the next, a few of them. */
    if (got <= 0 || is_stranger(child->uid) || server->idle_count >= INJECT_SERVER_IDLE_MAX) {
        child_remove(child);
        return;
    }
    child->is_idle = true;
    child->idle_since = clock_ms();
    server->idle_count++;
    pause_accept(server, false);
}

static struct inject_child *child_new(struct inject_server *server, uid_t uid, int fd)
{
    struct inject_child *child = calloc(1, sizeof *child);
    if (!child)
        return NULL;
    *child =
        (struct inject_child){.server = server, .fd = fd, .uid = uid, .next = server->children};
    if (!io_set_nonblocking(fd, true) ||
        !loop_add(&server->loop, &child->watch, fd, EPOLLIN, child_ready, child)) {
        free(child);
        return NULL;
    }
    if (server->children)
        server->children->previous = child;
    server->children = child;
    server->child_count++;
    server->stranger_count += is_stranger(uid) ? 1 : 0;
    return child;
}

static struct inject_child *child_fork(struct inject_server *server, uid_t uid)
{
    int pair[2];
    if (!unixsocket_pair(SOCK_SEQPACKET, pair))
        return NULL;
    struct inject_child *child = child_new(server, uid, pair[0]);
    if (!child) {
        io_close(&pair[0]);
        io_close(&pair[1]);
        return NULL;
    }
    pid_t pid = fork();
    if (pid == 0) {
        close_parents(server);
        child_main(server, pair[1], uid);
    }
    io_close(&pair[1]);
    if (pid < 0) {
        log_trouble("fork for", "a peer", errno, NULL);
        child_remove(child);
        return NULL;
    }
    return child;
}

static struct inject_child *child_find_idle(struct inject_server *server, uid_t uid)
{
    struct inject_child *child = server->idle_count > 0 ? server->children : NULL;
    while (child && !(child->is_idle && child->uid == uid))
        child = child->next;
    return child;
}

static bool child_give(struct inject_child *child, int connection)
{
    struct inject_server *server = child->server;
    char packet[128];
    struct str text = {.data = packet, .capacity = sizeof packet, .max = sizeof packet};
    struct localrate rate = {0};
    if (is_stranger(child->uid))
        localrate_read(&server->directory, &rate);
    wire_put_number(&text, size_limit(server, child->uid));
    wire_put_number(&text, rate.limit);
    wire_put_number(&text, rate.window_s);
    wire_put_number(&text, rate.pause_s);
    if (child->is_idle)
        server->idle_count--;
    child->is_idle = false;
    if (wire_send(child->fd, str_slice(&text), &connection, 1, 0) == WIRE_OK)
        return true;
    child_remove(child);
    return false;
}

/* ---- peers -------------------------------------------------------------------------------------
 */

static size_t count_of_uid(const struct inject_server *server, uid_t uid)
{
    size_t count = 0;
    for (const struct inject_child *child = server->children; child; child = child->next)
        count += child->uid == uid ? 1 : 0;
    return count;
}

static bool is_too_many(const struct inject_server *server, uid_t uid)
{
    return is_stranger(uid) && (server->stranger_count >= INJECT_SERVER_STRANGERS_MAX ||
                                count_of_uid(server, uid) >= INJECT_SERVER_STRANGER_MAX);
}

static void admit(struct inject_server *server, int connection)
{
    uid_t uid;
    pid_t pid;
    if (!unixsocket_peer(connection, &uid, &pid))
        return;
    if (is_too_many(server, uid)) {
        struct log_line line;
        log_begin(&line, "refused");
        log_number(&line, "uid", (int64_t)uid);
        log_text(&line, "answer", "too many connections of this uid");
        log_end(&line);
        return;
    }
    struct inject_child *child = child_find_idle(server, uid);
    if (child && child_give(child, connection))
        return;
    child = child_fork(server, uid);
    if (child)
        child_give(child, connection);
}

static void listen_ready(struct loop_watch *watch, uint32_t events)
{
    (void)events;
    struct inject_server *server = watch->owner;
    while (server->child_count - server->idle_count < INJECT_SERVER_CHILDREN_MAX) {
        int connection = accept4(server->fd, NULL, NULL, SOCK_CLOEXEC);
        if (connection < 0 && (errno == EINTR || errno == ECONNABORTED))
            continue;
        if (connection < 0 && (errno == EAGAIN || server->child_count == 0))
            return;
        if (connection < 0) /* no descriptors, no memory: the loop would turn without end */
            break;
        admit(server, connection);
        io_close(&connection);
    }
    pause_accept(server, true); /* till a child is free */
}

static void tidy_idle(struct loop_timer *timer)
{
    struct inject_server *server = timer->owner;
    int64_t now = clock_ms();
    struct inject_child *next;
    for (struct inject_child *child = server->children; child; child = next) {
        next = child->next;
        if (child->is_idle && now - child->idle_since > INJECT_SERVER_IDLE_MS)
            child_remove(child);
    }
    loop_set_timer(&server->loop, timer, now + TIDY_MS, tidy_idle, server);
}

static void handle_signal(int signal, void *owner)
{
    struct inject_server *server = owner;
    if (signal != SIGCHLD) {
        loop_stop(&server->loop);
        return;
    }
    /* Children are known by their sockets; here they are only buried. */
    while (waitpid(-1, NULL, WNOHANG) > 0)
        ;
}

bool inject_server_run(struct inject_server *server, int fd, inject_server_enter *enter_child,
                       inject_server_serve *serve, void *owner)
{
    static const int signals[] = {SIGTERM, SIGINT, SIGCHLD};
    *server = (struct inject_server){
        .fd = fd, .enter_child = enter_child, .serve = serve, .owner = owner};
    directory_init(&server->directory);
    bool done =
        loop_init(&server->loop) &&
        loop_add_signals(&server->loop, &server->signals, signals, sizeof signals / sizeof *signals,
                         handle_signal, server) &&
        loop_add(&server->loop, &server->listening, fd, EPOLLIN, listen_ready, server) &&
        loop_set_timer(&server->loop, &server->tidy, clock_deadline(TIDY_MS), tidy_idle, server) &&
        loop_run(&server->loop);
    /* Children that serve end with their connections: they see that this end is closed. */
    while (server->children)
        child_remove(server->children); /* NOLINT(clang-analyzer-unix.Malloc): the head moves on */
    directory_close(&server->directory);
    loop_free(&server->loop);
    return done;
}
