/* verbs: every question to stated, who may ask it, and what it is answered */
#include "question.h"

#include "verbs.h"

#include "board.h"
#include "io.h"
#include "number.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NOW = 1000000 };

struct fixture {
    char path[64];
    int folder;
    struct ledger ledger;
    struct journal journal;
    struct board board;
    struct verbs verbs;
    struct str answer;
};

static bool apply_to(void *owner, struct slice record)
{
    return ledger_apply(owner, record, NULL);
}

static int begin(void **state)
{
    static struct fixture fixture;
    static const struct failures_limits limits = {.limit = 3, .window_s = 600, .lock_s = 900};
    struct journal_replay replay;
    snprintf(fixture.path, sizeof fixture.path, "/tmp/test_verbs.XXXXXX");
    if (!mkdtemp(fixture.path))
        return -1;
    fixture.folder = open(fixture.path, O_RDONLY | O_DIRECTORY);
    if (fchdir(fixture.folder) < 0 || mkdir("run", 0700) < 0 || mkdir("run/stated", 0700) < 0 ||
        !board_make(&fixture.board, getgid()))
        return -1;
    fixture.verbs = (struct verbs){
        .ledger = &fixture.ledger, .journal = &fixture.journal, .board = &fixture.board};
    board_begin(&fixture.board);
    str_init(&fixture.answer, WIRE_MAX_SIZE);
    *state = &fixture;
    return ledger_init(&fixture.ledger, 1, &limits) &&
                   journal_open(&fixture.journal, fixture.folder, "journal", apply_to,
                                &fixture.ledger, &replay)
               ? 0
               : -1;
}

static int finish(void **state)
{
    struct fixture *fixture = *state;
    journal_close(&fixture->journal);
    board_end(&fixture->board);
    unlink("journal");
    unlink(BOARD_FILE);
    rmdir("run/stated");
    rmdir("run");
    io_close(&fixture->folder);
    rmdir(fixture->path);
    ledger_free(&fixture->ledger);
    str_free(&fixture->answer);
    return 0;
}

/* Asks at `now`, and frees the question; the answer's fields joined by '|', or "refused". */
static const char *ask_message(struct fixture *fixture, enum verbs_peer peer, int64_t now,
                               struct wire_message *question)
{
    static char text[2000];
    struct slice fields[40];
    size_t count, used = 0;
    str_clear(&fixture->answer);
    bool answered = verbs_answer(&fixture->verbs, peer, now, question, &fixture->answer);
    wire_free(question);
    if (!answered)
        return "refused";
    assert_true(wire_split(str_slice(&fixture->answer), fields, 40, &count));
    text[0] = '\0';
    for (size_t i = 0; i < count; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%.*s", i > 0 ? "|" : "",
                                 SLICE_PRINTF(fields[i]));
    return text;
}

static const char *ask(struct fixture *fixture, enum verbs_peer peer, int64_t now, const char *verb,
                       const char *a, const char *b, const char *c, const char *d)
{
    struct wire_message question;
    /* The first NULL of a to d ends the list. */
    make_question(&question, "state/1", verb, a, b, c, d, NULL);
    return ask_message(fixture, peer, now, &question);
}

/* The same with the fields of the question joined by '|'. */
static const char *say(struct fixture *fixture, int64_t now, const char *text)
{
    struct wire_message question;
    struct slice rest = slice_text(text);
    wire_init(&question);
    wire_put_text(&question.bytes, "state/1");
    for (bool more = true; more;) {
        more = slice_has(rest, '|');
        wire_put(&question.bytes, slice_cut(&rest, '|'));
    }
    assert_true(
        wire_split(str_slice(&question.bytes), question.fields, WIRE_MAX_FIELDS, &question.count));
    return ask_message(fixture, VERBS_OTHER, now, &question);
}

/* Behind the text for the client, the end of the state. */
static void assert_begins(const char *answer, const char *beginning)
{
    if (strncmp(answer, beginning, strlen(beginning)) != 0)
        fail_msg("\"%s\" does not begin with \"%s\"", answer, beginning);
}

static const char *authd(struct fixture *fixture, int64_t now, const char *verb,
                         const char *account, const char *client)
{
    return ask(fixture, VERBS_AUTHD, now, verb, account, client, NULL, NULL);
}

static const char *root(struct fixture *fixture, const char *verb, const char *account,
                        const char *a, const char *b, const char *c)
{
    return ask(fixture, VERBS_ROOT, NOW, verb, account, a, b, c);
}

static void logins_fail_lock_and_are_forgiven(void **state)
{
    struct fixture *fixture = *state;
    assert_string_equal(authd(fixture, NOW, "login-check", "u1@a", "192.0.2.1"), "ok");
    assert_string_equal(authd(fixture, NOW, "login-failed", "u1@a", "192.0.2.1"), "ok|0");
    assert_string_equal(authd(fixture, NOW, "login-failed", "u1@a", "192.0.2.1"), "ok|1000");
    assert_string_equal(authd(fixture, NOW, "login-ok", "u1@a", "192.0.2.1"), "ok");
    assert_string_equal(authd(fixture, NOW, "login-failed", "u1@a", "192.0.2.1"), "ok|0");
    assert_string_equal(authd(fixture, NOW, "login-failed", "u1@a", "192.0.2.1"), "ok|1000");
    assert_string_equal(authd(fixture, NOW, "login-failed", "u1@a", "192.0.2.1"), "ok|8000");
    assert_string_equal(authd(fixture, NOW + 1, "login-check", "u1@a", "192.0.2.1"),
                        "locked|899|too many failed logins");
    assert_string_equal(authd(fixture, NOW + 1, "login-check", "u1@a", "192.0.2.2"), "ok");
    assert_string_equal(say(fixture, NOW + 1, "get|u1@a"),
                        "ok|account-lock|1000000|1000900|3 failed logins from 192.0.2.1");
    assert_string_equal(root(fixture, "clear", "u1@a", "account-lock", NULL, NULL), "ok");
    assert_string_equal(authd(fixture, NOW + 1, "login-check", "u1@a", "192.0.2.1"), "ok");
}

