/* wire: netstrings at every split point, packets with descriptors, connections that die */
#include "unit.h"

#include "clock.h"
#include "io.h"
#include "unixsocket.h"
#include "wire.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct {
    const char *bytes;
    size_t size;
    int result;        /* of the first cut */
    const char *field; /* when 1 */
} netstrings[] = {
    {"0:,", 3, 1, ""},
    {"5:hello,", 8, 1, "hello"},
    {"5:hello,3:abc,", 14, 1, "hello"},
    {"10:0123456789,", 14, 1, "0123456789"},
    {"", 0, 0, NULL},
    {"5", 1, 0, NULL},
    {"5:", 2, 0, NULL},
    {"5:hello", 7, 0, NULL},
    {"5:hello;", 8, -1, NULL},
    {"05:hello,", 9, -1, NULL},
    {"00:,", 4, -1, NULL},
    {":,", 2, -1, NULL},
    {"-1:,", 4, -1, NULL},
    {"+1:a,", 5, -1, NULL},
    {" 1:a,", 5, -1, NULL},
    {"1 :a,", 5, -1, NULL},
    {"a:b,", 4, -1, NULL},
    {"101:", 4, -1, NULL}, /* beyond the maximum of 100 */
    {"4294967297:", 11, -1, NULL},
    {"99999999999:", 12, -1, NULL},
    {"18446744073709551617:", 21, -1, NULL},
};

static void cuts_netstrings(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof netstrings / sizeof *netstrings; i++) {
        struct slice rest = slice_of(netstrings[i].bytes, netstrings[i].size);
        struct slice field = SLICE("");
        assert_int_equal(wire_cut_netstring(&rest, 100, &field), netstrings[i].result);
        if (netstrings[i].result == 1)
            assert_slice(field, netstrings[i].field);
        else
            assert_int_equal(rest.size, netstrings[i].size); /* untouched */
    }
}

static void needs_more_at_every_split_point(void **state)
{
    (void)state;
    static const char sample[] = "12:with a\0 NUL.,";
    for (size_t size = 0; size < sizeof sample - 1; size++) {
        struct slice rest = slice_of(sample, size);
        struct slice field;
        assert_int_equal(wire_cut_netstring(&rest, 100, &field), 0);
        assert_int_equal(rest.size, size);
    }
    struct slice rest = slice_of(sample, sizeof sample - 1);
    struct slice field;
    assert_int_equal(wire_cut_netstring(&rest, 100, &field), 1);
    assert_int_equal(field.size, 12);
    assert_int_equal(rest.size, 0);
}

static void splits_what_it_puts(void **state)
{
    (void)state;
    struct str packet;
    struct slice fields[3];
    size_t count;
    str_init(&packet, 100);
    wire_put_text(&packet, "auth/1");
    wire_put(&packet, SLICE("a\0,b:"));
    wire_put_number(&packet, UINT64_MAX);
    assert_false(packet.failed);
    assert_true(wire_split(str_slice(&packet), fields, 3, &count));
    assert_int_equal(count, 3);
    assert_slice(fields[0], "auth/1");
    assert_int_equal(fields[1].size, 5);
    assert_slice(fields[2], "18446744073709551615");
    assert_false(wire_split(str_slice(&packet), fields, 2, &count)); /* one too many */
    str_append_byte(&packet, '1');
    assert_false(wire_split(str_slice(&packet), fields, 3, &count)); /* something behind */
    assert_true(wire_split(SLICE(""), fields, 3, &count));
    assert_int_equal(count, 0);
    str_free(&packet);
}

static void a_full_packet_says_so(void **state)
{
    (void)state;
    struct str packet;
    str_init(&packet, 10);
    wire_put_text(&packet, "0123456789");
    wire_put_text(&packet, "");
    assert_true(packet.failed);
    str_free(&packet);
}

static void send_fields(int fd, const char *a, const char *b, const int *fds, size_t fd_count)
{
    struct str packet;
    str_init(&packet, 1000);
    wire_put_text(&packet, a);
    wire_put_text(&packet, b);
    assert_int_equal(wire_send(fd, str_slice(&packet), fds, fd_count, clock_deadline(1000)),
                     WIRE_OK);
    str_free(&packet);
}

