/* message, job, plan, request: the manager's tables and what is said to workers */
#include "unit.h"

#include "failure.h"
#include "inject.h"
#include "plan.h"
#include "scanlog.h"
#include "scanner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void id_of(size_t number, char id[QUEUEFILE_ID_SIZE + 1])
{
    snprintf(id, QUEUEFILE_ID_SIZE + 1, "%013zu", number % 10000000000000u);
}

static void finds_a_hundred_thousand(void **state)
{
    (void)state;
    enum { COUNT = 100000 };
    struct message_table table;
    char id[QUEUEFILE_ID_SIZE + 1];
    size_t walked = 0;
    message_table_init(&table);
    assert_null(message_table_find(&table, SLICE("0000000000000")));
    assert_null(message_table_next(&table, NULL));
    for (size_t i = 0; i < COUNT; i++) {
        id_of(i, id);
        assert_non_null(message_table_add(&table, slice_text(id)));
    }
    for (struct message *one = message_table_next(&table, NULL); one;
         one = message_table_next(&table, one))
        walked++;
    assert_int_equal(walked, COUNT);
    for (size_t i = 0; i < COUNT; i += 2) {
        id_of(i, id);
        message_table_remove(&table, message_table_find(&table, slice_text(id)));
    }
    for (size_t i = 0; i < COUNT; i++) {
        id_of(i, id);
        assert_int_equal(message_table_find(&table, slice_text(id)) != NULL, i % 2);
    }
    assert_int_equal(table.count, COUNT / 2);
    assert_true(sizeof(struct message) <= 256);
    message_table_free(&table);
}

static void shares_lines(void **state)
{
    (void)state;
    struct message_table table;
    struct message_lines *last = NULL;
    message_table_init(&table);
    struct message *a = message_table_add(&table, SLICE("0000000000000"));
    struct message *b = message_table_add(&table, SLICE("0000000000001"));
    assert_slice(message_added(a), "");
    assert_true(message_set_lines(a, SLICE("X: 1\r\n"), &last));
    assert_true(message_set_lines(b, SLICE("X: 1\r\n"), &last));
    assert_ptr_equal(a->lines, b->lines);
    assert_true(message_set_lines(b, SLICE("X: 2\r\n"), &last));
    assert_slice(message_added(a), "X: 1\r\n");
    assert_slice(message_added(b), "X: 2\r\n");
    assert_true(message_set_lines(b, SLICE(""), &last));
    assert_slice(message_added(b), "");
    message_lines_free(&last);
    message_table_free(&table);
}

static void takes_turns_between_new_and_old(void **state)
{
    (void)state;
    struct message_table messages;
    struct destination_table destinations;
    struct tenant_table tenants;
    const uint16_t first = 0;
    unsigned fresh = 0, old = 0, first_old = 0;
    message_table_init(&messages);
    destination_table_init(&destinations);
    tenant_table_init(&tenants);
    struct destination *destination =
        destination_get(&destinations, JOB_REMOTE, SLICE("a.example"));
    assert_ptr_equal(destination, destination_get(&destinations, JOB_REMOTE, SLICE("a.example")));
    assert_ptr_not_equal(destination,
                         destination_get(&destinations, JOB_LOCAL, SLICE("a.example")));
    struct message *message = message_table_add(&messages, SLICE("0000000000000"));
    assert_null(job_new(message, destination, &first, 1)); /* nobody's */
    message->tenant = tenant_get(&tenants, SLICE("Example.JP"));
    for (int i = 0; i < 80; i++) {
        message->is_fresh = i % 2 == 0;
        assert_non_null(job_new(message, destination, &first, 1));
    }
    destination_release(&destinations, destination); /* it has jobs: nothing happens */
    assert_int_equal(destination->waiting, 80);
    for (struct job *job; (job = job_take_any(destination));) {
        fresh += job->is_fresh ? 1 : 0;
        old += job->is_fresh ? 0 : 1;
        if (old == 1 && first_old == 0)
            first_old = fresh + old;
        job_free(job);
    }
    assert_int_equal(fresh, 40);
    assert_int_equal(old, 40);
    assert_int_equal(first_old, 8);
    assert_null(message->jobs);
    destination_sweep(&destinations, 0);
    assert_int_equal(destinations.count, 0);
    destination_table_free(&destinations);
    message_table_free(&messages);
    assert_int_equal(tenants.count, 0);
    tenant_table_free(&tenants);
}

