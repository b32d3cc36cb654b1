/* parse, sequence, literal, quote: the words of IMAP */
#include "unit.h"

#include "literal.h"
#include "parse.h"
#include "quote.h"

#include <stdio.h>

static struct arena arena;

static int make_arena(void **state)
{
    (void)state;
    arena_init(&arena, 1 << 20);
    return 0;
}

static int free_arena(void **state)
{
    (void)state;
    arena_free(&arena);
    return 0;
}

struct word {
    const char *text;
    const char *value; /* NULL: not one */
    const char *rest;
};

typedef bool reads(struct parse *parse, struct slice *value);

static void check_words(const struct word *words, size_t count, reads *read)
{
    for (size_t i = 0; i < count; i++) {
        struct parse parse;
        struct slice value;
        parse_begin(&parse, slice_text(words[i].text), &arena);
        bool found = read(&parse, &value);
        if (found != (words[i].value != NULL))
            fail_msg("\"%s\" is %sread", words[i].text, found ? "" : "not ");
        if (found) {
            assert_slice(value, words[i].value);
            assert_slice(slice_from(parse.text, parse.at), words[i].rest);
        } else {
            assert_int_equal(parse.at, 0);
        }
    }
}

static void strings(void **state)
{
    (void)state;
    static const struct word words[] = {
        {"\"abc\" x", "abc", " x"},
        {"\"\"", "", ""},
        {"\"a\\\"b\\\\c\"d", "a\"b\\c", "d"},
        {"\"a\\nb\"", NULL, ""},
        {"\"abc", NULL, ""},
        {"\"abc\\", NULL, ""},
        {"\"a\r\nb\"", NULL, ""},
        {"{3}\r\nabc x", "abc", " x"},
        {"{3+}\r\nabc", "abc", ""},
        {"{0}\r\n", "", ""},
        {"{5}\r\nabc", NULL, ""},
        {"{3}abc", NULL, ""},
        {"{}\r\n", NULL, ""},
        {"{99999999999999999999999}\r\n", NULL, ""},
        {"{18446744073709551615}\r\nx", NULL, ""},
        {"abc", NULL, ""},
        {"", NULL, ""},
    };
    check_words(words, sizeof words / sizeof *words, parse_string);
}

/* RFC 6855 3: once UTF-8 may stand in quotes, nothing else may. A literal may hold anything. */
static void quotes_with_utf8(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool fits;
    } cases[] = {{"\"\xe3\x81\x82\"", true}, {"\"\xe3\x81\"", false}, {"\"\xff\\\\\"", false},
                 {"\"\xc0\xaf\"", false},    {"{1}\r\n\xff", true},   {"\"a\"", true}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct parse parse;
        struct slice string;
        parse_begin(&parse, slice_text(cases[i].text), &arena);
        assert_true(parse_string(&parse, &string));
        parse_begin(&parse, slice_text(cases[i].text), &arena);
        parse.utf8 = true;
        assert_int_equal(parse_string(&parse, &string), cases[i].fits);
    }
}

static void astrings_and_atoms(void **state)
{
    (void)state;
    static const struct word astrings[] = {
        {"a]b c", "a]b", " c"}, {"\"q\"", "q", ""}, {"a(b", "a", "(b"}, {"(", NULL, ""},
        {"a%b", "a", "%b"},     {"\xe3", NULL, ""}, {"\x01", NULL, ""}, {"\x7f", NULL, ""},
    };
    static const struct word atoms[] = {
        {"a]b", "a", "]b"}, {"+FLAGS.SILENT (", "+FLAGS.SILENT", " ("}, {"\\Seen", NULL, ""}};
    static const struct word tags[] = {{"a.1] x", "a.1]", " x"}, {"+", NULL, ""}, {"a+", "a", "+"}};
    static const struct word patterns[] = {
        {"%", "%", ""}, {"a*b) c", "a*b", ") c"}, {"\"*\" x", "*", " x"}, {"(", NULL, ""}};
    static const struct word flags[] = {{"\\Seen)", "\\Seen", ")"},
                                        {"$Label1 x", "$Label1", " x"},
                                        {"\\*", NULL, ""},
                                        {"\\", NULL, ""}};
    check_words(astrings, sizeof astrings / sizeof *astrings, parse_astring);
    check_words(atoms, sizeof atoms / sizeof *atoms, parse_atom);
    check_words(tags, sizeof tags / sizeof *tags, parse_tag);
    check_words(patterns, sizeof patterns / sizeof *patterns, parse_pattern);
    check_words(flags, sizeof flags / sizeof *flags, parse_flag);
}

static void an_arena_has_an_end(void **state)
{
    (void)state;
    struct arena small;
    arena_init(&small, 256);
    assert_non_null(arena_take(&small, 200));
    assert_null(arena_take(&small, 200));
    assert_null(arena_take(&small, SIZE_MAX));
    assert_null(arena_take_many(&small, SIZE_MAX / 2, 4));
    arena_free(&small);
    assert_non_null(arena_take(&small, 256));
    arena_free(&small);
}

struct set {
    const char *text;
    uint32_t highest;
    const char *resolved; /* NULL: no set */
};

