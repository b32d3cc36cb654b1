/* maildate: the forms of dates that mail has, those it must not have, and the calendar */
#include "unit.h"

#include "maildate.h"

#include <time.h>

static const struct {
    const char *name, *text;
    int64_t seconds;
    int zone;
} good[] = {
    {"plain", "Sat, 21 Nov 2026 23:30:00 +0000", 1795303800, 0},
    {"zone east", "Sun, 22 Nov 2026 08:30:00 +0900", 1795303800, 540},
    {"zone west", "Sat, 21 Nov 2026 15:00:00 -0830", 1795303800, -510},
    {"no weekday", "21 Nov 2026 23:30:00 +0000", 1795303800, 0},
    {"wrong weekday", "Mon, 21 Nov 2026 23:30:00 +0000", 1795303800, 0},
    {"weekday without comma", "Sat 21 Nov 2026 23:30:00 +0000", 1795303800, 0},
    {"no seconds", "Sat, 21 Nov 2026 23:30 +0000", 1795303800, 0},
    {"one digit", "Sun, 1 Nov 2026 1:02:03 GMT", 1793494923, 0},
    {"comment behind", "Sat, 21 Nov 2026 23:30:00 +0000 (UTC)", 1795303800, 0},
    {"comments everywhere", "(a)Sat(b),(c)21(d)Nov(e (f)\\))2026(g)23(h):(i)30(j):(k)00(l)+0000(m)",
     1795303800, 0},
    {"open comment behind", "Sat, 21 Nov 2026 23:30:00 +0000 (UTC", 1795303800, 0},
    {"folded", "Sat, 21 Nov\r\n 2026 23:30:00\r\n\t+0000", 1795303800, 0},
    {"two-digit year", "Sat, 21 Nov 26 23:30:00 UT", 1795303800, 0},
    {"two digits of old", "Tue, 01 Jul 03 10:52:37 +0200", 1057049557, 120},
    {"nineties", "Wed, 1 Jan 97 00:00:00 EST", 852094800, -300},
    {"three-digit year", "Sat, 1 Jan 100 00:00:00 GMT", 946684800, 0},
    {"named zone", "Sat, 21 Nov 2026 15:30:00 PST", 1795303800, -480},
    {"summer time", "Sat, 21 Nov 2026 16:30:00 pdt", 1795303800, -420},
    {"Japan", "Sun, 22 Nov 2026 08:30:00 JST", 1795303800, 540},
    {"military zone", "Sat, 21 Nov 2026 23:30:00 Z", 1795303800, 0},
    {"military zone is nothing", "Sat, 21 Nov 2026 23:30:00 A", 1795303800, 0},
    {"unknown zone", "Sat, 21 Nov 2026 23:30:00 XYZZY", 1795303800, 0},
    {"no zone", "Sat, 21 Nov 2026 23:30:00", 1795303800, 0},
    {"leap second", "Sat, 31 Dec 2016 23:59:60 +0000", 1483228799, 0},
    {"leap day", "Thu, 29 Feb 2024 12:00:00 +0000", 1709208000, 0},
    {"leap day of 2000", "Tue, 29 Feb 2000 12:00:00 +0000", 951825600, 0},
    {"first moment", "Thu, 01 Jan 1970 00:00:00 +0000", 0, 0},
    {"before it", "Wed, 31 Dec 1969 23:59:59 +0000", -1, 0},
    {"case", "SAT, 21 nOV 2026 23:30:00 +0000", 1795303800, 0},
    {"last year", "Fri, 31 Dec 9999 23:59:59 +0000", 253402300799, 0},
};

static void reads_the_dates_of_mail(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        int64_t seconds = 7;
        int zone = 7;
        if (!maildate_parse(slice_text(good[i].text), &seconds, &zone))
            fail_msg("%s: refused", good[i].name);
        if (seconds != good[i].seconds || zone != good[i].zone)
            fail_msg("%s: %lld zone %d", good[i].name, (long long)seconds, zone);
    }
}

static void refuses_nonsense(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "Sat,",
        "Sat, 21",
        "Sat, 21 Nov",
        "Sat, 21 Nov 2026",
        "Sat, 21 Nov 2026 23",
        "Sat, 21 Nov 2026 23:",
        "Sat, 21 Nov 2026 24:00:00 +0000",
        "Sat, 21 Nov 2026 23:60:00 +0000",
        "Sat, 21 Nov 2026 23:30:61 +0000",
        "Sat, 21 Nov 2026 23:30:00 +00",
        "Sat, 21 Nov 2026 23:30:00 +0060",
        "Sat, 21 Nov 2026 23:30:00 +00000",
        "Sat, 0 Nov 2026 23:30:00 +0000",
        "Sat, 31 Nov 2026 23:30:00 +0000",
        "Sat, 29 Feb 2026 23:30:00 +0000",
        "Sat, 29 Feb 1900 23:30:00 +0000",
        "Sat, 21 Foo 2026 23:30:00 +0000",
        "Sat, 21 November 2026 23:30:00 +0000",
        "Sat, 21 Nov 1899 23:30:00 +0000",
        "Sat, 21 Nov 20260 23:30:00 +0000",
        "Sat, 21 Nov 99999999999999999999 23:30:00 +0000",
        "Sat, -1 Nov 2026 23:30:00 +0000",
        "((((((((((",
        "\\",
        "now",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int64_t seconds;
        if (maildate_parse(slice_text(bad[i]), &seconds, NULL))
            fail_msg("\"%s\" was taken", bad[i]);
    }
}