static void a_plans_count_and_time_lock(void **state)
{
    struct fixture *fixture = *state;
    ask(fixture, VERBS_AUTHD, NOW, "login-failed", "u1@a", "192.0.2.1", "2", "60");
    ask(fixture, VERBS_AUTHD, NOW, "login-failed", "u1@a", "192.0.2.1", "2", "60");
    assert_string_equal(authd(fixture, NOW, "login-check", "u1@a", "192.0.2.1"),
                        "locked|60|too many failed logins");
    assert_string_equal(say(fixture, NOW + 1, "get|u1@a"),
                        "ok|account-lock|1000000|1000060|2 failed logins from 192.0.2.1");
    for (int i = 0; i < 10; i++) {
        char client[32];
        snprintf(client, sizeof client, "192.0.2.%d", 100 + i);
        ask(fixture, VERBS_AUTHD, NOW + i, "login-failed", "wide@a", client, "2", "60");
    }
    assert_string_equal(say(fixture, NOW + 10, "get|wide@a"),
                        "ok|account-lock|1000009|1000069|10 failed logins from 10 addresses");
    /* The host's, where the plan has none. */
    ask(fixture, VERBS_AUTHD, NOW, "login-failed", "u1@b", "192.0.2.1", "0", "60");
    ask(fixture, VERBS_AUTHD, NOW, "login-failed", "u1@b", "192.0.2.1", "0", "60");
    assert_string_equal(authd(fixture, NOW, "login-check", "u1@b", "192.0.2.1"), "ok");
    assert_string_equal(
        ask(fixture, VERBS_AUTHD, NOW, "login-failed", "u1@b", "192.0.2.1", "2", "x"), "refused");
    assert_string_equal(
        ask(fixture, VERBS_AUTHD, NOW, "login-failed", "u1@b", "192.0.2.1", "2", NULL), "refused");
}

static void states_stop_what_they_should(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        const char *name, *send, *receive, *login;
    } states[] = {
        {"misuse-detected", "no|", "ok", "ok"}, {"account-lock", "ok", "ok", "no|"},
        {"send-lock", "no|", "ok", "ok"},       {"over-capacity", "ok", "no|", "ok"},
        {"password-forced", "ok", "ok", "no|"}, {"send-pause", "no|", "ok", "ok"},
        {"receive-pause", "ok", "no|", "ok"},
    };
    for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
        const char *account = "u1@a";
        assert_string_equal(root(fixture, "set", account, states[i].name, "0", "why"), "ok");
        const char *actions[] = {"send", "receive", "login"};
        const char *expected[] = {states[i].send, states[i].receive, states[i].login};
        for (int j = 0; j < 3; j++) {
            const char *answer =
                ask(fixture, VERBS_OTHER, NOW, "allows", account, actions[j], NULL, NULL);
            assert_int_equal(answer[0], expected[j][0]);
            if (answer[0] == 'n')
                assert_non_null(strstr(answer, states[i].name));
        }
        assert_int_equal(authd(fixture, NOW, "login-ok", account, "192.0.2.1")[0],
                         states[i].login[0]);
        assert_string_equal(root(fixture, "clear", account, states[i].name, NULL, NULL), "ok");
        assert_string_equal(root(fixture, "get", account, NULL, NULL, NULL), "ok");
    }
}

static void states_end_by_themselves(void **state)
{
    struct fixture *fixture = *state;
    assert_string_equal(root(fixture, "set", "u1@a", "send-lock", "1000100", "mass"), "ok");
    assert_string_equal(root(fixture, "get", "u1@a", NULL, NULL, NULL),
                        "ok|send-lock|1000000|1000100|mass");
    verbs_end_states(&fixture->verbs, NOW + 99);
    assert_int_equal(fixture->ledger.states.count, 1);
    assert_string_equal(ask(fixture, VERBS_OTHER, NOW + 100, "allows", "u1@a", "send", NULL, NULL),
                        "ok");
    assert_int_equal(fixture->ledger.states.count, 1);
    verbs_end_states(&fixture->verbs, NOW + 100);
    assert_int_equal(fixture->ledger.states.count, 0);
}

static void setting_again_keeps_the_beginning(void **state)
{
    struct fixture *fixture = *state;
    root(fixture, "set", "u1@a", "send-lock", "0", "first");
    assert_string_equal(
        ask(fixture, VERBS_ROOT, NOW + 5, "set", "u1@a", "send-lock", "0", "second"), "ok");
    assert_string_equal(root(fixture, "get", "u1@a", NULL, NULL, NULL),
                        "ok|send-lock|1000000|0|second");
}

static void wrong_questions_get_a_reason(void **state)
{
    struct fixture *fixture = *state;
    char large[STATES_CAUSE_MAX + 2] = {0};
    memset(large, 'c', sizeof large - 1);
    assert_string_equal(root(fixture, "set", "u1@a", "sleepy", "0", ""), "no|no such state");
    assert_string_equal(root(fixture, "clear", "u1@a", "sleepy", NULL, NULL), "no|no such state");
    assert_string_equal(root(fixture, "set", "u1@a", "send-lock", "5", ""),
                        "no|the end must lie ahead");
    assert_string_equal(root(fixture, "set", "u1@a", "send-lock", "x", ""),
                        "no|the end must lie ahead");
    assert_string_equal(root(fixture, "set", "u1@a", "send-lock", "0", large),
                        "no|the cause is too long");
    assert_string_equal(root(fixture, "clear", "u1@a", "send-lock", NULL, NULL),
                        "no|the account is not in this state");
    assert_string_equal(root(fixture, "allows", "u1@a", "dance", NULL, NULL), "refused");
}

