/* templates - see templates.h */
#include "templates.h"

#include "clock.h"
#include "exits.h"
#include "io.h"
#include "log.h"
#include "template.h"
#include "unixsocket.h"

#include <errno.h>
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

static void reports_ready(struct loop_watch *watch, uint32_t events);
static void give_pending(struct templates *templates);

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
                                          .is_watched = true,
                                          .number = ++templates->started,
                                          .version = host_version(templates),
                                          .since = clock_ms()};
    process->pid = io_set_nonblocking(pair[0], true) ? fork() : -1;
    if (process->pid == 0)
        become_program(templates->service, pair[1]);
    io_close(&pair[1]);
    if (process->pid > 0 &&
        loop_add(templates->loop, &process->watch, process->fd, EPOLLIN, reports_ready, process)) {
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

/* ---- connections not reported yet ---- */

static void drop_connection(struct templates_connection *connection)
{
    io_close(&connection->fd);
    str_free(&connection->packet);
}

/* Takes connection `index` out of a list. */
static struct templates_connection cut_connection(struct templates_connection list[],
                                                  unsigned *count, unsigned index)
{
    struct templates_connection cut = list[index];
    (*count)--;
    for (unsigned i = index; i < *count; i++)
        list[i] = list[i + 1];
    return cut;
}

static void drop_pending(struct templates *templates)
{
    while (templates->pending_count > 0) {
        struct templates_connection *connection = &templates->pending[--templates->pending_count];
        seats_free(templates->seats, connection->seat);
        drop_connection(connection);
    }
}

/* What it was given and nobody serves waits for the next one, unless none will come; of what came from
 * children that read PROXY headers only the seats are known. */
static void save_connections(struct templates_process *process)
{
    struct templates *templates = process->templates;
    struct seats *seats = templates->seats;
    while (process->in_flight_count > 0 && templates->pending_count < TEMPLATES_PENDING) {
        struct templates_connection *saved = &templates->pending[templates->pending_count++];
        *saved = cut_connection(process->in_flight, &process->in_flight_count, 0);
        saved->seat->template = 0;
    }
    if (templates->stopping)
        drop_pending(templates);
    while (process->in_flight_count > 0)
        drop_connection(&process->in_flight[--process->in_flight_count]);
    for (size_t i = 0; i < seats->top; i++)
        if (seats->all[i].pid == SEATS_ASKED && seats->all[i].template == process->number)
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
    bool lasted = clock_ms() - process->since >= TEMPLATES_LASTED_MS ||
                  process->given > process->in_flight_count;
    bool is_retired = process->is_retired;
    if (!is_retired) {
        say_ended(process);
        retire(process);
    }
    loop_remove(templates->loop, &process->watch);
    io_close(&process->fd);
    save_connections(process);
    if (!is_retired && !lasted)
        start_later(templates);
    else if (!templates->current)
        templates_start(templates);
    give_pending(templates);
    templates->changed(templates->owner);
}

/* At once: clients wait till the new one is ready. */
static void replace(struct templates *templates)
{
    if (templates->current)
        retire(templates->current);
    templates_start(templates);
}

static void say_crashed(const struct templates *templates, pid_t pid, int signal_number)
{
    struct log_line line;
    log_begin(&line, "session-crashed");
    log_text(&line, "service", templates->service->name);
    log_number(&line, "pid", pid);
    log_number(&line, "signal", signal_number);
    log_end(&line);
}

void templates_refresh(struct templates *templates)
{
    if (templates->current &&
        templates->current->version != directory_host_version(templates->directory))
        replace(templates);
}

/* ---- reports ---------------------------------------------------------------------------------- */

static void watch_reports(struct templates_process *process, bool wanted)
{
    if (process->is_watched != wanted &&
        loop_change(process->templates->loop, &process->watch, wanted ? (uint32_t)EPOLLIN : 0))
        process->is_watched = wanted;
}

static void take_over(struct templates_process *process)
{
    struct templates *templates = process->templates;
    if (templates->starting != process)
        return;
    templates->starting = NULL;
    if (templates->current)
        retire(templates->current);
    templates->current = process;
    watch_reports(process, false);
    give_pending(templates);
}

static bool note_started(struct templates_process *process, const struct template_report *report)
{
    struct seats *seats = process->templates->seats;
    struct seat *seat = seats_at(seats, report->seat);
    if (!seat || seat->template != process->number)
        return false;
    for (unsigned i = 0; i < process->in_flight_count; i++)
        if (process->in_flight[i].seat == seat) {
            struct templates_connection done =
                cut_connection(process->in_flight, &process->in_flight_count, i);
            drop_connection(&done);
            break;
        }
    if (report->pid > 0)
        seat->pid = report->pid;
    else
        seats_free(seats, seat);
    return true;
}

static bool take_report(struct templates_process *process, struct template_report *report)
{
    switch (template_read_report(&process->templates->message, report)) {
    case TEMPLATE_READY:
        take_over(process);
        return true;
    case TEMPLATE_STARTED:
        return note_started(process, report);
    case TEMPLATE_NONSENSE:
        break;
    }
    return false;
}

/* Reads them up to that of `last`; 0: all that are there, which gives WIRE_TIMEOUT. Who talks
 * nonsense is killed: its end is seen at its socket. */
static enum wire_result read_reports(struct templates_process *process, pid_t last)
{
    struct template_report report = {.pid = 0};
    enum wire_result result;
    do {
        result = wire_receive(process->fd, &process->templates->message, CLOCK_NEVER);
        if (result == WIRE_OK && !take_report(process, &report))
            result = WIRE_BAD;
    } while (result == WIRE_OK && (last == 0 || report.pid != last));
    if ((result == WIRE_BAD || result == WIRE_ERROR) && process->pid > 0)
        kill(process->pid, SIGKILL);
    return result;
}

static void reports_ready(struct loop_watch *watch, uint32_t events)
{
    struct templates_process *process = watch->owner;
    struct templates *templates = process->templates;
    (void)events;
    if (read_reports(process, 0) != WIRE_TIMEOUT)
        end_process(process);
    else if (process->in_flight_count == 0 && process != templates->starting)
        watch_reports(process, false);
    give_pending(templates);
    templates->changed(templates->owner);
}

void templates_look(struct templates *templates)
{
    for (size_t i = 0; i < TEMPLATES_MAX; i++)
        if (templates->all[i].fd >= 0)
            (void)read_reports(&templates->all[i], 0);
}

static void look_soon(struct templates *templates);

static void look_due(struct loop_timer *timer)
{
    struct templates *templates = timer->owner;
    templates_look(templates);
    if (seats_of(templates->seats, SEATS_ASKED))
        look_soon(templates);
    give_pending(templates);
    templates->changed(templates->owner);
}

/* A report is owed. */
static void look_soon(struct templates *templates)
{
    if (templates->look.position == 0)
        (void)loop_set_timer(templates->loop, &templates->look, clock_deadline(TEMPLATES_LOOK_MS),
                             look_due, templates);
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
    wire_init(&templates->message);
}

static bool has_room(const struct templates *templates)
{
    return templates->current && templates->current->in_flight_count < TEMPLATES_IN_FLIGHT;
}

bool templates_have_room(struct templates *templates)
{
    struct templates_process *process = templates->current;
    if (process && !process->is_watched && !has_room(templates)) {
        (void)read_reports(process, 0);
        watch_reports(process, !has_room(templates));
    }
    return has_room(templates);
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

/* Its end is seen at its socket; nothing more is given to it. */
static void give_up(struct templates_process *process)
{
    if (process->pid > 0)
        kill(process->pid, SIGKILL);
    retire(process);
    templates_start(process->templates);
}

/* `connection` is in nobody's list. */
static void give_connection(struct templates *templates, struct templates_connection connection)
{
    struct templates_process *process = templates->current;
    connection.seat->template = process->number;
    process->in_flight[process->in_flight_count++] = connection;
    process->given++;
    look_soon(templates);
    if (!templates_give_from_child(templates, str_slice(&connection.packet), connection.fd))
        give_up(process);
    else if (process->given >= TEMPLATES_SERVES)
        templates_start(templates);
}

static void give_pending(struct templates *templates)
{
    while (templates->pending_count > 0 && has_room(templates))
        give_connection(templates,
                        cut_connection(templates->pending, &templates->pending_count, 0));
}

void templates_give(struct templates *templates, struct seat *seat, struct slice packet, int *fd)
{
    struct templates_connection connection = {.fd = *fd, .seat = seat};
    *fd = -1;
    str_init(&connection.packet, WIRE_MAX_SIZE);
    if (has_room(templates) && str_append(&connection.packet, packet)) {
        give_connection(templates, connection);
        return;
    }
    drop_connection(&connection);
    seats_free(templates->seats, seat);
}

/* ---- children --------------------------------------------------------------------------------- */

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

static void leave_seat(struct templates *templates, struct seat *seat, bool gave_on)
{
    if (gave_on && has_number(templates, seat->template)) {
        seat->pid = SEATS_ASKED;
        look_soon(templates);
    } else {
        seats_free(templates->seats, seat);
    }
}

/* It has reported before it ended, unless it was killed at once. */
static struct seat *find_seat(struct templates *templates, pid_t pid)
{
    struct seat *seat = seats_of(templates->seats, pid);
    for (size_t i = 0; !seat && i < TEMPLATES_MAX; i++)
        if (templates->all[i].fd >= 0 && read_reports(&templates->all[i], pid) == WIRE_OK)
            seat = seats_of(templates->seats, pid);
    return seat;
}

void templates_reap(struct templates *templates, pid_t pid, int status, bool gave_on)
{
    if (is_template(templates, pid)) {
        if (!templates->current)
            templates_start(templates);
        return;
    }
    struct seat *seat = find_seat(templates, pid);
    /* A copy that was killed before it could speak: which connection was its own shows when the
     * template, too, is gone. One that crashed: nobody tries the same layout twice. */
    bool is_lost = !seat && !gave_on;
    bool is_probed =
        template_copy_crashed(status) && (!seat || seat->template == templates_number(templates));
    if (seat)
        leave_seat(templates, seat, gave_on);
    if (is_probed)
        say_crashed(templates, pid, WTERMSIG(status));
    if (templates->seats->count == 0)
        loop_clear_timer(templates->loop, &templates->look);
    if (is_probed || is_lost)
        replace(templates);
}

void templates_stop(struct templates *templates)
{
    templates->stopping = true;
    drop_pending(templates);
    loop_clear_timer(templates->loop, &templates->again);
    for (size_t i = 0; i < TEMPLATES_MAX; i++)
        if (templates->all[i].fd >= 0 && !templates->all[i].is_retired)
            retire(&templates->all[i]);
}
