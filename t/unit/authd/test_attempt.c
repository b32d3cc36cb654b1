/*
 * attempt: whole logins through authd's own parts - directory, cache, hashing children - with a fake
 * stated and a fake spawnd on sockets in a scratch ROOT
 */
#include "question.h"

#include "attempt.h"

#include "clock.h"
#include "io.h"
#include "life.h"
#include "spawn.h"
#include "state.h"
#include "unixsocket.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* The fakes answer with these fields, and note what they were asked. */
struct fake {
    struct service service;
    const char *answers[8][3]; /* verb (stated) or program (spawnd), then two fields */
    char asked[500];
    size_t fds;
    bool silent; /* closes instead of answering, once */
};

struct fixture {
    char path[64];
    struct loop loop;
    struct attempts attempts;
    struct service authd; /* what attempts see as their service */
    struct fake stated;
    struct fake spawnd;
    struct wire_message answer;
    char hash[PASSWORD_HASH_MAX];
};

static bool everybody(uid_t uid, void *owner)
{
    (void)uid;
    (void)owner;
    return true;
}

static const char *const *answer_for(const struct fake *fake, struct slice verb)
{
    for (int i = 0; i < 8 && fake->answers[i][0]; i++)
        if (slice_equal(verb, slice_text(fake->answers[i][0])))
            return fake->answers[i];
    return NULL;
}

static void fake_message(struct service_peer *peer, struct wire_message *message)
{
    struct fake *fake = peer->service->owner;
    const char *const *answer = answer_for(fake, wire_field(message, 1));
    struct str packet;
    for (size_t i = 1; i < message->count; i++) {
        size_t used = strlen(fake->asked);
        snprintf(fake->asked + used, sizeof fake->asked - used, "%.*s ",
                 SLICE_PRINTF(wire_field(message, i)));
    }
    fake->fds = message->fd_count;
    if (fake->silent) {
        fake->silent = false;
        service_close(peer);
        return;
    }
    str_init(&packet, 1000);
    wire_put_text(&packet, answer ? answer[1] : "ok");
    wire_put_text(&packet, answer && answer[2] ? answer[2] : "0");
    if (answer && answer[2] && strcmp(answer[2], "full") == 0)
        wire_put_text(&packet, "limit");
    else
        wire_put_text(&packet, "text of stated");
    service_answer(peer, str_slice(&packet), NULL, 0);
    str_free(&packet);
}

static void put_pair(struct cdb_make *make, const char *key, const char *value)
{
    assert_int_equal(cdb_make_add(make, key, (unsigned)strlen(key), value, (unsigned)strlen(value)),
                     0);
}

/* Pairs of key and value, NULL ends them. */
static void write_cdb(const char *path, const char *const pairs[])
{
    struct cdb_make make;
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(cdb_make_start(&make, fd), 0);
    for (size_t i = 0; pairs[i]; i += 2)
        put_pair(&make, pairs[i], pairs[i + 1]);
    assert_int_equal(cdb_make_finish(&make), 0);
    close(fd);
}

static void write_directory(const char *hash)
{
    const char *domains[] = {"example.jp", "10:example.jp,5:70100,", "child.jp",
                             "10:example.jp,5:70100,", NULL};
    const char *host[] = {"defaultdomain", "example.jp", NULL};
    const char *domain[] = {"au1",
                            "",
                            "auplain",
                            "15:plaintext-login,2:on,",
                            "aunoimap",
                            "4:imap,3:off,",
                            "aunohash",
                            "",
                            "auapop",
                            "4:apop,2:on,",
                            "ubad",
                            "",
                            "splaintext-login",
                            "off",
                            "simap",
                            "on",
                            "spop3",
                            "on",
                            "smessage-size",
                            "1000",
                            "squota",
                            "1",
                            "spop3-login-delay",
                            "0",
                            "spop3-expire",
                            "0",
                            "sarchive-days",
                            "0",
                            "simap-capabilities-off",
                            "",
                            "sapop",
                            "off",
                            "scatch-all",
                            "u1",
                            "splus-addressing",
                            "on",
                            "spostmaster",
                            "box",
                            "sadmin",
                            "",
                            NULL};
    const char *secret[] = {"u1",         hash,       "uplain", hash, "unoimap", hash,
                            "apop uapop", "tanstaaf", "uapop",  hash, NULL};
    write_cdb("cdb/domains.cdb", domains);
    write_cdb("cdb/host.cdb", host);
    write_cdb("cdb/domain/example.jp.cdb", domain);
    write_cdb("cdb/secret/example.jp.cdb", secret);
}

