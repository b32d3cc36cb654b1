/* pop3login: transcripts of the AUTHORIZATION state, with an authd and a tlsd of the test's own */
#include "unit.h"

#include "clock.h"
#include "io.h"
#include "pop3login.h"
#include "unixsocket.h"
#include "wire.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct place {
    char path[64];
    int home;
    int kept_stderr;
    pid_t authd, tlsd;
    struct pop3login login;
    char answer[65536];
};

/* ---- the two servers ---------------------------------------------------------------------------
 */

static int accept_one(int listening)
{
    if (!io_wait(listening, POLLIN, clock_deadline(20000)))
        _exit(0);
    return accept4(listening, NULL, NULL, SOCK_CLOEXEC);
}

static void answer(int fd, const char *const fields[], size_t count, const int *fds,
                   size_t fd_count)
{
    struct str packet;
    str_init(&packet, 4096);
    for (size_t i = 0; i < count; i++)
        wire_put_text(&packet, fields[i]);
    wire_send(fd, str_slice(&packet), fds, fd_count, CLOCK_NEVER);
    str_free(&packet);
}

/* As pop3d would: says what it knows, and what had been read too far. */
static void take_client(struct wire_message *message)
{
    int client = wire_take_fd(message, 0), pipe = wire_take_fd(message, 1);
    struct str text;
    str_init(&text, 65536);
    str_append_text(&text, "+OK welcome ");
    str_append(&text, wire_field(message, 5));
    str_append_text(&text, wire_field(message, 4).data[0] == '1' ? " over TLS [" : " [");
    char bytes[4096];
    ssize_t got;
    while ((got = read(pipe, bytes, sizeof bytes)) > 0)
        str_append(&text, slice_of(bytes, (size_t)got));
    str_append_text(&text, "]\r\n");
    io_write_all(client, str_slice(&text), CLOCK_NEVER);
    str_free(&text);
    io_close(&client);
    io_close(&pipe);
}

/* Knows one password, and some names with fates of their own. */
static void judge(int fd, struct wire_message *message)
{
    static const char *const fates[][4] = {
        {"no", "locked", "0", "locked for a while"},
        {"no", "tls-required", "0", "not without TLS"},
        {"no", "disabled", "0", "POP3 is off for this account"},
        {"no", "limit", "0", "too many sessions"},
    };
    struct slice user = wire_field(message, 5), secret = wire_field(message, 6);
    for (size_t i = 0; i < sizeof fates / sizeof *fates; i++)
        if (slice_equal(user, slice_text(fates[i][1]))) {
            answer(fd, fates[i], 4, NULL, 0);
            return;
        }
    bool apop = slice_equal(wire_field(message, 2), SLICE("apop")) &&
                slice_starts(wire_field(message, 7), SLICE("<")) &&
                slice_ends(wire_field(message, 7), SLICE("@mail.example.jp>"));
    if (slice_equal(wire_field(message, 1), SLICE("pop3")) && message->fd_count == 2 &&
        slice_equal(wire_field(message, 3), SLICE("192.0.2.1")) &&
        slice_equal(wire_field(message, 9), SLICE("192.0.2.99")) &&
        slice_equal(secret, apop ? SLICE("0123abcd") : SLICE(" se cret "))) {
        take_client(message);
        answer(fd, (const char *const[]){"ok", "u1@example.jp"}, 2, NULL, 0);
        return;
    }
    answer(fd, (const char *const[]){"no", "failed", "30", "wrong name or password"}, 4, NULL, 0);
}

_Noreturn static void run_authd(int listening)
{
    struct wire_message message;
    wire_init(&message);
    for (;;) {
        int fd = accept_one(listening);
        while (wire_receive(fd, &message, CLOCK_NEVER) == WIRE_OK)
            judge(fd, &message);
        io_close(&fd);
    }
}