/* queued has a word in over-capacity alone, and not in what an operator set. */
static void queued_keeps_who_is_full(void **state)
{
    struct fixture *fixture = *state;
    assert_string_equal(
        ask(fixture, VERBS_QUEUE, NOW, "set", "u1@a", "over-capacity", "0", "full: 9.9 of 10.0 MB"),
        "ok");
    assert_string_equal(root(fixture, "set", "u2@a", "over-capacity", "0", "moving"), "ok");
    assert_string_equal(root(fixture, "set", "u3@a", "send-lock", "0", "full: of spam"), "ok");
    static const char *const refused = "no|the state is the operator's";
    assert_string_equal(
        ask(fixture, VERBS_QUEUE, NOW, "set", "u2@a", "over-capacity", "0", "full: 1 of 1 MB"),
        refused);
    assert_string_equal(ask(fixture, VERBS_QUEUE, NOW, "set", "u4@a", "over-capacity", "0", "so"),
                        refused);
    assert_string_equal(
        ask(fixture, VERBS_QUEUE, NOW, "set", "u4@a", "send-lock", "0", "full: 1 of 1 MB"),
        refused);
    assert_string_equal(
        ask(fixture, VERBS_QUEUE, NOW, "clear", "u2@a", "over-capacity", NULL, NULL), refused);
    assert_string_equal(ask(fixture, VERBS_QUEUE, NOW, "clear", "u3@a", "send-lock", NULL, NULL),
                        refused);
    assert_string_equal(ask(fixture, VERBS_QUEUE, NOW, "list", "over-capacity", "0", NULL, NULL),
                        "ok|u1@a");
    assert_string_equal(ask(fixture, VERBS_QUEUE, NOW, "list", "over-capacity", "1", NULL, NULL),
                        "ok");
    assert_string_equal(ask(fixture, VERBS_ROOT, NOW, "list", "send-lock", "0", NULL, NULL),
                        "ok|u3@a");
    assert_string_equal(ask(fixture, VERBS_QUEUE, NOW, "list", "sleepy", "0", NULL, NULL),
                        "refused");
    assert_string_equal(ask(fixture, VERBS_QUEUE, NOW, "list", "over-capacity", "x", NULL, NULL),
                        "refused");
    assert_string_equal(ask(fixture, VERBS_OTHER, NOW, "list", "over-capacity", "0", NULL, NULL),
                        "refused");
    assert_string_equal(
        ask(fixture, VERBS_QUEUE, NOW, "clear", "u1@a", "over-capacity", NULL, NULL), "ok");
    assert_string_equal(root(fixture, "get", "u1@a", NULL, NULL, NULL), "ok");
}

static void nobody_asks_what_is_not_his(void **state)
{
    struct fixture *fixture = *state;
    static const enum verbs_peer others[] = {VERBS_AUTHD, VERBS_OTHER};
    char large[STATES_ACCOUNT_MAX + 2] = {0};
    memset(large, 'a', sizeof large - 1);
    for (int i = 0; i < 2; i++) {
        assert_string_equal(ask(fixture, others[i], NOW, "set", "u1@a", "send-lock", "0", "x"),
                            "refused");
        assert_string_equal(ask(fixture, others[i], NOW, "clear", "u1@a", "send-lock", NULL, NULL),
                            "refused");
    }
    assert_string_equal(
        ask(fixture, VERBS_OTHER, NOW, "login-failed", "u1@a", "192.0.2.1", NULL, NULL), "refused");
    assert_string_equal(root(fixture, "login-ok", "u1@a", "192.0.2.1", NULL, NULL), "refused");
    assert_string_equal(root(fixture, "get", "u1@a", "extra", NULL, NULL), "refused");
    assert_string_equal(root(fixture, "get", NULL, NULL, NULL, NULL), "refused");
    assert_string_equal(root(fixture, "get", "", NULL, NULL, NULL), "refused");
    assert_string_equal(root(fixture, "get", large, NULL, NULL, NULL), "refused");
    assert_string_equal(root(fixture, "forget", "u1@a", NULL, NULL, NULL), "refused");
}

static void a_state_that_can_t_be_written_is_not_set(void **state)
{
    struct fixture *fixture = *state;
    int file = fixture->journal.fd;
    fixture->journal.fd = open("/dev/full", O_WRONLY);
    assert_string_equal(root(fixture, "set", "u1@a", "send-lock", "0", "x"),
                        "no|the state can't be written to disk; see stated's log");
    /* Failures go on being counted. */
    assert_string_equal(authd(fixture, NOW, "login-failed", "u1@a", "192.0.2.1"), "ok|0");
    assert_string_equal(authd(fixture, NOW, "login-failed", "u1@a", "192.0.2.1"), "ok|1000");
    close(fixture->journal.fd);
    fixture->journal.fd = file;
    assert_string_equal(root(fixture, "get", "u1@a", NULL, NULL, NULL), "ok");
}

/* ---- limits -----------------------------------------------------------------------------------*/

#define SEND       "allows|u1@a.jp|send|domain|3|600|100"
#define SEND2      "allows|u2@a.jp|send|domain|3|600|100"
#define RECEIVE    "allows|u1@a.jp|receive|domain|2|600|7200"
#define NO_SEND    "no|send-pause|sorry, that message exceeds my limit"
#define NO_RECEIVE "no|receive-pause|sorry, that message exceeds my limit"