static void broken(void *owner)
{
    (void)owner;
    fail_msg("a hashing child is broken");
}

static void start_fake(struct fixture *fixture, struct fake *fake, const char *path)
{
    int fd = unixsocket_listen(path, SOCK_SEQPACKET, 10);
    assert_true(fd >= 0);
    assert_true(service_start(&fake->service, &fixture->loop, fd, 100, everybody, fake_message,
                              NULL, fake));
}

static int begin(void **state)
{
    static struct fixture fixture;
    fixture = (struct fixture){0};
    *state = &fixture;
    snprintf(fixture.path, sizeof fixture.path, "/tmp/test_attempt.XXXXXX");
    if (!mkdtemp(fixture.path) || chdir(fixture.path) < 0)
        return -1;
    static const char *const folders[] = {"cdb", "cdb/domain", "cdb/secret",
                                          "run", "run/stated", "run/spawnd"};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        assert_int_equal(mkdir(folders[i], 0700), 0);
    struct attempts *attempts = &fixture.attempts;
    assert_true(loop_init(&fixture.loop));
    assert_true(hashers_fork(&attempts->hashers));
    /* A cheap scheme: it is the way that is tested. */
    snprintf(fixture.hash, sizeof fixture.hash, "%s", "$1$abcdefgh$G//4keteveJp0qb8z2DxG/");
    snprintf(attempts->dummy_hash, sizeof attempts->dummy_hash, "%s",
             "$1$abcdefgh$G//4keteveJp0qb8z2DxG.");
    write_directory(fixture.hash);
    attempts->loop = &fixture.loop;
    directory_init(&attempts->directory);
    asker_init(&attempts->stated, &fixture.loop, STATE_SOCKET);
    asker_init(&attempts->spawnd, &fixture.loop, SPAWN_SOCKET);
    assert_true(cache_init(&attempts->cache));
    assert_true(hashers_start(&attempts->hashers, &fixture.loop, broken, NULL));
    start_fake(&fixture, &fixture.stated, STATE_SOCKET);
    start_fake(&fixture, &fixture.spawnd, SPAWN_SOCKET);
    int fd = unixsocket_listen("run/authd", SOCK_SEQPACKET, 10);
    assert_true(fd >= 0 && service_start(&fixture.authd, &fixture.loop, fd, 10, everybody,
                                         attempt_message, attempt_gone, attempts));
    wire_init(&fixture.answer);
    return 0;
}

static int finish(void **state)
{
    struct fixture *fixture = *state;
    char command[100];
    service_stop(&fixture->authd);
    service_stop(&fixture->stated.service);
    service_stop(&fixture->spawnd.service);
    hashers_stop(&fixture->attempts.hashers);
    asker_free(&fixture->attempts.stated);
    asker_free(&fixture->attempts.spawnd);
    directory_close(&fixture->attempts.directory);
    loop_free(&fixture->loop);
    wire_free(&fixture->answer);
    snprintf(command, sizeof command, "rm -rf %s", fixture->path);
    return system(command);
}

/* The peer that was admitted and is not yet in a role. */
static struct service_peer *find_new(const struct fixture *fixture)
{
    struct service_peer *peer = fixture->authd.peers;
    while (peer && peer->uid != getuid())
        peer = peer->next;
    return peer;
}

