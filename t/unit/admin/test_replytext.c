/* The text of an automatic reply: width, the characters that are refused, the forms it goes out in. */
#include "unit.h"

#include "replytext.h"

#include <stdio.h>
#include <stdlib.h>

enum { ROOM = 65536 };

static void fill(struct str *text, const char *part, size_t count)
{
    str_clear(text);
    for (size_t i = 0; i < count; i++)
        str_append_text(text, part);
    assert_false(text->failed);
}

static bool is_right(struct slice text, unsigned *line, char error[REPLYTEXT_ERROR_MAX])
{
    error[0] = '\0';
    bool right = replytext_check(text, line, error);
    assert_true(right == (error[0] == '\0'));
    return right;
}

static const struct {
    const char *name, *character;
    size_t fit; /* how many of them */
} widths[] = {
    {"ASCII", "a", 600},
    {"tilde and hyphen of ASCII", "~", 600},
    {"full-width letter", "\xef\xbc\xa1", 300},
    {"hiragana", "\xe3\x81\x82", 300},
    {"kanji", "\xe8\xbf\x94", 300},
    {"half-width katakana", "\xef\xbd\xb1", 600},
    {"full-width space", "\xe3\x80\x80", 300},
    {"white circle, full-width in Japan", "\xe2\x97\x8b", 300},
    {"NEC's circled one", "\xe2\x91\xa0", 300},
    {"Greek, full-width in Japan", "\xce\xb1", 300},
    {"a letter with accent", "\xc3\xa9", 600},
    {"a combining accent is counted", "\xcc\x81", 600},
    {"emoji", "\xf0\x9f\x98\x80", 300},
    {"kanji beyond JIS", "\xf0\xa0\xae\xb7", 300},
    {"yen sign", "\xc2\xa5", 600},
    {"line ends", "\n", 600},
};

static void widths_are_counted(void **state)
{
    (void)state;
    struct str text;
    unsigned line;
    char error[REPLYTEXT_ERROR_MAX];
    str_init(&text, ROOM);
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
        fill(&text, widths[i].character, widths[i].fit);
        if (!is_right(str_slice(&text), &line, error))
            fail_msg("%s: %s", widths[i].name, error);
        /* The end of the last line is free. */
        str_append_text(&text, "\n");
        if (!is_right(str_slice(&text), &line, error))
            fail_msg("%s with a line end: %s", widths[i].name, error);
        fill(&text, widths[i].character, widths[i].fit);
        str_append_text(&text, "x\n");
        if (is_right(str_slice(&text), &line, error))
            fail_msg("%s: more than 600 is taken", widths[i].name);
        assert_non_null(strstr(error, "longer than 600 half-width or 300 full-width"));
    }
    str_free(&text);
}

static const struct {
    const char *name, *text, *error;
    unsigned line;
} refusals[] = {
    {"horizontal bar", "a\nb\xe2\x80\x95", "\"\xe2\x80\x95\" (U+2015)", 2},
    {"full-width tilde", "\xef\xbd\x9e", "(U+FF5E)", 1},
    {"wave dash", "\n\n\xe3\x80\x9c", "(U+301C)", 3},
    {"parallel to", "\xe2\x88\xa5", "(U+2225)", 1},
    {"double vertical line", "\xe2\x80\x96", "(U+2016)", 1},
    {"full-width hyphen-minus", "\xef\xbc\x8d", "(U+FF0D)", 1},
    {"minus sign", "\xe2\x88\x92", "(U+2212)", 1},
    {"full-width cent", "\xef\xbf\xa0", "(U+FFE0)", 1},
    {"cent", "\xc2\xa2", "(U+00A2)", 1},
    {"full-width pound", "\xef\xbf\xa1", "(U+FFE1)", 1},
    {"pound", "\xc2\xa3", "(U+00A3)", 1},
    {"full-width not", "\xef\xbf\xa2", "(U+FFE2)", 1},
    {"not", "\xc2\xac", "(U+00AC)", 1},
    {"tab", "a\tb", "U+0009", 1},
    {"CR", "a\r\nb", "U+000D", 1},
    {"escape", "\x1b$B", "U+001B", 1},
    {"DEL", "\x7f", "U+007F", 1},
    {"C1", "\xc2\x85", "U+0085", 1},
    {"line separator", "\xe2\x80\xa8", "U+2028", 1},
    {"Latin-1", "caf\xe9", "not UTF-8", 1},
    {"Shift_JIS", "ok\n\x82\xa0", "not UTF-8", 2},
    {"cut", "\xe3\x81", "not UTF-8", 1},
    {"overlong", "\xc0\xaf", "not UTF-8", 1},
    {"surrogate", "\xed\xa0\x80", "not UTF-8", 1},
};

