/* test_tls - the client side of tlsd, against a tlsd that answers as it is told */
#include "unit.h"

#include "io.h"
#include "tls.h"
#include "unixsocket.h"
#include "wire.h"

#include "clock.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[] = "/tmp/test_tls.XXXXXX";

/* What tlsd does with a question. */
struct part {
    const char *request; /* as expected, words divided by '|' */
    const char *answer[6];
    const char *result; /* the last field, if any */
    bool with_fd;
    bool silent; /* closes */
};

static void check_request(struct wire_message *message, const char *expected)
{
    struct slice rest = slice_text(expected);
    for (size_t i = 0; i < message->count; i++)
        if (!slice_equal(wire_field(message, i), slice_cut(&rest, '|')))
            _exit(1);
    if (rest.size > 0 || message->fd_count != 1)
        _exit(2);
}

static _Noreturn void play(int listener, const struct part *part)
{
    struct wire_message message;
    struct str packet;
    int pair[2];
    wire_init(&message);
    if (!io_wait(listener, POLLIN, clock_deadline(5000)))
        _exit(3);
    int fd = accept(listener, NULL, NULL);
    if (fd < 0 || wire_receive(fd, &message, clock_deadline(5000)) != WIRE_OK)
        _exit(4);
    check_request(&message, part->request);
    if (part->silent || !unixsocket_pair(SOCK_STREAM, pair))
        _exit(0);
    str_init(&packet, WIRE_MAX_SIZE);
    for (size_t i = 0; part->answer[i]; i++)
        wire_put_text(&packet, part->answer[i]);
    if (part->result)
        wire_put_text(&packet, part->result);
    if (wire_send(fd, str_slice(&packet), &pair[1], part->with_fd ? 1 : 0, clock_deadline(5000)) !=
            WIRE_OK ||
        write(pair[0], "plain", 5) != 5)
        _exit(5);
    _exit(0);
}

static bool ask(const struct part *part, bool as_client, struct tls_session *session)
{
    int peer[2];
    int status;
    int listener = unixsocket_listen(TLS_SOCKET, SOCK_SEQPACKET, 1);
    assert_true(listener >= 0);
    pid_t pid = fork();
    if (pid == 0)
        play(listener, part);
    assert_true(unixsocket_pair(SOCK_STREAM, peer));
    const struct tls_check none = {.server_name = "mx.example.net"};
    bool done =
        as_client ? tls_connect(peer[0], &none, session) : tls_serve(peer[0], "192.0.2.1", session);
    io_close(&peer[0]);
    io_close(&peer[1]);
    io_close(&listener);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    return done;
}

static void served(void **state)
{
    static const struct part part = {.request = "tls/1|server|192.0.2.1",
                                     .answer = {"ok", "TLSv1.2", "SUITE", "mail.example.jp"},
                                     .with_fd = true};
    struct tls_session session;
    char bytes[8];
    (void)state;
    assert_true(ask(&part, false, &session));
    assert_string_equal(session.version, "TLSv1.2");
    assert_string_equal(session.cipher, "SUITE");
    assert_string_equal(session.name, "mail.example.jp");
    assert_int_equal(read(session.fd, bytes, sizeof bytes), 5);
    assert_memory_equal(bytes, "plain", 5);
    io_close(&session.fd);
}

static void connected(void **state)
{
    static const struct part part = {.request = "tls/1|client|mx.example.net|none",
                                     .answer = {"ok", "TLSv1.2", "SUITE", ""},
                                     .with_fd = true};
    struct tls_session session;
    (void)state;
    assert_true(ask(&part, true, &session));
    assert_string_equal(session.name, "");
    io_close(&session.fd);
}

/* What is put into a question is what the other end reads. */
static void checks_there_and_back(void **state)
{
    static const struct tls_check checks[] = {
        {.kind = TLS_CHECK_NONE},
        {.kind = TLS_CHECK_NAMES, .names = {{"mx.example.org", 14}, {".org", 4}}, .name_count = 2},
        {.kind = TLS_CHECK_NAMES, .is_lenient = true, .names = {{"a", 1}}, .name_count = 1},
        {.kind = TLS_CHECK_DANE,
         .names = {{"mx.example.org", 14}},
         .name_count = 1,
         .records = {{"\3\1\1\0hash", 8}, {"\2\0\1hash", 7}},
         .record_count = 2},
    };
    struct wire_message message;
    struct tls_check read;
    (void)state;
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
        wire_init(&message);
        str_init(&message.bytes, WIRE_MAX_SIZE);
        wire_put_text(&message.bytes, "in front");
        tls_check_put(&checks[i], &message.bytes);
        assert_true(
            wire_split(str_slice(&message.bytes), message.fields, WIRE_MAX_FIELDS, &message.count));
        assert_true(tls_check_read(&message, 1, &read));
        assert_int_equal(read.kind, checks[i].kind);
        assert_int_equal(read.is_lenient, checks[i].is_lenient);
        assert_int_equal(read.name_count, checks[i].name_count);
        assert_int_equal(read.record_count, checks[i].record_count);
        for (size_t name = 0; name < read.name_count; name++)
            assert_true(slice_equal(read.names[name], checks[i].names[name]));
        for (size_t record = 0; record < read.record_count; record++)
            assert_true(slice_equal(read.records[record], checks[i].records[record]));
        wire_free(&message);
    }
}