/* Connects and lets the service admit us; then we are who `role` says. */
static int connect_as(struct fixture *fixture, enum role role)
{
    struct service_peer *peer;
    int fd = unixsocket_connect("run/authd", SOCK_SEQPACKET);
    assert_true(fd >= 0 && io_set_nonblocking(fd, true));
    while (!(peer = find_new(fixture)))
        assert_true(loop_once(&fixture->loop, 1000));
    peer->uid = life_uid(role);
    return fd;
}

struct trial {
    enum role role;
    const char *service, *mechanism, *tls, *user, *secret, *challenge;
};

static void send_question(int fd, const struct trial *trial)
{
    struct str packet;
    bool session = strcmp(trial->service, "smtp") != 0;
    int pair[2];
    str_init(&packet, 10000);
    wire_put_text(&packet, "auth/1");
    wire_put_text(&packet, trial->service);
    wire_put_text(&packet, trial->mechanism ? trial->mechanism : "plain");
    wire_put_text(&packet, "192.0.2.1");
    wire_put_text(&packet, trial->tls);
    wire_put_text(&packet, trial->user);
    wire_put_text(&packet, trial->secret);
    wire_put_text(&packet, trial->challenge);
    wire_put_text(&packet, strcmp(trial->service, "imap") == 0 ? "a1" : "");
    wire_put_text(&packet, "");
    assert_true(unixsocket_pair(SOCK_STREAM, pair));
    assert_int_equal(wire_send(fd, str_slice(&packet), pair, session ? 1 : 0, 0), WIRE_OK);
    close(pair[0]);
    close(pair[1]);
    str_free(&packet);
}

/* The answer's first two fields: "ok u1@example.jp", "no failed". */
static const char *login(struct fixture *fixture, const struct trial *trial)
{
    static char text[500];
    enum wire_result result;
    int fd = connect_as(fixture, trial->role);
    fixture->stated.asked[0] = '\0';
    fixture->spawnd.asked[0] = '\0';
    send_question(fd, trial);
    while ((result = wire_receive(fd, &fixture->answer, CLOCK_NEVER)) == WIRE_TIMEOUT)
        assert_true(loop_once(&fixture->loop, 1000));
    close(fd);
    if (result != WIRE_OK)
        return "closed";
    snprintf(text, sizeof text, "%.*s %.*s", SLICE_PRINTF(wire_field(&fixture->answer, 0)),
             SLICE_PRINTF(wire_field(&fixture->answer, 1)));
    return text;
}

static const struct trial smtp = {ROLE_SMTPD, "smtp", NULL, "1", "u1@example.jp", "password", ""};
static const struct trial imap = {ROLE_IMAP_LOGIN, "imap",     NULL, "1",
                                  "u1@example.jp", "password", ""};

