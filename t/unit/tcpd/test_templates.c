/* test_templates - templates that are ready, busy, crash, hang, are killed, played by a script */
#include "templates.h"

#include "clock.h"
#include "io.h"
#include "template.h"
#include "unit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* bin/smtpd is this program, which then plays a template: each copy says its template's pid and its
 * variable to the client, and ends when the client has closed. */
static const struct tcpservice service = {.name = "smtp", .program = "smtpd", .tls = "starttls"};

enum { WAIT_MS = 10000 };

struct bench {
    struct loop loop;
    struct seats seats;
    struct directory directory;
    struct templates templates;
    unsigned changes;
};

static void note_change(void *owner)
{
    struct bench *bench = owner;
    bench->changes++;
}

static void reap(struct bench *bench)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        templates_reap(&bench->templates, pid, status, false);
}

static void turn(struct bench *bench)
{
    assert_true(loop_once(&bench->loop, 20));
    reap(bench);
}

static void wait_for_room(struct bench *bench)
{
    for (int64_t end = clock_deadline(WAIT_MS); !templates_have_room(&bench->templates);) {
        turn(bench);
        assert_true(clock_left(end) > 0);
    }
}

static struct bench *start(void)
{
    struct bench *bench = calloc(1, sizeof *bench);
    assert_non_null(bench);
    assert_true(loop_init(&bench->loop) && seats_open(&bench->seats));
    directory_init(&bench->directory);
    templates_init(&bench->templates, &bench->loop, &service, &bench->seats, &bench->directory,
                   note_change, bench);
    assert_false(templates_have_room(&bench->templates));
    templates_start(&bench->templates);
    wait_for_room(bench);
    return bench;
}

static void stop(struct bench *bench)
{
    templates_stop(&bench->templates);
    for (size_t i = 0; i < TEMPLATES_MAX; i++)
        for (int64_t end = clock_deadline(WAIT_MS); bench->templates.all[i].pid > 0;) {
            turn(bench);
            assert_true(clock_left(end) > 0);
        }
    seats_close(&bench->seats);
    directory_close(&bench->directory);
    loop_free(&bench->loop);
    wire_free(&bench->templates.message);
    free(bench);
}

/* The client's end. */
static int connect_client(struct bench *bench)
{
    int pair[2];
    struct str packet;
    struct seat *seat = seats_find_free(&bench->seats);
    assert_non_null(seat);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    seats_sit(&bench->seats, seat, SEATS_ASKED, NULL);
    str_init(&packet, 1000);
    template_put_connection(&packet, (uint64_t)(seat - bench->seats.all));
    template_put_variable(&packet, "CLIENT", "192.0.2.1");
    templates_give(&bench->templates, seat, str_slice(&packet), &pair[1]);
    assert_int_equal(pair[1], -1);
    str_free(&packet);
    return pair[0];
}

/* What the copy says: the template's pid. */
static long template_of(struct bench *bench, int client)
{
    char text[64] = "";
    for (int64_t end = clock_deadline(WAIT_MS);
         recv(client, text, sizeof text - 1, MSG_DONTWAIT) <= 0;) {
        turn(bench);
        assert_true(clock_left(end) > 0);
    }
    char *rest;
    long pid = strtol(text, &rest, 10);
    assert_string_equal(rest, " 192.0.2.1");
    return pid;
}

static void wait_for_seats(struct bench *bench, size_t count)
{
    for (int64_t end = clock_deadline(WAIT_MS); bench->seats.count != count;) {
        turn(bench);
        assert_true(clock_left(end) > 0);
    }
}

/* The process that has the seat, once it is reported. */
static pid_t session_at(struct bench *bench, uint64_t index)
{
    struct seat *seat = seats_at(&bench->seats, index);
    assert_non_null(seat);
    for (int64_t end = clock_deadline(WAIT_MS); seat->pid == SEATS_ASKED;) {
        turn(bench);
        assert_true(clock_left(end) > 0);
    }
    assert_true(seat->pid > 0);
    return seat->pid;
}

