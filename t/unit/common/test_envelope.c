/* envelope: recipients up to the maximum, and not one more */
#include "unit.h"

#include "envelope.h"

#include <stdio.h>

static void takes_up_to_the_maximum(void **state)
{
    (void)state;
    struct envelope envelope;
    envelope_init(&envelope);
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < ENVELOPE_RECIPIENTS_MAX; i++) {
            char address[64];
            snprintf(address, sizeof address, "u%zu@example.jp", i);
            assert_true(envelope_add_recipient(&envelope, slice_text(address)));
        }
        assert_false(envelope_add_recipient(&envelope, SLICE("one@more")));
        assert_int_equal(envelope.recipient_count, ENVELOPE_RECIPIENTS_MAX);
        assert_slice(str_slice(&envelope.recipients[0].address), "u0@example.jp");
        assert_slice(str_slice(&envelope.recipients[999].address), "u999@example.jp");
        envelope_clear(&envelope);
        assert_int_equal(envelope.recipient_count, 0);
    }
    envelope_free(&envelope);
}

static void one_copy_for_who_is_named_twice(void **state)
{
    static const unsigned both = DSN_NOTIFY_FAILURE | DSN_NOTIFY_DELAY;
    static const struct {
        unsigned first, second, joined;
    } cases[] = {{0, 0, 0},
                 {0, DSN_NOTIFY_SUCCESS, both | DSN_NOTIFY_SUCCESS},
                 {DSN_NOTIFY_NEVER, 0, both},
                 {DSN_NOTIFY_NEVER, DSN_NOTIFY_NEVER, DSN_NOTIFY_NEVER},
                 {DSN_NOTIFY_NEVER, DSN_NOTIFY_DELAY, DSN_NOTIFY_DELAY}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct envelope envelope;
        envelope_init(&envelope);
        assert_true(envelope_join_recipient(&envelope, SLICE("a@b"), cases[i].first, SLICE("")));
        assert_true(envelope_join_recipient(&envelope, SLICE("c@d"), 0, SLICE("")));
        assert_true(
            envelope_join_recipient(&envelope, SLICE("a@b"), cases[i].second, SLICE("rfc822;x@y")));
        assert_true(envelope_join_recipient(&envelope, SLICE("a@b"), cases[i].second,
                                            SLICE("rfc822;later@y")));
        assert_int_equal(envelope.recipient_count, 2);
        assert_int_equal(envelope.recipients[0].notify, cases[i].joined);
        assert_slice(str_slice(&envelope.recipients[0].orcpt), "rfc822;x@y");
        envelope_free(&envelope);
    }
}

static void refuses_a_long_address(void **state)
{
    (void)state;
    struct envelope envelope;
    char address[ENVELOPE_ADDRESS_MAX + 1];
    for (size_t i = 0; i < sizeof address; i++)
        address[i] = 'a';
    envelope_init(&envelope);
    assert_false(envelope_add_recipient(&envelope, slice_of(address, sizeof address)));
    assert_int_equal(envelope.recipient_count, 0);
    assert_true(envelope_add_recipient(&envelope, slice_of(address, sizeof address - 1)));
    assert_int_equal(envelope.recipient_count, 1);
    envelope_free(&envelope);
}

static void clears_everything(void **state)
{
    (void)state;
    struct envelope envelope;
    envelope_init(&envelope);
    str_append_text(&envelope.sender, "a@b");
    str_append_text(&envelope.origin, "by=test");
    envelope.body = ENVELOPE_BODY_8BIT;
    envelope.utf8 = true;
    envelope_clear(&envelope);
    assert_int_equal(envelope.sender.size + envelope.origin.size, 0);
    assert_int_equal(envelope.body, ENVELOPE_BODY_7BIT);
    assert_false(envelope.utf8);
    envelope_free(&envelope);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_up_to_the_maximum),
        cmocka_unit_test(one_copy_for_who_is_named_twice),
        cmocka_unit_test(refuses_a_long_address),
        cmocka_unit_test(clears_everything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
