/* templates - see templates.h */
#include "templates.h"

#include "clock.h"
#include "exits.h"
#include "io.h"
#include "log.h"
#include "template.h"
#include "unixsocket.h"

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

/* ---- starting --------------------------------------------------------------------------------- */

static _Noreturn void become_program(const struct tcpservice *service, int fd)
{
    char path[64];
    char name[32];
    char service_variable[64];
    char tls_variable[32];
    char *arguments[] = {name, NULL};
    char *variables[] = {service_variable, tls_variable, NULL};
    snprintf(name, sizeof name, "%s", service->program);
    snprintf(path, sizeof path, "bin/%s", service->program);
    snprintf(service_variable, sizeof service_variable, "SERVICE=%s", service->name);
    snprintf(tls_variable, sizeof tls_variable, "TLS=%s", service->tls);
    if (dup2(fd, STDIN_FILENO) >= 0) {
        loop_unblock_signals();
        execve(path, arguments, variables);
    }
    log_trouble("start", path, errno, "install it by make setup, readable for all");
    _exit(EXIT_PASSING);
}

static void read_reports(struct loop_watch *watch, uint32_t events);

static struct templates_process *find_place(struct templates *templates)
{
    for (size_t i = 0; i < TEMPLATES_MAX; i++)
        if (templates->all[i].fd < 0 && templates->all[i].pid == 0)
            return &templates->all[i];
    return NULL;
}

/* Looked at before the template is started: it reads this version or a newer one. */
static unsigned host_version(struct templates *templates)
{
    directory_hold(templates->directory);
    return directory_host_version(templates->directory);
}

static bool start_at(struct templates *templates, struct templates_process *process)
{
    int pair[2];
    if (!unixsocket_pair(SOCK_SEQPACKET, pair))
        return false;
    *process = (struct templates_process){.templates = templates,
                                          .fd = pair[0],
                                          .number = ++templates->started,
                                          .version = host_version(templates),
                                          .since = clock_ms()};
    process->pid = io_set_nonblocking(pair[0], true) ? fork() : -1;
    if (process->pid == 0)
        become_program(templates->service, pair[1]);
    io_close(&pair[1]);
    if (process->pid > 0 &&
        loop_add(templates->loop, &process->watch, process->fd, EPOLLIN, read_reports, process)) {
        templates->starting = process;
        return true;
    }
    io_close(&process->fd); /* which ends it, if it runs */
    process->pid = process->pid > 0 ? process->pid : 0;
    return false;
}

static void start_again(struct loop_timer *timer)
{
    templates_start(timer->owner);
}

static void start_later(struct templates *templates)
{
    (void)loop_set_timer(templates->loop, &templates->again, clock_deadline(TEMPLATES_PAUSE_MS),
                         start_again, templates);
}

void templates_start(struct templates *templates)
{
    if (templates->starting || templates->stopping || templates->again.position > 0)
        return;
    struct templates_process *place = find_place(templates);
    if (place && start_at(templates, place))
        return;
    log_trouble("start", templates->service->program, place ? errno : 0, NULL);
    start_later(templates);
}

/* ---- ending ----------------------------------------------------------------------------------- */

/* It reads what was sent before, reports, and ends. */
static void retire(struct templates_process *process)
{
    struct templates *templates = process->templates;
    process->is_retired = true;
    if (templates->current == process)
        templates->current = NULL;
    if (templates->starting == process)
        templates->starting = NULL;
    (void)shutdown(process->fd, SHUT_WR);
}

/* Connections that went down with it. */
static void free_lost_seats(struct templates *templates, unsigned number)
{
    struct seats *seats = templates->seats;
    for (size_t i = 0; i < seats->top; i++)
        if (seats->all[i].pid == SEATS_ASKED && seats->all[i].template == number)
            seats_free(seats, &seats->all[i]);
}

static void say_ended(const struct templates_process *process)
{
    struct log_line line;
    log_begin(&line, "template-ended");
    log_text(&line, "service", process->templates->service->name);
    log_number(&line, "pid", process->pid);
    log_number(&line, "given", process->given);
    log_end(&line);
}

