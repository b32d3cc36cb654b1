/* stream: lines at every split point, limits, answers that leave together */
#include "unit.h"

#include "clock.h"
#include "stream.h"
#include "unixsocket.h"

#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

struct wires {
    int pair[2];
    struct stream stream;
};

static int set_up(void **state)
{
    static struct wires wires;
    if (!unixsocket_pair(SOCK_STREAM, wires.pair) ||
        !stream_init(&wires.stream, wires.pair[0], wires.pair[0], 64, 200))
        return -1;
    *state = &wires;
    return 0;
}

static int tear_down(void **state)
{
    struct wires *wires = *state;
    stream_free(&wires->stream);
    close(wires->pair[0]);
    if (wires->pair[1] >= 0)
        close(wires->pair[1]);
    return 0;
}

static void say(struct wires *wires, const char *text)
{
    struct slice bytes = slice_text(text);
    assert_int_equal(write(wires->pair[1], bytes.data, bytes.size), bytes.size);
}

static void lines_at_every_split(void **state)
{
    struct wires *wires = *state;
    static const char text[] = "EHLO x\r\n\r\nbare\nQUIT\r\n";
    static const char *const lines[] = {"EHLO x\r\n", "\r\n", "bare\n", "QUIT\r\n"};
    for (size_t split = 0; split < sizeof text; split++) {
        struct slice line;
        size_t next = 0;
        assert_int_equal(write(wires->pair[1], text, split), split);
        size_t whole_lines = 0;
        for (size_t i = 0; i < split; i++)
            whole_lines += text[i] == '\n';
        while (next < whole_lines) {
            assert_int_equal(stream_line(&wires->stream, 64, &line), STREAM_OK);
            assert_slice(line, lines[next++]);
        }
        size_t rest = sizeof text - 1 - (split < sizeof text - 1 ? split : sizeof text - 1);
        assert_int_equal(write(wires->pair[1], text + sizeof text - 1 - rest, rest), rest);
        while (next < 4) {
            assert_int_equal(stream_line(&wires->stream, 64, &line), STREAM_OK);
            assert_slice(line, lines[next++]);
        }
    }
}

static void long_lines_are_reported_and_skipped(void **state)
{
    struct wires *wires = *state;
    struct slice line;
    say(wires, "0123456789\nok\n");
    assert_int_equal(stream_line(&wires->stream, 11, &line), STREAM_OK);
    assert_int_equal(stream_line(&wires->stream, 64, &line), STREAM_OK);
    say(wires, "0123456789\nok\n");
    assert_int_equal(stream_line(&wires->stream, 10, &line), STREAM_TOO_LONG);
    assert_int_equal(stream_skip_line(&wires->stream), STREAM_OK);
    assert_int_equal(stream_line(&wires->stream, 10, &line), STREAM_OK);
    assert_slice(line, "ok\n");
    /* Longer than the whole buffer. */
    for (int i = 0; i < 20; i++)
        say(wires, "0123456789");
    say(wires, "\nend\n");
    assert_int_equal(stream_line(&wires->stream, 64, &line), STREAM_TOO_LONG);
    assert_int_equal(stream_skip_line(&wires->stream), STREAM_OK);
    assert_int_equal(stream_line(&wires->stream, 64, &line), STREAM_OK);
    assert_slice(line, "end\n");
}

static void answers_leave_in_one_write(void **state)
{
    struct wires *wires = *state;
    struct slice line;
    char got[64];
    say(wires, "a\nb\n");
    assert_int_equal(stream_line(&wires->stream, 64, &line), STREAM_OK);
    stream_write_text(&wires->stream, "1 ");
    assert_int_equal(stream_line(&wires->stream, 64, &line), STREAM_OK);
    stream_format(&wires->stream, "%d", 2);
    assert_int_equal(recv(wires->pair[1], got, sizeof got, MSG_DONTWAIT), -1);
    /* The next wait for input sends them. */
    assert_int_equal(stream_line(&wires->stream, 64, &line), STREAM_TIMEOUT);
    assert_int_equal(recv(wires->pair[1], got, sizeof got, MSG_DONTWAIT), 3);
    assert_memory_equal(got, "1 2", 3);
}

static void a_peer_that_does_not_read_ends_by_timeout(void **state)
{
    struct wires *wires = *state;
    static char much[200000];
    wires->stream.timeout_ms = 50;
    for (int i = 0; i < 20; i++)
        stream_write(&wires->stream, slice_of(much, sizeof much));
    assert_int_equal(stream_flush(&wires->stream), STREAM_TIMEOUT);
}

static void the_session_deadline_holds(void **state)
{
    struct wires *wires = *state;
    struct slice line;
    wires->stream.timeout_ms = CLOCK_NEVER;
    wires->stream.deadline = clock_deadline(30);
    assert_int_equal(stream_line(&wires->stream, 64, &line), STREAM_TIMEOUT);
}

static void end_is_end(void **state)
{
    struct wires *wires = *state;
    struct slice line;
    say(wires, "no line end");
    close(wires->pair[1]);
    wires->pair[1] = -1;
    assert_int_equal(stream_line(&wires->stream, 64, &line), STREAM_END);
    stream_write_text(&wires->stream, "x");
    assert_int_equal(stream_flush(&wires->stream), STREAM_END);
}

static void pending_can_be_pushed_and_discarded(void **state)
{
    struct wires *wires = *state;
    struct slice line, bytes;
    say(wires, "STARTTLS\r\nEHLO evil\r\n");
    assert_int_equal(stream_line(&wires->stream, 64, &line), STREAM_OK);
    assert_slice(stream_pending(&wires->stream), "EHLO evil\r\n");
    stream_discard_pending(&wires->stream);
    assert_int_equal(stream_pending(&wires->stream).size, 0);
    assert_true(stream_push_pending(&wires->stream, SLICE("abc\ndef")));
    assert_int_equal(stream_line(&wires->stream, 64, &line), STREAM_OK);
    assert_slice(line, "abc\n");
    assert_int_equal(stream_bytes(&wires->stream, 2, &bytes), STREAM_OK);
    assert_slice(bytes, "de");
    stream_unread(&wires->stream, 1);
    assert_int_equal(stream_bytes(&wires->stream, 9, &bytes), STREAM_OK);
    assert_slice(bytes, "ef");
}

/* Bytes are always there: a wait that never comes must not be what ends it. */
static void the_session_deadline_holds_without_a_pause(void **state)
{
    struct wires *wires = *state;
    struct slice bytes;
    wires->stream.deadline = clock_deadline(-1);
    for (int i = 0; i < 3; i++)
        say(wires,
            "no line end here, and more than the input takes, so that it is read on and on. ");
    assert_int_equal(stream_bytes(&wires->stream, 64, &bytes), STREAM_TIMEOUT);
    assert_int_equal(stream_skip_line(&wires->stream), STREAM_TIMEOUT);
    assert_int_equal(wires->stream.bytes_in, 0);
}

#define STREAM_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STREAM_TEST(lines_at_every_split),
        STREAM_TEST(long_lines_are_reported_and_skipped),
        STREAM_TEST(answers_leave_in_one_write),
        STREAM_TEST(a_peer_that_does_not_read_ends_by_timeout),
        STREAM_TEST(the_session_deadline_holds),
        STREAM_TEST(the_session_deadline_holds_without_a_pause),
        STREAM_TEST(end_is_end),
        STREAM_TEST(pending_can_be_pushed_and_discarded),
    };
    signal(SIGPIPE, SIG_IGN); /* as life_begin does */
    return cmocka_run_group_tests_name("stream", tests, NULL, NULL);
}
