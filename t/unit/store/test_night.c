/* night: when the work of a night is due */
#include "unit.h"

#include "night.h"

#include <stdlib.h>
#include <time.h>

enum { HOUR_S = 3600, DAY_S = 24 * HOUR_S };
/* 2026-11-22 00:00 UTC */
static const int64_t midnight = INT64_C(1795305600);

static void latest(void **state)
{
    (void)state;
    setenv("TZ", "UTC0", 1);
    tzset();
    assert_int_equal(night_latest(midnight + 3 * HOUR_S, 3, 0), midnight + 3 * HOUR_S);
    assert_int_equal(night_latest(midnight + 3 * HOUR_S - 1, 3, 0), midnight + 3 * HOUR_S - DAY_S);
    assert_int_equal(night_latest(midnight + HOUR_S, 23, 59), midnight - 60);
    setenv("TZ", "JST-9", 1);
    tzset();
    assert_int_equal(night_latest(midnight, 3, 30), midnight - 6 * HOUR_S + 1800);
}

static void due(void **state)
{
    (void)state;
    assert_true(night_is_due(midnight + 1, midnight, 0));
    assert_false(night_is_due(midnight + 1, midnight, midnight));
    assert_true(night_is_due(midnight + NIGHT_S - 1, midnight, midnight - DAY_S));
    assert_false(night_is_due(midnight + NIGHT_S, midnight, midnight - DAY_S));
    /* the clock was set back */
    assert_true(night_is_due(midnight + 1, midnight, midnight + DAY_S));
    assert_false(night_is_due(midnight + 1, -1, 0));
    assert_true(night_minute(SLICE("mail.example.jp")) < 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(latest), cmocka_unit_test(due)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
