/* test_greylist - greylisting and rates by an injected clock: windows, a restart at any time, bounds */
#include "unit.h"

#include "greylist.h"
#include "rates.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const unsigned char seed[RECENT_SEED_SIZE] = "0123456789abcde";
static const struct greylist_limits limits = {
    .delay_s = 300, .window_s = 172800, .lifetime_s = 3024000, .passes = 3};

enum { START = 1000000 };

static struct ip address(const char *text)
{
    struct ip ip;
    assert_true(ip_parse(slice_text(text), &ip));
    return ip;
}

/* ---- a list with a journal in memory ----------------------------------------------------------*/

struct fixture {
    struct greylist list;
    struct str records;
    size_t count;
};

static void keep(void *owner, struct slice record)
{
    struct fixture *fixture = owner;
    fixture->count++;
    assert_true(record.size <= GREYLIST_RECORD_MAX && !slice_has(record, '\n'));
    str_append(&fixture->records, record);
    assert_true(str_append_byte(&fixture->records, '\n'));
}

static void begin(struct fixture *fixture)
{
    *fixture = (struct fixture){.count = 0};
    str_init(&fixture->records, 64u << 20);
    assert_true(greylist_init(&fixture->list, seed, keep, fixture));
    greylist_set_seed(&fixture->list, seed);
}

static void end(struct fixture *fixture)
{
    greylist_free(&fixture->list);
    str_free(&fixture->records);
}

/* A new process: other table seeds, the same records. */
static void restart(struct fixture *fixture)
{
    static const unsigned char other[RECENT_SEED_SIZE] = "another seed 12";
    struct slice rest = str_slice(&fixture->records);
    greylist_free(&fixture->list);
    assert_true(greylist_init(&fixture->list, other, keep, fixture));
    while (rest.size > 0)
        assert_true(greylist_apply(&fixture->list, slice_cut(&rest, '\n')));
    greylist_set_seed(&fixture->list, other);
}

static int64_t judge(struct fixture *fixture, int64_t now, const char *client, const char *sender,
                     const char *recipient)
{
    struct ip ip = address(client);
    return greylist_judge(&fixture->list, &limits, now, &ip, slice_text(sender),
                          slice_text(recipient));
}

#define A  "192.0.2.1"
#define S  "a@example.org"
#define U1 "u1@example.jp"

/* ---- cases ------------------------------------------------------------------------------------*/

static void a_second_try_passes(void **state)
{
    struct fixture f;
    (void)state;
    begin(&f);
    assert_int_equal(judge(&f, START, A, S, U1), 300);
    assert_int_equal(judge(&f, START + 1, A, S, U1), 299);
    assert_int_equal(judge(&f, START + 299, A, S, U1), 1);
    assert_int_equal(judge(&f, START + 300, A, S, U1), 0);
    assert_int_equal(judge(&f, START + 301, A, S, U1), 0);
    end(&f);
}

static void what_makes_a_triplet(void **state)
{
    struct fixture f;
    (void)state;
    begin(&f);
    assert_int_equal(judge(&f, START, A, "list-17+x@Example.org", U1), 300);
    assert_int_equal(judge(&f, START, "2001:db8::1", S, U1), 300);
    int64_t later = START + 400;
    assert_int_equal(judge(&f, later, "192.0.2.255", "LIST-9@example.ORG", "U1@example.JP"), 0);
    assert_int_equal(judge(&f, later, "2001:db8::ffff:ffff:ffff:ffff", S, U1), 0);
    assert_int_equal(judge(&f, later, "192.0.3.1", "list-17@example.org", U1), 300);
    assert_int_equal(judge(&f, later, "2001:db8:0:1::1", S, U1), 300);
    assert_int_equal(judge(&f, later, A, "list-17@example.com", U1), 300);
    assert_int_equal(judge(&f, later, A, "list-17@example.org", "u2@example.jp"), 300);
    assert_int_equal(judge(&f, later, A, "", U1), 300);
    assert_int_equal(judge(&f, later, A, "list-x@example.org", U1), 300);
    end(&f);
}

static void who_comes_too_late_begins_anew(void **state)
{
    struct fixture f;
    (void)state;
    begin(&f);
    assert_int_equal(judge(&f, START, A, S, U1), 300);
    assert_int_equal(judge(&f, START + limits.window_s + 1, A, S, U1), 300);
    assert_int_equal(judge(&f, START + limits.window_s + 301, A, S, U1), 0);
    /* Mail now and then keeps it known; none for a lifetime does not. */
    int64_t now = START + limits.window_s + 301;
    for (int i = 0; i < 5; i++) {
        now += limits.lifetime_s;
        assert_int_equal(judge(&f, now, A, S, U1), 0);
    }
    assert_int_equal(judge(&f, now + limits.lifetime_s + 1, A, S, U1), 300);
    end(&f);
}

static void a_clock_that_goes_back(void **state)
{
    struct fixture f;
    (void)state;
    begin(&f);
    assert_int_equal(judge(&f, START, A, S, U1), 300);
    assert_int_equal(judge(&f, START - 5000, A, S, U1), 300);
    assert_int_equal(judge(&f, START - 4700, A, S, U1), 0);
    assert_int_equal(judge(&f, START - 9000, A, S, U1), 0);
    end(&f);
}