static void checks_that_are_none(void **state)
{
    static const char *const bad[][5] = {
        {NULL},
        {"unknown"},
        {"none", "name"},
        {"names"},
        {"names-lenient"},
        {"dane"},
        {"dane", "0", "name"},
        {"dane", "x", "name"},
        {"dane", "1", "\3\1\1x"}, /* no name */
        {"dane", "2", "\3\1\1x"},
        {"dane", "1", "\3\1", "name"},
        {"dane", "99", "\3\1\1x", "name"},
    };
    struct wire_message message;
    struct tls_check check;
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        wire_init(&message);
        for (size_t at = 0; at < 5 && bad[i][at]; at++)
            message.fields[message.count++] = slice_text(bad[i][at]);
        assert_false(tls_check_read(&message, 0, &check));
        wire_free(&message);
    }
    wire_init(&message);
    message.fields[message.count++] = SLICE("names");
    for (size_t i = 0; i < TLS_NAMES_MAX + 1; i++)
        message.fields[message.count++] = SLICE("name");
    assert_false(tls_check_read(&message, 0, &check));
    message.count--;
    assert_true(tls_check_read(&message, 0, &check));
    wire_free(&message);
}

static void findings_and_results(void **state)
{
    static const struct part finding = {
        .request = "tls/1|client|mx.example.net|none",
        .answer = {"ok", "TLSv1.2", "SUITE", "", "certificate expired or not yet valid"},
        .with_fd = true,
        .result = "certificate-expired"};
    static const struct part failure = {.request = "tls/1|client|mx.example.net|none",
                                        .answer = {"no", "certificate untrusted"},
                                        .result = "certificate-not-trusted"};
    struct tls_session session;
    (void)state;
    assert_true(ask(&finding, true, &session));
    assert_int_equal(session.result, TLSREPORT_CERTIFICATE_EXPIRED);
    assert_string_equal(session.reason, "certificate expired or not yet valid");
    io_close(&session.fd);
    assert_false(ask(&failure, true, &session));
    assert_int_equal(session.result, TLSREPORT_CERTIFICATE_NOT_TRUSTED);
    assert_string_equal(session.reason, "certificate untrusted");
}

static void refused(void **state)
{
    static const struct {
        struct part part;
        const char *reason;
    } cases[] = {
        {{.answer = {"no", "too many TLS sessions"}}, "too many TLS sessions"},
        {{.answer = {"ok", "TLSv1.2", "SUITE", ""}}, "tlsd answers nonsense"}, /* no descriptor */
        {{.answer = {"ok", "TLSv1.2", "SUITE"}, .with_fd = true}, "tlsd answers nonsense"},
        {{.answer = {"perhaps"}}, "tlsd answers nonsense"},
        {{.answer = {""}}, "tlsd answers nonsense"},
        {{.silent = true}, "tlsd ended the conversation"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tls_session session;
        struct part part = cases[i].part;
        part.request = "tls/1|server|192.0.2.1";
        assert_false(ask(&part, false, &session));
        assert_int_equal(session.fd, -1);
        assert_string_equal(session.reason, cases[i].reason);
    }
}

/* The client's stream goes on under the same number, without what was said before. */
static void stream_served(void **state)
{
    static const struct {
        struct part part;
        enum tls_result result;
        const char *name;
    } cases[] = {
        {{.request = "tls/1|server|192.0.2.1",
          .answer = {"ok", "TLSv1.2", "SUITE", ""},
          .with_fd = true},
         TLS_SERVED,
         "TLSv1.2"},
        {{.request = "tls/1|server|192.0.2.1", .answer = {"no", "busy"}}, TLS_REFUSED, "none"},
        /* a version with an answer that is nonsense is none */
        {{.request = "tls/1|server|192.0.2.1", .answer = {"ok", "TLSv1.2", "SUITE", ""}},
         TLS_REFUSED,
         "none"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int client[2], status;
        struct stream stream;
        struct slice bytes;
        struct tls_session session;
        int listener = unixsocket_listen(TLS_SOCKET, SOCK_SEQPACKET, 1);
        assert_true(listener >= 0);
        pid_t pid = fork();
        if (pid == 0)
            play(listener, &cases[i].part);
        assert_true(unixsocket_pair(SOCK_STREAM, client));
        assert_true(stream_init(&stream, client[0], client[0], 100, 5000));
        assert_true(stream_push_pending(&stream, SLICE("early")));
        assert_int_equal(tls_serve_stream(&stream, "192.0.2.1", &session), cases[i].result);
        assert_int_equal(tls_is_on(&session), cases[i].result == TLS_SERVED);
        assert_string_equal(tls_name(&session), cases[i].name);
        assert_int_equal(session.fd, -1);
        assert_int_equal(stream.in, client[0]);
        if (cases[i].result == TLS_SERVED) {
            assert_int_equal(stream_bytes(&stream, 100, &bytes), STREAM_OK);
            assert_slice(bytes, "plain");
        }
        stream_free(&stream);
        io_close(&client[0]);
        io_close(&client[1]);
        io_close(&listener);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
    }
}

static void no_tlsd(void **state)
{
    struct tls_session session;
    (void)state;
    unlink(TLS_SOCKET);
    assert_false(tls_serve(0, "192.0.2.1", &session));
    assert_string_equal(session.reason, "tlsd is not there");
}

static int enter(void **state)
{
    (void)state;
    return mkdtemp(folder) && chdir(folder) == 0 && mkdir("run", 0700) == 0 &&
                   mkdir("run/tlsd", 0700) == 0
               ? 0
               : -1;
}

static int leave(void **state)
{
    (void)state;
    unlink(TLS_SOCKET);
    return rmdir("run/tlsd") == 0 && rmdir("run") == 0 && rmdir(folder) == 0 ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(served),
        cmocka_unit_test(connected),
        cmocka_unit_test(checks_there_and_back),
        cmocka_unit_test(checks_that_are_none),
        cmocka_unit_test(findings_and_results),
        cmocka_unit_test(refused),
        cmocka_unit_test(stream_served),
        cmocka_unit_test(no_tlsd),
    };
    return cmocka_run_group_tests(tests, enter, leave);
}