/* "Decrypts" a whole dialogue of its own, and shows the client what was answered to it. */
_Noreturn static void run_tlsd(int listening)
{
    struct wire_message message;
    wire_init(&message);
    for (;;) {
        int fd = accept_one(listening), pair[2];
        if (wire_receive(fd, &message, CLOCK_NEVER) != WIRE_OK)
            _exit(1);
        int client = wire_take_fd(&message, 0);
        if (!unixsocket_pair(SOCK_STREAM, pair))
            _exit(1);
        answer(fd, (const char *const[]){"ok", "TLSv1.2", "SUITE", ""}, 4, &pair[1], 1);
        io_close(&pair[1]);
        io_write_all(pair[0], SLICE("CAPA\r\nSTLS\r\nUSER u1\r\nPASS  se cret \r\nSTAT\r\n"),
                     CLOCK_NEVER);
        char bytes[4096];
        ssize_t got;
        while ((got = read(pair[0], bytes, sizeof bytes)) > 0)
            io_write_all(client, slice_of(bytes, (size_t)got), CLOCK_NEVER);
        io_close(&client);
        io_close(&pair[0]);
        io_close(&fd);
    }
}

typedef void run_server(int listening);

static pid_t start(const char *folder, const char *path, run_server *run)
{
    if (mkdir(folder, 0700) < 0)
        return -1;
    int listening = unixsocket_listen(path, SOCK_SEQPACKET, 5);
    if (listening < 0)
        return -1;
    pid_t pid = fork();
    if (pid == 0)
        run(listening);
    io_close(&listening);
    return pid;
}

static int make_place(void **state)
{
    static struct place place;
    snprintf(place.path, sizeof place.path, "/tmp/test_pop3login.XXXXXX");
    place.home = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (!mkdtemp(place.path) || chdir(place.path) < 0 || mkdir("run", 0700) < 0)
        return -1;
    place.kept_stderr = dup(STDERR_FILENO);
    int log = open("log", O_WRONLY | O_CREAT | O_APPEND, 0600);
    dup2(log, STDERR_FILENO);
    io_close(&log);
    place.authd = start("run/authd", AUTH_SOCKET, run_authd);
    place.tlsd = start("run/tlsd", TLS_SOCKET, run_tlsd);
    *state = &place;
    return place.authd > 0 && place.tlsd > 0 ? 0 : -1;
}

static int remove_place(void **state)
{
    struct place *place = *state;
    char command[128];
    kill(place->authd, SIGKILL);
    kill(place->tlsd, SIGKILL);
    waitpid(place->authd, NULL, 0);
    waitpid(place->tlsd, NULL, 0);
    dup2(place->kept_stderr, STDERR_FILENO);
    io_close(&place->kept_stderr);
    snprintf(command, sizeof command, "rm -rf '%s'", place->path);
    int result = fchdir(place->home);
    io_close(&place->home);
    return result < 0 ? result : system(command);
}

/* ---- the dialogue ------------------------------------------------------------------------------
 */

static const struct pop3login_peer plain = {
    .service = "pop3", .client = "192.0.2.1", .server = "192.0.2.99"};
static const struct pop3login_peer implicit = {
    .service = "pop3s", .client = "192.0.2.1", .server = "192.0.2.99", .implicit_tls = true};
static const struct pop3login_host strict = {.me = "mail.example.jp"};
static const struct pop3login_host open_host = {
    .me = "mail.example.jp", .plaintext_auth = true, .apop = true};

/* All that the client gets who sends `input` in pieces of `piece` bytes and then closes its side.
 */
static const char *converse(struct place *place, const struct pop3login_peer *peer,
                            const struct pop3login_host *host, struct slice input, size_t piece)
{
    int pair[2];
    assert_true(unixsocket_pair(SOCK_STREAM, pair));
    pid_t client = fork();
    assert_true(client >= 0);
    if (client == 0) {
        io_close(&pair[1]);
        for (size_t at = 0; at < input.size; at += piece)
            io_write_all(pair[0], slice_part(input, at, piece), CLOCK_NEVER);
        shutdown(pair[0], SHUT_WR);
        _exit(0);
    }
    waitpid(client, NULL, 0);
    assert_true(pop3login_init(&place->login, peer, host, pair[1], pair[1]));
    pop3login_run(&place->login);
    pop3login_free(&place->login);
    io_close(&pair[1]);
    size_t size = 0;
    ssize_t got;
    while ((got = read(pair[0], place->answer + size, sizeof place->answer - size - 1)) > 0)
        size += (size_t)got;
    place->answer[size] = '\0';
    io_close(&pair[0]);
    return place->answer;
}