static const struct {
    const char *name;
    struct trial trial;
    const char *answer;
    const char *stated; /* what stated was asked */
} cases[] = {
    {"right",
     {ROLE_SMTPD, "smtp", NULL, "1", "u1@example.jp", "password", ""},
     "ok u1@example.jp",
     "login-check u1@example.jp 192.0.2.1 login-ok u1@example.jp 192.0.2.1 "},
    {"other case",
     {ROLE_SMTPD, "smtp", NULL, "1", "U1@EXAMPLE.jp", "password", ""},
     "ok u1@example.jp",
     NULL},
    {"child domain",
     {ROLE_SMTPD, "smtp", NULL, "1", "u1@child.jp", "password", ""},
     "ok u1@example.jp",
     NULL},
    {"bare local part",
     {ROLE_SMTPD, "smtp", NULL, "1", "u1", "password", ""},
     "ok u1@example.jp",
     NULL},
    {"wrong password",
     {ROLE_SMTPD, "smtp", NULL, "1", "u1", "Password", ""},
     "no failed",
     "login-check u1@example.jp 192.0.2.1 login-failed u1@example.jp 192.0.2.1 "},
    {"empty password", {ROLE_SMTPD, "smtp", NULL, "1", "u1", "", ""}, "no failed", NULL},
    {"empty user", {ROLE_SMTPD, "smtp", NULL, "1", "", "password", ""}, "no failed", NULL},
    {"unknown user, though there is a catch-all",
     {ROLE_SMTPD, "smtp", NULL, "1", "who@example.jp", "password", ""},
     "no failed",
     "login-check who@example.jp 192.0.2.1 login-failed who@example.jp 192.0.2.1 "},
    {"plus-addressing is for mail",
     {ROLE_SMTPD, "smtp", NULL, "1", "u1+x@example.jp", "password", ""},
     "no failed",
     NULL},
    {"unknown domain",
     {ROLE_SMTPD, "smtp", NULL, "1", "u1@elsewhere.jp", "password", ""},
     "no failed",
     "login-check u1@elsewhere.jp 192.0.2.1 login-failed u1@elsewhere.jp 192.0.2.1 "},
    {"an account without hash",
     {ROLE_SMTPD, "smtp", NULL, "1", "unohash", "password", ""},
     "no failed",
     NULL},
    {"no TLS", {ROLE_SMTPD, "smtp", NULL, "0", "u1", "password", ""}, "no tls-required", ""},
    {"no TLS, where it is allowed",
     {ROLE_SMTPD, "smtp", NULL, "0", "uplain", "password", ""},
     "ok uplain@example.jp",
     NULL},
    {"service off",
     {ROLE_IMAP_LOGIN, "imap", NULL, "1", "unoimap", "password", ""},
     "no disabled",
     "login-check unoimap@example.jp 192.0.2.1 "},
    {"service off is not told without the password",
     {ROLE_IMAP_LOGIN, "imap", NULL, "1", "unoimap", "wrong", ""},
     "no failed",
     NULL},
    {"another service of it",
     {ROLE_POP3_LOGIN, "pop3", NULL, "1", "unoimap", "password", ""},
     "ok unoimap@example.jp",
     NULL},
    {"apop",
     {ROLE_POP3_LOGIN, "pop3", "apop", "0", "uapop", "c4c9334bac560ecc979e58001b3e22fb",
      "<1896.697170952@dbc.mtview.ca.us>"},
     "ok uapop@example.jp",
     NULL},
    {"apop, wrong",
     {ROLE_POP3_LOGIN, "pop3", "apop", "0", "uapop", "c4c9334bac560ecc979e58001b3e22fc",
      "<1896.697170952@dbc.mtview.ca.us>"},
     "no failed",
     NULL},
    {"apop, off",
     {ROLE_POP3_LOGIN, "pop3", "apop", "0", "u1", "c4c9334bac560ecc979e58001b3e22fb",
      "<1896.697170952@dbc.mtview.ca.us>"},
     "no failed",
     NULL},
    {"not its service", {ROLE_SMTPD, "imap", NULL, "1", "u1", "password", ""}, "closed", ""},
};

static void logins_end_as_they_should(void **state)
{
    struct fixture *fixture = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        print_message("    %s\n", cases[i].name);
        assert_string_equal(login(fixture, &cases[i].trial), cases[i].answer);
        if (cases[i].stated)
            assert_string_equal(fixture->stated.asked, cases[i].stated);
    }
}

static void sessions_go_to_spawnd_with_two_descriptors(void **state)
{
    struct fixture *fixture = *state;
    assert_string_equal(login(fixture, &imap), "ok u1@example.jp");
    assert_string_equal(fixture->spawnd.asked, "imapd example.jp u1 u1@example.jp a1 192.0.2.1 1 "
                                               "message-max=1000 quota=1048576 ");
    assert_int_equal(fixture->spawnd.fds, 2);
    assert_string_equal(login(fixture, &smtp), "ok u1@example.jp");
    assert_string_equal(fixture->spawnd.asked, "");
}