static void a_network_is_known_in_the_end(void **state)
{
    static const char *const senders[] = {"a@x.example", "b@x.example", "c@x.example"};
    struct fixture f;
    struct greylist_limits never = limits;
    struct ip ip = address(A);
    (void)state;
    begin(&f);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(judge(&f, START, A, senders[i], U1), 300);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(judge(&f, START + 300, A, "new@x.example", U1), 300);
        assert_int_equal(judge(&f, START + 300, A, senders[i], U1), 0);
    }
    assert_int_equal(judge(&f, START + 301, "192.0.2.77", "newer@x.example", U1), 0);
    never.passes = 0;
    assert_int_equal(
        greylist_judge(&f.list, &never, START + 301, &ip, SLICE("newer@x.example"), SLICE(U1)),
        300);
    restart(&f);
    assert_int_equal(judge(&f, START + 302, A, "newest@x.example", U1), 0);
    assert_int_equal(judge(&f, START + 302, "192.0.3.1", "newest@x.example", U1), 300);
    assert_int_equal(judge(&f, START + 303 + limits.lifetime_s, A, "other@x.example", U1), 300);
    end(&f);
}

/* Whatever was told is known again, wherever the process ended. */
static void a_restart_at_any_time(void **state)
{
    struct fixture f;
    char sender[32];
    (void)state;
    begin(&f);
    for (int i = 0; i < 26; i++) {
        snprintf(sender, sizeof sender, "%c@example.org", 'a' + i);
        assert_int_equal(judge(&f, START, "198.51.100.1", sender, U1), 300);
        restart(&f);
        assert_int_equal(judge(&f, START + 10, "198.51.100.1", sender, U1), 290);
        snprintf(sender, sizeof sender, "%c@example.com", 'a' + i);
        assert_int_equal(judge(&f, START, "198.51.101.1", sender, U1), 300);
        assert_int_equal(judge(&f, START + 300, "198.51.101.1", sender, U1), 0);
        restart(&f);
        assert_int_equal(judge(&f, START + 300, "198.51.101.1", sender, U1), 0);
        if (i == 1) /* the third pass makes the network known */
            break;
    }
    end(&f);
}

static void collect(void *owner, struct slice record)
{
    struct str *records = owner;
    str_append(records, record);
    str_append_byte(records, '\n');
}

static void written_anew_it_knows_the_same(void **state)
{
    struct fixture f;
    struct str records;
    int64_t later = START + 1000;
    (void)state;
    begin(&f);
    str_init(&records, 1u << 20);
    assert_int_equal(judge(&f, START, A, S, U1), 300);
    assert_int_equal(judge(&f, START + 300, A, S, U1), 0);
    assert_int_equal(judge(&f, later, A, "waits@example.org", U1), 300);
    greylist_walk(&f.list, &limits, later, collect, &records);
    str_clear(&f.records);
    str_append(&f.records, str_slice(&records));
    restart(&f);
    assert_int_equal(judge(&f, later, A, S, U1), 0);
    assert_int_equal(judge(&f, later + 300, A, "waits@example.org", U1), 0);
    /* What is over is left out. */
    str_clear(&records);
    greylist_walk(&f.list, &limits, later + 10 * limits.lifetime_s, collect, &records);
    assert_true(slice_starts(str_slice(&records), SLICE("seed ")));
    assert_int_equal(slice_find(str_slice(&records), '\n'), records.size - 1);
    str_free(&records);
    end(&f);
}

/* Mail of the known costs a record now and then, not one each. */
static void known_mail_is_not_recorded_each_time(void **state)
{
    struct fixture f;
    (void)state;
    begin(&f);
    assert_int_equal(judge(&f, START, A, S, U1), 300);
    assert_int_equal(judge(&f, START + 300, A, S, U1), 0);
    size_t count = f.count;
    for (int i = 0; i < 1000; i++)
        assert_int_equal(judge(&f, START + 400 + i, A, S, U1), 0);
    assert_int_equal(f.count, count);
    assert_int_equal(judge(&f, START + 400 + limits.lifetime_s / 10, A, S, U1), 0);
    assert_int_equal(f.count, count + 1);
    end(&f);
}

static void odd_records(void **state)
{
    static const char *const records[] = {
        "",
        "seed",
        "seed 12",
        "seed 0123456789abcdef0123456789abcdeg",
        "triplet",
        "triplet 12 1 0",
        "triplet 0123456789abcdef 1",
        "triplet 0123456789abcdef 1 x",
        "triplet 0123456789abcdef 1 2 3",
        "triplet 0123456789abcdef 99999999999999999999 2",
        "client",
        "client 192.0.2 1 1",
        "client 192.0.2.0 1",
        "client 192.0.2.0 1 1 1",
        "other 1",
    };
    struct fixture f;
    (void)state;
    begin(&f);
    for (size_t i = 0; i < sizeof records / sizeof *records; i++)
        if (greylist_apply(&f.list, slice_text(records[i])))
            fail_msg("\"%s\"", records[i]);
    end(&f);
}

