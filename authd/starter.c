/* starter - see starter.h */
#include "starter.h"

#include "clock.h"
#include "io.h"
#include "launch.h"
#include "log.h"
#include "spawn.h"
#include "template.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>

enum {
    SESSIONS_MAX = 4000, /* as in the table of settings, should there be no cdb/host.cdb */
    SESSIONS_PER_DOMAIN = 1000,
    IMAP_SESSIONS = 500,
    WORKERS_MAX = 2000,
    REASON_MAX = 256,
    EXEC_TIMEOUT_MS = SPAWN_TIMEOUT_MS - 1000, /* the peer hears of it before it gives up */
};

/* One that is on its way to exec. Its peer waits for the answer and asks nothing meanwhile. */
struct pending {
    struct starter *starter;
    struct service_peer *peer; /* NULL: gone; the program runs anyway, and sees its own end */
    struct loop_watch watch;
    struct loop_timer timer;
    struct launch_report report;
    int report_fd;
    pid_t pid;
};

static void session_came_out(void *owner, uint64_t seat, struct service_peer *peer, pid_t pid,
                             const char *reason);

bool starter_init(struct starter *starter, struct loop *loop)
{
    *starter = (struct starter){.loop = loop};
    directory_init(&starter->directory);
    starter->mail = open("mail", O_PATH | O_DIRECTORY | O_CLOEXEC);
    templates_init(&starter->templates, loop, starter->mail, session_came_out, starter);
    return starter->mail >= 0;
}

void starter_free(struct starter *starter)
{
    loop_clear_timer(starter->loop, &starter->killing);
    templates_free(&starter->templates);
    directory_close(&starter->directory);
    children_free(&starter->children);
    io_close(&starter->mail);
}

/* Who may ask at all; for what, program.c says. False: nobody of these. */
static bool find_asker(uid_t uid, enum role *asker)
{
    static const enum role askers[] = {ROLE_AUTHD, ROLE_QUEUE, ROLE_NIGHTLY};
    for (size_t i = 0; i < sizeof askers / sizeof *askers; i++) {
        *asker = askers[i];
        if (uid == life_uid(askers[i]))
            return true;
    }
    return false;
}

bool starter_welcome(uid_t uid, void *owner)
{
    enum role asker;
    (void)owner;
    return uid == 0 || find_asker(uid, &asker);
}

/* ---- answers ----------------------------------------------------------------------------------
 */

static void answer_ok(struct service_peer *peer, pid_t pid)
{
    struct str packet;
    str_init(&packet, WIRE_MAX_SIZE);
    wire_put_text(&packet, "ok");
    wire_put_number(&packet, (uint64_t)pid);
    service_answer(peer, str_slice(&packet), NULL, 0);
    str_free(&packet);
}

/* `verdict` is "no" or "temp"; `kind` may say more for a program: "limit". */
static void refuse(struct service_peer *peer, const char *verdict, const char *kind,
                   const char *reason)
{
    struct str packet;
    struct log_line line;
    log_begin(&line, "refused");
    log_text(&line, "verdict", verdict);
    log_text(&line, "reason", reason);
    log_number(&line, "uid", peer->uid);
    log_end(&line);
    str_init(&packet, WIRE_MAX_SIZE);
    wire_put_text(&packet, verdict);
    wire_put_text(&packet, reason);
    wire_put_text(&packet, kind);
    service_answer(peer, str_slice(&packet), NULL, 0);
    str_free(&packet);
}

/* ---- the end of a launch ----------------------------------------------------------------------
 */

static void end(struct pending *pending)
{
    struct starter *starter = pending->starter;
    if (pending->peer)
        pending->peer->data = NULL;
    loop_remove(starter->loop, &pending->watch);
    loop_clear_timer(starter->loop, &pending->timer);
    io_close(&pending->report_fd);
    free(pending);
}

static void report_failure(struct service_peer *peer, const struct launch_report *report)
{
    char reason[REASON_MAX];
    if (report->state == LAUNCH_FAILED)
        snprintf(reason, sizeof reason, "can't %s: %s", report->step, strerror(report->error));
    else
        snprintf(reason, sizeof reason, "the child ended before the program began");
    refuse(peer, "temp", "", reason);
}

static void report_came(struct loop_watch *watch, uint32_t events)
{
    struct pending *pending = watch->owner;
    (void)events;
    if (!launch_read_report(pending->report_fd, &pending->report))
        return;
    struct service_peer *peer = pending->peer;
    struct launch_report report = pending->report;
    pid_t pid = pending->pid;
    end(pending);
    if (peer && report.state == LAUNCH_READY)
        answer_ok(peer, pid);
    else if (peer)
        report_failure(peer, &report);
}

/* A disk that hangs holds the child in mkdir or exec. */
static void exec_timed_out(struct loop_timer *timer)
{
    struct pending *pending = timer->owner;
    struct service_peer *peer = pending->peer;
    kill(pending->pid, SIGKILL);
    end(pending);
    if (peer)
        refuse(peer, "temp", "", "the program did not start in time");
}

