/* acceptor - see acceptor.h */
#include "acceptor.h"

#include "clock.h"
#include "connection.h"
#include "exits.h"
#include "io.h"
#include "life.h"
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    ACCEPT_BATCH = 64, /* then signals and other listeners have their turn */
    RETRY_MS = 200,
    REFUSALS_SAID = 20, /* in each REFUSALS_MS */
    REFUSALS_MS = 1000,
};

static const int signals_handled[] = {SIGTERM, SIGINT, SIGHUP, SIGALRM, SIGCHLD};

/* ---- the log of refusals --------------------------------------------------------------------- */

static void say_unsaid(struct loop_timer *timer)
{
    struct acceptor *acceptor = timer->owner;
    struct log_line line;
    if (acceptor->refusals.unsaid > 0) {
        log_begin(&line, "refused-more");
        log_text(&line, "service", acceptor->service->name);
        log_number(&line, "count", acceptor->refusals.unsaid);
        log_end(&line);
    }
    acceptor->refusals.said = 0;
    acceptor->refusals.unsaid = 0;
}

/* Ten thousand refused connections must not become ten thousand lines. */
static bool may_say(struct acceptor *acceptor)
{
    struct acceptor_refusals *refusals = &acceptor->refusals;
    int64_t now = clock_ms();
    if (refusals->said == 0) {
        refusals->since = now;
        if (!loop_set_timer(&acceptor->loop, &refusals->timer, now + REFUSALS_MS, say_unsaid,
                            acceptor))
            return false;
    }
    if (refusals->said >= REFUSALS_SAID) {
        refusals->unsaid++;
        return false;
    }
    refusals->said++;
    return true;
}

static void refuse(struct acceptor *acceptor, int fd, const struct ip *client,
                   enum tcpservice_refusal refusal)
{
    connection_refuse(fd, acceptor->service, refusal);
    if (!may_say(acceptor))
        return;
    struct log_line line;
    char text[IP_TEXT_MAX];
    ip_format(client, text);
    log_begin(&line, "refused");
    log_text(&line, "service", acceptor->service->name);
    log_text(&line, "client", text);
    log_text(&line, "reason", connection_refusal_name(refusal));
    log_end(&line);
}

/* ---- connections ----------------------------------------------------------------------------- */

/* The values in force now; the defaults while there is no compiled directory. Looked at once for
 * all connections that are there. */
static void refresh_settings(struct acceptor *acceptor)
{
    struct gate_limits *limits = &acceptor->gate.limits;
    directory_hold(&acceptor->directory);
    acceptor->has_rules = gate_refresh(&acceptor->gate);
    if (!directory_host_number(&acceptor->directory, "connections-max", &limits->connections_max))
        limits->connections_max = GATE_CONNECTIONS_MAX;
    if (!directory_host_number(&acceptor->directory, "connections-per-client",
                               &limits->connections_per_client))
        limits->connections_per_client = GATE_CONNECTIONS_PER_CLIENT;
    templates_refresh(&acceptor->templates);
}

/* In a child of its own: the header may take its time. */
static void start_child(struct acceptor *acceptor, struct connection *connection)
{
    templates_look(&acceptor->templates); /* or it would hold the connections of others open */
    connection->seat->template = templates_number(&acceptor->templates);
    pid_t pid = fork();
    if (pid == 0)
        connection_behind_proxy(connection);
    if (pid < 0)
        refuse(acceptor, connection->fd, &connection->peer, TCPSERVICE_TROUBLE);
    else
        seats_sit(&acceptor->gate.seats, connection->seat, pid, NULL);
}

static void give(struct acceptor *acceptor, struct connection *connection)
{
    struct seats *seats = &acceptor->gate.seats;
    seats_sit(seats, connection->seat, SEATS_ASKED, &connection->peer);
    if (connection_give(connection))
        return;
    seats_free(seats, connection->seat);
    refuse(acceptor, connection->fd, &connection->peer, TCPSERVICE_TROUBLE);
}

