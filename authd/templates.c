/* templates - see templates.h */
#include "templates.h"

#include "clock.h"
#include "io.h"
#include "log.h"
#include "spawn.h"
#include "template.h"
#include "unixsocket.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>

enum {
    SESSION_TIMEOUT_MS = SPAWN_TIMEOUT_MS - 1000, /* the peer hears of it before it gives up */
    SWEEP_MS = 5000,
};

struct templates_process {
    struct templates *templates;
    struct templates_process *next;
    struct program_request request; /* that it was launched by: program and domain */
    uid_t uid;
    pid_t pid;
    int fd;        /* its socket */
    int report_fd; /* what went wrong before its exec */
    struct loop_watch watch;
    struct launch_report report;
    dev_t device; /* of mail/DOMAIN, when it was started */
    ino_t inode;
    unsigned given;
    int64_t used_at;
    bool has_served; /* a copy has reported */
    bool is_retired; /* takes no more */
};

/* Asked for and not begun. */
struct templates_session {
    struct templates *templates;
    struct templates_session *next;
    struct templates_process *process;
    uint64_t seat;
    struct service_peer *peer;
    struct program_request request;
    uid_t uid;
    int fds[2];
    bool again; /* its first template ended before it began */
    struct loop_timer timer;
};

/* ---- lists ------------------------------------------------------------------------------------ */

static void cut_session(struct templates_session *session)
{
    struct templates *templates = session->templates;
    struct templates_session **link = &templates->sessions;
    while (*link && *link != session)
        link = &(*link)->next;
    if (*link)
        *link = session->next;
    templates->session_count--;
    loop_clear_timer(templates->loop, &session->timer);
    io_close(&session->fds[0]);
    io_close(&session->fds[1]);
}

static void end_session(struct templates_session *session, pid_t pid, const char *reason)
{
    struct templates *templates = session->templates;
    cut_session(session);
    if (session->peer)
        session->peer->data = NULL;
    templates->outcome(templates->owner, session->seat, session->peer, pid, reason);
    free(session);
}

static void free_process(struct templates_process *process)
{
    struct templates_process **link = &process->templates->processes;
    while (*link && *link != process)
        link = &(*link)->next;
    if (*link)
        *link = process->next;
    loop_remove(process->templates->loop, &process->watch);
    io_close(&process->fd);
    io_close(&process->report_fd);
    free(process);
}

/* It serves what was given to it before, and ends. */
static void retire(struct templates_process *process)
{
    process->is_retired = true;
    (void)shutdown(process->fd, SHUT_WR);
}

/* ---- beginning -------------------------------------------------------------------------------- */

static void socket_ready(struct loop_watch *watch, uint32_t events);

/* Where mail/DOMAIN is not there yet, the child makes it: then the second session finds that it has
 * come, and that costs a template. */
static void look_at_folder(const struct templates *templates, const char *domain, dev_t *device,
                           ino_t *inode)
{
    struct stat info = {0};
    (void)fstatat(templates->mail, domain, &info, AT_SYMLINK_NOFOLLOW);
    *device = info.st_dev;
    *inode = info.st_ino;
}

static bool launch(struct templates_process *process)
{
    struct templates *templates = process->templates;
    int pair[2];
    if (!unixsocket_pair(SOCK_SEQPACKET, pair))
        return false;
    struct launch launch = {
        .request = &process->request, .uid = process->uid, .fd = pair[1], .mail = templates->mail};
    look_at_folder(templates, process->request.domain, &process->device, &process->inode);
    process->fd = pair[0];
    process->pid =
        io_set_nonblocking(pair[0], true) ? launch_start(&launch, &process->report_fd) : -1;
    io_close(&pair[1]);
    return process->pid > 0 &&
           loop_add(templates->loop, &process->watch, process->fd, EPOLLIN, socket_ready, process);
}

static struct templates_process *start(struct templates *templates,
                                       const struct program_request *request, uid_t uid)
{
    struct templates_process *process = calloc(1, sizeof *process);
    if (!process)
        return NULL;
    *process = (struct templates_process){.templates = templates,
                                          .next = templates->processes,
                                          .request = {.program = request->program},
                                          .uid = uid,
                                          .pid = -1,
                                          .fd = -1,
                                          .report_fd = -1};
    memcpy(process->request.domain, request->domain, sizeof request->domain);
    templates->processes = process;
    if (launch(process))
        return process;
    int error = errno;
    free_process(process); /* which ends it, if it runs */
    errno = error;
    return NULL;
}