static void what_stated_says_goes(void **state)
{
    struct fixture *fixture = *state;
    uint64_t wait;
    struct trial wrong = smtp;
    wrong.secret = "wrong";
    fixture->stated.answers[0][0] = "login-failed";
    fixture->stated.answers[0][1] = "ok";
    fixture->stated.answers[0][2] = "4000";
    assert_string_equal(login(fixture, &wrong), "no failed");
    assert_true(wire_number(&fixture->answer, 2, 10000, &wait) && wait == 4000);
    fixture->stated.answers[0][2] = "0";
    assert_string_equal(login(fixture, &wrong), "no failed");
    assert_true(wire_number(&fixture->answer, 2, 10000, &wait));
    assert_in_range(wait, 1, ATTEMPT_FAILURE_MS);
    fixture->stated.answers[1][0] = "login-ok";
    fixture->stated.answers[1][1] = "no";
    fixture->stated.answers[1][2] = "password-forced";
    assert_string_equal(login(fixture, &smtp), "no expired");
    assert_slice(wire_field(&fixture->answer, 3), "text of stated");
    fixture->stated.answers[2][0] = "login-check";
    fixture->stated.answers[2][1] = "locked";
    fixture->stated.answers[2][2] = "100";
    assert_string_equal(login(fixture, &smtp), "no locked");
    assert_string_equal(fixture->stated.asked, "login-check u1@example.jp 192.0.2.1 ");
}

static void what_spawnd_says_goes(void **state)
{
    struct fixture *fixture = *state;
    fixture->spawnd.answers[0][0] = "imapd";
    fixture->spawnd.answers[0][1] = "temp";
    fixture->spawnd.answers[0][2] = "full";
    assert_string_equal(login(fixture, &imap), "no limit");
    fixture->spawnd.answers[0][2] = "disk";
    assert_string_equal(login(fixture, &imap), "no trouble");
    fixture->spawnd.answers[0][1] = "no";
    assert_string_equal(login(fixture, &imap), "no trouble");
    /* Asked, and gone: whether the program runs is not known; the client is not served twice. */
    fixture->spawnd.answers[0][1] = "ok";
    fixture->spawnd.silent = true;
    assert_string_equal(login(fixture, &imap), "no trouble");
    assert_string_equal(login(fixture, &imap), "ok u1@example.jp");
}

static void stated_is_asked_again_when_it_is_back(void **state)
{
    struct fixture *fixture = *state;
    fixture->stated.silent = true;
    assert_string_equal(login(fixture, &smtp), "ok u1@example.jp");
    service_stop(&fixture->stated.service);
    /* It is gone: the question waits. Then it is back. */
    int fd = connect_as(fixture, ROLE_SMTPD);
    send_question(fd, &smtp);
    for (int i = 0; i < 5; i++)
        assert_true(loop_once(&fixture->loop, 10));
    assert_int_equal(wire_receive(fd, &fixture->answer, CLOCK_NEVER), WIRE_TIMEOUT);
    start_fake(fixture, &fixture->stated, STATE_SOCKET);
    while (wire_receive(fd, &fixture->answer, CLOCK_NEVER) == WIRE_TIMEOUT)
        assert_true(loop_once(&fixture->loop, 1000));
    assert_slice(wire_field(&fixture->answer, 0), "ok");
    close(fd);
}

static void a_new_hash_counts_at_once(void **state)
{
    struct fixture *fixture = *state;
    assert_string_equal(login(fixture, &smtp), "ok u1@example.jp");
    assert_string_equal(login(fixture, &smtp), "ok u1@example.jp"); /* remembered */
    write_directory("$1$abcdefgh$xxxxxxxxxxxxxxxxxxxxxx");
    assert_string_equal(login(fixture, &smtp), "no failed");
}