static void start_session(struct acceptor *acceptor, struct connection *connection)
{
    connection->seat = seats_find_free(&acceptor->gate.seats);
    if (!connection->seat) {
        refuse(acceptor, connection->fd, &connection->peer, TCPSERVICE_FULL);
        return;
    }
    if (connection->line->proxy)
        start_child(acceptor, connection);
    else
        give(acceptor, connection);
}

/* A client that came by itself is judged here; one behind a proxy in the child, once its address is
 * known. */
static void admit(struct acceptor *acceptor, struct connection *connection)
{
    struct gate *gate = &acceptor->gate;
    struct gate_answer answer = {.pass = true};
    if (!gate_has_room(gate))
        answer = (struct gate_answer){.refusal = TCPSERVICE_FULL};
    else if (!acceptor->has_rules)
        answer = (struct gate_answer){.refusal = TCPSERVICE_TROUBLE};
    else if (!connection->line->proxy)
        answer = gate_ask(gate, &connection->peer, NULL);
    connection->variables = answer.variables;
    if (answer.pass)
        start_session(acceptor, connection);
    else
        refuse(acceptor, connection->fd, &connection->peer, answer.refusal);
}

/* Connections wait in the kernel's queue while no template takes them. */
static void watch_listeners(struct acceptor *acceptor)
{
    bool accepting = templates_have_room(&acceptor->templates) && acceptor->retry.position == 0;
    if (acceptor->accepting == accepting)
        return;
    acceptor->accepting = accepting;
    for (size_t i = 0; i < acceptor->listener_count; i++)
        if (acceptor->listeners[i].watch.active)
            loop_change(&acceptor->loop, &acceptor->listeners[i].watch, accepting ? EPOLLIN : 0);
}

static void accept_again(struct loop_timer *timer)
{
    watch_listeners(timer->owner);
}

/* No descriptors or memory: the connections stay in the kernel's queue for a moment, instead of the
 * loop turning without end. */
static void pause_accepting(struct acceptor *acceptor)
{
    if (acceptor->retry.position == 0 && may_say(acceptor))
        log_trouble("accept", acceptor->service->name, errno, "raise the limit of open files");
    if (loop_set_timer(&acceptor->loop, &acceptor->retry, clock_deadline(RETRY_MS), accept_again,
                       acceptor))
        watch_listeners(acceptor);
}

/* False: nothing more to accept now. */
static bool accept_one(struct acceptor_listener *listener)
{
    struct acceptor *acceptor = listener->acceptor;
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    memset(&address, 0, sizeof address);
    int fd =
        accept4(listener->fd, (struct sockaddr *)&address, &size, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) {
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
            pause_accepting(acceptor);
        return errno == EINTR || errno == ECONNABORTED;
    }
    struct connection connection = {.fd = fd,
                                    .line = &listener->line,
                                    .gate = &acceptor->gate,
                                    .templates = &acceptor->templates};
    if (ip_from_socket(&address, &connection.peer, &connection.peer_port))
        admit(acceptor, &connection);
    io_close(&connection.fd);
    return true;
}

static void listener_ready(struct loop_watch *watch, uint32_t events)
{
    struct acceptor_listener *listener = watch->owner;
    struct acceptor *acceptor = listener->acceptor;
    (void)events;
    refresh_settings(acceptor);
    for (int i = 0; i < ACCEPT_BATCH && templates_have_room(&acceptor->templates); i++)
        if (!accept_one(listener))
            break;
    watch_listeners(acceptor);
}

/* ---- listeners ------------------------------------------------------------------------------- */

static void close_listener(struct acceptor *acceptor, struct acceptor_listener *listener)
{
    loop_remove(&acceptor->loop, &listener->watch);
    io_close(&listener->fd);
}

static void say_trouble(const struct listener_line *line, int error)
{
    char name[IP_TEXT_MAX + 10];
    const char *remedy = "correct control/listen";
    listener_name(line, name);
    if (error == EADDRINUSE)
        remedy = "stop the other program on this port (ss -ltnp shows it) or correct "
                 "control/listen";
    else if (error == EACCES)
        remedy = "a port below 1024 can be opened only at the start: restart this service";
    else if (error == EADDRNOTAVAIL || error == EAFNOSUPPORT)
        remedy = "this machine has no such address: correct control/listen";
    log_trouble("listen on", name, error, remedy);
}