/* Two tenants at one destination, one of them with a second destination. */
static void takes_turns_between_tenants(void **state)
{
    (void)state;
    static const char *const names[] = {"a.jp", "b.jp"};
    struct message_table messages;
    struct destination_table destinations;
    struct tenant_table tenants;
    struct ring ring;
    struct message *message[2];
    struct tenant *owner[2];
    const uint16_t first = 0;
    ring_init(&ring);
    message_table_init(&messages);
    destination_table_init(&destinations);
    tenant_table_init(&tenants);
    for (int i = 0; i < 2; i++) {
        message[i] =
            message_table_add(&messages, i ? SLICE("000000000000a") : SLICE("000000000000b"));
        owner[i] = tenant_get(&tenants, slice_text(names[i]));
        assert_non_null(owner[i]);
        message[i]->tenant = owner[i];
    }
    struct destination *x = destination_get(&destinations, JOB_REMOTE, SLICE("x"));
    struct destination *y = destination_get(&destinations, JOB_REMOTE, SLICE("y"));
    for (int i = 0; i < 10; i++)
        job_new(message[0], x, &first, 1);
    job_new(message[0], y, &first, 1);
    job_new(message[1], x, &first, 1);
    job_open(x, &ring, true);
    job_open(y, &ring, true);
    struct tenant *one = ring_turn(&ring), *two = ring_turn(&ring);
    assert_ptr_equal(one, owner[0]);
    assert_ptr_equal(two, owner[1]);
    assert_ptr_equal(ring_turn(&ring), one);
    struct lane *to_x = ring_turn(&owner[0]->turns[JOB_REMOTE].lanes);
    struct lane *to_y = ring_turn(&owner[0]->turns[JOB_REMOTE].lanes);
    if (!to_x || !to_y || to_x->destination != x || to_y->destination != y) {
        fail_msg("lanes out of turn");
        return;
    }
    job_free(job_take(to_y, true)); /* it was the last: the lane is gone */
    assert_ptr_equal(ring_turn(&owner[0]->turns[JOB_REMOTE].lanes), to_x);
    /* Whoever was served stands behind when the destination opens again. */
    job_free(job_take(to_x, true));
    job_open(x, &ring, false);
    assert_true(ring_is_empty(&ring));
    job_open(x, &ring, true);
    assert_ptr_equal(ring_turn(&ring), two);
    while (message[0]->jobs)
        job_free(message[0]->jobs);
    job_free(message[1]->jobs);
    assert_true(ring_is_empty(&ring));
    assert_null(x->first_lane);
    message_table_free(&messages);
    destination_table_free(&destinations);
    tenant_table_free(&tenants);
}

struct tenant_case {
    const char *origin, *sender, *recipient, *name;
};
static const struct tenant_case tenant_cases[] = {
    {"by=submission client=192.0.2.1 user=u1@example.jp", "x@y", "z@w", "example.jp"},
    {"by=smtp client=192.0.2.1 helo=mail", "spam@random.example", "u1@example.jp", "example.jp"},
    {"by=sendmail uid=0", "root@here", "z@w", "here"},
    {"by=bounce about=x", "", "z@w", "w"},
    {"by=sendmail user=root", "root@here", "z@w", "here"},
};

static void names_tenants(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof tenant_cases / sizeof *tenant_cases; i++) {
        const struct tenant_case *one = &tenant_cases[i];
        struct queuefile_recipient recipient = {.address = slice_text(one->recipient)};
        struct queuefile file = {.origin = slice_text(one->origin),
                                 .sender = slice_text(one->sender),
                                 .recipients = &recipient,
                                 .recipient_count = 1};
        assert_slice(tenant_name(&file), one->name);
    }
}

static void widens_what_works(void **state)
{
    (void)state;
    struct destination_table destinations;
    destination_table_init(&destinations);
    struct destination *one = destination_get(&destinations, JOB_REMOTE, SLICE("x"));
    assert_int_equal(one->window, 5);
    destination_widen(one, 7); /* nothing ran: no sign */
    assert_int_equal(one->window, 5);
    for (int i = 0; i < 5; i++) {
        one->running = one->window - 1;
        destination_widen(one, 7);
    }
    assert_int_equal(one->window, 7);
    for (int i = 0; i < 20; i++)
        destination_failed(one, 0);
    assert_int_equal(one->window, 1);
    destination_table_free(&destinations);
}