static void reach_send_limit(struct fixture *fixture)
{
    for (int i = 0; i < 3; i++) {
        assert_string_equal(say(fixture, NOW, SEND), "ok");
        assert_string_equal(say(fixture, NOW, "sent|u1@a.jp|50"), "");
    }
    assert_begins(say(fixture, NOW, SEND), NO_SEND);
}

static void a_domain_pauses_and_goes_on_by_itself(void **state)
{
    struct fixture *fixture = *state;
    reach_send_limit(fixture);
    assert_begins(say(fixture, NOW + 99, SEND2), NO_SEND);
    assert_string_equal(say(fixture, NOW + 99, "get|@a.jp"),
                        "ok|send-pause|1000000|1000100|3 messages sent within 600 seconds");
    /* Receiving is counted apart, and so is every other domain. */
    assert_string_equal(say(fixture, NOW + 99, RECEIVE), "ok");
    assert_string_equal(say(fixture, NOW + 99, "allows|u1@b.jp|send|domain|1|600|100"), "ok");
    /* The window is not over yet: the counter began anew, or the pause would have no end. */
    assert_string_equal(say(fixture, NOW + 100, SEND), "ok");
    assert_string_equal(say(fixture, NOW + 100, "rates|@a.jp"), "ok|sent|0|3|600|received|0|2|600");
}

static void a_domain_receives_each_message_once(void **state)
{
    struct fixture *fixture = *state;
    assert_string_equal(say(fixture, NOW, RECEIVE), "ok");
    assert_string_equal(say(fixture, NOW, "allows|u2@a.jp|receive|domain|2|600|7200"), "ok");
    assert_string_equal(say(fixture, NOW, "received|@a.jp|@b.jp"), "");
    assert_string_equal(say(fixture, NOW, RECEIVE), "ok");
    assert_string_equal(say(fixture, NOW, "received|@a.jp"), "");
    assert_begins(say(fixture, NOW, RECEIVE), NO_RECEIVE);
    assert_string_equal(say(fixture, NOW, SEND), "ok");
}

static void no_pause_is_longer_than_two_hours(void **state)
{
    struct fixture *fixture = *state;
    assert_string_equal(say(fixture, NOW, "allows|u1@a.jp|send|domain|1|600|604800"), "ok");
    say(fixture, NOW, "sent|u1@a.jp|1");
    assert_begins(say(fixture, NOW, "allows|u1@a.jp|send|domain|1|600|604800"), NO_SEND);
    assert_begins(say(fixture, NOW + 7199, SEND), NO_SEND);
    assert_string_equal(say(fixture, NOW + 7200, SEND), "ok");
    /* Nor one that the operator begins. */
    assert_string_equal(root(fixture, "set", "@a.jp", "receive-pause", "0", "x"), "ok");
    assert_begins(say(fixture, NOW + 7199, RECEIVE), NO_RECEIVE);
    assert_string_equal(say(fixture, NOW + 7200, RECEIVE), "ok");
}

static void a_pause_does_not_grow_when_the_clock_is_set_back(void **state)
{
    struct fixture *fixture = *state;
    reach_send_limit(fixture);
    assert_begins(say(fixture, NOW + 60, SEND), NO_SEND);
    /* 60 of its 100 seconds are over, whatever the clock says from now on. */
    assert_begins(say(fixture, NOW - 86400, SEND), NO_SEND);
    assert_begins(say(fixture, NOW - 86400 + 39, SEND), NO_SEND);
    assert_string_equal(say(fixture, NOW - 86400 + 40, SEND), "ok");
}

/* SPEC R10: a send lock ends by itself after a day, an account lock after its time. */
static void no_lock_grows_when_the_clock_is_set_back(void **state)
{
    struct fixture *fixture = *state;
    static const char question[] = "allows|u1@a.jp|send|messages|1|600|86400";
    assert_string_equal(say(fixture, NOW, question), "ok");
    say(fixture, NOW, "sent|u1@a.jp|1");
    assert_begins(say(fixture, NOW, question), "no|send-lock|");
    for (int i = 0; i < 3; i++)
        authd(fixture, NOW, "login-failed", "u1@a.jp", "192.0.2.1");
    assert_string_equal(say(fixture, NOW + 60, "allows|u1@a.jp|receive"), "ok");
    /* A minute of both is over. */
    assert_string_equal(authd(fixture, NOW - 500000, "login-check", "u1@a.jp", "192.0.2.1"),
                        "locked|840|too many failed logins");
    assert_string_equal(authd(fixture, NOW - 500000 + 840, "login-check", "u1@a.jp", "192.0.2.1"),
                        "ok");
    assert_begins(say(fixture, NOW - 500000 + 86339, SEND), "no|send-lock|");
    assert_string_equal(say(fixture, NOW - 500000 + 86340, SEND), "ok");
}

static void an_account_is_locked_for_mass_sending(void **state)
{
    struct fixture *fixture = *state;
    static const char question[] =
        "allows|u1@a.jp|send|messages|2|600|86400|recipients|10|600|86400";
    assert_string_equal(say(fixture, NOW, question), "ok");
    say(fixture, NOW, "sent|u1@a.jp|9");
    assert_string_equal(say(fixture, NOW, question), "ok");
    say(fixture, NOW, "sent|u1@a.jp|9");
    assert_begins(say(fixture, NOW, question),
                  "no|send-lock|sending is stopped for a time: too much mail was sent");
    assert_string_equal(say(fixture, NOW, "get|u1@a.jp"),
                        "ok|send-lock|1000000|1086400|2 messages sent within 600 seconds");
    assert_string_equal(say(fixture, NOW, "allows|u2@a.jp|send|messages|2|600|86400"), "ok");
    assert_string_equal(say(fixture, NOW, "allows|u1@a.jp|receive"), "ok");
    assert_string_equal(root(fixture, "clear", "u1@a.jp", "send-lock", NULL, NULL), "ok");
    assert_string_equal(say(fixture, NOW, question), "ok");
    say(fixture, NOW, "sent|u1@a.jp|10");
    assert_begins(say(fixture, NOW, question),
                  "no|send-lock|sending is stopped for a time: too much mail was sent");
    assert_non_null(strstr(say(fixture, NOW, "get|u1@a.jp"), "10 recipients sent to within"));
}