static void connections_are_served(void **state)
{
    struct bench *bench = start();
    int clients[TEMPLATES_IN_FLIGHT];
    (void)state;
    assert_int_equal(kill(bench->templates.current->pid, SIGSTOP), 0);
    for (size_t i = 0; i < TEMPLATES_IN_FLIGHT; i++) {
        assert_true(templates_have_room(&bench->templates));
        clients[i] = connect_client(bench);
    }
    assert_false(templates_have_room(&bench->templates)); /* till some are reported */
    assert_int_equal(kill(bench->templates.current->pid, SIGCONT), 0);
    long template = template_of(bench, clients[0]);
    for (size_t i = 1; i < TEMPLATES_IN_FLIGHT; i++)
        assert_int_equal(template_of(bench, clients[i]), template);
    wait_for_room(bench);
    assert_int_equal(bench->seats.count, TEMPLATES_IN_FLIGHT);
    for (size_t i = 0; i < TEMPLATES_IN_FLIGHT; i++)
        io_close(&clients[i]);
    wait_for_seats(bench, 0);
    assert_true(bench->changes > 0);
    stop(bench);
}

/* Turns of the loop till nothing has been ready for `ms`. */
static unsigned count_turns(struct bench *bench, int ms)
{
    unsigned turns = 0;
    for (int64_t end = clock_deadline(ms); clock_left(end) > 0; turns++)
        assert_true(loop_once(&bench->loop, clock_left(end)));
    return turns;
}

/* No report wakes tcpd; the connection is let go all the same, soon or when its session ends. */
static void reports_are_read_in_passing(void **state)
{
    struct bench *bench = start();
    char byte;
    (void)state;
    int client = connect_client(bench);
    assert_in_range(count_turns(bench, TEMPLATES_LOOK_MS * 5), 1, 2); /* the look, the end */
    assert_true(seats_at(&bench->seats, 0)->pid > 0);
    assert_int_equal(bench->templates.current->in_flight_count, 0);
    int other = connect_client(bench);
    assert_int_equal(shutdown(other, SHUT_WR), 0);
    int64_t began = clock_ms();
    while (recv(other, &byte, 1, MSG_DONTWAIT) != 0) {
        reap(bench);
        assert_true(clock_ms() - began < WAIT_MS);
    }
    assert_int_equal(bench->seats.count, 1);
    io_close(&client);
    io_close(&other);
    wait_for_seats(bench, 0);
    assert_int_equal(bench->templates.look.position, 0);
    stop(bench);
}

/* Without room, the next report is waited for, not looked for. */
static void without_room_reports_are_waited_for(void **state)
{
    struct bench *bench = start();
    int clients[TEMPLATES_IN_FLIGHT];
    (void)state;
    pid_t template = bench->templates.current->pid;
    for (unsigned round = 0; round < 2; round++) {
        assert_int_equal(kill(template, SIGSTOP), 0);
        for (size_t i = 0; i < TEMPLATES_IN_FLIGHT; i++)
            clients[i] = connect_client(bench);
        assert_false(templates_have_room(&bench->templates));
        loop_clear_timer(&bench->loop, &bench->templates.look);
        assert_int_equal(kill(template, SIGCONT), 0);
        wait_for_room(bench);
        for (size_t i = 0; i < TEMPLATES_IN_FLIGHT; i++)
            io_close(&clients[i]);
        wait_for_seats(bench, 0);
    }
    assert_int_equal(bench->templates.started, 1);
    stop(bench);
}

/* A template that is not to be understood, read in passing: it is killed, and nothing is lost. */
static void nonsense_ends_it(void **state)
{
    struct bench *bench = start();
    (void)state;
    pid_t template = bench->templates.current->pid;
    int client = connect_client(bench);
    bench->seats.all[0].template = 4711; /* the report is about another's connection */
    for (int64_t end = clock_deadline(WAIT_MS); bench->templates.started < 2;) {
        turn(bench);
        assert_true(clock_left(end) > 0);
    }
    wait_for_room(bench);
    assert_true(bench->templates.current->pid != template);
    io_close(&client);
    stop(bench);
}

/* The session that goes on is the old template's; the next client meets a new one. */
static void a_crash_brings_a_new_one(void **state)
{
    struct bench *bench = start();
    (void)state;
    int victim = connect_client(bench);
    int other = connect_client(bench);
    long first = template_of(bench, victim);
    assert_int_equal(template_of(bench, other), first);
    wait_for_room(bench);
    assert_int_equal(kill(session_at(bench, 0), SIGTRAP), 0);
    wait_for_seats(bench, 1);
    wait_for_room(bench);
    int third = connect_client(bench);
    assert_true(template_of(bench, third) != first);
    /* (Sanitizers make an exit of SIGSEGV.) A crash of an old one's copy changes nothing more. */
    long number = templates_number(&bench->templates);
    assert_int_equal(kill(session_at(bench, 1), SIGTRAP), 0);
    wait_for_seats(bench, 1);
    assert_int_equal(templates_number(&bench->templates), number);
    io_close(&victim);
    io_close(&other);
    io_close(&third);
    wait_for_seats(bench, 0);
    stop(bench);
}

