/* pop3command: POP3's lines, clean and odd */
#include "unit.h"

#include "pop3command.h"

#include <string.h>

static const struct {
    const char *line;
    enum pop3command_verb verb;
    const char *argument;
} good[] = {
    {"STAT\r\n", POP3COMMAND_STAT, ""},
    {"stat\n", POP3COMMAND_STAT, ""},
    {"uIdL 7\r\n", POP3COMMAND_UIDL, "7"},
    {"PASS a b  c \r\n", POP3COMMAND_PASS, "a b  c "},
    {"PASS  lead\r\n", POP3COMMAND_PASS, " lead"},
    {"PASS\r\n", POP3COMMAND_PASS, ""},
    {"TOP 1 0\r\n", POP3COMMAND_TOP, "1 0"},
    {"AUTH\r\n", POP3COMMAND_AUTH, ""},
    {"\r\n", POP3COMMAND_UNKNOWN, ""},
    {"\n", POP3COMMAND_UNKNOWN, ""},
    {" STAT\r\n", POP3COMMAND_UNKNOWN, "STAT"},
    {"STAT\t1\r\n", POP3COMMAND_UNKNOWN, ""},
    {"LAST\r\n", POP3COMMAND_UNKNOWN, ""},
    {"GET / HTTP/1.1\r\n", POP3COMMAND_UNKNOWN, "/ HTTP/1.1"},
    {"USER \xe3\x81\x82\r\n", POP3COMMAND_USER, "\xe3\x81\x82"},
};

static void lines_are_parsed(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct pop3command command;
        assert_int_equal(pop3command_parse(slice_text(good[i].line), &command),
                         POP3COMMAND_LINE_OK);
        if (command.verb != good[i].verb)
            fail_msg("%s", good[i].line);
        assert_slice(command.argument, good[i].argument);
    }
}

static void bad_bytes_are_refused(void **state)
{
    (void)state;
    struct pop3command command;
    assert_int_equal(pop3command_parse(SLICE("PASS a\0b\r\n"), &command), POP3COMMAND_LINE_BAD);
    assert_int_equal(pop3command_parse(SLICE("PASS a\rb\r\n"), &command), POP3COMMAND_LINE_BAD);
    assert_int_equal(pop3command_parse(SLICE("STAT\r\r\n"), &command), POP3COMMAND_LINE_BAD);
}

static void each_verb_has_its_length(void **state)
{
    (void)state;
    char line[POP3COMMAND_AUTH_LINE_MAX + 2];
    struct pop3command command;
    memset(line, 'x', sizeof line);
    memcpy(line, "PASS ", 5);
    line[POP3COMMAND_LINE_MAX - 1] = '\n';
    assert_int_equal(pop3command_parse(slice_of(line, POP3COMMAND_LINE_MAX), &command),
                     POP3COMMAND_LINE_OK);
    line[POP3COMMAND_LINE_MAX - 1] = 'x';
    line[POP3COMMAND_LINE_MAX] = '\n';
    assert_int_equal(pop3command_parse(slice_of(line, POP3COMMAND_LINE_MAX + 1), &command),
                     POP3COMMAND_LINE_TOO_LONG);
    memset(line, 'x', sizeof line);
    memcpy(line, "auth ", 5);
    line[POP3COMMAND_AUTH_LINE_MAX - 1] = '\n';
    assert_int_equal(pop3command_parse(slice_of(line, POP3COMMAND_AUTH_LINE_MAX), &command),
                     POP3COMMAND_LINE_OK);
    line[POP3COMMAND_AUTH_LINE_MAX - 1] = 'x';
    assert_int_equal(pop3command_parse(slice_of(line, POP3COMMAND_AUTH_LINE_MAX + 1), &command),
                     POP3COMMAND_LINE_TOO_LONG);
}

static void words_are_counted(void **state)
{
    (void)state;
    struct slice first, second;
    assert_true(pop3command_one(SLICE("1"), &first));
    assert_true(pop3command_one(SLICE(" 1 "), &first));
    assert_slice(first, "1");
    assert_false(pop3command_one(SLICE(""), &first));
    assert_false(pop3command_one(SLICE("1 2"), &first));
    assert_true(pop3command_two(SLICE("1 2"), &first, &second));
    assert_slice(second, "2");
    assert_false(pop3command_two(SLICE("1"), &first, &second));
    assert_false(pop3command_two(SLICE("1 2 3"), &first, &second));
    assert_false(pop3command_two(SLICE(""), &first, &second));
}

static void numbers_are_in_range(void **state)
{
    (void)state;
    size_t number;
    assert_true(pop3command_number(SLICE("1"), 3, &number) && number == 1);
    assert_true(pop3command_number(SLICE("003"), 3, &number) && number == 3);
    assert_false(pop3command_number(SLICE("0"), 3, &number));
    assert_false(pop3command_number(SLICE("4"), 3, &number));
    assert_false(pop3command_number(SLICE("1"), 0, &number));
    assert_false(pop3command_number(SLICE("-1"), 3, &number));
    assert_false(pop3command_number(SLICE("1x"), 3, &number));
    assert_false(pop3command_number(SLICE(""), 3, &number));
    assert_false(pop3command_number(SLICE("99999999999999999999999"), SIZE_MAX, &number));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_parsed),         cmocka_unit_test(bad_bytes_are_refused),
        cmocka_unit_test(each_verb_has_its_length), cmocka_unit_test(words_are_counted),
        cmocka_unit_test(numbers_are_in_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