static void every_cut_of_a_date_is_survived(void **state)
{
    (void)state;
    struct slice whole = SLICE("(x\\(y)Sat, 21 Nov 2026 23:30:00 +0000 (UTC)");
    for (size_t size = 0; size <= whole.size; size++) {
        /* A copy of exactly this size: a read behind it is seen by the sanitizer. */
        struct str part;
        str_init(&part, whole.size);
        str_append(&part, slice_part(whole, 0, size));
        int64_t seconds;
        if (!maildate_parse(str_slice(&part), &seconds, NULL))
            assert_true(size < 37);
        str_free(&part);
    }
}

/* The C library's calendar is the judge. */
static void agrees_with_the_calendar(void **state)
{
    (void)state;
    struct str text;
    str_init(&text, 100);
    for (int64_t seconds = -2208988800; seconds < 253402300799; seconds += 40003 * 3600 + 61) {
        struct tm tm;
        char expected[64];
        time_t time = (time_t)seconds;
        int64_t back;
        int zone;
        assert_non_null(gmtime_r(&time, &tm));
        strftime(expected, sizeof expected, "%a, %d %b %Y %H:%M:%S +0000", &tm);
        str_clear(&text);
        assert_true(maildate_format(&text, seconds));
        assert_string_equal(str_text(&text), expected);
        assert_true(maildate_parse(str_slice(&text), &back, &zone));
        assert_true(back == seconds && zone == 0);
        strftime(expected, sizeof expected, "%e-%b-%Y %H:%M:%S +0000", &tm);
        str_clear(&text);
        assert_true(maildate_format_imap(&text, seconds));
        assert_string_equal(str_text(&text), expected);
        assert_true(maildate_parse_imap(str_slice(&text), &back) && back == seconds);
        strftime(expected, sizeof expected, "%e-%b-%Y", &tm);
        struct slice day = slice_trim(slice_text(expected));
        assert_true(maildate_parse_imap_day(day, &back));
        assert_int_equal(back, (seconds - ((seconds % 86400) + 86400) % 86400) / 86400);
    }
    str_free(&text);
}

static void years_that_four_digits_cannot_hold(void **state)
{
    (void)state;
    static const int64_t bad[] = {INT64_MIN, INT64_MAX, 253402300800, -62135596801};
    struct str text;
    str_init(&text, 100);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(maildate_format(&text, bad[i]));
        assert_false(maildate_format_imap(&text, bad[i]));
    }
    str_free(&text);
}

static void reads_imap_dates(void **state)
{
    (void)state;
    int64_t value;
    assert_true(maildate_parse_imap(SLICE("21-Nov-2026 23:30:00 +0000"), &value));
    assert_int_equal(value, 1795303800);
    assert_true(maildate_parse_imap(SLICE(" 1-nov-2026 10:02:03 +0900"), &value));
    assert_int_equal(value, 1793494923);
    assert_true(maildate_parse_imap(SLICE("1-Nov-2026 01:02:03 -0000"), &value));
    assert_true(maildate_parse_imap_day(SLICE("1-Jan-1970"), &value));
    assert_int_equal(value, 0);
    assert_true(maildate_parse_imap_day(SLICE("01-Mar-2000"), &value));
    assert_int_equal(value, 11017);
    assert_true(maildate_parse_imap_day(SLICE("1-Jan-0001"), &value));
    assert_int_equal(value, -719162);
    static const char *const bad[] = {
        "",
        "21-Nov-2026",
        "21-Nov-2026 23:30:00",
        "21-Nov-2026 23:30:00 0000",
        "21-Nov-2026 23:30:00 +000",
        "21-Nov-2026 23:30 +0000",
        "21-Nov-26 23:30:00 +0000",
        "21 Nov 2026 23:30:00 +0000",
        "21-Nov-2026 23:30:00 +0000 ",
        "  1-Nov-2026 23:30:00 +0000",
        "31-Feb-2026 23:30:00 +0000",
        "00-Nov-2026 23:30:00 +0000",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (maildate_parse_imap(slice_text(bad[i]), &value))
            fail_msg("\"%s\" was taken", bad[i]);
    static const char *const bad_days[] = {
        "",           "1-Nov",       "1-Nov-26",   "1-Nov-20266",   "32-Jan-2026",
        "0-Jan-2026", "1-Jan-2026 ", "1-Jan-0000", "\"1-Jan-2026\""};
    for (size_t i = 0; i < sizeof bad_days / sizeof bad_days[0]; i++)
        if (maildate_parse_imap_day(slice_text(bad_days[i]), &value))
            fail_msg("day \"%s\" was taken", bad_days[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_the_dates_of_mail),
        cmocka_unit_test(refuses_nonsense),
        cmocka_unit_test(every_cut_of_a_date_is_survived),
        cmocka_unit_test(agrees_with_the_calendar),
        cmocka_unit_test(years_that_four_digits_cannot_hold),
        cmocka_unit_test(reads_imap_dates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
