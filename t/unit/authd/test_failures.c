/* failures: delays, locks of pairs, accounts and addresses, and who is spared; the bounded table */
#include "unit.h"

#include "failures.h"

#include <stdio.h>

static const struct failures_limits limits = {.limit = 10, .window_s = 600, .lock_s = 900};
enum { NOW = 1000000 };

static int begin(void **state)
{
    static struct failures failures;
    *state = &failures;
    return failures_init(&failures, 12345) ? 0 : -1;
}

static int finish(void **state)
{
    failures_free(*state);
    return 0;
}

static struct failures_result miss(struct failures *failures, const char *account,
                                   const char *client, int64_t now)
{
    static const struct failures_own none;
    return failures_note(failures, &limits, &none, slice_text(account), slice_text(client), now);
}

static enum failures_scope check(const struct failures *failures, const char *account,
                                 const char *client, int64_t now)
{
    int64_t until;
    return failures_check(failures, slice_text(account), slice_text(client), now, &until);
}

static void delays_grow_to_a_maximum(void **state)
{
    static const int64_t expected[] = {0, 1000, 2000, 4000, 8000, 8000, 8000};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        assert_int_equal(miss(*state, "u1@a", "192.0.2.1", NOW).delay_ms, expected[i]);
    /* Another place, another window: from the start. */
    assert_int_equal(miss(*state, "u1@a", "192.0.2.2", NOW).delay_ms, 0);
    assert_int_equal(miss(*state, "u1@a", "192.0.2.1", NOW + 600).delay_ms, 0);
}

static void the_pair_is_locked_and_nobody_else(void **state)
{
    struct failures *failures = *state;
    int64_t until;
    for (int i = 1; i < 10; i++)
        assert_int_equal(miss(failures, "u1@a", "192.0.2.1", NOW + i).locked, FAILURES_NONE);
    assert_int_equal(check(failures, "u1@a", "192.0.2.1", NOW + 10), FAILURES_NONE);
    struct failures_result last = miss(failures, "u1@a", "192.0.2.1", NOW + 10);
    assert_int_equal(last.locked, FAILURES_PAIR);
    assert_int_equal(last.until, NOW + 10 + 900);
    assert_int_equal(failures_check(failures, SLICE("u1@a"), SLICE("192.0.2.1"), NOW + 11, &until),
                     FAILURES_PAIR);
    assert_int_equal(until, NOW + 910);
    assert_int_equal(check(failures, "u1@a", "192.0.2.2", NOW + 11), FAILURES_NONE);
    assert_int_equal(check(failures, "u2@a", "192.0.2.1", NOW + 11), FAILURES_NONE);
    assert_int_equal(check(failures, "u1@a", "192.0.2.1", NOW + 909), FAILURES_PAIR);
    assert_int_equal(check(failures, "u1@a", "192.0.2.1", NOW + 910), FAILURES_NONE);
}

static void slow_failures_lock_nothing(void **state)
{
    for (int i = 0; i < 100; i++)
        assert_int_equal(miss(*state, "u1@a", "192.0.2.1", NOW + i * 100).locked, FAILURES_NONE);
}

static void a_success_forgives_the_pair(void **state)
{
    struct failures *failures = *state;
    for (int i = 0; i < 9; i++)
        miss(failures, "u1@a", "192.0.2.1", NOW);
    assert_true(failures_success(failures, SLICE("u1@a"), SLICE("192.0.2.1"), NOW));
    assert_false(failures_success(failures, SLICE("u1@a"), SLICE("192.0.2.1"), NOW + 1));
    assert_true(failures_success(failures, SLICE("u1@a"), SLICE("192.0.2.1"), NOW + 86400));
    assert_int_equal(miss(failures, "u1@a", "192.0.2.1", NOW + 86401).delay_ms, 0);
}

/* `count` failures for one account from `places` addresses. */
static enum failures_scope attack_account(struct failures *failures, int count, int places)
{
    enum failures_scope locked = FAILURES_NONE;
    for (int i = 0; i < count; i++) {
        char client[32];
        snprintf(client, sizeof client, "198.51.100.%d", i % places);
        struct failures_result result = miss(failures, "victim@a", client, NOW + i);
        if (result.locked == FAILURES_ACCOUNT)
            locked = FAILURES_ACCOUNT;
    }
    return locked;
}

static void an_account_is_locked_by_many_places_only(void **state)
{
    /* Nine addresses, however many failures: their pairs are locked, the account is not. */
    assert_int_equal(attack_account(*state, 80, 9), FAILURES_NONE);
    assert_int_equal(check(*state, "victim@a", "203.0.113.1", NOW + 100), FAILURES_NONE);
}