static void refusals_name_character_and_line(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        unsigned line;
        char error[REPLYTEXT_ERROR_MAX];
        if (is_right(slice_text(refusals[i].text), &line, error))
            fail_msg("%s is taken", refusals[i].name);
        if (!strstr(error, refusals[i].error) || line != refusals[i].line)
            fail_msg("%s: line %u: %s", refusals[i].name, line, error);
    }
    unsigned line;
    char error[REPLYTEXT_ERROR_MAX];
    assert_false(is_right(SLICE("a\0b"), &line, error));
}

static void nothing_is_off(void **state)
{
    (void)state;
    assert_true(replytext_is_empty(SLICE("")));
    assert_true(replytext_is_empty(SLICE("\n \n")));
    assert_false(replytext_is_empty(SLICE("\n.")));
}

static const struct {
    const char *name, *text, *utf8, *seven;
} forms[] = {
    {"ASCII", "Away.\n\nBye\n", "Away.\r\n\r\nBye\r\n", "Away.\r\n\r\nBye\r\n"},
    {"no line end", "Away.", "Away.\r\n", "Away.\r\n"},
    {"Japanese", "\xe4\xb8\x8d\xe5\x9c\xa8 x\n", "\xe4\xb8\x8d\xe5\x9c\xa8 x\r\n",
     "\x1b$BIT:_\x1b(B x\r\n"},
    {"ends in ASCII", "\xe4\xb8\x8d\n\xe5\x9c\xa8", "\xe4\xb8\x8d\r\n\xe5\x9c\xa8\r\n",
     "\x1b$BIT\x1b(B\r\n\x1b$B:_\x1b(B\r\n"},
    {"half-width katakana", "\xef\xbd\xb1", "\xef\xbd\xb1\r\n", ""},
    {"accent", "Absent d\xc3\xa9sormais", "Absent d\xc3\xa9sormais\r\n", ""},
    {"NEC's circled one, behind a line that fits", "a\n\xe2\x91\xa0", "a\r\n\xe2\x91\xa0\r\n", ""},
};

static void forms_are_made(void **state)
{
    (void)state;
    struct str utf8, seven;
    str_init(&utf8, REPLYTEXT_SENT_MAX);
    str_init(&seven, REPLYTEXT_SENT_MAX);
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        str_clear(&utf8);
        str_clear(&seven);
        assert_true(replytext_forms(slice_text(forms[i].text), &utf8, &seven));
        if (!slice_equal(str_slice(&utf8), slice_text(forms[i].utf8)) ||
            !slice_equal(str_slice(&seven), slice_text(forms[i].seven)))
            fail_msg("%s", forms[i].name);
    }
    str_free(&utf8);
    str_free(&seven);
}

/* Lines of seven bits; every text that is right has forms that fit. */
static void lines_are_folded(void **state)
{
    static const struct {
        const char *character;
        size_t count, lines;
    } cases[] = {
        {"a", 600, 9},
        {"abcdefg ", 75, 9},
        {"\xe8\xbf\x94", 300, 9},
        {"\xe8\xbf\x94x", 200, 9},
        {"\xe8\xbf\x94\xe3\x80\x82", 150, 9},
        {" ", 600, 9},
    };
    (void)state;
    struct str text, utf8, seven;
    str_init(&text, ROOM);
    str_init(&utf8, REPLYTEXT_SENT_MAX);
    str_init(&seven, REPLYTEXT_SENT_MAX);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t lines = 0;
        fill(&text, cases[i].character, cases[i].count);
        str_clear(&utf8);
        str_clear(&seven);
        assert_true(replytext_forms(str_slice(&text), &utf8, &seven));
        struct slice rest = str_slice(&seven);
        while (rest.size > 0) {
            struct slice one = slice_cut(&rest, '\n');
            assert_true(one.size > 1 && one.size < 300);
            assert_false(slice_has_high(one));
            lines++;
        }
        if (lines != cases[i].lines)
            fail_msg("\"%s\": %zu lines", cases[i].character, lines);
    }
    /* A blank ends a line, a full stop begins none. */
    fill(&text, "abcdefghi ", 8);
    str_clear(&seven);
    assert_true(replytext_forms(str_slice(&text), &utf8, &seven));
    assert_slice(slice_part(str_slice(&seven), 60, 14), "abcdefghi \r\nab");
    str_free(&text);
    str_free(&utf8);
    str_free(&seven);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(widths_are_counted), cmocka_unit_test(refusals_name_character_and_line),
        cmocka_unit_test(nothing_is_off),     cmocka_unit_test(forms_are_made),
        cmocka_unit_test(lines_are_folded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