/* Its end of the socket is closed: it has ended, or will not be listened to any more. */
static void end_process(struct templates_process *process)
{
    struct templates *templates = process->templates;
    bool lasted = clock_ms() - process->since >= TEMPLATES_LASTED_MS || process->given > 0;
    bool is_retired = process->is_retired;
    if (!is_retired) {
        say_ended(process);
        retire(process);
    }
    loop_remove(templates->loop, &process->watch);
    io_close(&process->fd);
    free_lost_seats(templates, process->number);
    if (!is_retired && !lasted)
        start_later(templates);
    else if (!templates->current)
        templates_start(templates);
    templates->changed(templates->owner);
}

/* At once: clients wait till the new one is ready. */
static void replace(struct templates *templates)
{
    if (templates->current)
        retire(templates->current);
    templates_start(templates);
}

static void replace_crashed(struct templates *templates, pid_t pid, int signal_number)
{
    struct log_line line;
    log_begin(&line, "session-crashed");
    log_text(&line, "service", templates->service->name);
    log_number(&line, "pid", pid);
    log_number(&line, "signal", signal_number);
    log_end(&line);
    replace(templates);
    templates->changed(templates->owner);
}

void templates_refresh(struct templates *templates)
{
    if (templates->current &&
        templates->current->version != directory_host_version(templates->directory))
        replace(templates);
}

/* ---- reports ---------------------------------------------------------------------------------- */

static void give_held(struct templates *templates);

static void take_over(struct templates_process *process)
{
    struct templates *templates = process->templates;
    if (templates->starting != process)
        return;
    templates->starting = NULL;
    if (templates->current)
        retire(templates->current);
    templates->current = process;
    give_held(templates);
}

static bool has_ended_early(struct templates *templates, pid_t pid)
{
    for (size_t i = 0; i < TEMPLATES_EARLY; i++)
        if (templates->early[i] == pid) {
            templates->early[i] = 0;
            return true;
        }
    return false;
}

static bool note_started(struct templates_process *process, const struct template_report *report)
{
    struct templates *templates = process->templates;
    struct seat *seat = seats_at(templates->seats, report->seat);
    if (!seat || seat->pid == 0 || seat->template != process->number)
        return false;
    process->in_flight -= process->in_flight > 0 ? 1 : 0;
    if (report->pid == 0 || has_ended_early(templates, report->pid))
        seats_free(templates->seats, seat);
    else
        seat->pid = report->pid;
    return true;
}

static bool take_report(struct templates_process *process, const struct wire_message *message)
{
    struct template_report report;
    switch (template_read_report(message, &report)) {
    case TEMPLATE_READY:
        take_over(process);
        return true;
    case TEMPLATE_STARTED:
        return note_started(process, &report);
    case TEMPLATE_NONSENSE:
        break;
    }
    return false;
}

static void read_reports(struct loop_watch *watch, uint32_t events)
{
    struct templates_process *process = watch->owner;
    struct templates *templates = process->templates;
    enum wire_result result;
    (void)events;
    do
        result = wire_receive(process->fd, &templates->message, CLOCK_NEVER);
    while (result == WIRE_OK && take_report(process, &templates->message));
    if (result == WIRE_TIMEOUT) { /* all are read */
        templates->changed(templates->owner);
        return;
    }
    if (result != WIRE_END && process->pid > 0)
        kill(process->pid, SIGKILL);
    end_process(process);
}

/* ---- giving ----------------------------------------------------------------------------------- */

void templates_init(struct templates *templates, struct loop *loop,
                    const struct tcpservice *service, struct seats *seats,
                    struct directory *directory, templates_changed *changed, void *owner)
{
    *templates = (struct templates){.loop = loop,
                                    .service = service,
                                    .seats = seats,
                                    .directory = directory,
                                    .changed = changed,
                                    .owner = owner};
    for (size_t i = 0; i < TEMPLATES_MAX; i++)
        templates->all[i].fd = -1;
    templates->held.fd = -1;
    str_init(&templates->held.packet, WIRE_MAX_SIZE);
    wire_init(&templates->message);
}

bool templates_have_room(const struct templates *templates)
{
    return templates->current && templates->current->in_flight < TEMPLATES_IN_FLIGHT;
}