static void many_places_lock_the_account_but_not_where_it_is_known(void **state)
{
    struct failures *failures = *state;
    failures_success(failures, SLICE("victim@a"), SLICE("203.0.113.7"), NOW - 86400);
    assert_int_equal(attack_account(failures, 49, 25), FAILURES_NONE);
    assert_int_equal(attack_account(failures, 1, 25), FAILURES_ACCOUNT);
    assert_int_equal(check(failures, "victim@a", "203.0.113.1", NOW + 100), FAILURES_ACCOUNT);
    assert_int_equal(check(failures, "other@a", "203.0.113.1", NOW + 100), FAILURES_NONE);
    /* The customer's own place goes on, till it fails by itself. */
    assert_int_equal(check(failures, "victim@a", "203.0.113.7", NOW + 100), FAILURES_NONE);
    for (int i = 0; i < 10; i++)
        miss(failures, "victim@a", "203.0.113.7", NOW + 100);
    assert_int_equal(check(failures, "victim@a", "203.0.113.7", NOW + 101), FAILURES_PAIR);
}

/* One failure each for `count` accounts. */
static enum failures_scope spray(struct failures *failures, const char *client, int count)
{
    enum failures_scope locked = FAILURES_NONE;
    for (int i = 0; i < count; i++) {
        char account[32];
        snprintf(account, sizeof account, "u%d@a", i);
        struct failures_result result = miss(failures, account, client, NOW + i);
        if (result.locked != FAILURES_NONE)
            locked = result.locked;
    }
    return locked;
}

static void spraying_locks_the_address_but_not_its_users(void **state)
{
    struct failures *failures = *state;
    failures_success(failures, SLICE("colleague@a"), SLICE("192.0.2.1"), NOW - 100);
    assert_int_equal(spray(failures, "192.0.2.1", 49), FAILURES_NONE);
    assert_int_equal(miss(failures, "u99@a", "192.0.2.1", NOW + 50).delay_ms,
                     FAILURES_DELAY_MAX_MS);
    assert_int_equal(check(failures, "fresh@a", "192.0.2.1", NOW + 60), FAILURES_CLIENT);
    assert_int_equal(check(failures, "colleague@a", "192.0.2.1", NOW + 60), FAILURES_NONE);
    assert_int_equal(check(failures, "fresh@a", "192.0.2.2", NOW + 60), FAILURES_NONE);
}

static void loopback_is_never_locked_as_a_whole(void **state)
{
    assert_int_equal(spray(*state, "127.0.0.1", 200), FAILURES_NONE);
    assert_int_equal(spray(*state, "::", 200), FAILURES_NONE); /* ::1 as it is counted */
    assert_int_equal(check(*state, "fresh@a", "127.0.0.1", NOW + 300), FAILURES_NONE);
}

static void forgiving_ends_all_locks_of_an_account(void **state)
{
    struct failures *failures = *state;
    attack_account(failures, 500, 25);
    assert_int_not_equal(check(failures, "victim@a", "198.51.100.1", NOW + 501), FAILURES_NONE);
    assert_true(failures_forgive(failures, SLICE("victim@a")));
    assert_int_equal(check(failures, "victim@a", "198.51.100.1", NOW + 501), FAILURES_NONE);
    assert_int_equal(check(failures, "victim@a", "203.0.113.1", NOW + 501), FAILURES_NONE);
    assert_false(failures_forgive(failures, SLICE("victim@a")));
    assert_false(failures_forgive(failures, SLICE("nobody@a")));
}

static const struct {
    const char *address, *client;
} clients[] = {
    {"192.0.2.1", "192.0.2.1"},
    {"::ffff:192.0.2.1", "192.0.2.1"},
    {"2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"},
    {"2001:db8:1:2::1", "2001:db8:1:2::"},
    {"nonsense", "nonsense"},
    {"", ""},
};

static void ipv6_is_counted_by_its_network(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof clients / sizeof *clients; i++) {
        char client[FAILURES_CLIENT_MAX];
        failures_client(slice_text(clients[i].address), client);
        assert_string_equal(client, clients[i].client);
    }
}

static void a_clock_set_back_locks_nobody_for_ever(void **state)
{
    for (int i = 0; i < 9; i++)
        miss(*state, "u1@a", "192.0.2.1", NOW + 1000000);
    assert_int_equal(miss(*state, "u1@a", "192.0.2.1", NOW).locked, FAILURES_NONE);
    assert_int_equal(miss(*state, "u1@a", "192.0.2.1", NOW).delay_ms, 1000);
}

