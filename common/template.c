/* template - see template.h */
#include "template.h"

#include "clock.h"
#include "io.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CONTROL = STDIN_FILENO, REPORT_MAX = 64, VARIABLE_FIRST = 2 };

static const char version[] = "template/1";

/* ---- packets ---------------------------------------------------------------------------------- */

void template_put_connection(struct str *packet, uint64_t seat)
{
    wire_put_text(packet, version);
    wire_put_number(packet, seat);
}

void template_put_variable(struct str *packet, const char *name, const char *value)
{
    struct str variable;
    str_init(&variable, WIRE_MAX_SIZE);
    if (str_format(&variable, "%s=%s", name, value))
        wire_put(packet, str_slice(&variable));
    else
        packet->failed = true;
    str_free(&variable);
}

static bool has_version(const struct wire_message *message)
{
    return slice_equal(wire_field(message, 0), slice_text(version));
}

enum template_word template_read_report(const struct wire_message *message,
                                        struct template_report *report)
{
    uint64_t pid;
    *report = (struct template_report){0};
    if (!has_version(message) || message->fd_count > 0)
        return TEMPLATE_NONSENSE;
    if (message->count == 1)
        return TEMPLATE_READY;
    if (message->count != 3 || !wire_number(message, 1, TEMPLATE_SEAT_MAX, &report->seat) ||
        !wire_number(message, 2, INT_MAX, &pid))
        return TEMPLATE_NONSENSE;
    report->pid = (pid_t)pid;
    return TEMPLATE_STARTED;
}

static bool is_variable(struct slice field)
{
    size_t end = slice_find(field, '=');
    return end > 0 && end < field.size && !slice_has(field, '\0');
}

bool template_read_connection(const struct wire_message *message, uint64_t *seat)
{
    if (!has_version(message) || message->fd_count < 1 || message->fd_count > 2 ||
        !wire_number(message, 1, TEMPLATE_SEAT_MAX, seat))
        return false;
    for (size_t i = VARIABLE_FIRST; i < message->count; i++)
        if (!is_variable(message->fields[i]))
            return false;
    return true;
}

/* ---- the template ----------------------------------------------------------------------------- */

/* fork(2), but the child is our parent's. One thread, no handlers of pthread_atfork: nothing that
 * the C library's fork would do is missed. */
static pid_t copy(void)
{
    return (pid_t)syscall(SYS_clone, CLONE_PARENT | SIGCHLD, NULL, NULL, NULL, NULL);
}

static bool report(uint64_t seat, pid_t pid)
{
    char bytes[REPORT_MAX];
    struct str packet = str_on(bytes, sizeof bytes);
    template_put_connection(&packet, seat);
    wire_put_number(&packet, (uint64_t)pid);
    return wire_send(CONTROL, str_slice(&packet), NULL, 0, CLOCK_NEVER) == WIRE_OK;
}

/* Each variable becomes a C string where it stands: the comma behind it has done its work. Before the
 * copy is made, which then needs no copy of the page; for the same reason it does not touch the
 * message any more. */
static void end_variables(struct wire_message *message)
{
    for (size_t i = VARIABLE_FIRST; i < message->count; i++) {
        size_t end =
            (size_t)(message->fields[i].data - message->bytes.data) + message->fields[i].size;
        message->bytes.data[end] = '\0';
    }
}

/* In the copy. The first dup2 takes the way to tcpd and to other clients' connections from it. */
static bool become_session(uint64_t seat, int connection, int second)
{
    struct rlimit none = {0, 0};
    if (!report(seat, getpid()) || dup2(connection, STDIN_FILENO) < 0 ||
        dup2(connection, STDOUT_FILENO) < 0 || setrlimit(RLIMIT_NPROC, &none) < 0)
        return false;
    io_close(&connection);
    if (second < 0 || second == TEMPLATE_SECOND_FD)
        return true;
    bool moved = dup2(second, TEMPLATE_SECOND_FD) >= 0;
    io_close(&second);
    return moved;
}

/* 1 in the copy, 0 in the template, -1 when tcpd is not there any more. */
static int serve_one(struct wire_message *message, uint64_t seat)
{
    end_variables(message);
    int connection = wire_take_fd(message, 0);
    int second = wire_take_fd(message, 1);
    pid_t pid = copy();
    if (pid == 0) {
        if (!become_session(seat, connection, second))
            _exit(EXIT_FAILURE);
        return 1;
    }
    io_close(&connection);
    io_close(&second);
    return pid > 0 || report(seat, 0) ? 0 : -1;
}

bool template_serve(struct wire_message *message, template_renew *renew, void *owner)
{
    uint64_t seat;
    char hello[sizeof "10:template/1,"];
    struct str packet = str_on(hello, sizeof hello);
    wire_put_text(&packet, version);
    if (wire_send(CONTROL, str_slice(&packet), NULL, 0, CLOCK_NEVER) != WIRE_OK)
        return false;
    for (int served = 0; served == 0;) {
        enum wire_result result = wire_receive(CONTROL, message, CLOCK_NEVER);
        errno = result == WIRE_END || result == WIRE_RESET ? 0 : EPROTO;
        if (result != WIRE_OK || !template_read_connection(message, &seat))
            return false;
        if (renew)
            renew(owner);
        served = serve_one(message, seat);
        if (served > 0)
            return true;
        errno = 0;
    }
    return false;
}

const char *template_variable(const struct wire_message *message, const char *name)
{
    for (size_t i = VARIABLE_FIRST; i < message->count; i++) {
        struct slice variable = message->fields[i];
        if (slice_equal(slice_part(variable, 0, slice_find(variable, '=')), slice_text(name)))
            return variable.data + strlen(name) + 1;
    }
    return NULL;
}

bool template_copy_crashed(int status)
{
    static const int signals[] = {SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGSYS, SIGTRAP};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        if (WIFSIGNALED(status) && WTERMSIG(status) == signals[i])
            return true;
    return false;
}