/* What waits for the answer has a pointer to the peer, and peer->data leads to that. */
void starter_gone(struct service_peer *peer)
{
    struct service_peer **waiting = peer->data;
    if (waiting)
        *waiting = NULL;
}

static void session_came_out(void *owner, uint64_t seat, struct service_peer *peer, pid_t pid,
                             const char *reason)
{
    struct starter *starter = owner;
    if (pid > 0)
        children_begin_session(&starter->children, seat, pid);
    else
        children_drop_session(&starter->children, seat);
    if (peer && pid > 0)
        answer_ok(peer, pid);
    else if (peer)
        refuse(peer, "temp", "", reason);
}

static void child_ended(const struct child *child, pid_t pid, int status, void *owner)
{
    struct starter *starter = owner;
    if (!child)
        templates_ended(&starter->templates, pid);
    else if (child->program->is_session && template_copy_crashed(status))
        templates_crashed(&starter->templates, child->program, child->uid);
}

/* A copy speaks before it may end: so we know whose it is. */
void starter_reap(struct starter *starter)
{
    templates_read_reports(&starter->templates);
    children_reap(&starter->children, child_ended, starter);
}

/* ---- a request --------------------------------------------------------------------------------
 */

static uint64_t host_number(struct starter *starter, const char *name, uint64_t otherwise)
{
    uint64_t value;
    return directory_host_number(&starter->directory, name, &value) ? value : otherwise;
}

/* The domain's own limit of this program, SPEC R1.5: its other sessions and other domains are not
 * affected. */
static bool over_domain_limit(struct starter *starter, const struct program_request *request,
                              uid_t uid, char reason[REASON_MAX])
{
    const struct program *program = request->program;
    struct directory_domain domain;
    uint64_t most = IMAP_SESSIONS;
    if (!program->domain_limit || directory_domain(&starter->directory, slice_text(request->domain),
                                                   &domain) != DIRECTORY_FOUND)
        return false;
    /* What an older cdb compiled has none: then the system's bound holds. */
    (void)directory_derived_number(&starter->directory, &domain, program->domain_limit, &most);
    if (children_count_program(&starter->children, program, uid) < most)
        return false;
    snprintf(reason, REASON_MAX,
             "The domain has its %llu IMAP sessions already; close one or try again later",
             (unsigned long long)most);
    return true;
}

/* Are there too many already? Sessions don't take the workers' places: a domain whose readers fill
 * its limit still gets its mail. How many workers there are is queued's to say; the bound here is for
 * a queued gone mad. What a limit on sessions says reaches the client. */
static bool over_limit(struct starter *starter, const struct program_request *request, uid_t uid,
                       char reason[REASON_MAX])
{
    const struct children *children = &starter->children;
    const char *text = NULL;
    if (!request->program->is_session) {
        if (children_count(children, false) >= WORKERS_MAX)
            text = "too many workers";
    } else if (children_count(children, true) >=
               host_number(starter, "sessions-max", SESSIONS_MAX)) {
        text = "The server has all the sessions that it takes; try again later";
    } else if (children_count_of(children, true, uid) >=
               host_number(starter, "sessions-per-domain", SESSIONS_PER_DOMAIN)) {
        text = "The domain has all its sessions already; close one or try again later";
    } else {
        return over_domain_limit(starter, request, uid, reason);
    }
    if (text)
        snprintf(reason, REASON_MAX, "%s", text);
    return text != NULL;
}

/* The uid that the request is for: what stands in cdb/domains.cdb, and in no case anything outside
 * the range of domain uids. */
static bool find_uid(struct starter *starter, const struct program_request *request, uid_t *uid,
                     const char **verdict, const char **reason)
{
    struct directory_domain domain;
    if (request->program->place == PROGRAM_IN_ROOT) {
        *uid = life_uid(request->program->role);
        return true;
    }
    enum directory_result found =
        directory_domain(&starter->directory, slice_text(request->domain), &domain);
    *verdict = found == DIRECTORY_TROUBLE ? "temp" : "no";
    *reason = found == DIRECTORY_TROUBLE ? "cdb/domains.cdb can't be read" : "unknown domain";
    if (found != DIRECTORY_FOUND)
        return false;
    *verdict = "no";
    *reason = "not a domain of its own, or its uid is out of range";
    *uid = domain.uid;
    return strcmp(domain.name, request->domain) == 0 && life_is_domain_uid(domain.uid);
}

static struct pending *make_pending(struct starter *starter, struct service_peer *peer)
{
    struct pending *pending = calloc(1, sizeof *pending);
    if (pending && !children_reserve(&starter->children)) {
        free(pending);
        pending = NULL;
    }
    if (pending)
        *pending = (struct pending){.starter = starter, .peer = peer, .report_fd = -1, .pid = -1};
    return pending;
}

static bool start(struct starter *starter, struct pending *pending, const struct launch *launch)
{
    pending->pid = launch_start(launch, &pending->report_fd);
    if (pending->pid < 0)
        return false;
    children_add(&starter->children, pending->pid, launch->uid, launch->request);
    if (loop_add(starter->loop, &pending->watch, pending->report_fd, EPOLLIN, report_came,
                 pending) &&
        loop_set_timer(starter->loop, &pending->timer, clock_deadline(EXEC_TIMEOUT_MS),
                       exec_timed_out, pending))
        return true;
    kill(pending->pid, SIGKILL);
    return false;
}