/* Stopped and then killed with connections in its socket: all are served by the next. */
static void a_killed_one_loses_nothing(void **state)
{
    struct bench *bench = start();
    int clients[3];
    (void)state;
    pid_t template = bench->templates.current->pid;
    int first = connect_client(bench);
    assert_int_equal(template_of(bench, first), template);
    assert_int_equal(kill(template, SIGSTOP), 0);
    for (size_t i = 0; i < 3; i++)
        clients[i] = connect_client(bench);
    assert_int_equal(kill(template, SIGKILL), 0);
    for (size_t i = 0; i < 3; i++)
        assert_true(template_of(bench, clients[i]) != template);
    assert_int_equal(bench->seats.count, 4);
    io_close(&first);
    for (size_t i = 0; i < 3; i++)
        io_close(&clients[i]);
    wait_for_seats(bench, 0);
    stop(bench);
}

/* The same while the service stops: no other template will come, so nobody waits for one. */
static void a_killed_one_does_not_keep_the_service_from_stopping(void **state)
{
    struct bench *bench = start();
    char byte;
    (void)state;
    pid_t template = bench->templates.current->pid;
    assert_int_equal(kill(template, SIGSTOP), 0);
    int client = connect_client(bench);
    templates_stop(&bench->templates);
    assert_int_equal(bench->seats.count, 1);
    assert_int_equal(kill(template, SIGKILL), 0);
    wait_for_seats(bench, 0);
    assert_int_equal(read(client, &byte, 1), 0);
    io_close(&client);
    stop(bench);
}

/* Started too often in vain, it pauses; there is no turning without end. */
static void one_that_cannot_start_is_tried_later(void **state)
{
    struct bench *bench = calloc(1, sizeof *bench);
    static const struct tcpservice missing = {.name = "smtp", .program = "nothing", .tls = ""};
    (void)state;
    assert_non_null(bench);
    assert_true(loop_init(&bench->loop) && seats_open(&bench->seats));
    directory_init(&bench->directory);
    templates_init(&bench->templates, &bench->loop, &missing, &bench->seats, &bench->directory,
                   note_change, bench);
    templates_start(&bench->templates);
    for (int64_t end = clock_deadline(500); clock_left(end) > 0;)
        turn(bench);
    assert_int_equal(bench->templates.started, 1);
    assert_true(bench->templates.again.position > 0);
    assert_false(templates_have_room(&bench->templates));
    stop(bench);
}

/* ---- the program ---- */

static int play_template(void)
{
    static struct wire_message message;
    char text[64];
    char byte;
    long template = getpid();
    signal(SIGPIPE, SIG_IGN);
    wire_init(&message);
    if (!template_serve(&message, NULL, NULL))
        return 0;
    const char *client = template_variable(&message, "CLIENT");
    int size = snprintf(text, sizeof text, "%ld %s", template, client ? client : "nobody");
    if (write(STDOUT_FILENO, text, (size_t)size) != size)
        return 1;
    return read(STDIN_FILENO, &byte, 1) == 0 ? 0 : 1;
}

static char folder[] = "/tmp/test_templates.XXXXXX";

static int enter(void **state)
{
    char self[4096];
    (void)state;
    ssize_t size = readlink("/proc/self/exe", self, sizeof self - 1);
    if (size <= 0 || !mkdtemp(folder) || chdir(folder) < 0 || mkdir("bin", 0755) < 0)
        return -1;
    self[size] = '\0';
    return symlink(self, "bin/smtpd");
}

static int leave(void **state)
{
    (void)state;
    return unlink("bin/smtpd") == 0 && rmdir("bin") == 0 ? rmdir(folder) : -1;
}

int main(int count, char **arguments)
{
    if (count == 1 && strcmp(arguments[0], "smtpd") == 0)
        return play_template();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connections_are_served),
        cmocka_unit_test(reports_are_read_in_passing),
        cmocka_unit_test(without_room_reports_are_waited_for),
        cmocka_unit_test(nonsense_ends_it),
        cmocka_unit_test(a_crash_brings_a_new_one),
        cmocka_unit_test(a_killed_one_loses_nothing),
        cmocka_unit_test(a_killed_one_does_not_keep_the_service_from_stopping),
        cmocka_unit_test(one_that_cannot_start_is_tried_later),
    };
    return cmocka_run_group_tests(tests, enter, leave);
}