static void keeps_scans(void **state)
{
    (void)state;
    struct scanlog_entry back;
    struct scanlog_entry entry = {.id = SLICE("0cw9x2k4m7q1p"),
                                  .check = scanlog_check(77, 1234),
                                  .scanned = 1763766000,
                                  .lines = SLICE("X-A: b\r\nX-C: d\r\n")};
    struct str record;
    str_init(&record, JOURNAL_RECORD_MAX);
    assert_int_not_equal(scanlog_check(77, 1234), scanlog_check(78, 1234));
    assert_int_not_equal(scanlog_check(77, 1234), scanlog_check(77, 1235));
    assert_true(scanlog_format(&record, &entry));
    assert_false(slice_has(str_slice(&record), '\n'));
    assert_true(scanlog_parse(str_slice(&record), &back));
    assert_slice(back.id, "0cw9x2k4m7q1p");
    assert_int_equal(back.check, entry.check);
    assert_int_equal(back.scanned, entry.scanned);
    for (size_t size = 0; size < record.size; size++)
        assert_false(scanlog_parse(slice_part(str_slice(&record), 0, size), &back));
    char lines[SCANLOG_LINES_MAX + 1];
    memset(lines, 'x', sizeof lines);
    entry.lines = slice_of(lines, sizeof lines);
    str_clear(&record);
    assert_false(scanlog_format(&record, &entry));
    str_free(&record);
}

static void forgets_dead_destinations(void **state)
{
    (void)state;
    struct destination_table destinations;
    destination_table_init(&destinations);
    struct destination *one = destination_get(&destinations, JOB_REMOTE, SLICE("dead.example"));
    destination_failed(one, 1000);
    assert_false(destination_is_dead(one, 1000)); /* once may be an accident */
    destination_failed(one, 2000);
    assert_true(destination_is_dead(one, 2000));
    assert_true(destination_is_dead(one, 61999));
    assert_false(destination_is_dead(one, 62000));
    for (int i = 0; i < 100; i++)
        destination_failed(one, 100000);
    assert_true(destination_is_dead(one, 699999));
    assert_false(destination_is_dead(one, 700000));
    destination_sweep(&destinations, 700000 + 3600000);
    assert_int_equal(destinations.count, 1);
    destination_sweep(&destinations, 700001 + 3600000);
    assert_int_equal(destinations.count, 0);
    one = destination_get(&destinations, JOB_REMOTE, SLICE("dead.example"));
    destination_failed(one, 0);
    destination_failed(one, 0);
    destination_worked(one);
    assert_false(destination_is_dead(one, 0));
    destination_table_free(&destinations);
}

/* ---- planning ----------------------------------------------------------------------------------- */

static enum directory_result find_account(void *owner, struct slice address,
                                          struct directory_account *account)
{
    (void)owner;
    struct slice domain = slice_from(address, slice_find_last(address, '@') + 1);
    *account = (struct directory_account){0};
    if (slice_equal(domain, SLICE("trouble.jp")))
        return DIRECTORY_TROUBLE;
    if (!slice_ends(domain, SLICE("example.jp")))
        return DIRECTORY_UNKNOWN_DOMAIN;
    slice_copy_text(SLICE("example.jp"), account->domain.name, sizeof account->domain.name);
    return slice_starts(address, SLICE("u")) ? DIRECTORY_FOUND : DIRECTORY_UNKNOWN_USER;
}

static enum route_result find_route(void *owner, struct slice domain, struct route *route)
{
    (void)owner;
    if (slice_equal(domain, SLICE("bad.route")))
        return ROUTE_TROUBLE;
    return route_parse(slice_ends(domain, SLICE("routed")) ? SLICE("relay:26") : SLICE(""), route)
               ? ROUTE_FOUND
               : ROUTE_TROUBLE;
}

enum { SMALL_BOX = 20000 };

static uint64_t find_size_limit(void *owner, const struct directory_account *account)
{
    (void)account;
    ++*(unsigned *)owner;
    return SMALL_BOX;
}

