/* test_tlsreport - lines of the counted sessions */
#include "unit.h"

#include "tlsreport.h"

#include <string.h>

static void lines_there_and_back(void **state)
{
    struct tlsreport_line line = {.domain = SLICE("example.org"),
                                  .policy_type = SLICE("sts"),
                                  .result = TLSREPORT_STS_WEBPKI_INVALID,
                                  .mx_ip = SLICE("192.0.2.25"),
                                  .reason = SLICE("a\nb"),
                                  .policy = {SLICE("one"), SLICE("two: x")},
                                  .policy_count = 2};
    struct tlsreport_line read;
    struct str text;
    (void)state;
    str_init(&text, TLSREPORT_KEY_MAX);
    str_append_text(&text, "7");
    assert_true(tlsreport_put_key(&text, &line));
    assert_slice(str_slice(&text),
                 "7\texample.org\tsts\tsts-webpki-invalid\t\t\t192.0.2.25\ta?b\tone\ttwo: x");
    assert_true(tlsreport_parse(str_slice(&text), &read));
    assert_int_equal(read.count, 7);
    assert_int_equal(read.result, TLSREPORT_STS_WEBPKI_INVALID);
    assert_slice(read.mx_ip, "192.0.2.25");
    assert_int_equal(read.policy_count, 2);
    assert_slice(read.policy[1], "two: x");
    str_free(&text);
}

static void lines_that_are_none(void **state)
{
    static const char *const bad[] = {"",
                                      "1",
                                      "1\ta\tb\tc\td\te\tf",
                                      "x\ta\tsts\tsuccess\t\t\t\t",
                                      "1\t\tsts\tsuccess\t\t\t\t",
                                      "-1\ta\tsts\tsuccess\t\t\t\t"};
    struct tlsreport_line line;
    struct str text;
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(tlsreport_parse(slice_text(bad[i]), &line));
    str_init(&text, 1000);
    str_append_text(&text, "1\ta\tsts\tsuccess\t\t\t\t");
    for (size_t i = 0; i < TLSREPORT_POLICY_MAX; i++)
        str_append_text(&text, "\tx");
    assert_true(tlsreport_parse(str_slice(&text), &line));
    str_append_text(&text, "\tx");
    assert_false(tlsreport_parse(str_slice(&text), &line));
    str_free(&text);
}

static void results_and_dates(void **state)
{
    char date[TLSREPORT_DATE_SIZE];
    (void)state;
    for (size_t i = 0; i < TLSREPORT_RESULTS; i++)
        assert_int_equal(
            tlsreport_result_named(slice_text(tlsreport_result_name((enum tlsreport_result)i))), i);
    assert_int_equal(tlsreport_result_named(SLICE("no-such")), TLSREPORT_VALIDATION_FAILURE);
    tlsreport_date(0, date);
    assert_string_equal(date, "1970-01-01");
    assert_true(tlsreport_is_date(slice_text(date)));
    assert_false(tlsreport_is_date(SLICE("1970-01-1")));
    assert_false(tlsreport_is_date(SLICE("1970/01/01")));
    assert_false(tlsreport_is_date(SLICE("../../1970")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_there_and_back),
        cmocka_unit_test(lines_that_are_none),
        cmocka_unit_test(results_and_dates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
