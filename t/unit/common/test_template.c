/* test_template - packets between tcpd and a template, and a template that is copied */
#include "template.h"

#include "clock.h"
#include "io.h"
#include "unit.h"
#include "unixsocket.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void fill(struct wire_message *message, const char *bytes)
{
    wire_clear(message);
    assert_true(str_append_text(&message->bytes, bytes));
    assert_true(
        wire_split(str_slice(&message->bytes), message->fields, WIRE_MAX_FIELDS, &message->count));
}

static void reports(void **state)
{
    static const struct {
        const char *bytes;
        enum template_word word;
        uint64_t seat;
        pid_t pid;
    } cases[] = {
        {"10:template/1,", TEMPLATE_READY, 0, 0},
        {"10:template/1,1:7,3:812,", TEMPLATE_STARTED, 7, 812},
        {"10:template/1,1:0,1:0,", TEMPLATE_STARTED, 0, 0},
        {"10:template/2,1:7,3:812,", TEMPLATE_NONSENSE, 0, 0},
        {"10:template/1,1:7,", TEMPLATE_NONSENSE, 0, 0},
        {"10:template/1,1:7,3:812,1:1,", TEMPLATE_NONSENSE, 0, 0},
        {"10:template/1,2:-1,3:812,", TEMPLATE_NONSENSE, 0, 0},
        {"10:template/1,7:1000001,3:812,", TEMPLATE_NONSENSE, 0, 0},
        {"10:template/1,1:7,10:2147483648,", TEMPLATE_NONSENSE, 0, 0},
        {"10:template/1,1:7,0:,", TEMPLATE_NONSENSE, 0, 0},
    };
    struct wire_message message;
    struct template_report report;
    (void)state;
    wire_init(&message);
    assert_int_equal(template_read_report(&message, &report), TEMPLATE_NONSENSE);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fill(&message, cases[i].bytes);
        assert_int_equal(template_read_report(&message, &report), cases[i].word);
        if (cases[i].word != TEMPLATE_STARTED)
            continue;
        assert_int_equal(report.seat, cases[i].seat);
        assert_int_equal(report.pid, cases[i].pid);
    }
    wire_free(&message);
}

static void connections(void **state)
{
    static const struct {
        const char *bytes;
        bool with_fd;
        bool is_good;
    } cases[] = {
        {"10:template/1,1:7,3:A=b,", true, true},  {"10:template/1,1:7,2:A=,5:B=x=y,", true, true},
        {"10:template/1,1:7,", true, true},        {"10:template/1,1:7,3:A=b,", false, false},
        {"10:template/1,", true, false},           {"10:template/1,1:x,3:A=b,", true, false},
        {"10:template/2,1:7,3:A=b,", true, false}, {"10:template/1,1:7,2:=b,", true, false},
        {"10:template/1,1:7,2:Ab,", true, false},  {"10:template/1,1:7,0:,", true, false},
    };
    struct wire_message message;
    uint64_t seat;
    (void)state;
    wire_init(&message);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fill(&message, cases[i].bytes);
        if (cases[i].with_fd)
            message.fds[message.fd_count++] = dup(STDERR_FILENO);
        assert_int_equal(template_read_connection(&message, &seat), cases[i].is_good);
    }
    wire_clear(&message);
    assert_true(str_append(&message.bytes, slice_of("10:template/1,1:7,4:A=\0b,", 25)));
    assert_true(
        wire_split(str_slice(&message.bytes), message.fields, WIRE_MAX_FIELDS, &message.count));
    message.fds[message.fd_count++] = dup(STDERR_FILENO);
    assert_false(template_read_connection(&message, &seat));
    wire_free(&message);
}

/* ---- a template at work ---- */

/* What a copy tells its client: the variable A, whether it can be copied again, its own pid. */
static _Noreturn void serve_client(const struct wire_message *message)
{
    const char *variable = template_variable(message, "A");
    char text[64];
    pid_t again = geteuid() == 0 ? -1 : fork(); /* root may pass the limit */
    if (again == 0)
        _exit(0);
    if (template_variable(message, "B") || strcmp(template_variable(message, "AA"), "another") != 0)
        _exit(2);
    int size = snprintf(text, sizeof text, "%s %s %ld", variable ? variable : "none",
                        again < 0 ? "alone" : "not alone", (long)getpid());
    _exit(write(STDOUT_FILENO, text, (size_t)size) == size ? 0 : 1);
}

