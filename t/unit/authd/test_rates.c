/* rates: the window slides, counters begin anew, restart, clocks that jump, the bounded table */
#include "unit.h"

#include "ledger.h"
#include "rates.h"

#include <stdio.h>

enum { NOW = 1000000, WINDOW = 160 };

#define DOMAIN SLICE("@example.jp")

static int begin(void **state)
{
    static struct rates rates;
    *state = &rates;
    return rates_init(&rates, 4711) ? 0 : -1;
}

static int finish(void **state)
{
    rates_free(*state);
    return 0;
}

static bool is_reached(struct rates *rates, uint64_t limit, int64_t now)
{
    return rates_is_reached(rates, RATES_SENT, DOMAIN, WINDOW, limit, now);
}

static uint64_t count(const struct rates *rates, int64_t now)
{
    struct rates_record record;
    return rates_find(rates, RATES_SENT, DOMAIN, now, &record) ? record.count : UINT64_MAX;
}

static void a_limit_is_reached_by_what_was_counted(void **state)
{
    struct rates *rates = *state;
    for (uint64_t i = 0; i < 3; i++) {
        assert_false(is_reached(rates, 3, NOW));
        rates_add(rates, RATES_SENT, DOMAIN, 1, NOW);
    }
    assert_true(is_reached(rates, 3, NOW));
    assert_false(is_reached(rates, 4, NOW));
    /* Other directions and other names have counters of their own. */
    assert_false(rates_is_reached(rates, RATES_RECEIVED, DOMAIN, WINDOW, 1, NOW));
    assert_false(rates_is_reached(rates, RATES_SENT, SLICE("@example.org"), WINDOW, 1, NOW));
}

static void without_a_question_nothing_is_kept(void **state)
{
    struct rates *rates = *state;
    rates_add(rates, RATES_SENT, DOMAIN, 1, NOW);
    assert_int_equal(rates->table.count, 0);
    assert_false(rates_is_dirty(rates));
    assert_false(rates_is_reached(rates, RATES_SENT, DOMAIN, 0, 1, NOW));
    assert_false(rates_is_reached(rates, RATES_SENT, SLICE(""), WINDOW, 1, NOW));
    assert_false(rates_restart(rates, RATES_SENT, DOMAIN));
}

/* Whatever the phase of the stretches: a message counts for its whole window, and no longer than
 * one stretch beyond. */
static void the_window_slides(void **state)
{
    struct rates *rates = *state;
    for (int64_t phase = 0; phase < rates_stretch(WINDOW); phase++) {
        int64_t at = NOW + phase * 100000;
        assert_false(is_reached(rates, 1, at));
        rates_add(rates, RATES_SENT, DOMAIN, 1, at);
        for (int64_t later = 0; later <= WINDOW; later++)
            assert_int_equal(count(rates, at + later), 1);
        assert_int_equal(count(rates, at + WINDOW + rates_stretch(WINDOW)), 0);
    }
}

static void a_steady_stream_is_counted_as_it_is(void **state)
{
    struct rates *rates = *state;
    is_reached(rates, 1, NOW);
    for (int64_t at = NOW; at < NOW + 10 * WINDOW; at++) {
        rates_add(rates, RATES_SENT, DOMAIN, 2, at);
        uint64_t most = 2 * (WINDOW + (uint64_t)rates_stretch(WINDOW));
        assert_true(count(rates, at) <= most);
        if (at >= NOW + WINDOW)
            assert_true(count(rates, at) >= 2 * WINDOW);
    }
}

static void windows_of_seconds_and_of_days(void **state)
{
    struct rates *rates = *state;
    static const int64_t windows[] = {1, 2, 3, 15, 16, 17, 33, 3600, 86400, RATES_WINDOW_MAX};
    for (size_t i = 0; i < sizeof windows / sizeof *windows; i++) {
        char name[32];
        snprintf(name, sizeof name, "@%zu", i);
        struct slice domain = slice_text(name);
        assert_false(rates_is_reached(rates, RATES_SENT, domain, windows[i], 1, NOW));
        rates_add(rates, RATES_SENT, domain, 1, NOW);
        assert_true(rates_is_reached(rates, RATES_SENT, domain, windows[i], 1, NOW + windows[i]));
        int64_t over = NOW + windows[i] + 2 * rates_stretch(windows[i]);
        assert_false(rates_is_reached(rates, RATES_SENT, domain, windows[i], 1, over));
    }
    assert_false(
        rates_is_reached(rates, RATES_SENT, DOMAIN, (int64_t)RATES_WINDOW_MAX + 1, 0, NOW));
}