#define GREETING  "+OK POP3 server ready\r\n"
#define TLS_FIRST "-ERR no log-in without TLS: say STLS first, or use port 995\r\n"
#define BASE      "TOP\r\nUIDL\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\nPIPELINING\r\nUTF8 USER\r\nLANG\r\n"
#define WRONG     "-ERR [AUTH] wrong name or password\r\n"

static const struct {
    const char *what;
    bool open;
    const char *input, *answer;
} transcripts[] = {
    {"nothing", false, "", ""},
    {"quit", false, "quit\r\nNOOP\r\n", "+OK bye\r\n"},
    {"capabilities without TLS", false, "CAPA\r\n",
     "+OK capabilities follow\r\n" BASE "STLS\r\nIMPLEMENTATION mail-suite\r\n.\r\n"},
    {"no password without TLS", false,
     "USER u1\r\nPASS x\r\nAUTH PLAIN\r\nAUTH LOGIN AAAA\r\nAUTH\r\nAPOP u1 x\r\nNOOP\r\n",
     TLS_FIRST TLS_FIRST TLS_FIRST TLS_FIRST "+OK mechanisms follow\r\n.\r\n-ERR no APOP here\r\n"
                                             "-ERR unknown command, or not now\r\n"},
    {"not in this state", false, "STAT\r\nRETR 1\r\nFOO\r\n\r\n",
     "-ERR unknown command, or not now\r\n-ERR unknown command, or not now\r\n"
     "-ERR unknown command, or not now\r\n-ERR unknown command, or not now\r\n"},
    {"capabilities", true, "CAPA\r\nAUTH\r\n",
     "+OK capabilities follow\r\n" BASE "STLS\r\nUSER\r\nSASL PLAIN LOGIN\r\n"
     "IMPLEMENTATION mail-suite\r\n.\r\n+OK mechanisms follow\r\nPLAIN\r\nLOGIN\r\n.\r\n"},
    {"login", true, "USER u1\r\nPASS  se cret \r\n",
     "+OK now the password\r\n+OK welcome u1 []\r\n"},
    {"login with what follows", true, "USER u1\r\nPASS  se cret \r\nSTAT\r\nQUI",
     "+OK now the password\r\n+OK welcome u1 [STAT\r\nQUI]\r\n"},
    {"UTF8 (RFC 6856 2)", true, "UTF8 x\r\nUTF8\r\nutf8\r\nUSER u\xff\r\nPASS x\r\nQUIT\r\n",
     "-ERR syntax: UTF8\r\n+OK UTF8 is on\r\n+OK UTF8 is on\r\n+OK now the password\r\n"
     "-ERR [UTF8] that name or password is not UTF-8\r\n+OK bye\r\n"},
    {"LANG (RFC 6856 3)", true, "LANG\r\nLANG ja-JP\r\nNONSENSE\r\nLANG de\r\nLANG *\r\nQUIT\r\n",
     "+OK languages follow\r\nen English\r\nja 日本語\r\n.\r\n+OK ja 日本語に切り替えました\r\n"
     "-ERR 不明なコマンドか、現在は使用できないコマンドです\r\n-ERR "
     "その言語には対応していません\r\n"
     "+OK en English it is\r\n+OK bye\r\n"},
    {"order", true, "PASS x\r\nUSER\r\nUSER  \r\nUSER u1\r\nUSER\r\nPASS x\r\n",
     "-ERR USER first\r\n-ERR syntax: USER name\r\n-ERR syntax: USER name\r\n"
     "+OK now the password\r\n-ERR syntax: USER name\r\n-ERR USER first\r\n"},
    {"wrong password", true, "USER u1\r\nPASS x\r\nPASS  se cret \r\n",
     "+OK now the password\r\n" WRONG "-ERR USER first\r\n"},
    {"three failures", true,
     "USER a\r\nPASS x\r\nUSER a\r\nPASS x\r\nUSER a\r\nPASS x\r\nUSER u1\r\nPASS  se cret \r\n",
     "+OK now the password\r\n" WRONG "+OK now the password\r\n" WRONG
     "+OK now the password\r\n" WRONG},
    {"what authd says", true, "USER locked\r\nPASS x\r\nUSER disabled\r\nPASS x\r\n",
     "+OK now the password\r\n-ERR [SYS/TEMP] locked for a while\r\n"
     "+OK now the password\r\n-ERR [SYS/PERM] POP3 is off for this account\r\n"},
    {"what else authd says", true, "USER tls-required\r\nPASS x\r\nUSER limit\r\nPASS x\r\n",
     "+OK now the password\r\n-ERR not without TLS\r\n"
     "+OK now the password\r\n-ERR [SYS/TEMP] too many sessions\r\n"},
    {"AUTH PLAIN with a response", true, "AUTH PLAIN AHUxACBzZSBjcmV0IA==\r\nSTAT\r\n",
     "+OK welcome u1 [STAT\r\n]\r\n"},
    {"AUTH PLAIN in two steps", true, "AUTH PLAIN\r\nAHUxACBzZSBjcmV0IA==\r\n",
     "+ \r\n+OK welcome u1 []\r\n"},
    {"AUTH LOGIN", true, "auth login\r\ndTE=\r\nIHNlIGNyZXQg\r\n",
     "+ VXNlcm5hbWU6\r\n+ UGFzc3dvcmQ6\r\n+OK welcome u1 []\r\n"},
    {"AUTH goes wrong", true,
     "AUTH PLAIN\r\n*\r\nAUTH PLAIN x\r\nAUTH CRAM-MD5\r\n"
     "AUTH PLAIN YQBiAGM=\r\n",
     "+ \r\n-ERR authentication cancelled\r\n-ERR can't understand that response\r\n"
     "-ERR no such mechanism: PLAIN or LOGIN\r\n"
     "-ERR [AUTH] no log-in for somebody else\r\n"},
    {"APOP", true, "APOP u1 0123abcd\r\nNOOP\r\n", "+OK welcome u1 [NOOP\r\n]\r\n"},
    {"APOP goes wrong", true, "APOP\r\nAPOP u1\r\nAPOP u1 0 1\r\nAPOP u1 ffff\r\n",
     "-ERR syntax: APOP name digest\r\n-ERR syntax: APOP name digest\r\n"
     "-ERR syntax: APOP name digest\r\n" WRONG},
    {"bad bytes", true, "USER a\rb\r\nUSER u1\r\n",
     "-ERR a NUL or CR stands in that line\r\n+OK now the password\r\n"},
};

