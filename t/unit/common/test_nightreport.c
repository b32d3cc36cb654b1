/* nightreport: what nightly writes is what mailctl reads; the lock says who runs */
#include "box.h"

#include "nightreport.h"

#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void assert_same(const struct nightreport *report)
{
    char bytes[NIGHTREPORT_MAX];
    struct str content = str_on(bytes, sizeof bytes);
    struct nightreport read;
    nightreport_put(&content, report);
    assert_false(content.failed);
    assert_true(nightreport_read(str_slice(&content), &read));
    assert_true(read.began == report->began && read.ended == report->ended);
    assert_int_equal(read.result, report->result);
    assert_true(read.domains == report->domains && read.accounts == report->accounts);
    assert_true(read.archived == report->archived && read.deleted == report->deleted);
    assert_true(read.archived_bytes == report->archived_bytes);
    assert_true(read.deleted_bytes == report->deleted_bytes);
    assert_true(read.failed == report->failed);
    assert_string_equal(read.error, report->error);
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    assert_same(&(struct nightreport){.began = 1});
    assert_same(&(struct nightreport){.began = 1795305600,
                                      .ended = 1795305612,
                                      .result = NIGHTREPORT_BROKEN_OFF,
                                      .domains = 1,
                                      .accounts = 2,
                                      .archived = 3,
                                      .archived_bytes = 4,
                                      .deleted = 5,
                                      .deleted_bytes = INT64_MAX,
                                      .failed = 6,
                                      .error = "u1@example.jp: no  room "});
}

/* Part of it was said by a program under a customer's uid. */
static void an_error_is_one_line_of_bounded_length(void **state)
{
    (void)state;
    static char much[2 * NIGHTREPORT_ERROR_MAX];
    struct nightreport report = {.began = 1};
    nightreport_set_error(&report, SLICE("u1@example.jp"), SLICE("a\nresult failed\r\x7f\x01z"));
    assert_string_equal(report.error, "u1@example.jp: a?result failed???z");
    nightreport_set_error(&report, SLICE("u2@example.jp"), SLICE("the first one counts"));
    assert_same(&report);
    memset(much, 'x', sizeof much);
    report.error[0] = '\0';
    nightreport_set_error(&report, SLICE(""), slice_of(much, sizeof much));
    assert_int_equal(strlen(report.error), NIGHTREPORT_ERROR_MAX - 1);
    assert_same(&report);
}

static void what_makes_no_sense_is_left_out(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "began 1\n",
                                      "result done\n",
                                      "began 0\nresult done\n",
                                      "began x\nresult done\n",
                                      "began 1\nresult finished\n"};
    struct nightreport report;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (nightreport_read(slice_text(bad[i]), &report))
            fail_msg("case %zu is read", i);
    assert_true(nightreport_read(
        SLICE(
            "began 7\nended -1\nnew thing\n\ndomains 18446744073709551615\nfailed 2\nresult done"),
        &report));
    assert_int_equal(report.began, 7);
    assert_int_equal(report.ended | report.domains, 0);
    assert_int_equal(report.failed, 2);
}

static void the_lock_lasts_as_long_as_its_owner(void **state)
{
    struct box *box = *state;
    int pipes[2];
    char byte;
    assert_false(nightreport_is_locked(box->fd));
    assert_int_equal(mkdirat(box->fd, "state", 0700) | mkdirat(box->fd, "state/nightly", 0700), 0);
    assert_false(nightreport_is_locked(box->fd));
    assert_int_equal(pipe(pipes), 0);
    int folder = openat(box->fd, "state/nightly", O_RDONLY | O_DIRECTORY);
    pid_t owner = fork();
    if (owner == 0) {
        if (nightreport_lock(folder) >= 0 && write(pipes[1], "x", 1) == 1)
            pause();
        _exit(1);
    }
    assert_true(owner > 0 && read(pipes[0], &byte, 1) == 1);
    assert_true(nightreport_is_locked(box->fd));
    assert_int_equal(nightreport_lock(folder), -1);
    assert_int_equal(kill(owner, SIGKILL), 0);
    assert_int_equal(waitpid(owner, NULL, 0), owner);
    assert_false(nightreport_is_locked(box->fd));
    int lock = nightreport_lock(folder);
    assert_true(lock >= 0);
    io_close(&lock);
    io_close(&folder);
    close(pipes[0]);
    close(pipes[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(an_error_is_one_line_of_bounded_length),
        cmocka_unit_test(what_makes_no_sense_is_left_out),
        TEST(the_lock_lasts_as_long_as_its_owner),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
