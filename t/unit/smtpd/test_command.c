/* command: lines of a client, MAIL and RCPT with their parameters */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "command.h"

#include <stdlib.h>
#include <string.h>

/* SLICE is no constant for tables. */
#define BYTES(literal)                                                                             \
    {                                                                                              \
        "" literal, sizeof(literal) - 1                                                            \
    }

struct line_case {
    struct slice line;
    enum command_line result;
    enum command_verb verb;
    const char *argument;
};

static const struct line_case lines[] = {
    {BYTES("NOOP\r\n"), COMMAND_LINE_OK, COMMAND_NOOP, ""},
    {BYTES("noop\r\n"), COMMAND_LINE_OK, COMMAND_NOOP, ""},
    {BYTES("  EHLO   a b  \r\n"), COMMAND_LINE_OK, COMMAND_EHLO, "a b"},
    {BYTES("MAIL\tFROM:<a@b>\r\n"), COMMAND_LINE_OK, COMMAND_MAIL, "FROM:<a@b>"},
    {BYTES("\r\n"), COMMAND_LINE_OK, COMMAND_UNKNOWN, ""},
    {BYTES("NOOPX\r\n"), COMMAND_LINE_OK, COMMAND_UNKNOWN, ""},
    {BYTES("STARTTLS\r\n"), COMMAND_LINE_OK, COMMAND_STARTTLS, ""},
    {BYTES("bdat 10 last\r\n"), COMMAND_LINE_OK, COMMAND_BDAT, "10 last"},
    {BYTES("LHLO a\r\n"), COMMAND_LINE_OK, COMMAND_LHLO, "a"},
    {BYTES("XCLIENT A=b\r\n"), COMMAND_LINE_OK, COMMAND_XCLIENT, "A=b"},
    {BYTES("post / HTTP/1.0\r\n"), COMMAND_LINE_OK, COMMAND_FORBIDDEN, "/ HTTP/1.0"},
    {BYTES("NOOP\n"), COMMAND_LINE_BAD_END, COMMAND_UNKNOWN, ""},
    {BYTES("NOOP\r"), COMMAND_LINE_BAD_END, COMMAND_UNKNOWN, ""},
    {BYTES("NOOP"), COMMAND_LINE_BAD_END, COMMAND_UNKNOWN, ""},
    {BYTES(""), COMMAND_LINE_BAD_END, COMMAND_UNKNOWN, ""},
    {BYTES("NOOP\r\r\n"), COMMAND_LINE_BAD_END, COMMAND_UNKNOWN, ""},
    {BYTES("NO\0OP\r\n"), COMMAND_LINE_BAD_END, COMMAND_UNKNOWN, ""},
};

static void lines_are_understood(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct command command;
        assert_int_equal(command_parse(lines[i].line, &command), lines[i].result);
        assert_int_equal(command.verb, lines[i].verb);
        if (lines[i].verb != COMMAND_UNKNOWN)
            assert_true(slice_equal(command.argument, slice_text(lines[i].argument)));
    }
}

/* A line of `size` bytes with its line end that begins with `verb`. */
static enum command_line parse_long(const char *verb, size_t size)
{
    struct command command;
    char *line = malloc(size);
    assert_non_null(line);
    memset(line, 'x', size);
    memcpy(line, verb, strlen(verb));
    memcpy(line + size - 2, "\r\n", 2);
    enum command_line result = command_parse(slice_of(line, size), &command);
    free(line);
    return result;
}

static void lengths_depend_on_the_verb(void **state)
{
    (void)state;
    assert_int_equal(parse_long("NOOP ", COMMAND_LINE_MAX), COMMAND_LINE_OK);
    assert_int_equal(parse_long("NOOP ", COMMAND_LINE_MAX + 1), COMMAND_LINE_TOO_LONG);
    assert_int_equal(parse_long("XXXX ", COMMAND_LINE_MAX + 1), COMMAND_LINE_TOO_LONG);
    assert_int_equal(parse_long("MAIL ", COMMAND_MAIL_LINE_MAX), COMMAND_LINE_OK);
    assert_int_equal(parse_long("MAIL ", COMMAND_MAIL_LINE_MAX + 1), COMMAND_LINE_TOO_LONG);
    assert_int_equal(parse_long("RCPT ", COMMAND_RCPT_LINE_MAX), COMMAND_LINE_OK);
    assert_int_equal(parse_long("RCPT ", COMMAND_RCPT_LINE_MAX + 1), COMMAND_LINE_TOO_LONG);
    assert_int_equal(parse_long("AUTH ", COMMAND_AUTH_LINE_MAX), COMMAND_LINE_OK);
}