/* It may be another password's, or the same one's; either was there before the session began. */
static void a_hash_that_is_replaced_while_it_is_computed(void **state)
{
    struct fixture *fixture = *state;
    char again[PASSWORD_HASH_MAX];
    assert_true(password_hash(SLICE("password"), again));
    const char *const hashes[] = {"$1$abcdefgh$xxxxxxxxxxxxxxxxxxxxxx", again};
    for (int i = 0; i < 2; i++) {
        write_directory(fixture->hash);
        fixture->stated.asked[0] = '\0';
        int fd = connect_as(fixture, ROLE_SMTPD);
        send_question(fd, &smtp);
        while (fixture->stated.asked[0] == '\0')
            assert_true(loop_once(&fixture->loop, 1000));
        write_directory(hashes[i]);
        while (wire_receive(fd, &fixture->answer, CLOCK_NEVER) == WIRE_TIMEOUT)
            assert_true(loop_once(&fixture->loop, 1000));
        assert_slice(wire_field(&fixture->answer, 0), i == 0 ? "no" : "ok");
        close(fd);
    }
}

static void a_broken_directory_is_passing_trouble(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(unlink("cdb/secret/example.jp.cdb"), 0);
    assert_string_equal(login(fixture, &smtp), "no trouble");
    write_directory(fixture->hash);
    assert_string_equal(login(fixture, &smtp), "ok u1@example.jp");
    assert_int_equal(truncate("cdb/domains.cdb", 100), 0);
    assert_string_equal(login(fixture, &smtp), "no trouble");
}

/* Clients that leave at every stage leave nothing behind: the next login works, no place is lost. */
static void clients_may_leave_at_any_time(void **state)
{
    struct fixture *fixture = *state;
    for (int rounds = 0; rounds < 12; rounds++) {
        struct trial wrong = imap;
        wrong.secret = "wrong";
        int fd = connect_as(fixture, ROLE_IMAP_LOGIN);
        send_question(fd, rounds % 2 ? &wrong : &imap);
        for (int i = 0; i < rounds; i++)
            assert_true(loop_once(&fixture->loop, 5));
        close(fd);
    }
    while (fixture->authd.peer_count > 0)
        assert_true(loop_once(&fixture->loop, 100));
    assert_string_equal(login(fixture, &imap), "ok u1@example.jp");
}

static void a_second_question_before_the_answer_closes(void **state)
{
    struct fixture *fixture = *state;
    int fd = connect_as(fixture, ROLE_SMTPD);
    send_question(fd, &smtp);
    send_question(fd, &smtp);
    enum wire_result result;
    int answers = 0;
    while ((result = wire_receive(fd, &fixture->answer, CLOCK_NEVER)) != WIRE_END) {
        answers += result == WIRE_OK;
        assert_true(loop_once(&fixture->loop, 1000));
    }
    assert_int_equal(answers, 0);
    close(fd);
}

static void more_logins_than_hashes_wait_and_all_are_answered(void **state)
{
    struct fixture *fixture = *state;
    enum { MANY = 9 };
    int fds[MANY];
    int answered = 0;
    for (int i = 0; i < MANY; i++) {
        fds[i] = connect_as(fixture, ROLE_SMTPD);
        send_question(fds[i], &smtp);
    }
    while (answered < MANY) {
        assert_true(loop_once(&fixture->loop, 1000));
        for (int i = 0; i < MANY; i++) {
            if (fds[i] < 0 || wire_receive(fds[i], &fixture->answer, CLOCK_NEVER) != WIRE_OK)
                continue;
            assert_slice(wire_field(&fixture->answer, 0), "ok");
            io_close(&fds[i]);
            answered++;
        }
    }
    assert_int_equal(fixture->attempts.hashers.waiting, 0);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, finish)
    static const struct CMUnitTest tests[] = {
        CASE(logins_end_as_they_should),
        CASE(sessions_go_to_spawnd_with_two_descriptors),
        CASE(what_stated_says_goes),
        CASE(what_spawnd_says_goes),
        CASE(stated_is_asked_again_when_it_is_back),
        CASE(a_new_hash_counts_at_once),
        CASE(a_hash_that_is_replaced_while_it_is_computed),
        CASE(a_broken_directory_is_passing_trouble),
        CASE(clients_may_leave_at_any_time),
        CASE(a_second_question_before_the_answer_closes),
        CASE(more_logins_than_hashes_wait_and_all_are_answered),
    };
    return cmocka_run_group_tests_name("attempt", tests, NULL, NULL);
}