struct place_case {
    const char *address, *destination;
    enum job_kind kind;
    enum verdict verdict;
    const char *status;
};
static const struct place_case place_cases[] = {
    {"u1@example.jp", "example.jp", JOB_LOCAL, VERDICT_OK, NULL},
    {"u1@child.example.jp", "example.jp", JOB_LOCAL, VERDICT_OK, NULL},
    {"x@example.jp", NULL, JOB_LOCAL, VERDICT_PERM, "5.1.1"},
    {"x@trouble.jp", NULL, JOB_LOCAL, VERDICT_TEMP, "4.3.5"},
    {"x@bad.route", NULL, JOB_LOCAL, VERDICT_TEMP, "4.3.5"},
    {"x@other.example", "other.example", JOB_REMOTE, VERDICT_OK, NULL},
    {"x@a.routed", "relay:26", JOB_REMOTE, VERDICT_OK, NULL},
    {"\"a@b\"@b.routed", "relay:26", JOB_REMOTE, VERDICT_OK, NULL},
    {"x@[192.0.2.1]", "[192.0.2.1]", JOB_REMOTE, VERDICT_OK, NULL},
};

static void places_recipients(void **state)
{
    (void)state;
    const struct plan_sources sources = {
        .find_account = find_account, .find_route = find_route, .size = SMALL_BOX};
    struct destination_table destinations;
    destination_table_init(&destinations);
    for (size_t i = 0; i < sizeof place_cases / sizeof *place_cases; i++) {
        const struct place_case *one = &place_cases[i];
        struct place place;
        plan_recipient(&sources, &destinations, slice_text(one->address), &place);
        if (!one->destination) {
            assert_null(place.destination);
            assert_int_equal(place.outcome.verdict, one->verdict);
            assert_string_equal(place.outcome.status, one->status);
        } else {
            assert_non_null(place.destination);
            assert_string_equal(place.destination->name, one->destination);
            assert_int_equal(place.destination->kind, one->kind);
        }
    }
    destination_table_free(&destinations);
}

/* SPEC R5.1: as a recipient of ours sees it, beside what servers put in front; others decide
 * themselves. */
static void large_mail_has_no_place(void **state)
{
    (void)state;
    static const struct {
        uint64_t size;
        unsigned asked;
        bool fits;
    } sizes[] = {{0, 0, true},
                 {INJECT_FIELDS_ADDED_MAX, 0, true},
                 {INJECT_FIELDS_ADDED_MAX + 1, 1, true},
                 {INJECT_FIELDS_ADDED_MAX + SMALL_BOX, 1, true},
                 {INJECT_FIELDS_ADDED_MAX + SMALL_BOX + 1, 1, false},
                 {UINT64_MAX, 1, false}};
    struct destination_table destinations;
    destination_table_init(&destinations);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        unsigned asked = 0;
        const struct plan_sources sources = {.find_account = find_account,
                                             .find_route = find_route,
                                             .find_size_limit = find_size_limit,
                                             .owner = &asked,
                                             .size = sizes[i].size};
        struct place place;
        plan_recipient(&sources, &destinations, SLICE("u1@example.jp"), &place);
        assert_int_equal(place.destination != NULL, sizes[i].fits);
        assert_int_equal(asked, sizes[i].asked);
        if (!sizes[i].fits) {
            assert_int_equal(place.outcome.verdict, VERDICT_PERM);
            assert_string_equal(place.outcome.status, "5.3.4");
        }
        plan_recipient(&sources, &destinations, SLICE("u1@other.example"), &place);
        assert_non_null(place.destination);
    }
    destination_table_free(&destinations);
}

static void groups_recipients(void **state)
{
    (void)state;
    struct destination_table table;
    struct destination *places[250] = {NULL};
    uint16_t group[JOB_RECIPIENTS_MAX];
    destination_table_init(&table);
    struct destination *local = destination_get(&table, JOB_LOCAL, SLICE("example.jp"));
    struct destination *remote = destination_get(&table, JOB_REMOTE, SLICE("a.example"));
    for (size_t i = 0; i < 240; i++)
        places[i] = i % 2 ? remote : NULL;
    places[240] = local;
    places[241] = local;
    assert_int_equal(plan_next_group(places, 250, group), 60);
    assert_int_equal(group[0], 1);
    assert_int_equal(group[59], 119);
    assert_int_equal(plan_next_group(places, 250, group), 60);
    assert_int_equal(plan_next_group(places, 250, group), 1);
    assert_int_equal(group[0], 240);
    assert_int_equal(plan_next_group(places, 250, group), 1);
    assert_int_equal(plan_next_group(places, 250, group), 0);
    destination_table_free(&table);
}