static void packets_carry_fields_and_descriptors(void **state)
{
    (void)state;
    int pair[2], pipes[2];
    struct wire_message message;
    char text[10];
    uint64_t number;
    assert_true(unixsocket_pair(SOCK_SEQPACKET, pair));
    assert_int_equal(pipe(pipes), 0);
    wire_init(&message);
    send_fields(pair[0], "first", "42", &pipes[1], 1);
    close(pipes[1]);
    assert_int_equal(wire_receive(pair[1], &message, clock_deadline(1000)), WIRE_OK);
    assert_int_equal(message.count, 2);
    assert_true(wire_copy_text(&message, 0, text, sizeof text));
    assert_string_equal(text, "first");
    assert_true(wire_number(&message, 1, 100, &number) && number == 42);
    assert_false(wire_number(&message, 1, 41, &number));
    assert_int_equal(wire_field(&message, 9).size, 0);
    /* Taken, it is ours; the pipe ends when we close it, and not before. */
    int fd = wire_take_fd(&message, 0);
    assert_true(fd >= 0);
    assert_int_equal(wire_take_fd(&message, 0), -1);
    assert_int_equal(wire_take_fd(&message, 7), -1);
    wire_clear(&message);
    assert_int_equal(write(fd, "x", 1), 1);
    close(fd);
    char byte;
    assert_int_equal(read(pipes[0], &byte, 1), 1);
    assert_int_equal(read(pipes[0], &byte, 1), 0);
    wire_free(&message);
    close(pipes[0]);
    close(pair[0]);
    close(pair[1]);
}

static void clearing_closes_what_nobody_took(void **state)
{
    (void)state;
    int pair[2], pipes[2];
    struct wire_message message;
    char byte;
    assert_true(unixsocket_pair(SOCK_SEQPACKET, pair));
    assert_int_equal(pipe(pipes), 0);
    wire_init(&message);
    send_fields(pair[0], "a", "b", &pipes[1], 1);
    close(pipes[1]);
    assert_int_equal(wire_receive(pair[1], &message, clock_deadline(1000)), WIRE_OK);
    wire_clear(&message);
    assert_int_equal(read(pipes[0], &byte, 1), 0);
    wire_free(&message);
    close(pipes[0]);
    close(pair[0]);
    close(pair[1]);
}

static void bad_packets_are_told_apart(void **state)
{
    (void)state;
    int pair[2];
    struct wire_message message;
    char large[WIRE_MAX_SIZE + 1];
    assert_true(unixsocket_pair(SOCK_SEQPACKET, pair));
    assert_true(io_set_nonblocking(pair[1], true));
    wire_init(&message);
    assert_int_equal(wire_receive(pair[1], &message, CLOCK_NEVER), WIRE_TIMEOUT);
    assert_int_equal(wire_receive(pair[1], &message, clock_deadline(1)), WIRE_TIMEOUT);
    assert_int_equal(write(pair[0], "nonsense", 8), 8);
    assert_int_equal(wire_receive(pair[1], &message, CLOCK_NEVER), WIRE_BAD);
    memset(large, '0', sizeof large);
    assert_int_equal(write(pair[0], large, sizeof large), sizeof large);
    assert_int_equal(wire_receive(pair[1], &message, CLOCK_NEVER), WIRE_BAD);
    assert_int_equal(wire_send(pair[0], slice_of(large, sizeof large), NULL, 0, 0), WIRE_ERROR);
    assert_int_equal(wire_send(pair[0], SLICE(""), NULL, 0, 0), WIRE_ERROR);
    close(pair[0]);
    assert_int_equal(wire_receive(pair[1], &message, CLOCK_NEVER), WIRE_END);
    assert_int_equal(wire_send(pair[1], SLICE("0:,"), NULL, 0, 0), WIRE_END);
    wire_free(&message);
    close(pair[1]);
}

static void a_full_socket_times_out(void **state)
{
    (void)state;
    int pair[2];
    enum wire_result result = WIRE_OK;
    assert_true(unixsocket_pair(SOCK_SEQPACKET, pair));
    for (int i = 0; i < 100000 && result == WIRE_OK; i++)
        result = wire_send(pair[0], SLICE("1:a,"), NULL, 0, 0);
    assert_int_equal(result, WIRE_TIMEOUT);
    close(pair[0]);
    close(pair[1]);
}

