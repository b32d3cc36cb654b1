/* queueview: which messages a filter means */
#include "unit.h"

#include "queueview.h"

struct filter_case {
    const char *sender, *recipient;
    bool matches;
};
/* A message from U1@Example.jp to a@x.example (done) and b@Y.example (to do). */
static const struct filter_case cases[] = {
    {NULL, NULL, true},
    {"u1@example.jp", NULL, true},
    {"example.jp", NULL, true},
    {"EXAMPLE.JP", NULL, true},
    {"u2@example.jp", NULL, false},
    {"ample.jp", NULL, false},
    {"", NULL, false},
    {"<>", NULL, false},
    {NULL, "y.example", true},
    {NULL, "b@y.example", true},
    {NULL, "x.example", false}, /* that one is done */
    {NULL, "@y.example", false},
    {"example.jp", "y.example", true},
    {"example.jp", "x.example", false},
    {"example.org", "y.example", false},
};

static void matches_what_was_named(void **state)
{
    (void)state;
    struct queuefile_recipient recipients[] = {
        {.status = QUEUEFILE_DONE, .address = SLICE("a@x.example")},
        {.status = QUEUEFILE_WARNED, .address = SLICE("b@Y.example")},
    };
    struct queuefile file = {
        .sender = SLICE("U1@Example.jp"), .recipients = recipients, .recipient_count = 2};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct queueview_filter filter = {cases[i].sender, cases[i].recipient};
        if (queueview_matches(&filter, &file) != cases[i].matches)
            fail_msg("case %zu", i);
    }
}

static void knows_the_null_sender(void **state)
{
    (void)state;
    struct queuefile_recipient recipient = {.status = QUEUEFILE_TODO, .address = SLICE("a@x")};
    struct queuefile file = {.recipients = &recipient, .recipient_count = 1};
    assert_true(queueview_matches(&(struct queueview_filter){.sender = "<>"}, &file));
    assert_false(queueview_matches(&(struct queueview_filter){.sender = "x"}, &file));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matches_what_was_named),
        cmocka_unit_test(knows_the_null_sender),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