static void another_window_keeps_what_was_counted(void **state)
{
    struct rates *rates = *state;
    is_reached(rates, 9, NOW);
    rates_add(rates, RATES_SENT, DOMAIN, 7, NOW);
    assert_true(rates_is_reached(rates, RATES_SENT, DOMAIN, 3600, 7, NOW + 1));
    assert_false(rates_is_reached(rates, RATES_SENT, DOMAIN, 3600, 8, NOW + 1));
}

static void it_can_begin_anew(void **state)
{
    struct rates *rates = *state;
    is_reached(rates, 9, NOW);
    rates_add(rates, RATES_SENT, DOMAIN, 7, NOW);
    assert_true(rates_restart(rates, RATES_SENT, DOMAIN));
    assert_int_equal(count(rates, NOW), 0);
    rates_add(rates, RATES_SENT, DOMAIN, 2, NOW + 1);
    assert_int_equal(count(rates, NOW + 1), 2);
}

static void a_clock_that_is_set_back_blocks_nobody_for_long(void **state)
{
    struct rates *rates = *state;
    is_reached(rates, 5, NOW);
    rates_add(rates, RATES_SENT, DOMAIN, 5, NOW);
    /* A little: what was counted holds till its window is over by the new clock. */
    assert_true(is_reached(rates, 5, NOW - WINDOW / 2));
    rates_add(rates, RATES_SENT, DOMAIN, 1, NOW - WINDOW / 2);
    assert_int_equal(count(rates, NOW - WINDOW / 2), 6);
    assert_int_equal(count(rates, NOW + WINDOW + rates_stretch(WINDOW)), 0);
    /* A lot: nothing of it counts. */
    rates_add(rates, RATES_SENT, DOMAIN, 5, NOW);
    assert_false(is_reached(rates, 1, NOW - 86400));
    rates_add(rates, RATES_SENT, DOMAIN, 1, NOW - 86400);
    assert_int_equal(count(rates, NOW - 86400), 1);
}

static void a_clock_that_jumps_ahead_forgets(void **state)
{
    struct rates *rates = *state;
    is_reached(rates, 5, NOW);
    rates_add(rates, RATES_SENT, DOMAIN, 5, NOW);
    assert_false(is_reached(rates, 1, NOW + 100 * WINDOW));
    rates_add(rates, RATES_SENT, DOMAIN, 1, NOW + 100 * WINDOW);
    assert_int_equal(count(rates, NOW + 100 * WINDOW), 1);
}

static void counts_do_not_overflow(void **state)
{
    struct rates *rates = *state;
    is_reached(rates, 5, NOW);
    rates_add(rates, RATES_SENT, DOMAIN, UINT32_MAX - 1, NOW);
    rates_add(rates, RATES_SENT, DOMAIN, UINT64_MAX, NOW);
    assert_int_equal(count(rates, NOW), UINT32_MAX);
}

/* ---- records ----------------------------------------------------------------------------------*/

static void restore(void *owner, const struct rates_record *record)
{
    assert_true(rates_restore(owner, record));
}

