/* smtpcommand: lines of a client, MAIL and RCPT with their parameters */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "smtpcommand.h"

#include <stdlib.h>
#include <string.h>

/* SLICE is no constant for tables. */
#define BYTES(literal)                                                                             \
    {                                                                                              \
        "" literal, sizeof(literal) - 1                                                            \
    }

struct line_case {
    struct slice line;
    enum smtpcommand_line result;
    enum smtpcommand_verb verb;
    const char *argument;
};

static const struct line_case lines[] = {
    {BYTES("NOOP\r\n"), SMTPCOMMAND_LINE_OK, SMTPCOMMAND_NOOP, ""},
    {BYTES("noop\r\n"), SMTPCOMMAND_LINE_OK, SMTPCOMMAND_NOOP, ""},
    {BYTES("  EHLO   a b  \r\n"), SMTPCOMMAND_LINE_OK, SMTPCOMMAND_EHLO, "a b"},
    {BYTES("MAIL\tFROM:<a@b>\r\n"), SMTPCOMMAND_LINE_OK, SMTPCOMMAND_MAIL, "FROM:<a@b>"},
    {BYTES("\r\n"), SMTPCOMMAND_LINE_OK, SMTPCOMMAND_UNKNOWN, ""},
    {BYTES("NOOPX\r\n"), SMTPCOMMAND_LINE_OK, SMTPCOMMAND_UNKNOWN, ""},
    {BYTES("STARTTLS\r\n"), SMTPCOMMAND_LINE_OK, SMTPCOMMAND_STARTTLS, ""},
    {BYTES("bdat 10 last\r\n"), SMTPCOMMAND_LINE_OK, SMTPCOMMAND_BDAT, "10 last"},
    {BYTES("LHLO a\r\n"), SMTPCOMMAND_LINE_OK, SMTPCOMMAND_LHLO, "a"},
    {BYTES("XCLIENT A=b\r\n"), SMTPCOMMAND_LINE_OK, SMTPCOMMAND_XCLIENT, "A=b"},
    {BYTES("post / HTTP/1.0\r\n"), SMTPCOMMAND_LINE_OK, SMTPCOMMAND_FORBIDDEN, "/ HTTP/1.0"},
    {BYTES("NOOP\n"), SMTPCOMMAND_LINE_BAD_END, SMTPCOMMAND_UNKNOWN, ""},
    {BYTES("NOOP\r"), SMTPCOMMAND_LINE_BAD_END, SMTPCOMMAND_UNKNOWN, ""},
    {BYTES("NOOP"), SMTPCOMMAND_LINE_BAD_END, SMTPCOMMAND_UNKNOWN, ""},
    {BYTES(""), SMTPCOMMAND_LINE_BAD_END, SMTPCOMMAND_UNKNOWN, ""},
    {BYTES("NOOP\r\r\n"), SMTPCOMMAND_LINE_BAD_END, SMTPCOMMAND_UNKNOWN, ""},
    {BYTES("NO\0OP\r\n"), SMTPCOMMAND_LINE_BAD_END, SMTPCOMMAND_UNKNOWN, ""},
};

static void lines_are_understood(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct smtpcommand command;
        assert_int_equal(smtpcommand_parse(lines[i].line, &command), lines[i].result);
        assert_int_equal(command.verb, lines[i].verb);
        if (lines[i].verb != SMTPCOMMAND_UNKNOWN)
            assert_true(slice_equal(command.argument, slice_text(lines[i].argument)));
    }
}

/* A line of `size` bytes with its line end that begins with `verb`. */
static enum smtpcommand_line parse_long(const char *verb, size_t size)
{
    struct smtpcommand command;
    char *line = malloc(size);
    assert_non_null(line);
    memset(line, 'x', size);
    memcpy(line, verb, strlen(verb));
    memcpy(line + size - 2, "\r\n", 2);
    enum smtpcommand_line result = smtpcommand_parse(slice_of(line, size), &command);
    free(line);
    return result;
}