/* What it was sent is lost then, what it sent is not. */
static void a_peer_that_read_not_all_is_known(void **state)
{
    (void)state;
    int pair[2];
    struct wire_message message;
    assert_true(unixsocket_pair(SOCK_SEQPACKET, pair));
    wire_init(&message);
    assert_int_equal(wire_send(pair[0], SLICE("1:a,"), NULL, 0, 0), WIRE_OK);
    assert_int_equal(wire_send(pair[1], SLICE("1:b,"), NULL, 0, 0), WIRE_OK);
    close(pair[1]);
    assert_int_equal(wire_receive(pair[0], &message, CLOCK_NEVER), WIRE_RESET);
    assert_int_equal(wire_receive(pair[0], &message, CLOCK_NEVER), WIRE_OK);
    assert_slice(wire_field(&message, 0), "b");
    assert_int_equal(wire_receive(pair[0], &message, CLOCK_NEVER), WIRE_END);
    wire_free(&message);
    close(pair[0]);
}

/* A server that answers one question on the next connection, in a child, and dies: at once, or when it has
 * another one that it does not read. */
static pid_t answer_once(int listener, bool is_slow_to_die)
{
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    struct wire_message message;
    wire_init(&message);
    io_set_nonblocking(listener, false);
    int fd = accept(listener, NULL, NULL);
    if (wire_receive(fd, &message, clock_deadline(5000)) == WIRE_OK)
        wire_send(fd, str_slice(&message.bytes), NULL, 0, clock_deadline(5000));
    if (is_slow_to_die)
        io_wait(fd, POLLIN, clock_deadline(5000));
    _exit(0);
}

static void a_dead_kept_connection_is_replaced(void **state)
{
    (void)state;
    char folder[] = "/tmp/test_wire.XXXXXX";
    struct wire_message answer;
    int fd = -1;
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
    wire_init(&answer);
    assert_false(wire_ask_kept(&fd, "socket", SLICE("1:a,"), NULL, 0, &answer, 100));
    int listener = unixsocket_listen("socket", SOCK_SEQPACKET, 10);
    assert_true(listener >= 0);
    /* Each child answers once and is gone: the connection that was kept is dead at the second. */
    for (int i = 0; i < 3; i++) {
        pid_t child = answer_once(listener, false);
        assert_true(wire_ask_kept(&fd, "socket", SLICE("1:a,"), NULL, 0, &answer, 5000));
        assert_slice(wire_field(&answer, 0), "a");
        assert_true(fd >= 0);
        assert_int_equal(waitpid(child, NULL, 0), child);
    }
    pid_t dying = answer_once(listener, true);
    assert_true(wire_ask_kept(&fd, "socket", SLICE("1:a,"), NULL, 0, &answer, 5000));
    pid_t next = answer_once(listener, false);
    assert_true(wire_ask_kept(&fd, "socket", SLICE("1:b,"), NULL, 0, &answer, 5000));
    assert_slice(wire_field(&answer, 0), "b");
    assert_int_equal(waitpid(dying, NULL, 0), dying);
    assert_int_equal(waitpid(next, NULL, 0), next);
    close(listener);
    assert_false(wire_ask_kept(&fd, "socket", SLICE("1:a,"), NULL, 0, &answer, 100));
    assert_int_equal(fd, -1);
    wire_free(&answer);
    unlink("socket");
    rmdir(folder);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(cuts_netstrings),
        cmocka_unit_test(needs_more_at_every_split_point),
        cmocka_unit_test(splits_what_it_puts),
        cmocka_unit_test(a_full_packet_says_so),
        cmocka_unit_test(packets_carry_fields_and_descriptors),
        cmocka_unit_test(clearing_closes_what_nobody_took),
        cmocka_unit_test(bad_packets_are_told_apart),
        cmocka_unit_test(a_full_socket_times_out),
        cmocka_unit_test(a_peer_that_read_not_all_is_known),
        cmocka_unit_test(a_dead_kept_connection_is_replaced),
    };
    return cmocka_run_group_tests_name("wire", tests, NULL, NULL);
}