static void flushed_stretches_make_the_same_counter(void **state)
{
    struct rates *rates = *state;
    struct rates copy;
    assert_true(rates_init(&copy, 1));
    is_reached(rates, 50, NOW);
    for (int64_t at = NOW; at < NOW + 2 * WINDOW; at += 7) {
        rates_add(rates, RATES_SENT, DOMAIN, (uint64_t)at % 5, at);
        assert_true(rates_is_dirty(rates));
        if (at % 3 == 0)
            rates_flush(rates, restore, &copy);
    }
    rates_flush(rates, restore, &copy);
    assert_false(rates_is_dirty(rates));
    for (int64_t at = NOW + 2 * WINDOW; at < NOW + 4 * WINDOW; at += 3)
        assert_int_equal(count(&copy, at), count(rates, at));
    rates_free(&copy);
    /* Walking it gives the same once more. */
    assert_true(rates_init(&copy, 2));
    rates_walk(rates, NOW + 2 * WINDOW, restore, &copy);
    assert_int_equal(count(&copy, NOW + 2 * WINDOW), count(rates, NOW + 2 * WINDOW));
    rates_free(&copy);
}

static void count_record(void *owner, const struct rates_record *record)
{
    (void)record;
    ++*(size_t *)owner;
}

static void what_did_not_change_is_not_written(void **state)
{
    struct rates *rates = *state;
    size_t written = 0;
    for (int i = 0; i < 100; i++) {
        char name[32];
        snprintf(name, sizeof name, "@%d", i);
        rates_is_reached(rates, RATES_SENT, slice_text(name), WINDOW, 9, NOW);
        if (i % 10 == 0)
            rates_add(rates, RATES_SENT, slice_text(name), 1, NOW);
    }
    rates_flush(rates, count_record, &written);
    assert_int_equal(written, 10);
    rates_flush(rates, count_record, &written);
    assert_int_equal(written, 10);
}

static void nonsense_is_not_restored(void **state)
{
    struct rates *rates = *state;
    struct rates_record record = {
        .kind = RATES_SENT, .name = DOMAIN, .window_s = WINDOW, .stretch = 5, .count = 1};
    struct rates_record bad[4] = {record, record, record, record};
    bad[0].window_s = 0;
    bad[1].window_s = (int64_t)RATES_WINDOW_MAX + 1;
    bad[2].stretch = INT64_MAX;
    bad[3].name = SLICE("");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(rates_restore(rates, &bad[i]));
    assert_true(rates_restore(rates, &record));
}

/* ---- the table --------------------------------------------------------------------------------*/

static void the_table_is_bounded(void **state)
{
    struct rates *rates = *state;
    char name[32];
    for (int i = 0; i < RATES_MAX + 1000; i++) {
        snprintf(name, sizeof name, "@%d.example", i);
        rates_is_reached(rates, RATES_SENT, slice_text(name), WINDOW, 9, NOW);
        rates_add(rates, RATES_SENT, slice_text(name), 1, NOW);
        if (i % 100 == 0) { /* who is used stays */
            is_reached(rates, 9, NOW);
            rates_add(rates, RATES_SENT, DOMAIN, 1, NOW);
        }
    }
    assert_int_equal(rates->table.count, RATES_MAX);
    assert_true(count(rates, NOW) > 300);
    size_t written = 0;
    rates_flush(rates, count_record, &written);
    assert_int_equal(written, RATES_MAX);
    assert_false(rates_is_dirty(rates));
    rates_tidy(rates, NOW + WINDOW);
    assert_int_equal(rates->table.count, RATES_MAX);
    rates_tidy(rates, NOW + 2 * WINDOW);
    assert_int_equal(rates->table.count, 0);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, finish)
    static const struct CMUnitTest tests[] = {
        CASE(a_limit_is_reached_by_what_was_counted),
        CASE(without_a_question_nothing_is_kept),
        CASE(the_window_slides),
        CASE(a_steady_stream_is_counted_as_it_is),
        CASE(windows_of_seconds_and_of_days),
        CASE(another_window_keeps_what_was_counted),
        CASE(it_can_begin_anew),
        CASE(a_clock_that_is_set_back_blocks_nobody_for_long),
        CASE(a_clock_that_jumps_ahead_forgets),
        CASE(counts_do_not_overflow),
        CASE(flushed_stretches_make_the_same_counter),
        CASE(what_did_not_change_is_not_written),
        CASE(nonsense_is_not_restored),
        CASE(the_table_is_bounded),
    };
    return cmocka_run_group_tests_name("rates", tests, NULL, NULL);
}
