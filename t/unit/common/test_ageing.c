/* ageing: the questions and answers of age/1, and those that make no sense */
#include "unit.h"

#include "ageing.h"
#include "clock.h"
#include "io.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PACKET_MAX = 2048, FIELDS_MAX = 8 };

static int pair[2];

static int connect_pair(void **state)
{
    (void)state;
    return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair);
}

static int close_pair(void **state)
{
    (void)state;
    io_close(&pair[0]);
    io_close(&pair[1]);
    return 0;
}

static void send_fields(int fd, const char *const *fields)
{
    char bytes[PACKET_MAX];
    struct str packet = str_on(bytes, sizeof bytes);
    for (size_t i = 0; fields[i]; i++)
        wire_put_text(&packet, fields[i]);
    assert_false(packet.failed);
    assert_int_equal(wire_send(fd, str_slice(&packet), NULL, 0, CLOCK_NEVER), WIRE_OK);
}

static bool read_question(struct ageing_request *request)
{
    struct wire_message message;
    wire_init(&message);
    assert_int_equal(wire_receive(pair[1], &message, CLOCK_NEVER), WIRE_OK);
    bool done = ageing_read(&message, request);
    wire_free(&message);
    return done;
}

static void a_question_arrives_as_it_was_asked(void **state)
{
    (void)state;
    static const struct ageing_request cases[] = {
        {.local = "u1", .days = {180, 31}},
        {.local = "a.b-c_d", .days = {0, AGEING_DAYS_MAX}, .only_looks = true},
        {.local = "a..b", .days = {AGEING_DAYS_MAX, 0}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ageing_request read;
        assert_true(ageing_ask(pair[0], &cases[i], CLOCK_NEVER));
        assert_true(read_question(&read));
        assert_string_equal(read.local, cases[i].local);
        assert_int_equal(read.days.archive, cases[i].days.archive);
        assert_int_equal(read.days.trash, cases[i].days.trash);
        assert_int_equal(read.only_looks, cases[i].only_looks);
    }
}

static void questions_that_make_no_sense(void **state)
{
    (void)state;
    static char long_name[DIRECTORY_LOCAL_MAX + 2];
    memset(long_name, 'a', sizeof long_name - 1);
    const char *const cases[][FIELDS_MAX] = {
        {"age/1"},
        {"age/2", "u1", "1", "1", "do"},
        {"age/1", "u1", "1", "1"},
        {"age/1", "u1", "1", "1", "do", "more"},
        {"age/1", "u1", "1", "1", "undo"},
        {"age/1", "u1", "1", "1", ""},
        {"age/1", "", "1", "1", "do"},
        {"age/1", ".", "1", "1", "do"},
        {"age/1", "..", "1", "1", "do"},
        {"age/1", ".removing-u1", "1", "1", "do"},
        {"age/1", "../u1", "1", "1", "do"},
        {"age/1", "u1/Maildir", "1", "1", "do"},
        {"age/1", "u\n1", "1", "1", "do"},
        {"age/1", long_name, "1", "1", "do"},
        {"age/1", "u1", "-1", "1", "do"},
        {"age/1", "u1", "", "1", "do"},
        {"age/1", "u1", "1", "36501", "do"},
        {"age/1", "u1", "18446744073709551616", "1", "do"},
        {"age/1", "u1", "1", " 1", "do"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ageing_request request;
        send_fields(pair[0], cases[i]);
        if (read_question(&request))
            fail_msg("case %zu is taken", i);
    }
}

static enum ageing_answer receive(struct ageing_result *result, char text[AGEING_TEXT_MAX])
{
    struct wire_message message;
    wire_init(&message);
    enum ageing_answer answer =
        ageing_receive(pair[0], &message, result, text, clock_deadline(1000));
    wire_free(&message);
    return answer;
}

static void an_answer_arrives_as_it_was_given(void **state)
{
    (void)state;
    static const struct ageing_result given = {1, 2, 3, INT64_MAX};
    char bytes[PACKET_MAX], text[AGEING_TEXT_MAX];
    struct str packet = str_on(bytes, sizeof bytes);
    struct ageing_result result;
    ageing_put_done(&packet, &given);
    assert_int_equal(wire_send(pair[1], str_slice(&packet), NULL, 0, CLOCK_NEVER), WIRE_OK);
    assert_int_equal(receive(&result, text), AGEING_DONE);
    assert_memory_equal(&result, &given, sizeof given);
    assert_string_equal(text, "");
    str_clear(&packet);
    ageing_put_trouble(&packet, "no room");
    assert_int_equal(wire_send(pair[1], str_slice(&packet), NULL, 0, CLOCK_NEVER), WIRE_OK);
    assert_int_equal(receive(&result, text), AGEING_TROUBLE);
    assert_string_equal(text, "no room");
    assert_int_equal(result.archived | result.deleted_bytes, 0);
}

/* It runs under a customer's uid: what it says is a number or nothing. */
static void answers_that_make_no_sense(void **state)
{
    (void)state;
    static char long_text[AGEING_TEXT_MAX + 1];
    memset(long_text, 'a', sizeof long_text - 1);
    const char *const cases[][FIELDS_MAX] = {
        {"ok"},
        {"ok", "1", "2", "3"},
        {"ok", "1", "2", "3", "4", "5"},
        {"ok", "1", "2", "3", "-4"},
        {"ok", "1", "2", "3", "9223372036854775808"},
        {"ok", "x", "2", "3", "4"},
        {"trouble"},
        {"trouble", "a", "b"},
        {"trouble", long_text},
        {"", "1", "2", "3", "4"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[AGEING_TEXT_MAX];
        struct ageing_result result;
        send_fields(pair[1], cases[i]);
        if (receive(&result, text) != AGEING_GONE)
            fail_msg("case %zu is taken", i);
        assert_non_null(strstr(text, "no sense"));
        assert_int_equal(
            result.archived | result.archived_bytes | result.deleted | result.deleted_bytes, 0);
    }
}

static void who_is_gone_gives_no_answer(void **state)
{
    (void)state;
    char text[AGEING_TEXT_MAX];
    struct ageing_result result;
    assert_int_equal(send(pair[1], "no netstrings", 13, 0), 13);
    assert_int_equal(receive(&result, text), AGEING_GONE);
    assert_non_null(strstr(text, "does not answer"));
    io_close(&pair[1]);
    assert_int_equal(receive(&result, text), AGEING_GONE);
    assert_false(ageing_ask(pair[0], &(struct ageing_request){.local = "u1"}, CLOCK_NEVER));
}

static void days_that_want_it(void **state)
{
    (void)state;
    assert_false(ageing_is_wanted(&(struct ageing_days){0, 0}));
    assert_true(ageing_is_wanted(&(struct ageing_days){1, 0}));
    assert_true(ageing_is_wanted(&(struct ageing_days){0, 1}));
}

#define PAIRED(test) cmocka_unit_test_setup_teardown(test, connect_pair, close_pair)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PAIRED(a_question_arrives_as_it_was_asked), PAIRED(questions_that_make_no_sense),
        PAIRED(an_answer_arrives_as_it_was_given),  PAIRED(answers_that_make_no_sense),
        PAIRED(who_is_gone_gives_no_answer),        cmocka_unit_test(days_that_want_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
