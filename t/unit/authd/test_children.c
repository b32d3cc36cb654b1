/* children and launch: counting, reaping, and what a child's report says */
#include "unit.h"

#include "children.h"
#include "clock.h"
#include "launch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct program session = {.name = "imapd", .is_session = true};
static const struct program worker = {.name = "local"};

/* A process that ends with `code`, or waits to be killed (-1). */
static pid_t start(int code)
{
    pid_t pid = fork();
    if (pid == 0) {
        while (code < 0)
            pause();
        _exit(code);
    }
    return pid;
}

static void add(struct children *children, const struct program *program, uid_t uid, pid_t pid)
{
    struct program_request request = {.program = program, .local = "u1", .domain = "example.jp"};
    assert_true(pid > 0);
    assert_true(children_reserve(children));
    children_add(children, pid, uid, &request);
}

static void note_end(const struct child *child, pid_t pid, int status, void *owner)
{
    (void)status;
    (void)owner;
    assert_true(child && child->pid == pid);
}

static void wait_for(struct children *children, size_t left)
{
    for (int i = 0; i < 1000 && children->count > left; i++) {
        children_reap(children, note_end, NULL);
        usleep(5000);
    }
    assert_int_equal(children->count, left);
}

static void children_are_counted_till_they_end(void **state)
{
    (void)state;
    struct children children = {0};
    enum { MANY = 70 };
    pid_t last = 0;
    for (int i = 0; i < MANY; i++) {
        last = start(i % 2 ? 0 : -1);
        add(&children, i % 7 ? &session : &worker, (uid_t)(70100 + i % 3), last);
        if (i % 2 == 0)
            kill(last, SIGKILL);
    }
    assert_int_equal(children_count(&children, true) + children_count(&children, false), MANY);
    assert_int_equal(children_count(&children, false), MANY / 7);
    assert_int_equal(children_count_of(&children, true, 70100) +
                         children_count_of(&children, true, 70101) +
                         children_count_of(&children, true, 70102),
                     MANY - MANY / 7);
    assert_int_equal(children_count_of(&children, true, 1), 0);
    assert_int_equal(children_count_program(&children, &session, 70100),
                     children_count_of(&children, true, 70100));
    assert_int_equal(children_count_program(&children, &worker, 70100),
                     children_count_of(&children, false, 70100));
    wait_for(&children, 0);
    children_free(&children);
}

static void those_that_live_stay(void **state)
{
    (void)state;
    struct children children = {0};
    pid_t living = start(-1);
    add(&children, &session, 70100, start(0));
    add(&children, &session, 70100, living);
    add(&children, &session, 70100, start(111));
    wait_for(&children, 1);
    assert_int_equal(children.all[0].pid, living);
    assert_string_equal(children.all[0].owner, "u1@example.jp");
    kill(living, SIGTERM);
    wait_for(&children, 0);
    children_free(&children);
}

static void add_of(struct children *children, const struct program *program, const char *local,
                   const char *domain, pid_t pid)
{
    struct program_request request = {.program = program};
    snprintf(request.local, sizeof request.local, "%s", local);
    snprintf(request.domain, sizeof request.domain, "%s", domain);
    assert_true(pid > 0 && children_reserve(children));
    children_add(children, pid, 70100, &request);
}

/* The account's alone, and no workers; one that is about to begin is told when it does. */
static void an_account_s_sessions_end(void **state)
{
    (void)state;
    struct children children = {0};
    struct program_request waiting = {.program = &session, .local = "u1", .domain = "a.jp"};
    pid_t late = start(-1);
    add_of(&children, &session, "u1", "a.jp", start(-1));
    add_of(&children, &session, "u1", "a.jp", start(-1));
    add_of(&children, &session, "u2", "a.jp", start(-1));
    add_of(&children, &session, "u1", "b.jp", start(-1));
    add_of(&children, &worker, "", "a.jp", start(-1));
    assert_true(children_reserve(&children));
    children_add_session(&children, 7, 70100, &waiting);
    assert_int_equal(children_end_sessions(&children, "c.jp", "u1", SESSIONEND_CHANGED, 0), 0);
    assert_int_equal(children_end_sessions(&children, "a.jp", "u", SESSIONEND_CHANGED, 0), 0);
    assert_int_equal(children_end_sessions(&children, "a.jp", "u1", SESSIONEND_CHANGED, 0), 3);
    wait_for(&children, 4);
    children_begin_session(&children, 7, late);
    wait_for(&children, 3);
    assert_int_equal(children_end_sessions(&children, "a.jp", "", SESSIONEND_REMOVED, 0), 1);
    wait_for(&children, 2);
    for (size_t i = 0; i < children.count; i++)
        kill(children.all[i].pid, SIGKILL);
    wait_for(&children, 0);
    children_free(&children);
}