static void lengths_depend_on_the_verb(void **state)
{
    (void)state;
    assert_int_equal(parse_long("NOOP ", SMTPCOMMAND_LINE_MAX), SMTPCOMMAND_LINE_OK);
    assert_int_equal(parse_long("NOOP ", SMTPCOMMAND_LINE_MAX + 1), SMTPCOMMAND_LINE_TOO_LONG);
    assert_int_equal(parse_long("XXXX ", SMTPCOMMAND_LINE_MAX + 1), SMTPCOMMAND_LINE_TOO_LONG);
    assert_int_equal(parse_long("MAIL ", SMTPCOMMAND_MAIL_LINE_MAX), SMTPCOMMAND_LINE_OK);
    assert_int_equal(parse_long("MAIL ", SMTPCOMMAND_MAIL_LINE_MAX + 1), SMTPCOMMAND_LINE_TOO_LONG);
    assert_int_equal(parse_long("RCPT ", SMTPCOMMAND_RCPT_LINE_MAX), SMTPCOMMAND_LINE_OK);
    assert_int_equal(parse_long("RCPT ", SMTPCOMMAND_RCPT_LINE_MAX + 1), SMTPCOMMAND_LINE_TOO_LONG);
    assert_int_equal(parse_long("AUTH ", SMTPCOMMAND_AUTH_LINE_MAX), SMTPCOMMAND_LINE_OK);
}

struct mail_case {
    const char *argument;
    enum smtpcommand_problem problem;
    const char *local;
    uint64_t size;
    bool is_8bit;
    bool utf8;
};

static const struct mail_case mails[] = {
    {"FROM:<a@b>", SMTPCOMMAND_FINE, "a", 0, false, false},
    {"from:<a@b>", SMTPCOMMAND_FINE, "a", 0, false, false},
    {"FROM: <a@b>", SMTPCOMMAND_FINE, "a", 0, false, false},
    {"FROM:a@b", SMTPCOMMAND_FINE, "a", 0, false, false},
    {"FROM:a@b SIZE=5", SMTPCOMMAND_FINE, "a", 5, false, false},
    {"FROM:<>", SMTPCOMMAND_FINE, "", 0, false, false},
    {"FROM:<a@b> SIZE=20971520 BODY=8bitmime smtputf8", SMTPCOMMAND_FINE, "a", 20971520, true,
     true},
    {"FROM:<a@b>  SIZE=0  BODY=7BIT ", SMTPCOMMAND_FINE, "a", 0, false, false},
    {"FROM:<a@b> SIZE=18446744073709551615", SMTPCOMMAND_FINE, "a", UINT64_MAX, false, false},
    {"FROM:<a@b> SIZE=18446744073709551616", SMTPCOMMAND_FINE, "a", UINT64_MAX, false, false},
    {"FROM:<a@b> AUTH=<>", SMTPCOMMAND_FINE, "a", 0, false, false},
    {"FROM:<a@b> AUTH=e+3Dmc2@example.com", SMTPCOMMAND_FINE, "a", 0, false, false},
    {"FROM:<\xe3\x81\x82@b> SMTPUTF8", SMTPCOMMAND_FINE, "\xe3\x81\x82", 0, false, true},
    {"FROM:<\xe3\x81\x82@b>", SMTPCOMMAND_NEEDS_UTF8, NULL, 0, false, false},
    {"FROM:<\xff@b> SMTPUTF8", SMTPCOMMAND_BAD_ADDRESS, NULL, 0, false, false},
    {"", SMTPCOMMAND_SYNTAX, NULL, 0, false, false},
    {"FROM", SMTPCOMMAND_SYNTAX, NULL, 0, false, false},
    {"FROM:", SMTPCOMMAND_SYNTAX, NULL, 0, false, false},
    {"TO:<a@b>", SMTPCOMMAND_SYNTAX, NULL, 0, false, false},
    {"FROM<a@b>", SMTPCOMMAND_SYNTAX, NULL, 0, false, false},
    {"FROM:<a@b>SIZE=1", SMTPCOMMAND_BAD_ADDRESS, NULL, 0, false, false},
    {"FROM:<a>", SMTPCOMMAND_BAD_ADDRESS, NULL, 0, false, false},
    {"FROM:a", SMTPCOMMAND_BAD_ADDRESS, NULL, 0, false, false},
    {"FROM:<a@b> SIZE", SMTPCOMMAND_BAD_PARAMETER, NULL, 0, false, false},
    {"FROM:<a@b> SIZE=", SMTPCOMMAND_BAD_PARAMETER, NULL, 0, false, false},
    {"FROM:<a@b> SIZE=-1", SMTPCOMMAND_BAD_PARAMETER, NULL, 0, false, false},
    {"FROM:<a@b> SIZE=1M", SMTPCOMMAND_BAD_PARAMETER, NULL, 0, false, false},
    {"FROM:<a@b> BODY=BINARY", SMTPCOMMAND_BAD_PARAMETER, NULL, 0, false, false},
    {"FROM:<a@b> SIZE=1 size=1", SMTPCOMMAND_BAD_PARAMETER, NULL, 0, false, false},
    {"FROM:<a@b> RET=HDRS RET=HDRS", SMTPCOMMAND_BAD_PARAMETER, NULL, 0, false, false},
    {"FROM:<a@b> RET=", SMTPCOMMAND_BAD_PARAMETER, NULL, 0, false, false},
    {"FROM:<a@b> RET=HEADERS", SMTPCOMMAND_BAD_PARAMETER, NULL, 0, false, false},
    {"FROM:<a@b> ENVID=", SMTPCOMMAND_BAD_PARAMETER, NULL, 0, false, false},
    {"FROM:<a@b> ENVID=a+b", SMTPCOMMAND_BAD_PARAMETER, NULL, 0, false, false},
    {"FROM:<a@b> ENVID=a=b", SMTPCOMMAND_BAD_PARAMETER, NULL, 0, false, false},
    {"FROM:<a@b> SMTPUTF8=1", SMTPCOMMAND_BAD_PARAMETER, NULL, 0, false, false},
    {"FROM:<a@b> AUTH", SMTPCOMMAND_BAD_PARAMETER, NULL, 0, false, false},
    {"FROM:<a@b> NOTIFY=NEVER", SMTPCOMMAND_UNKNOWN_PARAMETER, NULL, 0, false, false},
    {"FROM:<a@b> x", SMTPCOMMAND_UNKNOWN_PARAMETER, NULL, 0, false, false},
};

