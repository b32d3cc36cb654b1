/* identity: ID's argument, and what is kept of it for the log */
#include "unit.h"

#include "identity.h"

static bool reads(const char *text, struct identity *identity)
{
    struct arena arena;
    struct parse parse;
    arena_init(&arena, 1 << 20);
    parse_begin(&parse, slice_text(text), &arena);
    bool read = identity_parse(&parse, identity);
    arena_free(&arena);
    return read;
}

static void name_and_version(void **state)
{
    struct identity identity;
    (void)state;
    assert_true(
        reads("(\"os\" \"x\" \"Name\" \"Thunder\\\"bird\" \"version\" {3}\r\n1.2)", &identity));
    assert_string_equal(identity.name, "Thunder\"bird");
    assert_string_equal(identity.version, "1.2");
    assert_true(reads("NIL", &identity) && identity.name[0] == '\0');
    assert_true(reads("()", &identity) && identity.version[0] == '\0');
    assert_true(reads("(\"name\" NIL)", &identity) && identity.name[0] == '\0');
}

/* Nothing of it can make a line of the log, or a long one. */
static void it_is_cut_and_cleaned(void **state)
{
    struct identity identity;
    struct str text;
    (void)state;
    assert_true(reads("(\"name\" {6}\r\na\r\nb\x7f\xff \"version\" \"1\")", &identity));
    assert_string_equal(identity.name, "a??b??");
    str_init(&text, 65536);
    str_append_text(&text, "(\"name\" \"");
    for (int i = 0; i < IDENTITY_VALUE_MAX; i++)
        str_append_byte(&text, 'x');
    str_append_text(&text, "\")");
    assert_true(reads(str_text(&text), &identity));
    assert_int_equal(slice_text(identity.name).size, IDENTITY_KEPT_MAX);
    str_free(&text);
}

static void malformed(void **state)
{
    static const char *const all[] = {
        "",
        "x",
        "(",
        "(\"a\")",
        "(\"a\" \"b\"",
        "(\"a\"\"b\")",
        "(a b)",
        "(\"a\" b)",
        "(NIL \"b\")",
        "(\"a\" \"b\")x",
        "NIL x",
        "(\"a\" \"b\"\"c\" \"d\")",
        "(\"a\" \"b\" )",
        "( \"a\" \"b\")",
    };
    struct identity identity;
    (void)state;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (reads(all[i], &identity))
            fail_msg("%s", all[i]);
}

/* RFC 2971 3.3: 30 pairs, names of 30 bytes, values of 1024. */
static void bounds(void **state)
{
    struct identity identity;
    struct str text;
    (void)state;
    str_init(&text, 65536);
    for (int pairs = IDENTITY_PAIRS_MAX; pairs <= IDENTITY_PAIRS_MAX + 1; pairs++) {
        str_clear(&text);
        for (int i = 0; i < pairs; i++)
            str_format(&text, "%s\"k%d\" NIL", i == 0 ? "(" : " ", i);
        str_append_byte(&text, ')');
        assert_int_equal(reads(str_text(&text), &identity), pairs == IDENTITY_PAIRS_MAX);
    }
    assert_true(reads("(\"123456789012345678901234567890\" \"\")", &identity));
    assert_false(reads("(\"1234567890123456789012345678901\" \"\")", &identity));
    str_free(&text);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(name_and_version),
        cmocka_unit_test(it_is_cut_and_cleaned),
        cmocka_unit_test(malformed),
        cmocka_unit_test(bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