unsigned templates_number(const struct templates *templates)
{
    return templates->current ? templates->current->number : 0;
}

bool templates_give_from_child(const struct templates *templates, struct slice packet,
                               int connection)
{
    return templates->current && wire_send(templates->current->fd, packet, &connection, 1,
                                           clock_deadline(TEMPLATES_GIVE_MS)) == WIRE_OK;
}

static bool send_connection(struct templates *templates, struct seat *seat, struct slice packet,
                            int connection)
{
    struct templates_process *process = templates->current;
    seat->template = process->number;
    if (!templates_give_from_child(templates, packet, connection))
        return false;
    process->in_flight++;
    process->given++;
    if (process->given >= TEMPLATES_SERVES)
        templates_start(templates);
    return true;
}

static void drop_held(struct templates_held *held)
{
    io_close(&held->fd);
    held->seat = NULL;
    str_free(&held->packet);
}

static bool hold(struct templates *templates, struct seat *seat, struct slice packet,
                 int connection)
{
    struct templates_held *held = &templates->held;
    held->fd = fcntl(connection, F_DUPFD_CLOEXEC, 0);
    held->seat = seat;
    seat->template = 0;
    if (held->fd >= 0 && str_append(&held->packet, packet))
        return true;
    drop_held(held);
    return false;
}

static void give_held(struct templates *templates)
{
    struct templates_held *held = &templates->held;
    if (held->fd < 0)
        return;
    if (!send_connection(templates, held->seat, str_slice(&held->packet), held->fd))
        seats_free(templates->seats, held->seat);
    drop_held(held);
}

bool templates_give(struct templates *templates, struct seat *seat, struct slice packet,
                    int connection)
{
    if (!templates->current)
        return false;
    if (send_connection(templates, seat, packet, connection))
        return true;
    if (!hold(templates, seat, packet, connection))
        return false;
    if (templates->current->pid > 0)
        kill(templates->current->pid, SIGKILL);
    end_process(templates->current);
    return true;
}

/* ---- children --------------------------------------------------------------------------------- */

/* Not those that a supervisor or an operator sends. */
static bool is_crash(int status)
{
    static const int signals[] = {SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGSYS, SIGTRAP};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        if (WIFSIGNALED(status) && WTERMSIG(status) == signals[i])
            return true;
    return false;
}

static bool is_template(struct templates *templates, pid_t pid)
{
    for (size_t i = 0; i < TEMPLATES_MAX; i++)
        if (templates->all[i].pid == pid) {
            templates->all[i].pid = 0;
            return true;
        }
    return false;
}

static bool has_number(const struct templates *templates, unsigned number)
{
    for (size_t i = 0; i < TEMPLATES_MAX; i++)
        if (templates->all[i].fd >= 0 && templates->all[i].number == number)
            return true;
    return false;
}

static void leave_seat(struct templates *templates, struct seat *seat, pid_t pid, bool gave_on)
{
    if (seat && gave_on && has_number(templates, seat->template)) {
        seat->pid = SEATS_ASKED;
    } else if (seat) {
        seats_free(templates->seats, seat);
    } else if (!gave_on) {
        templates->early[templates->early_next] = pid;
        templates->early_next = (templates->early_next + 1) % TEMPLATES_EARLY;
    }
}

void templates_reap(struct templates *templates, pid_t pid, int status, bool gave_on)
{
    if (is_template(templates, pid)) {
        if (!templates->current)
            templates_start(templates);
        return;
    }
    struct seat *seat = seats_of(templates->seats, pid);
    /* The one in use may be another already. */
    bool is_probed = is_crash(status) && (!seat || seat->template == templates_number(templates));
    leave_seat(templates, seat, pid, gave_on);
    if (is_probed)
        replace_crashed(templates, pid, WTERMSIG(status));
}

void templates_stop(struct templates *templates)
{
    templates->stopping = true;
    if (templates->held.fd >= 0)
        seats_free(templates->seats, templates->held.seat);
    drop_held(&templates->held);
    loop_clear_timer(templates->loop, &templates->again);
    for (size_t i = 0; i < TEMPLATES_MAX; i++)
        if (templates->all[i].fd >= 0 && !templates->all[i].is_retired)
            retire(&templates->all[i]);
}