static void start_program(struct starter *starter, struct service_peer *peer,
                          struct wire_message *message, const struct program_request *request,
                          uid_t uid)
{
    /* The descriptor stays the message's, which closes our copy when the child has its own. */
    struct launch launch = {
        .request = request, .uid = uid, .fd = message->fds[0], .mail = starter->mail};
    struct pending *pending = make_pending(starter, peer);
    if (!pending) {
        refuse(peer, "temp", "", "memory is out");
        return;
    }
    peer->data = &pending->peer;
    if (!start(starter, pending, &launch)) {
        int error = errno;
        end(pending);
        refuse(peer, "temp", "", strerror(error));
    }
}

static void start_session(struct starter *starter, struct service_peer *peer,
                          struct wire_message *message, const struct program_request *request,
                          uid_t uid)
{
    uint64_t seat = templates_next_seat(&starter->templates);
    errno = ENOMEM;
    if (children_reserve(&starter->children)) {
        children_add_session(&starter->children, seat, uid, request);
        if (templates_begin(&starter->templates, seat, request, uid, peer, message))
            return;
    }
    int error = errno;
    children_drop_session(&starter->children, seat);
    refuse(peer, "temp", "", strerror(error));
}

/* ---- sessions that are to end ------------------------------------------------------------------
 */

static void kill_late(struct loop_timer *timer)
{
    struct starter *starter = timer->owner;
    int64_t next = children_kill_late(&starter->children, clock_ms());
    if (next != CLOCK_NEVER)
        (void)loop_set_timer(starter->loop, &starter->killing, next, kill_late, starter);
}

static void log_ended(const char *domain, const char *local, enum sessionend why, size_t count)
{
    struct log_line line;
    char account[REASON_MAX * 2];
    snprintf(account, sizeof account, "%s@%s", local, domain);
    log_begin(&line, "sessions-ended");
    log_text(&line, "account", account);
    log_text(&line, "reason", sessionend_name(why));
    log_number(&line, "count", (int64_t)count);
    log_end(&line);
}

/* False: not a local part. */
static bool end_sessions_of(struct starter *starter, const struct wire_message *message, size_t at,
                            enum sessionend why, size_t *total)
{
    struct program_request of = {0};
    if (!wire_copy_text(message, 1, of.domain, sizeof of.domain) ||
        !wire_copy_text(message, at, of.local, sizeof of.local))
        return false;
    size_t count = children_end_sessions(&starter->children, of.domain, of.local, why, clock_ms());
    if (count > 0)
        log_ended(of.domain, of.local, why, count);
    *total += count;
    return true;
}

/* Root alone asks that; and nothing else. */
static void end_sessions(struct starter *starter, struct service_peer *peer,
                         const struct wire_message *message)
{
    enum { FIRST = 3 };
    enum sessionend why = SESSIONEND_NOT;
    struct str packet;
    size_t count = 0;
    bool good = message->count > FIRST && message->fd_count == 0 &&
                slice_equal(wire_field(message, 0), SLICE(SESSIONEND_PROTOCOL)) &&
                sessionend_named(wire_field(message, 2), &why);
    for (size_t i = FIRST; good && i < message->count; i++)
        good = end_sessions_of(starter, message, i, why, &count);
    if (count > 0 && starter->killing.position == 0)
        (void)loop_set_timer(starter->loop, &starter->killing, clock_deadline(SESSIONEND_GRACE_MS),
                             kill_late, starter);
    if (!good) {
        refuse(peer, "no", "", "not " SESSIONEND_PROTOCOL);
        return;
    }
    str_init(&packet, WIRE_MAX_SIZE);
    wire_put_text(&packet, "ok");
    wire_put_number(&packet, count);
    service_answer(peer, str_slice(&packet), NULL, 0);
    str_free(&packet);
}

void starter_message(struct service_peer *peer, struct wire_message *message)
{
    struct starter *starter = peer->service->owner;
    struct program_request request;
    const char *verdict = "no";
    const char *reason = NULL;
    uid_t uid = 0;
    enum role asker;
    if (peer->uid == 0) {
        end_sessions(starter, peer, message);
        return;
    }
    if (peer->data || !find_asker(peer->uid, &asker)) {
        service_close(peer); /* one question at a time */
        return;
    }
    directory_hold(&starter->directory);
    reason = program_read_request(message, asker, &request);
    if (reason || !find_uid(starter, &request, &uid, &verdict, &reason)) {
        refuse(peer, verdict, "", reason);
        return;
    }
    char limit[REASON_MAX];
    if (over_limit(starter, &request, uid, limit))
        refuse(peer, "temp", "limit", limit);
    else if (request.program->is_session)
        start_session(starter, peer, message, &request, uid);
    else
        start_program(starter, peer, message, &request, uid);
}