struct mail_case {
    const char *argument;
    enum command_problem problem;
    const char *local;
    uint64_t size;
    bool is_8bit;
    bool utf8;
};

static const struct mail_case mails[] = {
    {"FROM:<a@b>", COMMAND_FINE, "a", 0, false, false},
    {"from:<a@b>", COMMAND_FINE, "a", 0, false, false},
    {"FROM: <a@b>", COMMAND_FINE, "a", 0, false, false},
    {"FROM:a@b", COMMAND_FINE, "a", 0, false, false},
    {"FROM:a@b SIZE=5", COMMAND_FINE, "a", 5, false, false},
    {"FROM:<>", COMMAND_FINE, "", 0, false, false},
    {"FROM:<a@b> SIZE=20971520 BODY=8bitmime smtputf8", COMMAND_FINE, "a", 20971520, true, true},
    {"FROM:<a@b>  SIZE=0  BODY=7BIT ", COMMAND_FINE, "a", 0, false, false},
    {"FROM:<a@b> SIZE=18446744073709551615", COMMAND_FINE, "a", UINT64_MAX, false, false},
    {"FROM:<a@b> SIZE=18446744073709551616", COMMAND_FINE, "a", UINT64_MAX, false, false},
    {"FROM:<a@b> AUTH=<>", COMMAND_FINE, "a", 0, false, false},
    {"FROM:<a@b> AUTH=e+3Dmc2@example.com", COMMAND_FINE, "a", 0, false, false},
    {"FROM:<\xe3\x81\x82@b> SMTPUTF8", COMMAND_FINE, "\xe3\x81\x82", 0, false, true},
    {"FROM:<\xe3\x81\x82@b>", COMMAND_NEEDS_UTF8, NULL, 0, false, false},
    {"FROM:<\xff@b> SMTPUTF8", COMMAND_BAD_ADDRESS, NULL, 0, false, false},
    {"", COMMAND_SYNTAX, NULL, 0, false, false},
    {"FROM", COMMAND_SYNTAX, NULL, 0, false, false},
    {"FROM:", COMMAND_SYNTAX, NULL, 0, false, false},
    {"TO:<a@b>", COMMAND_SYNTAX, NULL, 0, false, false},
    {"FROM<a@b>", COMMAND_SYNTAX, NULL, 0, false, false},
    {"FROM:<a@b>SIZE=1", COMMAND_BAD_ADDRESS, NULL, 0, false, false},
    {"FROM:<a>", COMMAND_BAD_ADDRESS, NULL, 0, false, false},
    {"FROM:a", COMMAND_BAD_ADDRESS, NULL, 0, false, false},
    {"FROM:<a@b> SIZE", COMMAND_BAD_PARAMETER, NULL, 0, false, false},
    {"FROM:<a@b> SIZE=", COMMAND_BAD_PARAMETER, NULL, 0, false, false},
    {"FROM:<a@b> SIZE=-1", COMMAND_BAD_PARAMETER, NULL, 0, false, false},
    {"FROM:<a@b> SIZE=1M", COMMAND_BAD_PARAMETER, NULL, 0, false, false},
    {"FROM:<a@b> BODY=BINARY", COMMAND_BAD_PARAMETER, NULL, 0, false, false},
    {"FROM:<a@b> SIZE=1 size=1", COMMAND_BAD_PARAMETER, NULL, 0, false, false},
    {"FROM:<a@b> RET=HDRS RET=HDRS", COMMAND_BAD_PARAMETER, NULL, 0, false, false},
    {"FROM:<a@b> RET=", COMMAND_BAD_PARAMETER, NULL, 0, false, false},
    {"FROM:<a@b> RET=HEADERS", COMMAND_BAD_PARAMETER, NULL, 0, false, false},
    {"FROM:<a@b> ENVID=", COMMAND_BAD_PARAMETER, NULL, 0, false, false},
    {"FROM:<a@b> ENVID=a+b", COMMAND_BAD_PARAMETER, NULL, 0, false, false},
    {"FROM:<a@b> ENVID=a=b", COMMAND_BAD_PARAMETER, NULL, 0, false, false},
    {"FROM:<a@b> SMTPUTF8=1", COMMAND_BAD_PARAMETER, NULL, 0, false, false},
    {"FROM:<a@b> AUTH", COMMAND_BAD_PARAMETER, NULL, 0, false, false},
    {"FROM:<a@b> NOTIFY=NEVER", COMMAND_UNKNOWN_PARAMETER, NULL, 0, false, false},
    {"FROM:<a@b> x", COMMAND_UNKNOWN_PARAMETER, NULL, 0, false, false},
};

