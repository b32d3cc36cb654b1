/* forward: what local is told about the copies that go on, read strictly */
#include "unit.h"

#include "forward.h"
#include "wire.h"

static const struct {
    const char *name;
    const char *fields[6]; /* body, utf8, notify, sender, targets */
    bool good;
    size_t targets;
    bool utf8;
} cases[] = {
    {"two targets", {"8", "0", "", "s@example.org", "a@x.example", "b@x.example"}, true, 2, false},
    {"null sender", {"7", "0", "NEVER", "", "a@x.example"}, true, 1, false},
    {"target in UTF-8", {"7", "0", "", "", "\xe3\x81\x82@x.example"}, true, 1, true},
    {"no target", {"7", "0", "", "s@example.org"}, false, 0, false},
    {"body of another kind", {"9", "0", "", "", "a@x.example"}, false, 0, false},
    {"no flag", {"7", "", "", "", "a@x.example"}, false, 0, false},
    {"wish unknown", {"7", "0", "SOMETIMES", "", "a@x.example"}, false, 0, false},
    {"sender is no address", {"7", "0", "", "x", "a@x.example"}, false, 0, false},
    {"target is no address", {"7", "0", "", "", "a"}, false, 0, false},
    {"target is empty", {"7", "0", "", "", ""}, false, 0, false},
    {"control byte", {"7", "0", "", "", "a\r\n@x.example"}, false, 0, false},
};

static void reads_the_field(void **state)
{
    (void)state;
    struct envelope envelope;
    envelope_init(&envelope);
    assert_true(forward_read(SLICE(""), &envelope));
    assert_int_equal(envelope.recipient_count, 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct str field;
        str_init(&field, 10000);
        for (size_t j = 0; j < 6 && cases[i].fields[j]; j++)
            wire_put_text(&field, cases[i].fields[j]);
        if (forward_read(str_slice(&field), &envelope) != cases[i].good)
            fail_msg("%s", cases[i].name);
        if (cases[i].good) {
            assert_int_equal(envelope.recipient_count, cases[i].targets);
            assert_int_equal(envelope.utf8, cases[i].utf8);
            assert_slice(str_slice(&envelope.sender), cases[i].fields[3]);
        }
        str_free(&field);
    }
    envelope_free(&envelope);
}

static void refuses_what_was_cut(void **state)
{
    (void)state;
    struct envelope envelope;
    struct str field;
    envelope_init(&envelope);
    str_init(&field, 10000);
    for (size_t j = 0; j < 5; j++)
        wire_put_text(&field, cases[0].fields[j]);
    for (size_t size = 1; size < field.size; size++)
        assert_false(forward_read(slice_part(str_slice(&field), 0, size), &envelope));
    str_free(&field);
    envelope_free(&envelope);
}

static void bounds_targets(void **state)
{
    (void)state;
    struct envelope envelope;
    struct str field;
    envelope_init(&envelope);
    str_init(&field, 100000);
    for (size_t j = 0; j < 4; j++)
        wire_put_text(&field, cases[0].fields[j]);
    for (size_t i = 0; i < FORWARD_TARGETS_MAX; i++)
        wire_put_text(&field, "a@x.example");
    assert_true(forward_read(str_slice(&field), &envelope));
    wire_put_text(&field, "a@x.example");
    assert_false(forward_read(str_slice(&field), &envelope));
    str_free(&field);
    envelope_free(&envelope);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_the_field),
        cmocka_unit_test(refuses_what_was_cut),
        cmocka_unit_test(bounds_targets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
