/* schedule: waits by age, milestones, clocks that jump */
#include "unit.h"

#include "schedule.h"

static const struct schedule schedule = {.least = 60, .most = 4800, .lifetime = 432000};

struct wait_case {
    int64_t age, wait;
};
static const struct wait_case wait_cases[] = {
    {0, 64},         {1, 80},
    {64, 192},       {256, 320},
    {576, 448},      {3600, 1024},
    {36000, 2809},   {86400, 4201},
    {100000, 4800},  {432000, 4800},
    {-5, 64},        {-100000, 64},
    {1000000, 4800}, {INT64_C(1) << 60, 4800},
    {431999, 1},     {430000, 2000},
};

static void waits_by_age(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof wait_cases / sizeof *wait_cases; i++) {
        const struct wait_case *one = &wait_cases[i];
        int64_t wait = schedule_wait(&schedule, 1000000, 1000000 + one->age);
        if (wait != one->wait)
            fail_msg("age %lld: %lld", (long long)one->age, (long long)wait);
    }
}

static void stops_at_milestones(void **state)
{
    (void)state;
    struct schedule mine = {.least = 300, .most = 4000, .lifetime = 1000, .warning = 400};
    assert_int_equal(schedule_wait(&mine, 0, 0), 300);
    assert_int_equal(schedule_wait(&mine, 0, 300), 100);
    assert_int_equal(schedule_wait(&mine, 0, 400), 384);
    assert_int_equal(schedule_wait(&mine, 0, 784), 216);
    assert_int_equal(schedule_wait(&mine, 0, 1000), 521);
    mine.warning = 0;
    assert_int_equal(schedule_wait(&mine, 0, 300), 325);
}

/* From arrival to the end of its life: how often, and never a gap beyond the maximum. */
static void tries_a_message_for_five_days(void **state)
{
    (void)state;
    int64_t arrived = 1763766000;
    int64_t now = arrived;
    unsigned attempts = 0, in_first_hour = 0;
    while (!schedule_is_expired(arrived, now, schedule.lifetime)) {
        int64_t wait = schedule_wait(&schedule, arrived, now);
        assert_in_range(wait, 1, schedule.most);
        now += wait;
        attempts++;
        in_first_hour += now - arrived <= 3600 ? 1 : 0;
    }
    assert_int_equal(in_first_hour, 7);
    assert_in_range(attempts, 90, 130);
    assert_int_equal(now - arrived, schedule.lifetime);
}

static void expires(void **state)
{
    (void)state;
    assert_false(schedule_is_expired(100, 100, 60));
    assert_false(schedule_is_expired(100, 159, 60));
    assert_true(schedule_is_expired(100, 160, 60));
    assert_false(schedule_is_expired(100, 50, 60));
}

static void backs_off_from_peers(void **state)
{
    (void)state;
    assert_int_equal(schedule_scan_wait(0), 5);
    assert_int_equal(schedule_scan_wait(1), 5);
    assert_int_equal(schedule_scan_wait(2), 10);
    assert_int_equal(schedule_scan_wait(6), 160);
    assert_int_equal(schedule_scan_wait(7), 300);
    assert_int_equal(schedule_scan_wait(4000000000u), 300);
    assert_int_equal(schedule_wait_soon(0), 1);
    assert_int_equal(schedule_wait_soon(1), 1);
    assert_int_equal(schedule_wait_soon(2), 2);
    assert_int_equal(schedule_wait_soon(6), 32);
    assert_int_equal(schedule_wait_soon(7), 60);
    assert_int_equal(schedule_wait_soon(60000), 60);
    assert_int_equal(schedule_peer_wait_ms(1), 500);
    assert_int_equal(schedule_peer_wait_ms(100), 30000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits_by_age),
        cmocka_unit_test(stops_at_milestones),
        cmocka_unit_test(tries_a_message_for_five_days),
        cmocka_unit_test(expires),
        cmocka_unit_test(backs_off_from_peers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