static void who_does_not_end_is_killed(void **state)
{
    (void)state;
    struct children children = {0};
    signal(SIGHUP, SIG_IGN); /* of the child as well */
    add_of(&children, &session, "u1", "a.jp", start(-1));
    add_of(&children, &session, "u2", "a.jp", start(-1));
    signal(SIGHUP, SIG_DFL);
    assert_true(children_kill_late(&children, INT64_MAX - 1) == CLOCK_NEVER);
    assert_int_equal(children_end_sessions(&children, "a.jp", "u1", SESSIONEND_FORCED, 1000), 1);
    assert_int_equal(children_kill_late(&children, 1001), 1000 + SESSIONEND_GRACE_MS);
    assert_int_equal(children_end_sessions(&children, "a.jp", "u1", SESSIONEND_FORCED, 5000), 1);
    assert_true(children_kill_late(&children, 1000 + SESSIONEND_GRACE_MS) == CLOCK_NEVER);
    wait_for(&children, 1);
    assert_string_equal(children.all[0].owner, "u2@a.jp");
    kill(children.all[0].pid, SIGKILL);
    wait_for(&children, 0);
    children_free(&children);
}

/* A report in pieces, as the pipe may bring it. */
static void only_ready_without_a_failure_is_success(void **state)
{
    (void)state;
    struct launch_report report = {0};
    int ends[2];
    assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
    assert_false(launch_read_report(ends[0], &report));
    assert_int_equal(report.state, LAUNCH_NOTHING);
    assert_int_equal(write(ends[1], "R", 1), 1);
    assert_false(launch_read_report(ends[0], &report));
    assert_int_equal(report.state, LAUNCH_READY);
    close(ends[1]);
    assert_true(launch_read_report(ends[0], &report));
    assert_int_equal(report.state, LAUNCH_READY);
    close(ends[0]);
    /* A child that dies before exec says nothing. */
    report = (struct launch_report){0};
    assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
    close(ends[1]);
    assert_true(launch_read_report(ends[0], &report));
    assert_int_equal(report.state, LAUNCH_NOTHING);
    close(ends[0]);
}

/* Without root the drop fails: the child must say so, or end without READY; nothing runs. */
static void a_launch_that_can_t_drop_is_no_success(void **state)
{
    (void)state;
    struct program_request request = {.program = &worker, .domain = "example.jp"};
    struct launch_report report = {0};
    char folder[] = "/tmp/test_children.XXXXXX";
    int fd;
    assert_non_null(mkdtemp(folder));
    int mail = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    /* A uid that this folder can't be given to: its owner is somebody else. */
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    assert_int_equal(mkdirat(mail, "example.jp", 0700), 0);
    /* Root's it would be given away: see below. */
    assert_true(getuid() != 0 || fchownat(mail, "example.jp", 1, 1, 0) == 0);
    struct launch launch = {.request = &request, .uid = getuid() + 12345, .fd = null, .mail = mail};
    pid_t pid = launch_start(&launch, &fd);
    assert_true(pid > 0);
    while (!launch_read_report(fd, &report))
        usleep(1000);
    assert_int_equal(report.state, LAUNCH_FAILED);
    assert_int_equal(report.error, EPERM);
    assert_non_null(strstr(report.step, "not the domain's own"));
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    close(fd);
    close(null);
    assert_int_equal(unlinkat(mail, "example.jp", AT_REMOVEDIR), 0);
    close(mail);
    rmdir(folder);
}

/* A child that dies between making mail/DOMAIN and giving it away must not leave the domain without
 * mail for ever. Root's part alone can be seen here; without root there is none. */
static void a_folder_that_was_made_and_not_given_is_given(void **state)
{
    (void)state;
    struct program_request request = {.program = &worker, .domain = "example.jp"};
    struct launch_report report = {0};
    struct stat info;
    char folder[] = "/tmp/test_children.XXXXXX";
    int fd;
    if (getuid() != 0)
        skip();
    assert_non_null(mkdtemp(folder));
    int mail = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    assert_int_equal(mkdirat(mail, "example.jp", 0700), 0);
    struct launch launch = {.request = &request, .uid = 12345, .fd = null, .mail = mail};
    pid_t pid = launch_start(&launch, &fd);
    assert_true(pid > 0);
    while (!launch_read_report(fd, &report))
        usleep(1000);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_int_equal(fstatat(mail, "example.jp", &info, 0), 0);
    assert_int_equal(info.st_uid, 12345);
    close(fd);
    close(null);
    assert_int_equal(unlinkat(mail, "example.jp", AT_REMOVEDIR), 0);
    close(mail);
    rmdir(folder);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_folder_that_was_made_and_not_given_is_given),
        cmocka_unit_test(children_are_counted_till_they_end),
        cmocka_unit_test(those_that_live_stay),
        cmocka_unit_test(an_account_s_sessions_end),
        cmocka_unit_test(who_does_not_end_is_killed),
        cmocka_unit_test(only_ready_without_a_failure_is_success),
        cmocka_unit_test(a_launch_that_can_t_drop_is_no_success),
    };
    return cmocka_run_group_tests_name("children", tests, NULL, NULL);
}
