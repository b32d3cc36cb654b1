/* forward: what local is told about the copies that go on, read strictly; and which rules hold */
#include "unit.h"

#include "forward.h"
#include "wire.h"

#include <string.h>

struct rule {
    const char *condition, *keyword;
    const char *targets[4];
};

struct sample {
    const char *name;
    const char *head[4]; /* body, utf8, notify, sender */
    struct rule rules[3];
    bool good;
    size_t targets; /* of a message from "Boss <boss@x.example>" about "Invoice 7" */
    bool utf8;
};

static const struct sample cases[] = {
    {"two targets",
     {"8", "0", "", "s@example.org"},
     {{"all", "", {"a@x.example", "b@x.example"}}},
     true,
     2,
     false},
    {"null sender", {"7", "0", "NEVER", ""}, {{"all", "", {"a@x.example"}}}, true, 1, false},
    {"target in UTF-8",
     {"7", "0", "", ""},
     {{"all", "", {"\xe3\x81\x82@x.example"}}},
     true,
     1,
     true},
    {"a keyword that holds",
     {"7", "0", "", ""},
     {{"from", "BOSS", {"a@x.example"}}},
     true,
     1,
     false},
    {"one that does not",
     {"7", "0", "", ""},
     {{"subject", "boss", {"a@x.example"}}},
     true,
     0,
     false},
    {"a copy for each target",
     {"7", "0", "", ""},
     {{"all", "", {"a@x.example"}},
      {"from", "boss", {"a@x.example", "b@x.example"}},
      {"subject", "invoice 7", {"b@x.example", "c@x.example"}}},
     true,
     3,
     false},
    {"an old field: targets alone",
     {"7", "0", "", "s@example.org"},
     {{NULL, NULL, {"a@x.example"}}},
     false,
     0,
     false},
    {"no rule", {"7", "0", "", "s@example.org"}, {{0}}, false, 0, false},
    {"no target", {"7", "0", "", "s@example.org"}, {{"all", "", {0}}}, false, 0, false},
    {"unknown condition", {"7", "0", "", ""}, {{"to", "x", {"a@x.example"}}}, false, 0, false},
    {"all with a keyword", {"7", "0", "", ""}, {{"all", "x", {"a@x.example"}}}, false, 0, false},
    {"from without", {"7", "0", "", ""}, {{"from", "", {"a@x.example"}}}, false, 0, false},
    {"a blank keyword", {"7", "0", "", ""}, {{"from", "  ", {"a@x.example"}}}, false, 0, false},
    {"a keyword that is no UTF-8",
     {"7", "0", "", ""},
     {{"from", "\xff", {"a@x.example"}}},
     false,
     0,
     false},
    {"a keyword of two lines",
     {"7", "0", "", ""},
     {{"from", "a\nb", {"a@x.example"}}},
     false,
     0,
     false},
    {"body of another kind", {"9", "0", "", ""}, {{"all", "", {"a@x.example"}}}, false, 0, false},
    {"no flag", {"7", "", "", ""}, {{"all", "", {"a@x.example"}}}, false, 0, false},
    {"wish unknown", {"7", "0", "SOMETIMES", ""}, {{"all", "", {"a@x.example"}}}, false, 0, false},
    {"sender is no address", {"7", "0", "", "x"}, {{"all", "", {"a@x.example"}}}, false, 0, false},
    {"target is no address", {"7", "0", "", ""}, {{"all", "", {"a"}}}, false, 0, false},
    {"target is empty", {"7", "0", "", ""}, {{"all", "", {"a@x.example", ""}}}, false, 0, false},
    {"control byte", {"7", "0", "", ""}, {{"all", "", {"a\r\n@x.example"}}}, false, 0, false},
};

#define HEADER "From: Boss <boss@x.example>\r\nSubject: Invoice\r\n 7\r\n\r\nFrom: nobody\r\n"

static void put_rule(struct str *field, const struct rule *rule)
{
    struct str fields;
    str_init(&fields, 10000);
    for (size_t i = 0; i < 4 && rule->targets[i] && !rule->condition; i++)
        wire_put_text(field, rule->targets[i]);
    if (rule->condition) {
        wire_put_text(&fields, rule->condition);
        wire_put_text(&fields, rule->keyword);
        for (size_t i = 0; i < 4 && rule->targets[i]; i++)
            wire_put_text(&fields, rule->targets[i]);
        wire_put(field, str_slice(&fields));
    }
    str_free(&fields);
}

static void put_field(struct str *field, const struct sample *sample)
{
    for (size_t i = 0; i < 4; i++)
        wire_put_text(field, sample->head[i]);
    for (size_t i = 0; i < 3; i++)
        put_rule(field, &sample->rules[i]);
}

static void reads_the_field(void **state)
{
    (void)state;
    struct forward forward;
    forward_init(&forward, "none");
    assert_true(forward_check(SLICE("")));
    assert_true(forward_choose(&forward, SLICE(""), SLICE(HEADER)));
    assert_int_equal(forward.envelope.recipient_count, 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct str field;
        str_init(&field, 10000);
        put_field(&field, &cases[i]);
        if (forward_check(str_slice(&field)) != cases[i].good ||
            forward_choose(&forward, str_slice(&field), SLICE(HEADER)) != cases[i].good)
            fail_msg("%s", cases[i].name);
        if (cases[i].good) {
            if (forward.envelope.recipient_count != cases[i].targets)
                fail_msg("%s: %zu targets", cases[i].name, forward.envelope.recipient_count);
            assert_int_equal(forward.envelope.utf8, cases[i].utf8);
            assert_slice(str_slice(&forward.envelope.sender), cases[i].head[3]);
        }
        str_free(&field);
    }
    forward_free(&forward);
}

static void refuses_what_was_cut(void **state)
{
    (void)state;
    struct str field;
    str_init(&field, 10000);
    put_field(&field, &cases[5]);
    size_t rules = 0;
    for (size_t size = 1; size < field.size; size++) {
        /* Whole rules are a field of their own. */
        struct slice part = slice_part(str_slice(&field), 0, size);
        if (forward_check(part))
            rules++;
    }
    assert_int_equal(rules, 2);
    str_free(&field);
}

static void bounds_targets(void **state)
{
    (void)state;
    for (size_t count = FORWARDRULE_TARGETS_MAX; count <= FORWARDRULE_TARGETS_MAX + 1; count++) {
        struct str field, targets;
        str_init(&field, 100000);
        str_init(&targets, 100000);
        for (size_t j = 0; j < 4; j++)
            wire_put_text(&field, cases[0].head[j]);
        for (size_t i = 0; i < count; i++)
            wire_put_text(&targets, "a@x.example");
        const struct forwardrule rule = {.condition = FORWARDRULE_ALL,
                                         .targets = str_slice(&targets)};
        assert_true(forwardrule_put(&field, &rule));
        assert_int_equal(forward_check(str_slice(&field)), count == FORWARDRULE_TARGETS_MAX);
        str_free(&targets);
        str_free(&field);
    }
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