static void mail_is_parsed(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof mails / sizeof *mails; i++) {
        const struct mail_case *one = &mails[i];
        struct smtpcommand_mail mail;
        enum smtpcommand_problem problem = smtpcommand_parse_mail(slice_text(one->argument), &mail);
        if (problem != one->problem)
            fail_msg("%s: %d", one->argument, (int)problem);
        if (problem != SMTPCOMMAND_FINE)
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
    struct smtpcommand_mail mail;
    assert_int_equal(smtpcommand_parse_mail(
                         SLICE("FROM:<a@b> ret=hdrs ENVID=QQ314159+2B BODY=binarymime"), &mail),
                     SMTPCOMMAND_FINE);
    assert_int_equal(mail.ret, DSN_RETURN_HEADERS);
    assert_true(slice_equal(mail.envid, SLICE("QQ314159+2B")));
    assert_int_equal(mail.body, ENVELOPE_BODY_BINARY);
    assert_int_equal(smtpcommand_parse_mail(SLICE("FROM:<a@b>"), &mail), SMTPCOMMAND_FINE);
    assert_int_equal(mail.ret, DSN_RETURN_DEFAULT);
    assert_int_equal(mail.envid.size, 0);
}

struct rcpt_case {
    const char *argument;
    bool utf8;
    enum smtpcommand_problem problem;
    unsigned notify;
    const char *orcpt;
};

