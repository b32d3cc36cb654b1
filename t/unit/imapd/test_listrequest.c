/* listrequest: what LIST may be asked */
#include "unit.h"

#include "listrequest.h"
#include "str.h"

#include <stdio.h>

enum {
    SUB = LISTREQUEST_SUBSCRIBED,
    USE = LISTREQUEST_SPECIAL_USE,
    REMOTE = LISTREQUEST_REMOTE,
    DEEP = LISTREQUEST_RECURSIVE,
    CHILDREN = LISTREQUEST_CHILDREN,
    STATUS = LISTREQUEST_STATUS,
    META = LISTREQUEST_METADATA,
};

static const struct {
    const char *text;
    bool fine, is_extended;
    unsigned selects, returns;
    size_t patterns;
} cases[] = {
    {"\"\" *", true, false, 0, 0, 1},
    {"\"\" \"\"", true, false, 0, 0, 1},
    {"ref %", true, false, 0, 0, 1},
    {"() \"\" *", true, true, 0, 0, 1},
    {"(SUBSCRIBED) \"\" *", true, true, SUB, 0, 1},
    {"(subscribed Remote) \"\" *", true, true, SUB | REMOTE, 0, 1},
    {"(SUBSCRIBED SUBSCRIBED) \"\" *", true, true, SUB, 0, 1},
    {"(RECURSIVEMATCH SPECIAL-USE) \"\" *", true, true, USE | DEEP, 0, 1},
    {"\"\" (*)", true, true, 0, 0, 1},
    {"\"\" (a \"b c\" %)", true, true, 0, 0, 3},
    {"\"\" * RETURN ()", true, true, 0, 0, 1},
    {"\"\" * return (children SPECIAL-USE subscribed)", true, true, 0, CHILDREN | USE | SUB, 1},
    {"\"\" * RETURN (STATUS (MESSAGES UNSEEN) CHILDREN)", true, true, 0, STATUS | CHILDREN, 1},
    {"\"\" * RETURN (METADATA (/shared/a /private/b))", true, true, 0, META, 1},
    {"\"\" * RETURN (METADATA (DEPTH 1) /shared/a STATUS (SIZE))", true, true, 0, META | STATUS, 1},
    {"(RECURSIVEMATCH) \"\" *", false, false, 0, 0, 0},
    {"(RECURSIVEMATCH REMOTE) \"\" *", false, false, 0, 0, 0},
    {"(STATUS) \"\" *", false, false, 0, 0, 0},
    {"(CHILDREN) \"\" *", false, false, 0, 0, 0},
    {"(SUBSCRIBED  REMOTE) \"\" *", false, false, 0, 0, 0},
    {"( SUBSCRIBED) \"\" *", false, false, 0, 0, 0},
    {"(SUBSCRIBED)\"\" *", false, false, 0, 0, 0},
    {"\"\"", false, false, 0, 0, 0},
    {"\"\" ", false, false, 0, 0, 0},
    {"\"\" * ", false, false, 0, 0, 0},
    {"\"\" ()", false, false, 0, 0, 0},
    {"\"\" (a", false, false, 0, 0, 0},
    {"\"\" (a ())", false, false, 0, 0, 0},
    {"\"\" * RETURN", false, false, 0, 0, 0},
    {"\"\" * RETURN (", false, false, 0, 0, 0},
    {"\"\" * RETURN (REMOTE)", false, false, 0, 0, 0},
    {"\"\" * RETURN (STATUS)", false, false, 0, 0, 0},
    {"\"\" * RETURN (STATUS MESSAGES)", false, false, 0, 0, 0},
    {"\"\" * RETURN (STATUS ())", false, false, 0, 0, 0},
    {"\"\" * RETURN (METADATA)", false, false, 0, 0, 0},
    {"\"\" * RETURN (CHILDREN) x", false, false, 0, 0, 0},
};

static void requests(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 1 << 20);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct parse parse;
        struct listrequest request;
        parse_begin(&parse, slice_text(cases[i].text), &arena);
        bool fine = listrequest_parse(&parse, &request);
        if (fine != cases[i].fine ||
            (fine &&
             (request.is_extended != cases[i].is_extended || request.selects != cases[i].selects ||
              request.returns != cases[i].returns || request.pattern_count != cases[i].patterns)))
            fail_msg("%s", cases[i].text);
        arena_free(&arena);
    }
}

static void patterns_have_an_end(void **state)
{
    (void)state;
    for (int count = LISTREQUEST_PATTERNS_MAX; count <= LISTREQUEST_PATTERNS_MAX + 1; count++) {
        char text[4 + 2 * (LISTREQUEST_PATTERNS_MAX + 1)];
        struct str command = str_on(text, sizeof text);
        struct parse parse;
        struct listrequest request;
        str_append_text(&command, "\"\" (");
        for (int i = 0; i < count; i++)
            str_append_text(&command, i ? " x" : "x");
        str_append_byte(&command, ')');
        parse_begin(&parse, str_slice(&command), NULL);
        assert_int_equal(listrequest_parse(&parse, &request), count == LISTREQUEST_PATTERNS_MAX);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests),
        cmocka_unit_test(patterns_have_an_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
