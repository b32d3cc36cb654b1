/* dsn: NOTIFY, RET, xtext, ORCPT - what RFC 3461 allows, and what it does not */
#include "unit.h"

#include "dsn.h"

#include <string.h>

static void reads_notify(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool good;
        unsigned notify;
        const char *written;
    } cases[] = {
        {"", true, 0, ""},
        {"NEVER", true, DSN_NOTIFY_NEVER, "NEVER"},
        {"never", true, DSN_NOTIFY_NEVER, "NEVER"},
        {"DELAY,success", true, DSN_NOTIFY_DELAY | DSN_NOTIFY_SUCCESS, "SUCCESS,DELAY"},
        {"FAILURE,FAILURE", true, DSN_NOTIFY_FAILURE, "FAILURE"},
        {"SUCCESS,FAILURE,DELAY", true, DSN_NOTIFY_SUCCESS | DSN_NOTIFY_FAILURE | DSN_NOTIFY_DELAY,
         "SUCCESS,FAILURE,DELAY"},
        {"NEVER,SUCCESS", false, 0, ""},
        {"SUCCESS,", false, 0, ""},
        {",SUCCESS", false, 0, ""},
        {"SUCCESS FAILURE", false, 0, ""},
        {"SOMETIMES", false, 0, ""},
        {"FAILURE,FAILURE,FAILURE,FAILURE,FAILURE", false, 0, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        unsigned notify;
        struct str text;
        if (dsn_parse_notify(slice_text(cases[i].text), &notify) != cases[i].good)
            fail_msg("\"%s\"", cases[i].text);
        if (!cases[i].good)
            continue;
        assert_int_equal(notify, cases[i].notify);
        str_init(&text, DSN_NOTIFY_TEXT_MAX);
        assert_true(dsn_format_notify(notify, &text));
        assert_slice(str_slice(&text), cases[i].written);
        str_free(&text);
    }
}

static void knows_what_is_wanted(void **state)
{
    (void)state;
    static const struct {
        unsigned notify;
        bool failure, delay, success;
    } cases[] = {
        {0, true, true, false},
        {DSN_NOTIFY_NEVER, false, false, false},
        {DSN_NOTIFY_SUCCESS, false, false, true},
        {DSN_NOTIFY_FAILURE, true, false, false},
        {DSN_NOTIFY_DELAY, false, true, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(dsn_wants_failure(cases[i].notify), cases[i].failure);
        assert_int_equal(dsn_wants_delay(cases[i].notify), cases[i].delay);
        assert_int_equal(dsn_wants_success(cases[i].notify), cases[i].success);
    }
}

static void reads_return(void **state)
{
    (void)state;
    enum dsn_return value;
    assert_true(dsn_parse_return(SLICE("full"), &value));
    assert_string_equal(dsn_return_name(value), "FULL");
    assert_true(dsn_parse_return(SLICE("HDRS"), &value));
    assert_string_equal(dsn_return_name(value), "HDRS");
    assert_true(dsn_parse_return(SLICE(""), &value));
    assert_string_equal(dsn_return_name(value), "");
    assert_false(dsn_parse_return(SLICE("HEADERS"), &value));
}

static void decodes_xtext(void **state)
{
    (void)state;
    static const struct {
        const char *text, *decoded; /* NULL: not xtext */
    } cases[] = {
        {"", ""},       {"plain@x", "plain@x"}, {"a+2Bb+3Dc", "a+b=c"}, {"+0A", "\n"},
        {"a b", NULL},  {"a=b", NULL},          {"a+2", NULL},          {"a+", NULL},
        {"a+2b", NULL}, {"a+G0", NULL},         {"\x7f", NULL},         {"\xc3\xa9", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct str decoded, again;
        str_init(&decoded, 100);
        str_init(&again, 100);
        bool good = dsn_decode_xtext(slice_text(cases[i].text), &decoded);
        if (good != (cases[i].decoded != NULL) || dsn_is_xtext(slice_text(cases[i].text)) != good)
            fail_msg("\"%s\"", cases[i].text);
        if (good) {
            assert_slice(str_slice(&decoded), cases[i].decoded);
            assert_true(dsn_encode_xtext(str_slice(&decoded), &again));
            assert_slice(str_slice(&again), cases[i].text);
        }
        str_free(&decoded);
        str_free(&again);
    }
}

static void bounds_envid_and_orcpt(void **state)
{
    (void)state;
    char longest[DSN_ORCPT_MAX + 2];
    memset(longest, 'x', sizeof longest);
    memcpy(longest, "rfc822;", 7);
    assert_true(dsn_is_orcpt(slice_of(longest, DSN_ORCPT_MAX)));
    assert_false(dsn_is_orcpt(slice_of(longest, DSN_ORCPT_MAX + 1)));
    assert_true(dsn_is_envid(slice_of(longest + 7, DSN_ENVID_MAX)));
    assert_false(dsn_is_envid(slice_of(longest + 7, DSN_ENVID_MAX + 1)));
    assert_false(dsn_is_envid(SLICE("")));
    assert_true(dsn_is_orcpt(SLICE("utf-8;\xe3\x81\x82@example.jp")));
    static const char *const bad[] = {"",           "rfc822",     "rfc822;",       ";a@x",
                                      "rfc 822;a",  "rfc822;a b", "rfc822;\xe3z",  "utf-8;a b",
                                      "utf-8;a\nb", "rfc822;a=b", "rf\r\nc822;a@x"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (dsn_is_orcpt(slice_text(bad[i])))
            fail_msg("taken: %s", bad[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_notify),           cmocka_unit_test(knows_what_is_wanted),
        cmocka_unit_test(reads_return),           cmocka_unit_test(decodes_xtext),
        cmocka_unit_test(bounds_envid_and_orcpt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