static int open_listener(struct acceptor *acceptor, const struct listener_line *line)
{
    struct acceptor_listener *listener = &acceptor->listeners[acceptor->listener_count];
    int fd = listener_open(line);
    if (fd < 0) {
        int error = errno;
        say_trouble(line, error);
        return error;
    }
    *listener = (struct acceptor_listener){.line = *line, .acceptor = acceptor, .fd = fd};
    if (!loop_add(&acceptor->loop, &listener->watch, fd, acceptor->accepting ? EPOLLIN : 0,
                  listener_ready, listener))
        life_die_passing("watch", "a listener");
    acceptor->listener_count++;
    return 0;
}

static void say_listening(const struct acceptor *acceptor)
{
    struct log_line line;
    char name[IP_TEXT_MAX + 10];
    for (size_t i = 0; i < acceptor->listener_count; i++) {
        listener_name(&acceptor->listeners[i].line, name);
        log_begin(&line, "listening");
        log_text(&line, "service", acceptor->service->name);
        log_text(&line, "address", name);
        log_text(&line, "proxy", acceptor->listeners[i].line.proxy ? "yes" : "no");
        log_end(&line);
    }
    /* No end of the program: its supervisor would start it again and again. */
    if (acceptor->listener_count > 0)
        return;
    log_begin(&line, "idle");
    log_text(&line, "service", acceptor->service->name);
    log_text(&line, "reason", "no line of control/listen names this service");
    log_end(&line);
}

/* At the start all or nothing, but for addresses that this machine doesn't have. */
static void open_all(struct acceptor *acceptor, const struct listener_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        int error = open_listener(acceptor, &list->lines[i]);
        if (error != 0 && error != EADDRNOTAVAIL && error != EAFNOSUPPORT)
            exit(EXIT_PASSING);
    }
    if (list->count > 0 && acceptor->listener_count == 0)
        exit(EXIT_PASSING);
}

void acceptor_open(struct acceptor *acceptor, const struct tcpservice *service)
{
    struct listener_list list;
    *acceptor = (struct acceptor){.service = service};
    int folder = control_open_root(NULL);
    if (folder < 0)
        life_die_passing("open", "control");
    control_init(&acceptor->control, folder);
    if (!listener_read(&acceptor->control, slice_text(service->name), &list))
        life_die_permanent("read", "control/listen", acceptor->control.error);
    if (!loop_init(&acceptor->loop) || !seats_open(&acceptor->gate.seats))
        life_die_passing("prepare", "the event loop");
    open_all(acceptor, &list);
}

static bool is_listed(const struct listener_list *list, const struct listener_line *line)
{
    for (size_t i = 0; i < list->count; i++)
        if (listener_same(&list->lines[i], line))
            return true;
    return false;
}

static struct acceptor_listener *find_listener(struct acceptor *acceptor,
                                               const struct listener_line *line)
{
    for (size_t i = 0; i < acceptor->listener_count; i++)
        if (listener_same(&acceptor->listeners[i].line, line))
            return &acceptor->listeners[i];
    return NULL;
}

/* The loop points into a listener, so that moving one means to watch it anew. */
static void drop_listener(struct acceptor *acceptor, size_t index)
{
    close_listener(acceptor, &acceptor->listeners[index]);
    struct acceptor_listener *last = &acceptor->listeners[--acceptor->listener_count];
    struct acceptor_listener *place = &acceptor->listeners[index];
    if (place == last)
        return;
    loop_remove(&acceptor->loop, &last->watch);
    *place = *last;
    if (!loop_add(&acceptor->loop, &place->watch, place->fd, acceptor->accepting ? EPOLLIN : 0,
                  listener_ready, place))
        life_die_passing("watch", "a listener");
}

/* A service that nobody can reach needs no program that waits for clients. */
static void start_template(struct acceptor *acceptor)
{
    if (acceptor->listener_count > 0 && !acceptor->templates.current)
        templates_start(&acceptor->templates);
}