static void transcripts_hold(void **state)
{
    struct place *place = *state;
    for (size_t i = 0; i < sizeof transcripts / sizeof *transcripts; i++) {
        struct slice input = slice_text(transcripts[i].input);
        const char *got = converse(place, &plain, transcripts[i].open ? &open_host : &strict, input,
                                   input.size + 1);
        const char *behind = strchr(got, '\n');
        if (!behind || strcmp(behind + 1, transcripts[i].answer) != 0)
            fail_msg("%s:\n%s", transcripts[i].what, got);
    }
}

static void the_banner_is_there_for_apop_alone(void **state)
{
    struct place *place = *state;
    assert_string_equal(converse(place, &plain, &strict, SLICE(""), 1), GREETING);
    const char *got = converse(place, &plain, &open_host, SLICE(""), 1);
    assert_true(strncmp(got, "+OK POP3 server ready <", 23) == 0);
    assert_non_null(strstr(got, "@mail.example.jp>\r\n"));
}

static const char after_tls[] =
    "+OK capabilities follow\r\n" BASE "USER\r\nSASL PLAIN LOGIN\r\nIMPLEMENTATION mail-suite\r\n"
    ".\r\n-ERR TLS is on already\r\n+OK now the password\r\n+OK welcome u1 over TLS [STAT\r\n]\r\n";