static bool serves(const struct templates_process *process, const struct program_request *request,
                   uid_t uid)
{
    return !process->is_retired && process->request.program == request->program &&
           process->uid == uid && strcmp(process->request.domain, request->domain) == 0;
}

/* Still good for one more? */
static bool is_fresh(const struct templates_process *process)
{
    dev_t device;
    ino_t inode;
    look_at_folder(process->templates, process->request.domain, &device, &inode);
    return process->given < TEMPLATES_GIVEN_MAX && device == process->device &&
           inode == process->inode;
}

static void make_room(struct templates *templates)
{
    size_t count = 0;
    struct templates_process *oldest = NULL;
    for (struct templates_process *at = templates->processes; at; at = at->next) {
        if (at->is_retired)
            continue;
        count++;
        if (!oldest || at->used_at < oldest->used_at)
            oldest = at;
    }
    if (oldest && count >= TEMPLATES_MAX)
        retire(oldest);
}

static struct templates_process *find_or_start(struct templates *templates,
                                               const struct program_request *request, uid_t uid)
{
    for (struct templates_process *at = templates->processes; at; at = at->next) {
        if (!serves(at, request, uid))
            continue;
        if (is_fresh(at))
            return at;
        retire(at);
        break;
    }
    make_room(templates);
    return start(templates, request, uid);
}

static bool send_session(struct templates_process *process, struct templates_session *session)
{
    const struct program_request *request = &session->request;
    struct str packet;
    str_init(&packet, WIRE_MAX_SIZE);
    template_put_connection(&packet, session->seat);
    template_put_variable(&packet, "FOLDER", request->local);
    for (size_t i = 0; i < request->argument_count; i++)
        template_put_variable(&packet, program_argument_name(request->program->arguments[i]),
                              request->arguments[i]);
    errno = packet.failed ? ENOMEM : 0;
    bool sent =
        !packet.failed && wire_send(process->fd, str_slice(&packet), session->fds, 2, 0) == WIRE_OK;
    str_free(&packet);
    process->given++;
    process->used_at = clock_ms();
    session->process = process;
    return sent;
}

/* To a template that is there; one that has died meanwhile does not take it, and a new one does. */
static bool give(struct templates_session *session)
{
    for (int tries = 0; tries < 2; tries++) {
        struct templates_process *process =
            find_or_start(session->templates, &session->request, session->uid);
        if (!process)
            return false;
        if (send_session(process, session))
            return true;
        if (errno != EPIPE && errno != ECONNRESET)
            return false;
        retire(process);
    }
    return false;
}

static void session_timed_out(struct loop_timer *timer)
{
    struct templates_session *session = timer->owner;
    retire(session->process);
    if (session->process->pid > 0)
        kill(session->process->pid, SIGKILL);
    end_session(session, 0, "the session did not begin in time");
}

uint64_t templates_next_seat(struct templates *templates)
{
    templates->seats = templates->seats % TEMPLATE_SEAT_MAX + 1;
    return templates->seats;
}

static void sweep(struct loop_timer *timer);

static void keep_sweeping(struct templates *templates)
{
    if (templates->processes && templates->sweep.position == 0)
        (void)loop_set_timer(templates->loop, &templates->sweep, clock_deadline(SWEEP_MS), sweep,
                             templates);
}

static void sweep(struct loop_timer *timer)
{
    struct templates *templates = timer->owner;
    int64_t now = clock_ms();
    for (struct templates_process *at = templates->processes; at; at = at->next)
        if (!at->is_retired && now - at->used_at >= TEMPLATES_IDLE_MS)
            retire(at);
    keep_sweeping(templates);
}

static void append(struct templates *templates, struct templates_session *session)
{
    struct templates_session **link = &templates->sessions;
    while (*link)
        link = &(*link)->next;
    *link = session;
    templates->session_count++;
}