static void mail_is_parsed(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof mails / sizeof *mails; i++) {
        const struct mail_case *one = &mails[i];
        struct command_mail mail;
        enum command_problem problem = command_parse_mail(slice_text(one->argument), &mail);
        if (problem != one->problem)
            fail_msg("%s: %d", one->argument, (int)problem);
        if (problem != COMMAND_FINE)
            continue;
        assert_true(slice_equal(mail.address.local, slice_text(one->local)));
        assert_int_equal(mail.size, one->size);
        assert_int_equal(mail.body == ENVELOPE_BODY_8BIT, one->is_8bit);
        assert_int_equal(mail.utf8, one->utf8);
    }
}

static void mail_tells_about_reports(void **state)
{
    (void)state;
    struct command_mail mail;
    assert_int_equal(
        command_parse_mail(SLICE("FROM:<a@b> ret=hdrs ENVID=QQ314159+2B BODY=binarymime"), &mail),
        COMMAND_FINE);
    assert_int_equal(mail.ret, DSN_RETURN_HEADERS);
    assert_true(slice_equal(mail.envid, SLICE("QQ314159+2B")));
    assert_int_equal(mail.body, ENVELOPE_BODY_BINARY);
    assert_int_equal(command_parse_mail(SLICE("FROM:<a@b>"), &mail), COMMAND_FINE);
    assert_int_equal(mail.ret, DSN_RETURN_DEFAULT);
    assert_int_equal(mail.envid.size, 0);
}

struct rcpt_case {
    const char *argument;
    bool utf8;
    enum command_problem problem;
    unsigned notify;
    const char *orcpt;
};

static const struct rcpt_case rcpts[] = {
    {"TO:<a@b>", false, COMMAND_FINE, 0, ""},
    {"TO:<Postmaster>", false, COMMAND_FINE, 0, ""},
    {"TO:<a..b@docomo.ne.jp>", false, COMMAND_FINE, 0, ""},
    {"TO:<c.@ezweb.ne.jp>", false, COMMAND_FINE, 0, ""},
    {"TO:<\"a b\\\"c\"@b>", false, COMMAND_FINE, 0, ""},
    {"TO:<@c,@d:a@b>", false, COMMAND_FINE, 0, ""},
    {"TO:<>", false, COMMAND_BAD_ADDRESS, 0, ""},
    {"TO:<a>", false, COMMAND_BAD_ADDRESS, 0, ""},
    {"TO:<a@b> <c@d>", false, COMMAND_UNKNOWN_PARAMETER, 0, ""},
    {"TO:<\"a@b>", false, COMMAND_BAD_ADDRESS, 0, ""},
    {"TO:<@c,a@b>", false, COMMAND_BAD_ADDRESS, 0, ""},
    {"TO:<@c:>", false, COMMAND_BAD_ADDRESS, 0, ""},
    {"FROM:<a@b>", false, COMMAND_SYNTAX, 0, ""},
    {"TO:<\xe3\x81\x82@b>", false, COMMAND_NEEDS_UTF8, 0, ""},
    {"TO:<\xe3\x81\x82@b>", true, COMMAND_FINE, 0, ""},
    {"TO:<a@b> NOTIFY=never", false, COMMAND_FINE, DSN_NOTIFY_NEVER, ""},
    {"TO:<a@b> NOTIFY=SUCCESS,FAILURE,DELAY ORCPT=rfc822;x+2By@b", false, COMMAND_FINE,
     DSN_NOTIFY_SUCCESS | DSN_NOTIFY_FAILURE | DSN_NOTIFY_DELAY, "rfc822;x+2By@b"},
    {"TO:<a@b> NOTIFY=", false, COMMAND_BAD_PARAMETER, 0, ""},
    {"TO:<a@b> NOTIFY=NEVER,SUCCESS", false, COMMAND_BAD_PARAMETER, 0, ""},
    {"TO:<a@b> NOTIFY=SUCCESS,", false, COMMAND_BAD_PARAMETER, 0, ""},
    {"TO:<a@b> NOTIFY=DELAY NOTIFY=DELAY", false, COMMAND_BAD_PARAMETER, 0, ""},
    {"TO:<a@b> ORCPT=x@b", false, COMMAND_BAD_PARAMETER, 0, ""},
    {"TO:<a@b> ORCPT=rfc822;a=b@c", false, COMMAND_BAD_PARAMETER, 0, ""},
    {"TO:<a@b> ORCPT=rfc822;a@c ORCPT=rfc822;a@c", false, COMMAND_BAD_PARAMETER, 0, ""},
    {"TO:<a@b> ORCPT=utf-8;\xe3\x81\x82@c", true, COMMAND_FINE, 0, "utf-8;\xe3\x81\x82@c"},
    {"TO:<a@b> ORCPT=utf-8;\xe3\x81\x82@c", false, COMMAND_NEEDS_UTF8, 0, ""},
    {"TO:<a@b> SIZE=1", false, COMMAND_UNKNOWN_PARAMETER, 0, ""},
    {"TO:<a@b> a b c d e f g h i j k l m n o p q r s t u v w x y z", false,
     COMMAND_UNKNOWN_PARAMETER, 0, ""},
};