/* HUP: what is still listed stays open, without a gap. */
static void reload(struct acceptor *acceptor)
{
    struct listener_list list;
    if (!listener_read(&acceptor->control, slice_text(acceptor->service->name), &list)) {
        log_trouble("read again", "control/listen", 0, acceptor->control.error);
        return;
    }
    for (size_t i = acceptor->listener_count; i-- > 0;)
        if (!is_listed(&list, &acceptor->listeners[i].line))
            drop_listener(acceptor, i);
    for (size_t i = 0; i < list.count; i++) {
        struct acceptor_listener *listener = find_listener(acceptor, &list.lines[i]);
        if (listener)
            listener->line.proxy = list.lines[i].proxy;
        else
            (void)open_listener(acceptor, &list.lines[i]); /* which has said why not */
    }
    start_template(acceptor);
    say_listening(acceptor);
}

/* ---- signals, the end ------------------------------------------------------------------------ */

static void end_if_last(struct acceptor *acceptor)
{
    if (acceptor->stopping && acceptor->gate.seats.count == 0)
        loop_stop(&acceptor->loop);
}

static void reap(struct acceptor *acceptor)
{
    pid_t pid;
    int status;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        templates_reap(&acceptor->templates, pid, status,
                       WIFEXITED(status) && WEXITSTATUS(status) == CONNECTION_GAVE_ON);
    watch_listeners(acceptor);
    end_if_last(acceptor);
}

/* Templates take connections again, or not; seats may be free. */
static void templates_have_changed(void *owner)
{
    struct acceptor *acceptor = owner;
    watch_listeners(acceptor);
    end_if_last(acceptor);
}

static void end_children(struct acceptor *acceptor)
{
    const struct seats *seats = &acceptor->gate.seats;
    templates_look(&acceptor->templates);
    for (size_t i = 0; i < seats->top; i++)
        if (seats->all[i].pid > 0)
            kill(seats->all[i].pid, SIGTERM);
    loop_stop(&acceptor->loop);
}

/* No new connections; those that are there go on. */
static void stop(struct acceptor *acceptor)
{
    struct log_line line;
    acceptor->stopping = true;
    for (size_t i = 0; i < acceptor->listener_count; i++)
        close_listener(acceptor, &acceptor->listeners[i]);
    acceptor->listener_count = 0;
    templates_stop(&acceptor->templates);
    log_begin(&line, "stopping");
    log_text(&line, "service", acceptor->service->name);
    log_number(&line, "sessions", (int64_t)acceptor->gate.seats.count);
    log_end(&line);
    end_if_last(acceptor);
}

static void handle_signal(int number, void *owner)
{
    struct acceptor *acceptor = owner;
    if (number == SIGCHLD)
        reap(acceptor);
    else if (number == SIGHUP && !acceptor->stopping)
        reload(acceptor);
    else if (number == SIGALRM || (number != SIGHUP && acceptor->stopping))
        end_children(acceptor);
    else if (number != SIGHUP)
        stop(acceptor);
}

void acceptor_run(struct acceptor *acceptor)
{
    directory_init(&acceptor->directory);
    acceptor->gate.service = acceptor->service;
    acceptor->gate.rules.file.fd = -1;
    if (!loop_add_signals(&acceptor->loop, &acceptor->signals, signals_handled,
                          sizeof signals_handled / sizeof *signals_handled, handle_signal,
                          acceptor))
        life_die_passing("handle", "signals");
    templates_init(&acceptor->templates, &acceptor->loop, acceptor->service, &acceptor->gate.seats,
                   &acceptor->directory, templates_have_changed, acceptor);
    start_template(acceptor);
    say_listening(acceptor);
    if (!loop_run(&acceptor->loop))
        life_die_passing("wait for", "connections");
    seats_close(&acceptor->gate.seats);
    access_close(&acceptor->gate.rules);
    directory_close(&acceptor->directory);
    loop_free(&acceptor->loop);
    io_close(&acceptor->control.folder);
}