/* A flood of new triplets takes nobody's pass, and memory has an end. */
static void a_flood(void **state)
{
    struct fixture f;
    char recipient[32];
    (void)state;
    begin(&f);
    f.list.keep = NULL;
    assert_int_equal(judge(&f, START, A, S, U1), 300);
    assert_int_equal(judge(&f, START + 300, A, S, U1), 0);
    assert_int_equal(judge(&f, START, "192.0.3.1", S, U1), 300);
    for (int i = 0; i < GREYLIST_WAITING_MAX; i++) {
        snprintf(recipient, sizeof recipient, "u%d@example.jp", i);
        assert_int_equal(judge(&f, START + 301, "192.0.4.1", S, recipient), 300);
    }
    assert_int_equal(f.list.waiting.count, GREYLIST_WAITING_MAX);
    assert_int_equal(judge(&f, START + 302, A, S, U1), 0);
    assert_int_equal(judge(&f, START + 302, "192.0.3.1", S, U1), 300); /* the oldest went */
    end(&f);
}

/* ---- rates ------------------------------------------------------------------------------------*/

static unsigned count(struct rates *rates, enum rates_kind kind, const char *client, int64_t now)
{
    struct ip ip = address(client);
    return rates_count(rates, kind, &ip, 3, now);
}

static void rates_by_minute(void **state)
{
    struct rates rates;
    (void)state;
    assert_true(rates_init(&rates, seed));
    for (int i = 0; i < 3; i++)
        assert_int_equal(count(&rates, RATES_MESSAGE, A, START + i * 10), 0);
    assert_int_equal(count(&rates, RATES_MESSAGE, A, START + 59), 1);
    assert_int_equal(count(&rates, RATES_RECIPIENT, A, START + 59), 0);
    assert_int_equal(count(&rates, RATES_MESSAGE, "192.0.2.2", START + 59), 0);
    assert_int_equal(count(&rates, RATES_MESSAGE, A, START + 60), 0);
    assert_int_equal(count(&rates, RATES_MESSAGE, A, START - 60), 0); /* the clock went back */
    for (int i = 0; i < 3; i++) {
        assert_int_equal(count(&rates, RATES_CONNECTION, "2001:db8::1", START), 0);
        assert_int_equal(count(&rates, RATES_CONNECTION, "2001:db8:0:1::1", START), 0);
    }
    assert_int_equal(count(&rates, RATES_CONNECTION, "2001:db8::ffff:1", START + 1), 59);
    rates_free(&rates);
}

static void rates_have_bounds(void **state)
{
    struct rates rates;
    struct ip ip = address("10.0.0.0");
    (void)state;
    assert_true(rates_init(&rates, seed));
    for (unsigned i = 0; i < RATES_CLIENTS_MAX + 1000; i++) {
        ip.bytes[1] = (unsigned char)(i >> 16);
        ip.bytes[2] = (unsigned char)(i >> 8);
        ip.bytes[3] = (unsigned char)i;
        assert_int_equal(rates_count(&rates, RATES_MESSAGE, &ip, 1, START), 0);
    }
    assert_int_equal(rates.table.count, RATES_CLIENTS_MAX);
    assert_int_equal(rates_count(&rates, RATES_MESSAGE, &ip, 1, START), 60);
    rates_free(&rates);
}

static void rate_names(void **state)
{
    enum rates_kind kind;
    (void)state;
    assert_true(rates_find_kind(SLICE("recipient"), &kind));
    assert_string_equal(rates_setting(kind), "recipient-rate");
    assert_false(rates_find_kind(SLICE("recipients"), &kind));
}

/* The reference values of the paper's authors, key 00 01 ... 0f. */
static void siphash_is_siphash(void **state)
{
    unsigned char key[RECENT_SEED_SIZE], text[15];
    (void)state;
    for (unsigned i = 0; i < sizeof key; i++)
        key[i] = (unsigned char)i;
    for (unsigned i = 0; i < sizeof text; i++)
        text[i] = (unsigned char)i;
    assert_true(recent_hash(key, slice_of(text, 15)) == UINT64_C(0xa129ca6149be45e5));
    assert_true(recent_hash(key, slice_of(text, 0)) == UINT64_C(0x726fdb47dd0e0e31));
    assert_true(recent_hash(key, slice_of(text, 8)) == UINT64_C(0x93f5f5799a932462));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_second_try_passes),
        cmocka_unit_test(what_makes_a_triplet),
        cmocka_unit_test(who_comes_too_late_begins_anew),
        cmocka_unit_test(a_clock_that_goes_back),
        cmocka_unit_test(a_network_is_known_in_the_end),
        cmocka_unit_test(a_restart_at_any_time),
        cmocka_unit_test(written_anew_it_knows_the_same),
        cmocka_unit_test(known_mail_is_not_recorded_each_time),
        cmocka_unit_test(odd_records),
        cmocka_unit_test(a_flood),
        cmocka_unit_test(rates_by_minute),
        cmocka_unit_test(rates_have_bounds),
        cmocka_unit_test(rate_names),
        cmocka_unit_test(siphash_is_siphash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
