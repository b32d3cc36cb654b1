/* imaplogin: transcripts of what comes before the login, with an authd of our own */
#include "unit.h"

#include "imaplogin.h"
#include "io.h"
#include "unixsocket.h"
#include "wire.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- authd: "secret" is right, other passwords name the code of the refusal --------------------- */

struct fake_authd {
    int listening;
    pthread_t thread;
    char asked[4096]; /* user, secret, tag and what was read too far, of all questions */
};

static struct fake_authd authd;

/* Notes "text" and what ends it. */
static void note(struct slice text, char end)
{
    size_t used = strlen(authd.asked);
    snprintf(authd.asked + used, sizeof authd.asked - used, "%.*s%c", SLICE_PRINTF(text), end);
}

static void answer(int peer, struct wire_message *question)
{
    struct str packet;
    char pending[256];
    struct slice secret = wire_field(question, 6);
    int pipe_end = wire_take_fd(question, 1);
    ssize_t got = pipe_end >= 0 ? read(pipe_end, pending, sizeof pending) : 0;
    note(wire_field(question, 5), '/');
    note(secret, '/');
    note(wire_field(question, 8), '+');
    note(slice_of(pending, got > 0 ? (size_t)got : 0), ';');
    io_close(&pipe_end);
    str_init(&packet, 4096);
    if (slice_equal(secret, SLICE("secret"))) {
        wire_put_text(&packet, "ok");
        wire_put_text(&packet, "u1@example.jp");
    } else {
        wire_put_text(&packet, "no");
        wire_put(&packet, secret);
        wire_put_text(&packet, "1");
        wire_put_text(&packet, "Says authd");
    }
    (void)wire_send(peer, str_slice(&packet), NULL, 0, INT64_MAX);
    str_free(&packet);
}

static void *serve(void *owner)
{
    (void)owner;
    for (;;) {
        struct wire_message question;
        int peer = accept(authd.listening, NULL, NULL);
        if (peer < 0)
            return NULL;
        wire_init(&question);
        while (wire_receive(peer, &question, INT64_MAX) == WIRE_OK)
            answer(peer, &question);
        wire_free(&question);
        io_close(&peer);
    }
}

static char folder[64];

static int start(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/test_imaplogin.XXXXXX");
    if (!mkdtemp(folder) || chdir(folder) < 0 || mkdir("run", 0700) < 0 ||
        mkdir("run/authd", 0700) < 0)
        return -1;
    authd.listening = unixsocket_listen(AUTH_SOCKET, SOCK_SEQPACKET, 8);
    if (authd.listening < 0 || !io_set_nonblocking(authd.listening, false))
        return -1;
    return pthread_create(&authd.thread, NULL, serve, NULL);
}

static int stop(void **state)
{
    (void)state;
    shutdown(authd.listening, SHUT_RDWR);
    pthread_join(authd.thread, NULL);
    io_close(&authd.listening);
    return unlink(AUTH_SOCKET) < 0 || rmdir("run/authd") < 0 || rmdir("run") < 0 ||
           chdir("/") < 0 || rmdir(folder) < 0;
}

/* ---- sessions ---------------------------------------------------------------------------------- */

#define GREETING_PLAIN                                                                             \
    "* OK [CAPABILITY IMAP4rev1 IMAP4rev2 LITERAL- SASL-IR ID ENABLE STARTTLS AUTH=PLAIN "         \
    "AUTH=LOGIN] "                                                                                 \
    "mail-suite "                                                                                  \
    "ready\r\n"
#define GREETING_TLS_FIRST                                                                         \
    "* OK [CAPABILITY IMAP4rev1 IMAP4rev2 LITERAL- SASL-IR ID ENABLE STARTTLS LOGINDISABLED] "     \
    "mail-suite "                                                                                  \
    "ready\r\n"
#define TEN(text) text text text text text text text text text text