bool templates_begin(struct templates *templates, uint64_t seat,
                     const struct program_request *request, uid_t uid, struct service_peer *peer,
                     struct wire_message *message)
{
    errno = EAGAIN;
    if (templates->session_count >= TEMPLATES_SESSIONS_MAX)
        return false;
    struct templates_session *session = calloc(1, sizeof *session);
    if (!session)
        return false;
    *session =
        (struct templates_session){.templates = templates,
                                   .seat = seat,
                                   .request = *request,
                                   .uid = uid,
                                   .fds = {wire_take_fd(message, 0), wire_take_fd(message, 1)}};
    append(templates, session);
    if (give(session) &&
        loop_set_timer(templates->loop, &session->timer, clock_deadline(SESSION_TIMEOUT_MS),
                       session_timed_out, session)) {
        session->peer = peer;
        peer->data = &session->peer;
        keep_sweeping(templates);
        return true;
    }
    int error = errno;
    cut_session(session);
    free(session);
    errno = error;
    return false;
}

/* ---- what templates and their copies say ------------------------------------------------------ */

static struct templates_session *find_session(const struct templates_process *process,
                                              uint64_t seat)
{
    for (struct templates_session *at = process->templates->sessions; at; at = at->next)
        if (at->seat == seat && at->process == process)
            return at;
    return NULL;
}

static void note_report(struct templates_process *process, const struct wire_message *message)
{
    struct template_report report;
    if (template_read_report(message, &report) != TEMPLATE_STARTED)
        return; /* it is ready: good to know, but sessions wait in its socket anyway */
    struct templates_session *session = find_session(process, report.seat);
    if (!session)
        return;
    process->has_served = true;
    end_session(session, report.pid, "no process could be had");
}

static const char *reason_of(struct templates_process *process)
{
    if (launch_read_report(process->report_fd, &process->report) &&
        process->report.state == LAUNCH_FAILED)
        return process->report.step;
    return "the program ended before the session began";
}

/* What a template took along that had served before goes to a new one: it was killed, perhaps. */
static void end_process(struct templates_process *process)
{
    struct templates *templates = process->templates;
    const char *reason = reason_of(process);
    process->is_retired = true;
    for (struct templates_session *next, *at = templates->sessions; at; at = next) {
        next = at->next;
        if (at->process != process)
            continue;
        bool first = !at->again && process->has_served;
        at->again = true;
        if (!first || !give(at))
            end_session(at, 0, reason);
    }
    free_process(process);
}

/* False when its end of the socket is closed: the template is gone, and each copy that has not spoken. */
static bool read_reports(struct templates_process *process)
{
    struct wire_message *message = &process->templates->report;
    for (;;) {
        enum wire_result result = wire_receive(process->fd, message, 0);
        if (result == WIRE_TIMEOUT)
            return true;
        if (result != WIRE_OK)
            return false;
        note_report(process, message);
    }
}

static void socket_ready(struct loop_watch *watch, uint32_t events)
{
    struct templates_process *process = watch->owner;
    (void)events;
    if (!read_reports(process))
        end_process(process);
}

void templates_read_reports(struct templates *templates)
{
    for (struct templates_process *at = templates->processes; at; at = at->next)
        (void)read_reports(at); /* its end is seen by the loop */
}

void templates_ended(struct templates *templates, pid_t pid)
{
    for (struct templates_process *at = templates->processes; at; at = at->next)
        if (at->pid == pid) {
            at->is_retired = true;
            at->pid = 0;
        }
}

void templates_crashed(struct templates *templates, const struct program *program, uid_t uid)
{
    for (struct templates_process *at = templates->processes; at; at = at->next)
        if (!at->is_retired && at->request.program == program && at->uid == uid)
            retire(at);
}

/* ---- life ------------------------------------------------------------------------------------- */

void templates_init(struct templates *templates, struct loop *loop, int mail,
                    templates_outcome *outcome, void *owner)
{
    *templates = (struct templates){.loop = loop, .mail = mail, .outcome = outcome, .owner = owner};
    wire_init(&templates->report);
}

/* spawnd ends: templates see it, and end once they have served what they were given. */
void templates_free(struct templates *templates)
{
    struct templates_session *sessions = templates->sessions;
    struct templates_process *processes = templates->processes;
    templates->sessions = NULL;
    templates->processes = NULL;
    for (struct templates_session *next, *at = sessions; at; at = next) {
        next = at->next;
        cut_session(at);
        if (at->peer)
            at->peer->data = NULL;
        free(at);
    }
    for (struct templates_process *next, *at = processes; at; at = next) {
        next = at->next;
        free_process(at);
    }
    loop_clear_timer(templates->loop, &templates->sweep);
    wire_free(&templates->report);
}
