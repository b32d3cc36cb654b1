/* deliveryterms, percents: written, read again, and what must not be read */
#include "deliveryterms.h"
#include "unit.h"
#include "wire.h"

static void reads_percentages(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t count; /* PERCENTS_MAX + 1: refused */
    } cases[] = {
        {"", 0},
        {"80", 1},
        {"80 95", 2},
        {"1 2 3 4 5 6 7 8", 8},
        {"100", 1},
        {"0", 9},
        {"101", 9},
        {"95 80", 9},
        {"80 80", 9},
        {" 80", 9},
        {"80 ", 9},
        {"80  95", 9},
        {"80,95", 9},
        {"080", 9},
        {"-1", 9},
        {"80\t95", 9},
        {"80%", 9},
        {"1 2 3 4 5 6 7 8 9", 9},
        {" ", 9},
        {"x", 9},
        {"99999999999999999999", 9},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct percents percents;
        char bytes[PERCENTS_TEXT_MAX];
        struct str text = str_on(bytes, sizeof bytes);
        bool done = percents_parse(slice_text(cases[i].text), &percents);
        if (done != (cases[i].count <= PERCENTS_MAX))
            fail_msg("\"%s\"", cases[i].text);
        if (!done)
            continue;
        assert_int_equal(percents.count, cases[i].count);
        percents_append(&text, &percents);
        assert_false(text.failed);
        assert_slice(str_slice(&text), cases[i].text);
    }
}

static void says_nothing_of_defaults(void **state)
{
    (void)state;
    struct delivery_terms terms;
    struct str field;
    str_init(&field, WIRE_MAX_SIZE);
    deliveryterms_init(&terms);
    deliveryterms_put(&field, &terms);
    assert_int_equal(field.size, 0);
    assert_true(deliveryterms_read(SLICE(""), &terms));
    assert_true(terms.receives);
    assert_int_equal(terms.quota, 0);
    assert_int_equal(terms.domain_quota, 0);
    assert_false(terms.refuses_for_good);
    assert_int_equal(terms.warnings.count, 0);
    assert_int_equal(terms.language, DELIVERYTERMS_BOTH);
    str_free(&field);
}

static void reads_what_it_wrote(void **state)
{
    (void)state;
    const struct delivery_terms terms = {.receives = false,
                                         .refuses_for_good = true,
                                         .quota = UINT64_C(1) << 40,
                                         .domain_quota = UINT64_C(1) << 50,
                                         .warnings = {2, {80, 95}},
                                         .language = DELIVERYTERMS_ENGLISH,
                                         .reply = SLICE_INIT("Away: 3:x,\r\n"),
                                         .reply_seven = SLICE_INIT("y"),
                                         .reply_to = SLICE_INIT("a@x.example"),
                                         .reply_interval = 86400};
    struct delivery_terms again;
    struct str field;
    str_init(&field, WIRE_MAX_SIZE);
    deliveryterms_put(&field, &terms);
    assert_false(field.failed);
    assert_true(deliveryterms_read(str_slice(&field), &again));
    assert_false(again.receives);
    assert_true(again.refuses_for_good);
    assert_true(again.quota == terms.quota && again.domain_quota == terms.domain_quota);
    assert_int_equal(again.warnings.count, 2);
    assert_int_equal(again.warnings.values[1], 95);
    assert_int_equal(again.language, DELIVERYTERMS_ENGLISH);
    assert_slice(again.reply, "Away: 3:x,\r\n");
    assert_slice(again.reply_seven, "y");
    assert_slice(again.reply_to, "a@x.example");
    assert_int_equal(again.reply_interval, 86400);
    /* Cut short anywhere it is another field, or none: only whole pairs are read. */
    for (size_t size = 1; size < field.size; size++)
        if (deliveryterms_read(slice_part(str_slice(&field), 0, size), &again)) {
            struct str part;
            str_init(&part, WIRE_MAX_SIZE);
            deliveryterms_put(&part, &again);
            assert_int_equal(part.size, size);
            str_free(&part);
        }
    str_free(&field);
}

static void refuses_what_makes_no_sense(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "x",
        "7:receive,",
        "7:receive,2:on,",
        "7:receive,3:off,7:receive,3:off,",
        "7:Receive,3:off,",
        "0:,0:,",
        "5:quota,1:0,",
        "5:quota,2:-1,",
        "5:quota,19:9223372036854775808,",
        "12:domain-quota,0:,",
        "16:over-quota-reply,3:452,",
        "13:quota-warning,0:,",
        "13:quota-warning,5:95 80,",
        "15:notice-language,4:both,",
        "15:notice-language,2:de,",
        "5:later,1:1,",
        "10:auto-reply,0:,",
        "13:auto-reply-to,0:,",
        "13:auto-reply-to,1:a,",
        "13:auto-reply-to,4:a@\n\n,",
        "10:auto-reply,11:2:60,0:,0:,,",
        "10:auto-reply,11:1:0,1:x,0:,,",
        "10:auto-reply,9:2:60,1:x,,",
        "10:auto-reply,15:2:60,1:x,0:,0:,,",
        "10:auto-reply,12:3:-60,1:x,0:,",
    };
    struct delivery_terms terms;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (deliveryterms_read(slice_text(cases[i]), &terms))
            fail_msg("\"%s\"", cases[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_percentages),
        cmocka_unit_test(says_nothing_of_defaults),
        cmocka_unit_test(reads_what_it_wrote),
        cmocka_unit_test(refuses_what_makes_no_sense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
