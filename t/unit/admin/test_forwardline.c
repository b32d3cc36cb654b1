/* Lines of a forwards file: read, and what is refused. */
#include "forwardline.h"
#include "unit.h"

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
    {"u1 all \"a\rb\"@example.org", NULL},
};

static void reads_and_refuses(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct forwardline forward;
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
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(reads_and_refuses)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