static const struct rcpt_case rcpts[] = {
    {"TO:<a@b>", false, SMTPCOMMAND_FINE, 0, ""},
    {"TO:<Postmaster>", false, SMTPCOMMAND_FINE, 0, ""},
    {"TO:<a..b@docomo.ne.jp>", false, SMTPCOMMAND_FINE, 0, ""},
    {"TO:<c.@ezweb.ne.jp>", false, SMTPCOMMAND_FINE, 0, ""},
    {"TO:<\"a b\\\"c\"@b>", false, SMTPCOMMAND_FINE, 0, ""},
    {"TO:<@c,@d:a@b>", false, SMTPCOMMAND_FINE, 0, ""},
    {"TO:<>", false, SMTPCOMMAND_BAD_ADDRESS, 0, ""},
    {"TO:<a>", false, SMTPCOMMAND_BAD_ADDRESS, 0, ""},
    {"TO:<a@b> <c@d>", false, SMTPCOMMAND_UNKNOWN_PARAMETER, 0, ""},
    {"TO:<\"a@b>", false, SMTPCOMMAND_BAD_ADDRESS, 0, ""},
    {"TO:<@c,a@b>", false, SMTPCOMMAND_BAD_ADDRESS, 0, ""},
    {"TO:<@c:>", false, SMTPCOMMAND_BAD_ADDRESS, 0, ""},
    {"FROM:<a@b>", false, SMTPCOMMAND_SYNTAX, 0, ""},
    {"TO:<\xe3\x81\x82@b>", false, SMTPCOMMAND_NEEDS_UTF8, 0, ""},
    {"TO:<\xe3\x81\x82@b>", true, SMTPCOMMAND_FINE, 0, ""},
    {"TO:<a@b> NOTIFY=never", false, SMTPCOMMAND_FINE, DSN_NOTIFY_NEVER, ""},
    {"TO:<a@b> NOTIFY=SUCCESS,FAILURE,DELAY ORCPT=rfc822;x+2By@b", false, SMTPCOMMAND_FINE,
     DSN_NOTIFY_SUCCESS | DSN_NOTIFY_FAILURE | DSN_NOTIFY_DELAY, "rfc822;x+2By@b"},
    {"TO:<a@b> NOTIFY=", false, SMTPCOMMAND_BAD_PARAMETER, 0, ""},
    {"TO:<a@b> NOTIFY=NEVER,SUCCESS", false, SMTPCOMMAND_BAD_PARAMETER, 0, ""},
    {"TO:<a@b> NOTIFY=SUCCESS,", false, SMTPCOMMAND_BAD_PARAMETER, 0, ""},
    {"TO:<a@b> NOTIFY=DELAY NOTIFY=DELAY", false, SMTPCOMMAND_BAD_PARAMETER, 0, ""},
    {"TO:<a@b> ORCPT=x@b", false, SMTPCOMMAND_BAD_PARAMETER, 0, ""},
    {"TO:<a@b> ORCPT=rfc822;a=b@c", false, SMTPCOMMAND_BAD_PARAMETER, 0, ""},
    {"TO:<a@b> ORCPT=rfc822;a@c ORCPT=rfc822;a@c", false, SMTPCOMMAND_BAD_PARAMETER, 0, ""},
    {"TO:<a@b> ORCPT=utf-8;\xe3\x81\x82@c", true, SMTPCOMMAND_FINE, 0, "utf-8;\xe3\x81\x82@c"},
    {"TO:<a@b> ORCPT=utf-8;\xe3\x81\x82@c", false, SMTPCOMMAND_NEEDS_UTF8, 0, ""},
    {"TO:<a@b> SIZE=1", false, SMTPCOMMAND_UNKNOWN_PARAMETER, 0, ""},
    {"TO:<a@b> a b c d e f g h i j k l m n o p q r s t u v w x y z", false,
     SMTPCOMMAND_UNKNOWN_PARAMETER, 0, ""},
};

static void rcpt_is_parsed(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rcpts / sizeof *rcpts; i++) {
        const struct rcpt_case *one = &rcpts[i];
        struct smtpcommand_rcpt rcpt;
        enum smtpcommand_problem problem =
            smtpcommand_parse_rcpt(slice_text(one->argument), one->utf8, &rcpt);
        if (problem != one->problem)
            fail_msg("%s: %d", one->argument, (int)problem);
        if (problem != SMTPCOMMAND_FINE)
            continue;
        assert_int_equal(rcpt.notify, one->notify);
        assert_true(slice_equal(rcpt.orcpt, slice_text(one->orcpt)));
    }
}

/* The path of what routes it: understood, and ignored (RFC 5321 4.1.1.3). */
static void routes_are_cut_off(void **state)
{
    (void)state;
    struct smtpcommand_rcpt rcpt;
    assert_int_equal(smtpcommand_parse_rcpt(SLICE("TO:<@c,@d:a@b>"), false, &rcpt),
                     SMTPCOMMAND_FINE);
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
        struct smtpcommand_bdat bdat;
        bool is_good = smtpcommand_parse_bdat(slice_text(bdats[i].argument), &bdat);
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
    assert_true(smtpcommand_parse_auth(SLICE("PLAIN"), &mechanism, &has_initial, &initial));
    assert_false(has_initial);
    assert_true(smtpcommand_parse_auth(SLICE("PLAIN ="), &mechanism, &has_initial, &initial));
    assert_true(has_initial);
    assert_true(slice_equal(mechanism, SLICE("PLAIN")));
    assert_true(slice_equal(initial, SLICE("=")));
    assert_false(smtpcommand_parse_auth(SLICE(""), &mechanism, &has_initial, &initial));
    assert_false(smtpcommand_parse_auth(SLICE("PLAIN a b"), &mechanism, &has_initial, &initial));
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
