/* charset: the labels of mail, Japan's encodings with NEC's and IBM's characters, broken bytes */
#include "unit.h"

#include "charset.h"

static void check(const char *name, const char *charset, struct slice text, const char *expected)
{
    struct str utf8;
    bool known = false;
    str_init(&utf8, 1000);
    assert_true(charset_to_utf8(slice_text(charset), text, &utf8, &known));
    if (!known)
        fail_msg("%s: \"%s\" is not known", name, charset);
    if (!slice_equal(str_slice(&utf8), slice_text(expected)))
        fail_msg("%s: \"%.*s\" is not \"%s\"", name, SLICE_PRINTF(str_slice(&utf8)), expected);
    str_free(&utf8);
}

static const struct {
    const char *name, *charset, *text, *expected;
} cases[] = {
    {"UTF-8", "utf-8", "\xe3\x81\x82", "あ"},
    {"UTF-8 odd name", "Unicode-1-1-UTF-8", "\xe3\x81\x82", "あ"},
    {"blanks around the label", " UTF8\r\n", "\xe3\x81\x82", "あ"},
    {"broken UTF-8", "UTF-8", "a\xff z", "a\xef\xbf\xbd z"},
    {"cut UTF-8", "UTF-8", "a\xe3\x81", "a\xef\xbf\xbd\xef\xbf\xbd"},
    {"overlong", "UTF-8", "\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd"},
    {"surrogate", "UTF-8", "\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
    {"beyond Unicode", "UTF-8", "\xf4\x90\x80\x80",
     "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
    {"last character", "UTF-8", "\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf"},
    {"ASCII", "us-ascii", "plain", "plain"},
    {"ASCII that is UTF-8", "US-ASCII", "\xc3\xa9", "é"},
    {"ASCII that is Latin-1", "us-ascii", "\xe9", "é"},
    {"Latin-1", "ISO-8859-1", "\xe9t\xe9", "été"},
    {"Latin-9", "iso-8859-15", "\xa4", "€"},
    {"Windows", "Windows-1252", "\x93\x80\x94", "“€”"},
    {"Cyrillic", "koi8-r", "\xf0\xd2", "Пр"},
    {"Hebrew of mail", "ISO-8859-8-I", "\xe0", "א"},
    {"Thai", "tis-620", "\xa1", "ก"},
    {"Korean", "ks_c_5601-1987", "\xb0\xa1\x81\x41", "가갂"},
    {"Chinese", "gb2312", "\xc4\xe3\x81\x40", "你丂"},
    {"GB18030", "gb18030", "\x81\x30\x81\x30", "\xc2\x80"},
    {"Taiwan", "big5", "\xa7\x41", "你"},
    {"UTF-7", "unicode-1-1-utf-7", "+MEI-!", "あ!"},
    {"ISO-2022-JP", "ISO-2022-JP", "\x1b$B$3$s$K$A$O\x1b(B!", "こんにちは!"},
    {"old JIS", "iso-2022-jp", "\x1b$@$3\x1b(J!", "こ!"},
    {"NEC's characters", "iso-2022-jp", "\x1b$B-!-j-b\x1b(B", "①㈱№"},
    {"IBM's characters", "iso-2022-jp", "\x1b$B|b\x1b(B", "髙"},
    {"half-width katakana", "iso-2022-jp", "\x1b(I16\x1b(B", "ｱｶ"},
    {"katakana in 8 bits", "iso-2022-jp", "\xb1\xb6", "ｱｶ"},
    {"supplement", "iso-2022-jp-1", "\x1b$(D0!\x1b(B", "丂"},
    {"never shifted back", "iso-2022-jp", "\x1b$B$3\nabc", "こ\nabc"},
    {"cut in a character", "iso-2022-jp", "\x1b$B$3$", "こ$"},
    {"unknown escape", "iso-2022-jp", "\x1b[1mx", "\x1b[1mx"},
    {"Shift_JIS", "Shift_JIS", "\x82\xb1\x82\xf1\x83\x5c\x95\x5c\xb1", "こんソ表ｱ"},
    {"Shift_JIS of Windows", "x-sjis", "\x87\x40\xfa\x40\x81\x60", "①ⅰ～"},
    {"Windows-31J", "windows-31j", "\xfb\xfc", "髙"},
    {"broken Shift_JIS", "shift_jis", "\x82\xb1\xff\xff\x82",
     "こ\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
    {"EUC-JP", "euc-jp", "\xa4\xb3\xad\xa1\x8e\xb1", "こ①ｱ"},
};

static void converts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        check(cases[i].name, cases[i].charset, slice_text(cases[i].text), cases[i].expected);
}

static void nul_is_a_byte(void **state)
{
    (void)state;
    struct str utf8;
    str_init(&utf8, 10);
    assert_true(charset_to_utf8(SLICE("shift_jis"), SLICE("a\0b"), &utf8, NULL));
    assert_true(slice_equal(str_slice(&utf8), SLICE("a\0b")));
    str_free(&utf8);
}

static void every_label_has_its_converter(void **state)
{
    (void)state;
    static const char *const known[] = {
        "utf-8",        "us-ascii",    "iso-8859-1",     "iso-8859-2",    "iso-8859-16",
        "windows-1250", "cp1258",      "iso-2022-jp",    "iso-2022-jp-2", "iso-2022-jp-3",
        "euc-kr",       "iso-2022-kr", "johab",          "gbk",           "big5-hkscs",
        "euc-tw",       "utf-7",       "utf-16",         "utf-16le",      "utf-32be",
        "koi8-u",       "koi8-t",      "cp437",          "viscii",        "tcvn",
        "macintosh",    "x-mac-ce",    "x-mac-cyrillic", "georgian-ps",   "armscii-8",
        "pt154",        "cp866",       "shift_jisx0213", "windows-874",   "iso-8859-6-e",
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (!charset_is_known(slice_text(known[i])))
            fail_msg("\"%s\" is not known", known[i]);
    static const char *const unknown[] = {
        "",
        "x",
        "iso-8859-",
        "iso-8859-99999",
        "iso-8859-1x",
        "utf-8//TRANSLIT",
        "IBM1364",
        "ISO-2022-CN-EXT",
        "../../evil",
        "iso-8859-12",
        "windows-125",
        "*",
        ("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
         "a"
         "aaa"),
    };
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++)
        if (charset_is_known(slice_text(unknown[i])))
            fail_msg("\"%s\" is known", unknown[i]);
}

static void unknown_is_latin1(void **state)
{
    (void)state;
    struct str utf8;
    bool known = true;
    str_init(&utf8, 100);
    assert_true(charset_to_utf8(SLICE("x-unheard-of"), SLICE("\xe9"), &utf8, &known));
    assert_false(known);
    assert_slice(str_slice(&utf8), "é");
    str_free(&utf8);
}

static void the_bound_holds_and_pieces_join(void **state)
{
    (void)state;
    static const char *const charsets[] = {"utf-8",       "latin1", "us-ascii",    "shift_jis",
                                           "iso-2022-jp", "koi8-r", "x-unheard-of"};
    struct str text, utf8;
    str_init(&text, 100000);
    for (int i = 0; i < 30000; i++)
        str_append_byte(&text, '\xb1');
    for (size_t i = 0; i < sizeof charsets / sizeof charsets[0]; i++) {
        str_init(&utf8, 5000);
        assert_false(charset_to_utf8(slice_text(charsets[i]), str_slice(&text), &utf8, NULL));
        assert_true(utf8.size <= 5000);
        str_free(&utf8);
        str_init(&utf8, 90000);
        assert_true(charset_to_utf8(slice_text(charsets[i]), str_slice(&text), &utf8, NULL));
        assert_true(utf8.size == 90000 || utf8.size == 60000);
        assert_true(charset_is_utf8(str_slice(&utf8)));
        str_free(&utf8);
    }
    str_free(&text);
}

static void any_bytes_give_valid_utf8(void **state)
{
    (void)state;
    static const char *const charsets[] = {"utf-8",   "iso-2022-jp", "shift_jis",     "euc-jp",
                                           "gb18030", "big5",        "uhc",           "utf-7",
                                           "utf-16",  "iso-2022-kr", "iso-2022-jp-3", "euc-tw",
                                           "johab",   "big5-hkscs",  "utf-32"};
    char bytes[600];
    uint32_t seed = 1;
    for (int round = 0; round < 300; round++) {
        for (size_t i = 0; i < sizeof bytes; i++) {
            seed = seed * 1103515245 + 12345;
            bytes[i] = (char)(seed >> 16);
            if (seed >> 28 == 0)
                bytes[i] = '\x1b';
        }
        const char *charset = charsets[(size_t)round % (sizeof charsets / sizeof charsets[0])];
        struct str utf8;
        str_init(&utf8, 10000);
        assert_true(
            charset_to_utf8(slice_text(charset), slice_of(bytes, sizeof bytes), &utf8, NULL));
        assert_true(charset_is_utf8(str_slice(&utf8)));
        str_free(&utf8);
    }
}

/* RFC 1468 is older than MIME, and so are some programs. */
static void text_without_a_label(void **state)
{
    (void)state;
    static const struct {
        const char *label, *text, *charset;
    } texts[] = {
        {"", "plain", "utf-8"},
        {"", "\x1b$B;qNA\x1b(B", "iso-2022-jp"},
        {"US-ASCII", "x \x1b(J", "iso-2022-jp"},
        {" us-ascii ", "\x1b[1m\x1b", "us-ascii"},
        {"", "\x1b", "utf-8"},
        {"", "", "utf-8"},
        {"Shift_JIS", "\x1b$B;qNA\x1b(B", "Shift_JIS"},
        {"utf-8", "\x1b$B;qNA\x1b(B", "utf-8"},
        {"x-none", "\x1b$B", "x-none"},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_slice(charset_of(slice_text(texts[i].label), slice_text(texts[i].text)),
                     texts[i].charset);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(converts),
        cmocka_unit_test(nul_is_a_byte),
        cmocka_unit_test(every_label_has_its_converter),
        cmocka_unit_test(unknown_is_latin1),
        cmocka_unit_test(the_bound_holds_and_pieces_join),
        cmocka_unit_test(any_bytes_give_valid_utf8),
        cmocka_unit_test(text_without_a_label),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
