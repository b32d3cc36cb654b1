/* Lines of a forwards file: read, and what is refused. */
#include "forwardline.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *line, *again; /* NULL: refused */
} lines[] = {
    {"u1 all friend@example.org", "u1 all friend@example.org"},
    {"U1  all\tFriend@EXAMPLE.org ", "u1 all Friend@example.org"},
    {"u1 all a..b@docomo.ne.jp", "u1 all a..b@docomo.ne.jp"},
    {"u1 all \"a b\"@example.org", "u1 all \"a b\"@example.org"},
    {"u1 all \xe3\x81\x82@example.org", "u1 all \xe3\x81\x82@example.org"},
    {"", NULL},
    {"u1", NULL},
    {"u1 all", NULL},
    {"u1 some friend@example.org", NULL},
    {"u1 friend@example.org", NULL},
    {"u1 all friend", NULL},
    {"u1 all -friend@example.org", NULL},
    {"u1 all friend@example.org other@example.org", NULL},
    {"u1 all <friend@example.org>", NULL},
    {"u1 all friend@-x", NULL},
    {".u1 all friend@example.org", NULL},
    {"u1 all c.@ezweb.ne.jp", "u1 all c.@ezweb.ne.jp"},
    {"u1 all \"-a\"@example.org", NULL},
    {"u1 from boss b@x.example a@x.example", "u1 from \"boss\" a@x.example b@x.example"},
    {"U1 from \"the boss\" a@X.example", "u1 from \"the boss\" a@x.example"},
    {"u1 subject \"a \\\"b\\\" \\\\ #c\"\ta@x.example",
     "u1 subject \"a \\\"b\\\" \\\\ #c\" a@x.example"},
    {"u1 subject \" a\" \"x y\"@x.example b@x.example",
     "u1 subject \" a\" \"x y\"@x.example b@x.example"},
    {"u1 subject \xe8\xab\x8b a@x.example", NULL}, /* it stands in quotes */
    {"u1 subject \"\xe8\xab\x8b\" a@x.example", "u1 subject \"\xe8\xab\x8b\" a@x.example"},
    {"u1 subject \"\xff\" a@x.example", NULL},
    {"u1 subject \"\" a@x.example", NULL},
    {"u1 subject \"  \" a@x.example", NULL},
    {"u1 subject \"a", NULL},
    {"u1 subject \"a\"b a@x.example", NULL},
    {"u1 subject \"a\\b\" a@x.example", NULL},
    {"u1 subject \"a\tb\" a@x.example", NULL},
    {"u1 subject \"a\"", NULL},
    {"u1 subject a@x.example", NULL},
    {"u1 from", NULL},
    {"u1 from \"a\" a@x.example a@X.example", NULL},
    {"u1 from \"a\" a@x.example -b@x.example", NULL},
    {"u1 from \"a\" a@x.example nonsense", NULL},
    {"u1 From \"a\" a@x.example", NULL},
    {"u1 to \"a\" a@x.example", NULL},
    {"u1 all \"a\rb\"@example.org", NULL},
};

static void reads_and_refuses(void **state)
{
    (void)state;
    struct forwardline forward;
    forwardline_init(&forward);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct str again;
        char error[USERLINE_ERROR_MAX] = "";
        bool good = forwardline_parse(&forward, slice_text(lines[i].line), error);
        if (good != (lines[i].again != NULL))
            fail_msg("\"%s\": %s", lines[i].line, good ? "taken" : error);
        if (!good) {
            assert_true(error[0] != '\0');
            continue;
        }
        str_init(&again, 1000);
        assert_true(forwardline_format(&forward, &again));
        assert_slice(str_slice(&again), lines[i].again);
        str_free(&again);
    }
    forwardline_free(&forward);
}

static void keeps_targets_in_order(void **state)
{
    (void)state;
    struct forwardline forward;
    char target[32];
    forwardline_init(&forward);
    for (int i = 0; i < FORWARDLINE_TARGETS_MAX; i++) {
        snprintf(target, sizeof target, "u%03d@x.example", i * 7 % FORWARDLINE_TARGETS_MAX);
        assert_true(forwardline_add_target(&forward, target));
        assert_true(forwardline_add_target(&forward, target));
    }
    assert_int_equal(forward.target_count, FORWARDLINE_TARGETS_MAX);
    assert_false(forwardline_add_target(&forward, "one@x.example"));
    for (size_t i = 1; i < forward.target_count; i++)
        assert_true(strcmp(forward.targets[i - 1], forward.targets[i]) < 0);
    assert_true(forwardline_del_target(&forward, "u100@x.example"));
    assert_false(forwardline_del_target(&forward, "u100@x.example"));
    assert_false(forwardline_has_target(&forward, "u100@x.example"));
    assert_true(forwardline_has_target(&forward, "u299@x.example"));
    forwardline_free(&forward);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(reads_and_refuses),
                                       cmocka_unit_test(keeps_targets_in_order)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