/* ---- answers ------------------------------------------------------------------------------------ */

struct outcome_case {
    const char *verdict, *status, *text;
    enum verdict expected;
    const char *expected_status, *expected_text;
};
static const struct outcome_case outcome_cases[] = {
    {"K", "2.1.5", "ok", VERDICT_OK, "2.1.5", "ok"},
    {"Z", "4.2.2", "full", VERDICT_TEMP, "4.2.2", "full"},
    {"D", "5.1.1", "no\r\nuser", VERDICT_PERM, "5.1.1", "no  user"},
    {"D", "4.1.1", "liar", VERDICT_PERM, "5.0.0", "liar"},
    {"Z", "", "", VERDICT_TEMP, "4.0.0", ""},
    {"Q", "2.0.0", "?", VERDICT_TEMP, "4.0.0", "?"},
    {"", "5.0.0", "", VERDICT_TEMP, "4.0.0", ""},
    {"D", "5.1", "", VERDICT_PERM, "5.0.0", ""},
    {"D", "5.1.1.1", "", VERDICT_PERM, "5.0.0", ""},
    {"D", "5.1234.1", "", VERDICT_PERM, "5.0.0", ""},
    {"D", "5.x.1", "", VERDICT_PERM, "5.0.0", ""},
    {"D", "5555555555555555555555555.1.1", "", VERDICT_PERM, "5.0.0", ""},
};

static void reads_outcomes(void **state)
{
    (void)state;
    struct wire_message message;
    struct outcome outcome;
    wire_init(&message);
    for (size_t i = 0; i < sizeof outcome_cases / sizeof *outcome_cases; i++) {
        const struct outcome_case *one = &outcome_cases[i];
        message.fields[0] = slice_text(one->verdict);
        message.fields[1] = slice_text(one->status);
        message.fields[2] = slice_text(one->text);
        message.count = 3;
        request_outcome(&message, 0, 1, &outcome);
        assert_int_equal(outcome.verdict, one->expected);
        assert_string_equal(outcome.status, one->expected_status);
        assert_string_equal(outcome.text, one->expected_text);
    }
    for (message.count = 0; message.count < 12; message.count++) {
        request_outcome(&message, 1, 2, &outcome);
        if (message.count != 6 && message.count != 8 && message.count != 10)
            assert_int_equal(outcome.verdict, VERDICT_TEMP);
    }
    message.count = 0;
    wire_free(&message);
}

static void reads_scan_answers(void **state)
{
    (void)state;
    static const struct {
        const char *word;
        size_t count;
        enum scanner_result result;
    } cases[] = {
        {"clean", 2, SCANNER_CLEAN},     {"infected", 2, SCANNER_INFECTED},
        {"refused", 2, SCANNER_REFUSED}, {"failed", 2, SCANNER_FAILED},
        {"Clean", 2, SCANNER_FAILED},    {"clean", 1, SCANNER_FAILED},
        {"clean", 3, SCANNER_FAILED},    {"", 2, SCANNER_FAILED},
        {"cleaned", 2, SCANNER_FAILED},  {"clean", 0, SCANNER_FAILED},
    };
    struct wire_message message;
    struct slice text;
    wire_init(&message);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        message.fields[0] = slice_text(cases[i].word);
        message.fields[1] = SLICE("text");
        message.fields[2] = SLICE("");
        message.count = cases[i].count;
        assert_int_equal(scanner_read_answer(&message, &text), cases[i].result);
    }
    message.count = 0;
    wire_free(&message);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_a_hundred_thousand),
        cmocka_unit_test(shares_lines),
        cmocka_unit_test(takes_turns_between_new_and_old),
        cmocka_unit_test(takes_turns_between_tenants),
        cmocka_unit_test(names_tenants),
        cmocka_unit_test(widens_what_works),
        cmocka_unit_test(keeps_scans),
        cmocka_unit_test(forgets_dead_destinations),
        cmocka_unit_test(places_recipients),
        cmocka_unit_test(large_mail_has_no_place),
        cmocka_unit_test(groups_recipients),
        cmocka_unit_test(reads_outcomes),
        cmocka_unit_test(reads_scan_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