/* What the client sent in plaintext behind STLS is never looked at. */
static void plaintext_behind_stls_is_thrown_away(void **state)
{
    struct place *place = *state;
    char expected[1024];
    snprintf(expected, sizeof expected, "%s+OK begin TLS\r\n%s", GREETING, after_tls);
    assert_string_equal(
        converse(place, &plain, &strict, SLICE("STLS\r\nUSER evil\r\nQUIT\r\n"), 100), expected);
}

static void implicit_tls_comes_before_the_greeting(void **state)
{
    struct place *place = *state;
    char expected[1024];
    snprintf(expected, sizeof expected, "%s%s", GREETING, after_tls);
    assert_string_equal(converse(place, &implicit, &strict, SLICE(""), 1), expected);
}

static void lines_without_end_are_refused(void **state)
{
    struct place *place = *state;
    static char input[150000];
    memset(input, 'x', sizeof input);
    memcpy(input + sizeof input - 8, "\r\nQUIT\r\n", 8);
    assert_string_equal(converse(place, &plain, &strict, slice_of(input, sizeof input), 150000),
                        GREETING "-ERR line too long\r\n+OK bye\r\n");
    memcpy(input, "AUTH PLAIN\r\n", 12);
    const char *got = converse(place, &plain, &open_host, slice_of(input, sizeof input), 150000);
    assert_non_null(
        strstr(got, "+ \r\n-ERR [AUTH] that name or password is too long\r\n+OK bye\r\n"));
}

static void errors_end_the_session(void **state)
{
    struct place *place = *state;
    char input[POP3LOGIN_ERRORS_MAX * 2 * 3 + 1];
    for (size_t i = 0; i < sizeof input - 1; i++)
        input[i] = "F\r\n"[i % 3];
    const char *got = converse(place, &plain, &strict, slice_of(input, sizeof input - 1), 1000);
    const char *end = strstr(got, "-ERR too many errors, bye\r\n");
    assert_non_null(end);
    assert_string_equal(end, "-ERR too many errors, bye\r\n");
}

static void without_authd_it_is_passing_trouble(void **state)
{
    struct place *place = *state;
    kill(place->authd, SIGKILL);
    waitpid(place->authd, NULL, 0);
    assert_int_equal(unlink(AUTH_SOCKET), 0);
    const char *got =
        converse(place, &plain, &open_host, SLICE("USER u1\r\nPASS  se cret \r\nQUIT\r\n"), 100);
    assert_non_null(strstr(got, "-ERR [SYS/TEMP] "));
    assert_non_null(strstr(got, "+OK bye\r\n"));
    place->authd = fork();
    if (place->authd == 0)
        _exit(0);
}

/* A client that goes away in the middle of anything ends the session, and nothing else. */
static void every_prefix_of_a_dialogue_is_fine(void **state)
{
    struct place *place = *state;
    struct slice input = SLICE("CAPA\r\nAUTH LOGIN\r\ndTE=\r\nIHNlIGNyZXQg\r\nSTAT\r\n");
    for (size_t size = 0; size <= input.size; size++) {
        const char *got = converse(place, &plain, &open_host, slice_part(input, 0, size), size + 1);
        assert_true(strncmp(got, "+OK", 3) == 0);
    }
    for (size_t piece = 1; piece < 9; piece++)
        assert_non_null(strstr(converse(place, &plain, &open_host, input, piece),
                               "+OK welcome u1 [STAT\r\n]\r\n"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_place, remove_place)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(transcripts_hold),
        TEST(the_banner_is_there_for_apop_alone),
        TEST(plaintext_behind_stls_is_thrown_away),
        TEST(implicit_tls_comes_before_the_greeting),
        TEST(lines_without_end_are_refused),
        TEST(errors_end_the_session),
        TEST(without_authd_it_is_passing_trouble),
        TEST(every_prefix_of_a_dialogue_is_fine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