static const struct transcript {
    const char *name;
    bool plaintext_auth;
    const char *input, *output, *asked, *end;
} transcripts[] = {
    {"before TLS no password is taken", false,
     "a CAPABILITY\r\nb LOGIN u p\r\nc AUTHENTICATE PLAIN\r\nd NOOP\r\ne ID (\"a\" \"b\")\r\nf "
     "SELECT INBOX\r\n"
     "g LOGOUT\r\n",
     GREETING_TLS_FIRST
     "* CAPABILITY IMAP4rev1 IMAP4rev2 LITERAL- SASL-IR ID ENABLE STARTTLS LOGINDISABLED\r\na OK "
     "Completed\r\n"
     "b NO [PRIVACYREQUIRED] Use STARTTLS first\r\nc NO [PRIVACYREQUIRED] Use STARTTLS first\r\nd "
     "OK Completed\r\n"
     "* ID (\"name\" \"mail-suite\")\r\ne OK Completed\r\nf BAD Unknown command, or one that needs "
     "a login\r\n"
     "* BYE Logging out\r\ng OK Completed\r\n",
     "", "logout"},
    {"a login hands over what came behind it, and says nothing", true,
     "a1 LOGIN u1@example.jp secret\r\nb SELECT INBOX\r\n", GREETING_PLAIN,
     "u1@example.jp/secret/a1+b SELECT INBOX\r\n;", "login"},
    {"quoted", true, "a LOGIN \"u 1\" \"secret\"\r\n", GREETING_PLAIN, "u 1/secret/a+;", "login"},
    {"literals of both kinds", true, "a LOGIN {2}\r\nu1 {6+}\r\nsecret\r\n",
     GREETING_PLAIN "+ OK\r\n", "u1/secret/a+;", "login"},
    {"PLAIN with an initial response", true, "a AUTHENTICATE PLAIN AHUxAHNlY3JldA==\r\n",
     GREETING_PLAIN, "u1/secret/a+;", "login"},
    {"PLAIN without", true, "a authenticate plain\r\nAHUxAHNlY3JldA==\r\n", GREETING_PLAIN "+ \r\n",
     "u1/secret/a+;", "login"},
    {"LOGIN", true, "a AUTHENTICATE LOGIN\r\ndTE=\r\nc2VjcmV0\r\n",
     GREETING_PLAIN "+ VXNlcm5hbWU6\r\n+ UGFzc3dvcmQ6\r\n", "u1/secret/a+;", "login"},
    {"what goes wrong in SASL", true,
     "a AUTHENTICATE PLAIN\r\n*\r\nb AUTHENTICATE PLAIN ====\r\nc AUTHENTICATE CRAM-MD5\r\nd "
     "AUTHENTICATE\r\n"
     "e AUTHENTICATE PLAIN eAB1MQBzZWNyZXQ=\r\nf LOGOUT\r\n",
     GREETING_PLAIN
     "+ \r\na BAD Authentication cancelled\r\nb BAD Not a response of this mechanism\r\n"
     "c NO [CANNOT] No such mechanism; there are PLAIN and LOGIN\r\nd BAD Arguments not "
     "understood\r\n"
     "e NO [AUTHORIZATIONFAILED] No login for somebody else\r\n* BYE Logging out\r\nf OK "
     "Completed\r\n",
     "", "logout"},
    {"refusals of authd", true,
     "a LOGIN u failed\r\nb LOGIN u locked\r\nc LOGIN u tls-required\r\nd NOOP\r\n",
     GREETING_PLAIN "a NO [AUTHENTICATIONFAILED] Says authd\r\nb NO [UNAVAILABLE] Says authd\r\n"
                    "c NO [PRIVACYREQUIRED] Says authd\r\n* BYE Too many failed logins\r\n",
     "u/failed/a+b LOGIN u locked\r\nc LOGIN u tls-required\r\nd NOOP\r\n;u/locked/b+c LOGIN u "
     "tls-required\r\nd NOOP\r\n;u/tls-required/c+d NOOP\r\n;",
     "failures"},
    {"more of them", true, "a LOGIN u disabled\r\nb LOGIN u limit\r\nc LOGIN u trouble\r\n",
     GREETING_PLAIN "a NO [CONTACTADMIN] Says authd\r\nb NO [LIMIT] Says authd\r\n"
                    "c NO [UNAVAILABLE] Says authd\r\n* BYE Too many failed logins\r\n",
     NULL, "failures"},
    {"a void password", true, "a LOGIN u expired\r\nb LOGOUT\r\n",
     GREETING_PLAIN "a NO [EXPIRED] Says authd\r\n* BYE Logging out\r\nb OK Completed\r\n", NULL,
     "logout"},
    {"senseless commands", true,
     "\r\n( x\r\na\r\nb LOGIN\r\nc LOGIN u\r\nd LOGIN u p x\r\ne NOOP x\r\nf LOGIN u {4097}\r\ng "
     "LOGIN u \"p\r\n",
     GREETING_PLAIN
     "* BAD Command without a tag\r\n* BAD Command without a tag\r\n"
     "a BAD Unknown command, or one that needs a login\r\nb BAD Arguments not understood\r\n"
     "c BAD Arguments not understood\r\nd BAD Arguments not understood\r\ne BAD Arguments not "
     "understood\r\n"
     "f BAD Literal too large\r\ng BAD Arguments not understood\r\n",
     "", "disconnected"},
    {"a literal too large that comes unasked", true, "a LOGIN {4294967296+}\r\nxx",
     GREETING_PLAIN "* BYE Literal too large\r\n", "", "limit"},
    {"too many commands", true, TEN("a NOOP\r\n") TEN("a NOOP\r\n") "b NOOP\r\n",
     GREETING_PLAIN TEN("a OK Completed\r\n")
         TEN("a OK Completed\r\n") "* BYE Too many commands without a login\r\n",
     "", "commands"},
};

