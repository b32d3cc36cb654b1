/* verbs: every question to stated, who may ask it, and what it is answered */
#include "question.h"

#include "verbs.h"

#include "io.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NOW = 1000000 };

struct fixture {
    char path[64];
    int folder;
    struct ledger ledger;
    struct journal journal;
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
    fixture.verbs = (struct verbs){.ledger = &fixture.ledger, .journal = &fixture.journal};
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
    unlinkat(fixture->folder, "journal", 0);
    io_close(&fixture->folder);
    rmdir(fixture->path);
    ledger_free(&fixture->ledger);
    str_free(&fixture->answer);
    return 0;
}

/* Asks at `now`; the answer's fields joined by '|', or "refused". */
static const char *ask(struct fixture *fixture, enum verbs_peer peer, int64_t now, const char *verb,
                       const char *a, const char *b, const char *c, const char *d)
{
    static char text[2000];
    struct wire_message question;
    struct slice fields[20];
    size_t count, used = 0;
    /* The first NULL of a to d ends the list. */
    make_question(&question, "state/1", verb, a, b, c, d, NULL);
    str_clear(&fixture->answer);
    bool answered = verbs_answer(&fixture->verbs, peer, now, &question, &fixture->answer);
    wire_free(&question);
    if (!answered)
        return "refused";
    assert_true(wire_split(str_slice(&fixture->answer), fields, 20, &count));
    text[0] = '\0';
    for (size_t i = 0; i < count; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%.*s", i > 0 ? "|" : "",
                                 SLICE_PRINTF(fields[i]));
    return text;
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
    assert_string_equal(root(fixture, "get", "u1@a", NULL, NULL, NULL),
                        "ok|account-lock|1000000|1000900|3 failed logins from 192.0.2.1");
    assert_string_equal(root(fixture, "clear", "u1@a", "account-lock", NULL, NULL), "ok");
    assert_string_equal(authd(fixture, NOW + 1, "login-check", "u1@a", "192.0.2.1"), "ok");
}

static void states_stop_what_they_should(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        const char *name, *send, *receive, *login;
    } states[] = {
        {"misuse-detected", "no|", "ok", "ok"}, {"account-lock", "ok", "ok", "no|"},
        {"send-lock", "no|", "ok", "ok"},       {"over-capacity", "ok", "no|", "ok"},
        {"password-forced", "ok", "ok", "no|"},
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
    assert_string_equal(ask(fixture, VERBS_OTHER, NOW + 100, "allows", "u1@a", "send", NULL, NULL),
                        "ok");
    assert_int_equal(fixture->ledger.states.count, 1);
    verbs_end_states(&fixture->verbs, NOW + 99);
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

static void compaction_keeps_all_that_counts(void **state)
{
    struct fixture *fixture = *state;
    struct journal_replay replay;
    root(fixture, "set", "u1@a", "send-lock", "0", "why");
    for (int i = 0; i < 3; i++)
        authd(fixture, NOW, "login-failed", "u2@a", "192.0.2.1");
    for (int i = 0; i < 100; i++)
        authd(fixture, NOW - 10000, "login-failed", "u3@a", "192.0.2.3");
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

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, finish)
    static const struct CMUnitTest tests[] = {
        CASE(logins_fail_lock_and_are_forgiven),
        CASE(states_stop_what_they_should),
        CASE(states_end_by_themselves),
        CASE(setting_again_keeps_the_beginning),
        CASE(wrong_questions_get_a_reason),
        CASE(nobody_asks_what_is_not_his),
        CASE(a_state_that_can_t_be_written_is_not_set),
        CASE(compaction_keeps_all_that_counts),
    };
    return cmocka_run_group_tests_name("verbs", tests, NULL, NULL);
}