static void states_of_a_domain_hold_for_its_accounts(void **state)
{
    struct fixture *fixture = *state;
    assert_string_equal(root(fixture, "set", "@a.jp", "over-capacity", "0", "disk"), "ok");
    assert_begins(say(fixture, NOW, RECEIVE), "no|over-capacity|sorry, mailbox is full (#4.5.2)");
    assert_string_equal(say(fixture, NOW, SEND), "ok");
    assert_string_equal(say(fixture, NOW, "allows|u1@b.a.jp|receive"), "ok");
    assert_string_equal(root(fixture, "set", "@a.jp", "account-lock", "0", "unpaid"), "ok");
    assert_begins(authd(fixture, NOW, "login-ok", "u1@a.jp", "192.0.2.1"),
                  "no|account-lock|this account is locked (unpaid); try again later or ask the "
                  "administrator");
}

static void rules_that_are_none_cost_the_connection(void **state)
{
    struct fixture *fixture = *state;
    static const char *const bad[] = {
        "allows|u1@a.jp|dance",
        "allows|u1@a.jp|send|domain",
        "allows|u1@a.jp|send|domain|3|600",
        "allows|u1@a.jp|send|domain|x|600|100",
        "allows|u1@a.jp|send|domain|3|0|100",
        "allows|u1@a.jp|send|domain|3|600|0",
        "allows|u1@a.jp|send|domain|3|99999999|100",
        "allows|u1@a.jp|send|domain|3|600|99999999",
        "allows|u1@a.jp|send|planet|3|600|100",
        "allows|u1@a.jp|receive|messages|3|600|100",
        "allows|u1@a.jp|login|domain|3|600|100",
        ("allows|u1@a.jp|send|domain|3|600|1|domain|3|600|1|domain|3|600|1|domain|3|600|1"
         "|domain|3|600|1|domain|3|600|1"),
        "sent|u1@a.jp",
        "sent|u1@a.jp|many",
        "sent||1",
        "received",
        "rates",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (strcmp(say(fixture, NOW, bad[i]), "refused") != 0)
            fail_msg("\"%s\" was answered", bad[i]);
    assert_string_equal(ask(fixture, VERBS_AUTHD, NOW, "sent", "u1@a.jp", "1", NULL, NULL),
                        "refused");
    assert_string_equal(say(fixture, NOW, "allows|u1@a.jp|send|domain|0|600|100"), "ok");
    assert_int_equal(fixture->ledger.rates.table.count, 0);
}

/* As after kill -9: the journal is read anew. */
static void restart(struct fixture *fixture)
{
    static const struct failures_limits limits = {.limit = 3, .window_s = 600, .lock_s = 900};
    struct journal_replay replay;
    journal_close(&fixture->journal);
    ledger_free(&fixture->ledger);
    fixture->verbs = (struct verbs){
        .ledger = &fixture->ledger, .journal = &fixture->journal, .board = &fixture->board};
    assert_true(ledger_init(&fixture->ledger, 9, &limits));
    assert_true(journal_open(&fixture->journal, fixture->folder, "journal", apply_to,
                             &fixture->ledger, &replay));
    assert_int_equal(replay.refused + replay.damaged, 0);
    assert_true(board_make(&fixture->board, getgid()));
    verbs_write_board(&fixture->verbs);
    board_begin(&fixture->board);
}

static bool has_room(struct fixture *fixture, const char *account, uint64_t limit)
{
    const struct board_rule rule = {.account = slice_text(account),
                                    .action = SLICE("receive"),
                                    .name = SLICE("domain"),
                                    .limit = limit,
                                    .window_s = 600,
                                    .lasts_s = 60};
    return board_has_room(&fixture->board, &rule);
}

static const char *ask_receive(struct fixture *fixture, const char *limit)
{
    char text[100];
    snprintf(text, sizeof text, "allows|u1@a.jp|receive|domain|%s|600|60", limit);
    return say(fixture, NOW, text);
}

static void what_has_room_is_on_the_board(void **state)
{
    struct fixture *fixture = *state;
    assert_false(has_room(fixture, "u1@a.jp", 200));
    assert_string_equal(ask_receive(fixture, "200"), "ok");
    assert_true(has_room(fixture, "u1@a.jp", 200));
    assert_true(has_room(fixture, "u2@a.jp", 200)); /* the domain's */
    assert_false(has_room(fixture, "u1@a.jp", 201));
    assert_false(has_room(fixture, "u1@b.jp", 200));
    assert_string_equal(ask_receive(fixture, "300"), "ok");
    assert_true(has_room(fixture, "u1@a.jp", 300));
    for (int i = 0; i < 99; i++)
        say(fixture, NOW, "received|@b.jp|@a.jp");
    assert_true(has_room(fixture, "u1@a.jp", 200));
    say(fixture, NOW, "received|@a.jp");
    assert_false(has_room(fixture, "u1@a.jp", 200));
    assert_false(has_room(fixture, "u1@a.jp", 300)); /* all are forgotten */
    assert_string_equal(ask_receive(fixture, "200"), "ok");
    assert_false(has_room(fixture, "u1@a.jp", 200));
    assert_string_equal(ask_receive(fixture, "300"), "ok");
    assert_true(has_room(fixture, "u1@a.jp", 300));
    for (int i = 0; i < 50; i++)
        say(fixture, NOW, "received|@a.jp");
    assert_false(has_room(fixture, "u1@a.jp", 300));
}

static void small_limits_are_not_on_the_board(void **state)
{
    struct fixture *fixture = *state;
    assert_string_equal(ask_receive(fixture, "99"), "ok");
    assert_false(has_room(fixture, "u1@a.jp", 99));
    assert_string_equal(ask_receive(fixture, "100"), "ok");
    assert_true(has_room(fixture, "u1@a.jp", 100));
}

/* A counter that nobody used for its window is gone, and what is told of it goes nowhere. */
static void rooms_are_forgotten_with_their_counters(void **state)
{
    struct fixture *fixture = *state;
    assert_string_equal(ask_receive(fixture, "200"), "ok");
    verbs_end_states(&fixture->verbs, NOW + 60);
    assert_false(has_room(fixture, "u1@a.jp", 200));
}

static bool has_state(struct fixture *fixture, const char *account)
{
    return board_has_state(&fixture->board, slice_text(account));
}

static void states_are_on_the_board(void **state)
{
    struct fixture *fixture = *state;
    assert_false(has_state(fixture, "u1@a.jp"));
    root(fixture, "set", "u1@a.jp", "over-capacity", "0", "full");
    assert_true(has_state(fixture, "u1@a.jp"));
    assert_false(has_state(fixture, "u2@a.jp"));
    root(fixture, "set", "@b.jp", "send-lock", "0", "unpaid");
    assert_true(has_state(fixture, "u1@b.jp"));
    restart(fixture);
    assert_true(has_state(fixture, "u1@a.jp"));
    assert_true(has_state(fixture, "u1@b.jp"));
    root(fixture, "clear", "u1@a.jp", "over-capacity", NULL, NULL);
    verbs_end_states(&fixture->verbs, NOW + 60);
    assert_false(has_state(fixture, "u1@a.jp"));
    assert_true(has_state(fixture, "u1@b.jp"));
    reach_send_limit(fixture);
    assert_begins(say(fixture, NOW, SEND), NO_SEND);
    assert_true(has_state(fixture, "u9@a.jp"));
}

static void a_restart_keeps_pauses_and_written_counts(void **state)
{
    struct fixture *fixture = *state;
    reach_send_limit(fixture);
    say(fixture, NOW, RECEIVE);
    say(fixture, NOW, "received|@a.jp");
    assert_true(verbs_wants_write(&fixture->verbs));
    verbs_write(&fixture->verbs);
    assert_false(verbs_wants_write(&fixture->verbs));
    say(fixture, NOW, "received|@a.jp"); /* this one is lost */
    restart(fixture);
    assert_begins(say(fixture, NOW + 1, SEND), NO_SEND);
    assert_string_equal(say(fixture, NOW + 1, RECEIVE), "ok");
    assert_string_equal(say(fixture, NOW + 1, "rates|@a.jp"), "ok|received|1|2|600");
    say(fixture, NOW + 1, "received|@a.jp");
    assert_begins(say(fixture, NOW + 1, RECEIVE), NO_RECEIVE);
    restart(fixture);
    assert_begins(say(fixture, NOW + 2, RECEIVE), NO_RECEIVE);
    assert_string_equal(say(fixture, NOW + 100, SEND), "ok");
    /* A clock that went back over the restart ends them. */
    restart(fixture);
    assert_string_equal(say(fixture, NOW - 5000, RECEIVE), "ok");
}

/* Nobody knows by how much the clock was set back while stated was away: locks begin then. */
static void no_lock_grows_when_the_clock_is_set_back_over_a_restart(void **state)
{
    struct fixture *fixture = *state;
    root(fixture, "set", "u1@a.jp", "send-lock", "1086400", "x");
    root(fixture, "set", "u2@a.jp", "misuse-detected", "0", "x");
    for (int i = 0; i < 3; i++)
        authd(fixture, NOW, "login-failed", "u1@a.jp", "192.0.2.1");
    verbs_write(&fixture->verbs);
    restart(fixture);
    assert_string_equal(authd(fixture, NOW - 500000, "login-check", "u1@a.jp", "192.0.2.1"),
                        "locked|900|too many failed logins");
    assert_begins(say(fixture, NOW - 500000, SEND), "no|send-lock|");
    assert_begins(say(fixture, NOW - 500000 + 86399, SEND), "no|send-lock|");
    verbs_compact(&fixture->verbs, NOW - 500000 + 86399);
    restart(fixture);
    /* What has no end stays. */
    assert_begins(say(fixture, NOW - 500000 + 86399, "allows|u2@a.jp|send"), "no|misuse-detected|");
    assert_begins(say(fixture, NOW - 500000 + 86399, SEND), "no|send-lock|");
    assert_string_equal(say(fixture, NOW - 500000 + 86400, SEND), "ok");
    assert_string_equal(authd(fixture, NOW - 500000 + 86400, "login-check", "u1@a.jp", "192.0.2.1"),
                        "ok");
}

/* Wherever a crash tears the journal, a pause that was answered is behind the tear. */
static void a_torn_journal_keeps_the_pause(void **state)
{
    struct fixture *fixture = *state;
    reach_send_limit(fixture);
    off_t paused = fixture->journal.size;
    say(fixture, NOW, RECEIVE);
    say(fixture, NOW, "received|@a.jp");
    verbs_write(&fixture->verbs);
    for (off_t size = fixture->journal.size; size >= paused; size--) {
        assert_int_equal(ftruncate(fixture->journal.fd, size), 0);
        restart(fixture);
        assert_begins(say(fixture, NOW + 1, SEND), NO_SEND);
    }
}

static void a_full_disk_keeps_the_pause_in_memory(void **state)
{
    struct fixture *fixture = *state;
    int file = fixture->journal.fd;
    fixture->journal.fd = open("/dev/full", O_WRONLY);
    reach_send_limit(fixture);
    verbs_write(&fixture->verbs);
    assert_begins(say(fixture, NOW + 1, SEND), NO_SEND);
    close(fixture->journal.fd);
    fixture->journal.fd = file;
}

static void compaction_keeps_counters_and_pauses(void **state)
{
    struct fixture *fixture = *state;
    reach_send_limit(fixture);
    say(fixture, NOW, RECEIVE);
    for (int i = 0; i < 50; i++) {
        say(fixture, NOW, "received|@a.jp");
        verbs_write(&fixture->verbs);
    }
    off_t before = fixture->journal.size;
    fixture->journal.compact_at = 0;
    verbs_compact(&fixture->verbs, NOW);
    assert_true(fixture->journal.size < before / 4);
    restart(fixture);
    assert_string_equal(say(fixture, NOW, "rates|@a.jp"), "ok|received|50|2|600");
    assert_begins(say(fixture, NOW, SEND), NO_SEND);
}

static void compaction_keeps_all_that_counts(void **state)
{
    struct fixture *fixture = *state;
    struct journal_replay replay;
    for (int i = 0; i < 100; i++)
        authd(fixture, NOW - 10000, "login-failed", "u3@a", "192.0.2.3");
    root(fixture, "set", "u1@a", "send-lock", "0", "why");
    for (int i = 0; i < 3; i++)
        authd(fixture, NOW, "login-failed", "u2@a", "192.0.2.1");
    fixture->journal.compact_at = 0;
    off_t before = fixture->journal.size;
    verbs_compact(&fixture->verbs, NOW);
    assert_true(fixture->journal.size < before / 2);
    journal_close(&fixture->journal);
    ledger_free(&fixture->ledger);
    static const struct failures_limits limits = {.limit = 3, .window_s = 600, .lock_s = 900};
    assert_true(ledger_init(&fixture->ledger, 9, &limits));
    assert_true(journal_open(&fixture->journal, fixture->folder, "journal", apply_to,
                             &fixture->ledger, &replay));
    assert_int_equal(replay.refused + replay.damaged + replay.cut_size, 0);
    assert_string_equal(root(fixture, "get", "u1@a", NULL, NULL, NULL),
                        "ok|send-lock|1000000|0|why");
    assert_int_equal(authd(fixture, NOW + 1, "login-check", "u2@a", "192.0.2.1")[0], 'l');
}

/* Too many recipients, or too many that do not exist: till the password is changed. */
static void misuse_is_detected(void **state)
{
    struct fixture *fixture = *state;
    static const char ask_rejected[] =
        "allows|u1@a|send|misuse-recipients|9|600|0|misuse-rejected|3|600|0";
    static const char misuse[] = "no|misuse-detected|";
    assert_string_equal(say(fixture, NOW, ask_rejected), "ok");
    assert_string_equal(say(fixture, NOW, "rejected|u1@a|2"), "");
    assert_string_equal(say(fixture, NOW + 1, ask_rejected), "ok");
    assert_string_equal(say(fixture, NOW + 2, "rejected|u1@a|1"), "");
    assert_memory_equal(say(fixture, NOW + 2, ask_rejected), misuse, sizeof misuse - 1);
    /* It stays, longer than the window, and ends by a new password; the counter begins anew. */
    assert_memory_equal(say(fixture, NOW + 100000, "allows|u1@a|send"), misuse, sizeof misuse - 1);
    assert_string_equal(say(fixture, NOW + 100000, "allows|u2@a|send"), "ok");
    assert_string_equal(say(fixture, NOW + 100000, "allows|u1@a|login"), "ok");
    assert_string_equal(
        ask(fixture, VERBS_ROOT, NOW + 100000, "get", "u1@a", NULL, NULL, NULL),
        "ok|misuse-detected|1000002|0|3 recipients that do not exist within 600 seconds");
    assert_string_equal(
        ask(fixture, VERBS_ROOT, NOW + 100000, "clear", "u1@a", "misuse-detected", NULL, NULL),
        "ok");
    assert_string_equal(say(fixture, NOW + 100000, ask_rejected), "ok");
    assert_string_equal(say(fixture, NOW + 100000, "sent|u1@a|9"), "");
    assert_memory_equal(say(fixture, NOW + 100001, ask_rejected), misuse, sizeof misuse - 1);
    /* A rule of misuse has no end, the others have one. */
    assert_string_equal(say(fixture, NOW, "allows|u3@a|send|misuse-rejected|3|600|60"), "refused");
    assert_string_equal(say(fixture, NOW, "allows|u3@a|send|messages|3|600|0"), "refused");
}

static void what_happened_is_remembered(void **state)
{
    struct fixture *fixture = *state;
    assert_string_equal(root(fixture, "set", "u1@a", "send-lock", "1000100", "mass mailing"), "ok");
    assert_begins(say(fixture, NOW, "allows|u1@a|send"),
                  "no|send-lock|sending is stopped for a time: too much mail was sent (mass "
                  "mailing); it ends at 1970-01-12 13:48 ");
    assert_string_equal(root(fixture, "set", "u1@a", "misuse-detected", "0", "\xe6\x97\xa5"), "ok");
    assert_string_equal(say(fixture, NOW, "allows|u1@a|send"),
                        "no|misuse-detected|sending is stopped: misuse of this account was "
                        "detected; change the password|0");
    assert_string_equal(root(fixture, "clear", "u1@a", "misuse-detected", NULL, NULL), "ok");
    verbs_end_states(&fixture->verbs, NOW + 200);
    static const char whole[] = "ok|1000000|send-lock|set|1000100|mass mailing"
                                "|1000000|misuse-detected|set|0|\xe6\x97\xa5"
                                "|1000000|misuse-detected|cleared|0|"
                                "|1000100|send-lock|ended|0|";
    assert_string_equal(root(fixture, "history", "u1@a", NULL, NULL, NULL), whole);
    assert_string_equal(root(fixture, "history", "u2@a", NULL, NULL, NULL), "ok");
    assert_string_equal(say(fixture, NOW, "history|u1@a"), "refused");
    /* No account has more than its share. */
    for (int i = 0; i < 3 * HISTORY_ACCOUNT_MAX; i++)
        assert_string_equal(root(fixture, "set", "u3@a", "send-lock", "0", "again"), "ok");
    assert_int_equal(fixture->ledger.history.count, 4 + HISTORY_ACCOUNT_MAX);
    assert_string_equal(root(fixture, "history", "u1@a", NULL, NULL, NULL), whole);
}

static void states_of_a_domain_are_listed(void **state)
{
    struct fixture *fixture = *state;
    char name[32], question[64];
    size_t found = 0;
    for (int i = 0; i < 200; i++) {
        snprintf(name, sizeof name, "u%d@a.jp", i);
        assert_string_equal(root(fixture, "set", name, "send-lock", "0", "x"), "ok");
    }
    assert_string_equal(root(fixture, "set", "@a.jp", "send-lock", "0", "x"), "ok");
    assert_string_equal(root(fixture, "set", "u1@b.jp", "send-lock", "0", "x"), "ok");
    assert_string_equal(root(fixture, "set", "u1@sub.a.jp", "send-lock", "0", "x"), "ok");
    for (uint64_t cursor = 0, rounds = 0; rounds == 0 || cursor != 0; rounds++) {
        struct wire_message asked;
        struct slice fields[WIRE_MAX_FIELDS];
        size_t count;
        snprintf(question, sizeof question, "%llu", (unsigned long long)cursor);
        make_question(&asked, "state/1", "states-of", "@a.jp", question, NULL);
        str_clear(&fixture->answer);
        assert_true(verbs_answer(&fixture->verbs, VERBS_ROOT, NOW, &asked, &fixture->answer));
        wire_free(&asked);
        assert_true(wire_split(str_slice(&fixture->answer), fields, WIRE_MAX_FIELDS, &count));
        assert_true(number_parse(fields[1], UINT64_MAX, &cursor));
        found += (count - 2) / 5;
    }
    assert_int_equal(found, 200);
}

static void strangers_locks_do_not_push_changes_out(void **state)
{
    struct fixture *fixture = *state;
    struct history_event event = {.state = STATES_ACCOUNT_LOCK, .what = HISTORY_LOCKED};
    assert_string_equal(root(fixture, "set", "u1@a", "send-lock", "0", "x"), "ok");
    for (int i = 0; i < HISTORY_MAX; i++) {
        snprintf(event.account, sizeof event.account, "guess%d@a", i);
        assert_true(history_add(&fixture->ledger.history, &event));
    }
    assert_int_equal(fixture->ledger.history.count, 1 + HISTORY_MAX / 2);
    assert_string_equal(root(fixture, "history", "u1@a", NULL, NULL, NULL),
                        "ok|1000000|send-lock|set|0|x");
}

static void sessions_end_on_the_board(void **state)
{
    struct fixture *fixture = *state;
    uint64_t before = board_moment(fixture->verbs.board);
    assert_string_equal(root(fixture, "end-sessions", "u1@a", NULL, NULL, NULL), "ok");
    assert_true(!fixture->verbs.board->memory ||
                board_has_ended(fixture->verbs.board, SLICE("u1@a"), before));
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, finish)
    static const struct CMUnitTest tests[] = {
        CASE(sessions_end_on_the_board),
        CASE(logins_fail_lock_and_are_forgiven),
        CASE(a_plans_count_and_time_lock),
        CASE(states_stop_what_they_should),
        CASE(states_end_by_themselves),
        CASE(setting_again_keeps_the_beginning),
        CASE(wrong_questions_get_a_reason),
        CASE(queued_keeps_who_is_full),
        CASE(nobody_asks_what_is_not_his),
        CASE(a_state_that_can_t_be_written_is_not_set),
        CASE(a_domain_pauses_and_goes_on_by_itself),
        CASE(a_domain_receives_each_message_once),
        CASE(no_pause_is_longer_than_two_hours),
        CASE(a_pause_does_not_grow_when_the_clock_is_set_back),
        CASE(no_lock_grows_when_the_clock_is_set_back),
        CASE(an_account_is_locked_for_mass_sending),
        CASE(states_of_a_domain_hold_for_its_accounts),
        CASE(misuse_is_detected),
        CASE(what_happened_is_remembered),
        CASE(states_of_a_domain_are_listed),
        CASE(strangers_locks_do_not_push_changes_out),
        CASE(rules_that_are_none_cost_the_connection),
        CASE(what_has_room_is_on_the_board),
        CASE(small_limits_are_not_on_the_board),
        CASE(rooms_are_forgotten_with_their_counters),
        CASE(states_are_on_the_board),
        CASE(a_restart_keeps_pauses_and_written_counts),
        CASE(no_lock_grows_when_the_clock_is_set_back_over_a_restart),
        CASE(a_torn_journal_keeps_the_pause),
        CASE(a_full_disk_keeps_the_pause_in_memory),
        CASE(compaction_keeps_counters_and_pauses),
        CASE(compaction_keeps_all_that_counts),
    };
    return cmocka_run_group_tests_name("verbs", tests, NULL, NULL);
}