static void sequences(void **state)
{
    (void)state;
    static const struct set sets[] = {
        {"1", 9, "1:1"},
        {"1:*", 9, "1:9"},
        {"*", 9, "9:9"},
        {"*:3", 9, "3:9"},
        {"5:2", 9, "2:5"},
        {"1,2,3", 9, "1:3"},
        {"9,1:3,2:5,7", 9, "1:5,7:7,9:9"},
        {"20:*", 9, "9:20"},
        {"*", 0, ""},
        {"1:*", 0, ""},
        {"4294967295", 9, "4294967295:4294967295"},
        {"1:4294967295,5", 9, "1:4294967295"},
        {"4294967296", 9, NULL},
        {"0", 9, NULL},
        {"01", 9, NULL},
        {"1:0", 9, NULL},
        {"", 9, NULL},
        {",", 9, NULL},
        {"1,", 9, NULL},
        {"1::2", 9, NULL},
        {"1:2:3", 9, NULL},
        {"1-2", 9, NULL},
        {"**", 9, NULL},
    };
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        struct sequence sequence;
        struct str text;
        bool is_set = sequence_parse(slice_text(sets[i].text), &arena, &sequence);
        if (is_set != (sets[i].resolved != NULL))
            fail_msg("\"%s\" is %sa set", sets[i].text, is_set ? "" : "not ");
        if (!is_set)
            continue;
        str_init(&text, 4096);
        sequence_resolve(&sequence, sets[i].highest);
        for (size_t k = 0; k < sequence.count; k++)
            str_format(&text, "%s%lu:%lu", k ? "," : "", (unsigned long)sequence.ranges[k].first,
                       (unsigned long)sequence.ranges[k].last);
        assert_slice(str_slice(&text), sets[i].resolved);
        str_free(&text);
    }
}

static void where_a_sequence_is_open(void **state)
{
    static const struct {
        const char *text;
        unsigned highest, from;
    } sets[] = {
        {"1:*", 4, 1}, {"*:7", 4, 7}, {"1,9:*,5:*", 4, 5}, {"1:*", 0, 1},
        {"*", 4, 0},   {"*:*", 4, 0}, {"1:9", 4, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        struct sequence sequence;
        assert_true(sequence_parse(slice_text(sets[i].text), &arena, &sequence));
        sequence_resolve(&sequence, sets[i].highest);
        assert_int_equal(sequence.open_from, sets[i].from);
    }
}

static void looking_up_in_a_sequence(void **state)
{
    (void)state;
    struct sequence sequence;
    assert_true(sequence_parse(SLICE("2:4,8,10:*"), &arena, &sequence));
    sequence_resolve(&sequence, 12);
    static const bool in[] = {false, false, true,  true, true, false, false,
                              false, true,  false, true, true, true,  false};
    static const uint32_t next[] = {2, 2, 2, 3, 4, 8, 8, 8, 8, 10, 10, 11, 12, 0};
    for (uint32_t i = 0; i < sizeof next / sizeof *next; i++) {
        assert_int_equal(sequence_has(&sequence, i), in[i]);
        assert_int_equal(sequence_next(&sequence, i), next[i]);
    }
    assert_int_equal(sequence_highest(&sequence), 12);
}

struct announcement {
    const char *line;
    int64_t size; /* -1: none; -2: too long */
    bool waits;
    size_t start;
};

static void literals(void **state)
{
    (void)state;
    static const struct announcement lines[] = {
        {"a LOGIN {3}\r\n", 3, true, 8},
        {"{3+}\r\n", 3, false, 0},
        {"{3}\n", 3, true, 0},
        {"x{0}", 0, true, 1},
        {"{}\r\n", -1, false, 0},
        {"{+}\r\n", -1, false, 0},
        {"3}\r\n", -1, false, 0},
        {"{-3}\r\n", -1, false, 0},
        {"{3-}\r\n", -1, false, 0},
        {"{3} \r\n", -1, false, 0},
        {"{x3}\r\n", -1, false, 0},
        {"{99999999999999999999}\r\n", -2, true, 0},
        {"", -1, false, 0},
        {"}", -1, false, 0},
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct literal literal;
        bool found = literal_at_end(slice_text(lines[i].line), &literal);
        assert_int_equal(found, lines[i].size != -1);
        if (!found)
            continue;
        assert_int_equal(literal.too_long, lines[i].size == -2);
        assert_int_equal(literal.waits, lines[i].waits);
        assert_int_equal(literal.start, lines[i].start);
        if (!literal.too_long)
            assert_int_equal(literal.size, lines[i].size);
    }
}

static void quoting(void **state)
{
    (void)state;
    static const struct {
        struct slice text;
        const char *quoted;
    } cases[] = {
        {{"", 0}, "\"\""},
        {{"a b", 3}, "\"a b\""},
        {{"a\"\\", 3}, "\"a\\\"\\\\\""},
        {{"a\r\nb", 4}, "{4}\r\na\r\nb"},
        {{"\xe3\x81\x82", 3}, "{3}\r\n\xe3\x81\x82"},
        {{"a\0b", 3},
         "{3}\r\na\x80"
         "b"},
        {{"\0", 1}, "{1}\r\n\x80"},
        {{NULL, 0}, "NIL"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct str out;
        str_init(&out, 4096);
        assert_true(quote_nstring(&out, cases[i].text));
        assert_slice(str_slice(&out), cases[i].quoted);
        str_free(&out);
    }
}

#define WITH_ARENA(test) cmocka_unit_test_setup_teardown(test, make_arena, free_arena)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_ARENA(strings),
        WITH_ARENA(quotes_with_utf8),
        WITH_ARENA(astrings_and_atoms),
        WITH_ARENA(sequences),
        WITH_ARENA(where_a_sequence_is_open),
        WITH_ARENA(looking_up_in_a_sequence),
        cmocka_unit_test(literals),
        cmocka_unit_test(quoting),
        cmocka_unit_test(an_arena_has_an_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
