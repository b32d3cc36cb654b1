/* sessionend: a session that is told to end reads an end, can still speak, and knows why. */
#include "sessionend.h"
#include "unit.h"
#include "unixsocket.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void reasons_have_names_and_texts(void **state)
{
    (void)state;
    for (int i = SESSIONEND_CHANGED; i < SESSIONEND_COUNT; i++) {
        enum sessionend why = SESSIONEND_NOT;
        const char *text = sessionend_text((enum sessionend)i);
        assert_true(sessionend_named(slice_text(sessionend_name((enum sessionend)i)), &why));
        assert_int_equal(why, i);
        for (; *text; text++)
            assert_true(*text >= ' ' && *text < 0x7f);
    }
    enum sessionend why;
    assert_false(sessionend_named(SLICE(""), &why));
    assert_false(sessionend_named(SLICE("password"), &why));
}

static void check_end(int pair[2], enum sessionend expected)
{
    char bytes[10];
    struct pollfd one = {.fd = pair[0], .events = POLLIN};
    assert_int_equal(sessionend_came(), expected);
    assert_int_equal(poll(&one, 1, 0), 1);
    assert_int_equal(read(pair[0], bytes, sizeof bytes), 0);
    assert_int_equal(write(pair[0], "bye", 3), 3);
    assert_int_equal(read(pair[1], bytes, sizeof bytes), 3);
}

static void the_signal_says_why(void **state)
{
    static const struct {
        bool is_plain;
        int value;
        enum sessionend expected;
    } cases[] = {{false, SESSIONEND_CHANGED, SESSIONEND_CHANGED},
                 {false, SESSIONEND_FORCED, SESSIONEND_FORCED},
                 {false, SESSIONEND_REMOVED, SESSIONEND_REMOVED},
                 {false, SESSIONEND_LOCKED, SESSIONEND_LOCKED},
                 {false, SESSIONEND_NOT, SESSIONEND_CHANGED},
                 {false, SESSIONEND_COUNT, SESSIONEND_CHANGED},
                 {false, -7, SESSIONEND_CHANGED},
                 {true, 0, SESSIONEND_CHANGED}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int pair[2];
        assert_true(unixsocket_pair(SOCK_STREAM, pair));
        sessionend_watch(pair[0]);
        assert_int_equal(sessionend_came(), SESSIONEND_NOT);
        if (cases[i].is_plain)
            assert_int_equal(raise(SIGHUP), 0);
        else
            assert_true(sessionend_signal(getpid(), (enum sessionend)cases[i].value));
        check_end(pair, cases[i].expected);
        close(pair[0]);
        close(pair[1]);
    }
}

/* What waits in poll(2) is woken. */
static void who_waits_wakes(void **state)
{
    int pair[2], status;
    (void)state;
    assert_true(unixsocket_pair(SOCK_STREAM, pair));
    pid_t pid = fork();
    if (pid == 0) {
        struct pollfd one = {.fd = pair[0], .events = POLLIN};
        sessionend_watch(pair[0]);
        if (write(pair[0], "w", 1) != 1)
            _exit(2);
        while (poll(&one, 1, 10000) < 0)
            ;
        _exit(one.revents != 0 && sessionend_came() == SESSIONEND_FORCED ? 0 : 1);
    }
    char byte;
    assert_true(pid > 0);
    assert_int_equal(read(pair[1], &byte, 1), 1);
    assert_true(sessionend_signal(pid, SESSIONEND_FORCED));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    close(pair[0]);
    close(pair[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reasons_have_names_and_texts),
        cmocka_unit_test(the_signal_says_why),
        cmocka_unit_test(who_waits_wakes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