static void renew(void *owner)
{
    unsigned *renewed = owner;
    (*renewed)++;
}

static pid_t start_template(int *control)
{
    int pair[2];
    assert_true(unixsocket_pair(SOCK_SEQPACKET, pair));
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        io_close(&pair[0]);
        if (dup2(pair[1], STDIN_FILENO) < 0)
            _exit(9);
        io_close(&pair[1]);
        struct wire_message message;
        unsigned renewed = 0;
        wire_init(&message);
        if (template_serve(&message, renew, &renewed) && renewed > 0)
            serve_client(&message);
        _exit(errno == 0 ? 0 : 5);
    }
    io_close(&pair[1]);
    *control = pair[0];
    return pid;
}

static void receive_report(int control, enum template_word word, struct template_report *report)
{
    struct wire_message message;
    wire_init(&message);
    assert_int_equal(wire_receive(control, &message, clock_deadline(10000)), WIRE_OK);
    assert_int_equal(template_read_report(&message, report), word);
    wire_free(&message);
}

static void give(int control, uint64_t seat, const char *value, int *client)
{
    int pair[2];
    struct str packet;
    str_init(&packet, 1000);
    template_put_connection(&packet, seat);
    template_put_variable(&packet, "AA", "another");
    template_put_variable(&packet, "A", value);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    assert_int_equal(wire_send(control, str_slice(&packet), &pair[1], 1, CLOCK_NEVER), WIRE_OK);
    io_close(&pair[1]);
    str_free(&packet);
    *client = pair[0];
}

static void copies_are_our_children(void **state)
{
    struct template_report report;
    int control, clients[3];
    int status;
    (void)state;
    pid_t template = start_template(&control);
    receive_report(control, TEMPLATE_READY, &report);
    static const char *const values[] = {"192.0.2.1", "", "x=y"};
    for (size_t i = 0; i < 3; i++)
        give(control, 100 + i, values[i], &clients[i]);
    bool has_come[3] = {false};
    for (size_t count = 0; count < 3; count++) {
        char text[64] = "";
        char wanted[64];
        /* Each copy says so itself, whichever runs first. */
        receive_report(control, TEMPLATE_STARTED, &report);
        size_t i = report.seat - 100;
        assert_true(i < 3 && !has_come[i]);
        has_come[i] = true;
        assert_true(io_read(clients[i], text, sizeof text - 1, clock_deadline(10000)) > 0);
        snprintf(wanted, sizeof wanted, "%s alone %ld", values[i], (long)report.pid);
        assert_string_equal(text, wanted);
        assert_int_equal(waitpid(report.pid, &status, 0), report.pid);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        io_close(&clients[i]);
    }
    io_close(&control);
    assert_int_equal(waitpid(template, &status, 0), template);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* What was sent before the end is served. */
static void end_comes_after_what_was_sent(void **state)
{
    struct template_report report;
    int control, client;
    int status;
    char text[64];
    (void)state;
    pid_t template = start_template(&control);
    give(control, 5, "late", &client);
    assert_int_equal(shutdown(control, SHUT_WR), 0);
    receive_report(control, TEMPLATE_READY, &report);
    receive_report(control, TEMPLATE_STARTED, &report);
    assert_true(io_read(client, text, sizeof text, clock_deadline(10000)) > 0);
    assert_int_equal(waitpid(report.pid, &status, 0), report.pid);
    assert_int_equal(waitpid(template, &status, 0), template);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    io_close(&client);
    io_close(&control);
}

static void nonsense_ends_it(void **state)
{
    struct template_report report;
    int control;
    int status;
    (void)state;
    pid_t template = start_template(&control);
    receive_report(control, TEMPLATE_READY, &report);
    assert_int_equal(wire_send(control, SLICE("5:hello,"), NULL, 0, CLOCK_NEVER), WIRE_OK);
    assert_int_equal(waitpid(template, &status, 0), template);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 5);
    io_close(&control);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reports),
        cmocka_unit_test(connections),
        cmocka_unit_test(copies_are_our_children),
        cmocka_unit_test(end_comes_after_what_was_sent),
        cmocka_unit_test(nonsense_ends_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