static void talk(const struct transcript *transcript, struct str *output, const char **end)
{
    static struct imaplogin login;
    struct imaplogin_peer peer = {.service = "imap",
                                  .client = "192.0.2.1",
                                  .server = "192.0.2.2",
                                  .plaintext_auth = transcript->plaintext_auth};
    int in = memfd_create("in", MFD_CLOEXEC), out = memfd_create("out", MFD_CLOEXEC);
    int log = memfd_create("log", MFD_CLOEXEC), kept = dup(STDERR_FILENO);
    char bytes[16384];
    assert_true(io_write_all(in, slice_text(transcript->input), INT64_MAX));
    assert_true(lseek(in, 0, SEEK_SET) == 0 && dup2(log, STDERR_FILENO) >= 0);
    assert_true(imaplogin_init(&login, &peer, in, out));
    imaplogin_run(&login);
    *end = login.end;
    imaplogin_free(&login);
    assert_true(dup2(kept, STDERR_FILENO) >= 0 && lseek(out, 0, SEEK_SET) == 0);
    ssize_t got = read(out, bytes, sizeof bytes);
    assert_true(got >= 0 && str_append(output, slice_of(bytes, (size_t)got)));
    io_close(&in);
    io_close(&out);
    io_close(&log);
    io_close(&kept);
}

static void run_transcripts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof transcripts / sizeof *transcripts; i++) {
        const struct transcript *one = &transcripts[i];
        struct str output;
        const char *end;
        str_init(&output, 65536);
        authd.asked[0] = '\0';
        talk(one, &output, &end);
        if (!slice_equal(str_slice(&output), slice_text(one->output)))
            fail_msg("%s: %s", one->name, str_text(&output));
        if (one->asked)
            assert_string_equal(authd.asked, one->asked);
        assert_string_equal(end, one->end);
        str_free(&output);
    }
}

static void a_long_line_and_nul(void **state)
{
    (void)state;
    struct str input, output;
    const char *end;
    str_init(&input, 65536);
    str_init(&output, 65536);
    str_append_text(&input, "a LOGIN ");
    for (int i = 0; i < 10000; i++)
        str_append_byte(&input, 'x');
    str_append_text(&input, "\r\nb LOGIN u {5000}\r\nc NOOP\r\n");
    struct transcript one = {.plaintext_auth = true, .input = str_text(&input)};
    talk(&one, &output, &end);
    assert_slice(str_slice(&output),
                 GREETING_PLAIN "a BAD Line too long\r\nb BAD Literal too large\r\n"
                                "c OK Completed\r\n");
    str_free(&input);
    str_free(&output);
}

/* Without tlsd STARTTLS ends the session; what was sent behind it is never looked at. */
static void no_tlsd(void **state)
{
    (void)state;
    struct str output;
    const char *end;
    struct transcript one = {.input = "a STARTTLS\r\nb CAPABILITY\r\n"};
    str_init(&output, 65536);
    talk(&one, &output, &end);
    assert_slice(str_slice(&output), GREETING_TLS_FIRST "a OK Begin TLS negotiation now\r\n");
    assert_string_equal(end, "tls-failed");
    str_free(&output);
}

static void no_authd(void **state)
{
    struct str output;
    const char *end;
    struct transcript one = {.plaintext_auth = true, .input = "a LOGIN u secret\r\n"};
    assert_int_equal(stop(state), 0);
    str_init(&output, 65536);
    talk(&one, &output, &end);
    assert_non_null(strstr(str_text(&output), "\r\na NO [UNAVAILABLE] "));
    assert_int_equal(start(state), 0);
    str_free(&output);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_transcripts),
        cmocka_unit_test(a_long_line_and_nul),
        cmocka_unit_test(no_tlsd),
        cmocka_unit_test(no_authd),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
