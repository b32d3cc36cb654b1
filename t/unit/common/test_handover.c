/* handover: what was read too far goes through the pipe whole, and a missing authd is an answer */
#include "unit.h"

#include "handover.h"

#include "clock.h"
#include "io.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int pipe_with(const char *text)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_true(io_write_all(ends[1], slice_text(text), CLOCK_NEVER));
    io_close(&ends[1]);
    return ends[0];
}

static void reads_to_the_end(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "a NOOP\r\n", "half a li"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct str pending;
        int fd = pipe_with(texts[i]);
        str_init(&pending, 100);
        assert_true(handover_read(fd, &pending));
        assert_slice(str_slice(&pending), texts[i]);
        assert_int_equal(close(fd), -1); /* it is closed already */
        str_free(&pending);
    }
}

static void too_much_is_refused(void **state)
{
    (void)state;
    struct str pending;
    str_init(&pending, 4);
    assert_false(handover_read(pipe_with("12345"), &pending));
    assert_int_equal(errno, EFBIG);
    str_free(&pending);
}

static int lowest_free_descriptor(void)
{
    int fd = dup(STDIN_FILENO);
    close(fd);
    return fd;
}

/* The folder is no ROOT: there is no authd. */
static void without_authd(void **state)
{
    (void)state;
    char folder[] = "/tmp/test_handover.XXXXXX";
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
    struct auth_request request = {.service = "imap",
                                   .mechanism = "plain",
                                   .client = "192.0.2.1",
                                   .listening = "192.0.2.2",
                                   .client_fd = STDIN_FILENO,
                                   .input_fd = -1};
    struct auth_answer answer = {.code = AUTH_OK};
    int free_before = lowest_free_descriptor();
    assert_true(handover_ask(&request, SLICE("b NOOP\r\n"), &answer));
    assert_int_equal(answer.code, AUTH_TROUBLE);
    assert_int_not_equal(strlen(answer.text), 0);
    assert_int_equal(request.input_fd, -1);
    assert_int_equal(lowest_free_descriptor(), free_before); /* no connection, no pipe is left */
    assert_int_equal(chdir("/"), 0);
    assert_int_equal(rmdir(folder), 0);
}

static void waits_as_told_but_not_past_the_deadline(void **state)
{
    (void)state;
    const struct {
        int64_t wait_ms, deadline_ms, least_ms, most_ms;
    } cases[] = {
        {30, CLOCK_NEVER, 30, 5000},
        {AUTH_WAIT_MAX_MS, 30, 20, 5000},
        {AUTH_WAIT_MAX_MS, 0, 0, 5000},
        {-1, CLOCK_NEVER, 0, 5000},
        {0, 30, 0, 5000},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct auth_answer answer = {.code = AUTH_FAILED, .wait_ms = cases[i].wait_ms};
        int64_t began = clock_ms();
        auth_wait(&answer, clock_deadline(cases[i].deadline_ms));
        int64_t took = clock_ms() - began;
        if (took < cases[i].least_ms - 1 || took > cases[i].most_ms)
            fail_msg("case %zu took %lld ms", i, (long long)took);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_to_the_end),
        cmocka_unit_test(too_much_is_refused),
        cmocka_unit_test(without_authd),
        cmocka_unit_test(waits_as_told_but_not_past_the_deadline),
    };
    return cmocka_run_group_tests_name("handover", tests, NULL, NULL);
}