static void rcpt_is_parsed(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rcpts / sizeof *rcpts; i++) {
        const struct rcpt_case *one = &rcpts[i];
        struct command_rcpt rcpt;
        enum command_problem problem =
            command_parse_rcpt(slice_text(one->argument), one->utf8, &rcpt);
        if (problem != one->problem)
            fail_msg("%s: %d", one->argument, (int)problem);
        if (problem != COMMAND_FINE)
            continue;
        assert_int_equal(rcpt.notify, one->notify);
        assert_true(slice_equal(rcpt.orcpt, slice_text(one->orcpt)));
    }
}

/* The path of what routes it: understood, and ignored (RFC 5321 4.1.1.3). */
static void routes_are_cut_off(void **state)
{
    (void)state;
    struct command_rcpt rcpt;
    assert_int_equal(command_parse_rcpt(SLICE("TO:<@c,@d:a@b>"), false, &rcpt), COMMAND_FINE);
    assert_true(slice_equal(rcpt.address.local, SLICE("a")));
    assert_true(slice_equal(rcpt.address.domain, SLICE("b")));
}

struct bdat_case {
    const char *argument;
    bool is_good;
    uint64_t size;
    bool is_last;
};

static const struct bdat_case bdats[] = {
    {"0", true, 0, false},
    {"0 LAST", true, 0, true},
    {"1000 last", true, 1000, true},
    {"00010", true, 10, false},
    {"18446744073709551615", true, UINT64_MAX, false},
    {"18446744073709551616", false, 0, false},
    {"99999999999999999999999999", false, 0, false},
    {"-1", false, 0, false},
    {"+1", false, 0, false},
    {"0x10", false, 0, false},
    {"1e3", false, 0, false},
    {"1 2", false, 0, false},
    {"1 LAST x", false, 0, false},
    {"1 LASTx", false, 0, false},
    {"LAST", false, 0, false},
    {"", false, 0, false},
};

static void bdat_is_parsed(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bdats / sizeof *bdats; i++) {
        struct command_bdat bdat;
        bool is_good = command_parse_bdat(slice_text(bdats[i].argument), &bdat);
        if (is_good != bdats[i].is_good)
            fail_msg("BDAT %s", bdats[i].argument);
        if (!is_good)
            continue;
        assert_int_equal(bdat.size, bdats[i].size);
        assert_int_equal(bdat.is_last, bdats[i].is_last);
    }
}

static void auth_is_parsed(void **state)
{
    (void)state;
    struct slice mechanism, initial;
    bool has_initial;
    assert_true(command_parse_auth(SLICE("PLAIN"), &mechanism, &has_initial, &initial));
    assert_false(has_initial);
    assert_true(command_parse_auth(SLICE("PLAIN ="), &mechanism, &has_initial, &initial));
    assert_true(has_initial);
    assert_true(slice_equal(mechanism, SLICE("PLAIN")));
    assert_true(slice_equal(initial, SLICE("=")));
    assert_false(command_parse_auth(SLICE(""), &mechanism, &has_initial, &initial));
    assert_false(command_parse_auth(SLICE("PLAIN a b"), &mechanism, &has_initial, &initial));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_understood),     cmocka_unit_test(lengths_depend_on_the_verb),
        cmocka_unit_test(mail_is_parsed),           cmocka_unit_test(rcpt_is_parsed),
        cmocka_unit_test(mail_tells_about_reports), cmocka_unit_test(routes_are_cut_off),
        cmocka_unit_test(bdat_is_parsed),           cmocka_unit_test(auth_is_parsed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