static void locks_move_along_with_a_clock_that_is_set_back(void **state)
{
    struct failures *failures = *state;
    int64_t until;
    for (int i = 0; i < 10; i++)
        miss(failures, "u1@a", "192.0.2.1", NOW + 1000000);
    assert_int_equal(attack_account(failures, 60, 20), FAILURES_ACCOUNT);
    failures_turn_back(failures, 1000000);
    assert_int_equal(failures_check(failures, SLICE("u1@a"), SLICE("192.0.2.1"), NOW + 899, &until),
                     FAILURES_PAIR);
    assert_int_equal(until, NOW + 900);
    assert_int_equal(failures_check(failures, SLICE("u1@a"), SLICE("192.0.2.1"), NOW + 900, &until),
                     FAILURES_NONE);
    /* What was read back counts from now on, and what lies in the past stays there. */
    for (int i = 0; i < 10; i++)
        miss(failures, "u2@a", "192.0.2.1", NOW + 1000000);
    failures_begin_now(failures, NOW);
    assert_int_equal(failures_check(failures, SLICE("u2@a"), SLICE("192.0.2.1"), NOW + 899, &until),
                     FAILURES_PAIR);
    assert_int_equal(failures_check(failures, SLICE("u2@a"), SLICE("192.0.2.1"), NOW + 900, &until),
                     FAILURES_NONE);
    failures_begin_now(failures, NOW + 5000);
    assert_int_equal(failures_check(failures, SLICE("u2@a"), SLICE("192.0.2.1"), NOW + 900, &until),
                     FAILURES_NONE);
}

static void a_plan_has_a_count_and_a_time_of_its_own(void **state)
{
    struct failures *failures = *state;
    static const struct failures_own own = {.limit = 2, .lock_s = 60};
    struct failures_result result = {0};
    for (int i = 0; i < 2; i++)
        result = failures_note(failures, &limits, &own, SLICE("u1@a"), SLICE("192.0.2.1"), NOW);
    assert_int_equal(result.locked, FAILURES_PAIR);
    assert_int_equal(result.until, NOW + 60);
    for (int i = 0; i < 9; i++)
        assert_int_equal(miss(failures, "u1@b", "192.0.2.1", NOW).locked, FAILURES_NONE);
    result = miss(failures, "u1@b", "192.0.2.1", NOW);
    assert_int_equal(result.until, NOW + limits.lock_s);
}

static void the_table_is_bounded_and_keeps_locks(void **state)
{
    (void)state;
    struct tally_table table;
    assert_true(tally_init(&table, 20, 1));
    struct tally *locked = tally_get(&table, SLICE("locked"), NOW);
    locked->locked_until = NOW + 100;
    for (int i = 0; i < 1000; i++) {
        char key[16];
        int size = snprintf(key, sizeof key, "%d", i);
        struct tally *tally = tally_get(&table, slice_of(key, (size_t)size), NOW);
        assert_non_null(tally);
        assert_int_equal(tally->failures, 0);
        tally->failures = 1;
        assert_true(table.count <= 20);
    }
    assert_ptr_equal(tally_find(&table, SLICE("locked")), locked);
    assert_non_null(tally_find(&table, SLICE("999")));
    assert_null(tally_find(&table, SLICE("0")));
    /* Use keeps: 981 is the oldest but for the lock, till it is asked for. */
    assert_non_null(tally_get(&table, SLICE("981"), NOW));
    tally_get(&table, SLICE("new"), NOW);
    assert_non_null(tally_find(&table, SLICE("981")));
    assert_null(tally_find(&table, SLICE("982")));
    /* All locked: one has to go nevertheless. */
    for (struct tally *tally = table.newest; tally; tally = tally->older)
        tally->locked_until = NOW + 100;
    assert_non_null(tally_get(&table, SLICE("one more"), NOW));
    assert_int_equal(table.count, 20);
    tally_free(&table);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, finish)
    static const struct CMUnitTest tests[] = {
        CASE(delays_grow_to_a_maximum),
        CASE(the_pair_is_locked_and_nobody_else),
        CASE(slow_failures_lock_nothing),
        CASE(a_success_forgives_the_pair),
        CASE(an_account_is_locked_by_many_places_only),
        CASE(many_places_lock_the_account_but_not_where_it_is_known),
        CASE(spraying_locks_the_address_but_not_its_users),
        CASE(loopback_is_never_locked_as_a_whole),
        CASE(forgiving_ends_all_locks_of_an_account),
        cmocka_unit_test(ipv6_is_counted_by_its_network),
        CASE(a_clock_set_back_locks_nobody_for_ever),
        CASE(locks_move_along_with_a_clock_that_is_set_back),
        CASE(a_plan_has_a_count_and_a_time_of_its_own),
        cmocka_unit_test(the_table_is_bounded_and_keeps_locks),
    };
    return cmocka_run_group_tests_name("failures", tests, NULL, NULL);
}
