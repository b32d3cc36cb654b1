/* textmatch, casefold, bytescan: finding text whatever its case, charset and encoding */
#include "unit.h"

#include "bytescan.h"
#include "plainsearch.h"
#include "textmatch.h"

#include <stdio.h>
#include <stdlib.h>

static bool finds(struct slice message, const char *wanted)
{
    struct textmatch match;
    struct textneedle needle;
    struct str folded;
    struct slice header = source_header_of(message);
    str_init(&folded, 65536);
    assert_true(casefold_fold(slice_text(wanted), &folded));
    textmatch_init(&match);
    textneedle_make(&needle, str_slice(&folded));
    bool in_header = textmatch_header(&match, header, &needle);
    bool in_body = textmatch_body(&match, message, header.size, &needle);
    assert_int_equal(in_header, plainsearch_header(header, str_slice(&folded)));
    assert_int_equal(in_body, plainsearch_body(message, str_slice(&folded)));
    textmatch_free(&match);
    str_free(&folded);
    return in_header || in_body;
}

/* ---- letters ---------------------------------------------------------------------------------- */

static void letters(void **state)
{
    (void)state;
    static const struct {
        const char *text, *wanted;
        bool found;
    } cases[] = {
        {"Stra\xc3\x9f"
         "e",
         "STRASSE", true}, /* sharp s */
        {"STRASSE",
         "stra\xc3\x9f"
         "e",
         true},
        {"\xc3\x9c"
         "BER",
         "\xc3\xbc"
         "ber",
         true}, /* U with diaeresis */
        {"u\xcc\x88"
         "ber",
         "\xc3\x9c"
         "BER",
         true},                                             /* decomposed */
        {"D\xc4\xb1\xc5\x9f\xc4\xb1", "di\xc5\x9fi", true}, /* dotless i: RFC 5051 */
        {"DI\xc5\x9eI", "d\xc4\xb1\xc5\x9f\xc4\xb1", true},
        {"\xc4\xb0stanbul", "\xc4\xb0STANBUL", true}, /* dotted capital I */
        {"\xce\x9f\xce\x94\xce\x9f\xce\xa3", "\xce\xbf\xce\xb4\xce\xbf\xcf\x82",
         true},                                                             /* final sigma */
        {"\xef\xbc\xad\xef\xbc\xa1\xef\xbc\xa9\xef\xbc\xac", "mail", true}, /* full-width */
        {"mail", "\xef\xbd\x8d\xef\xbd\x81\xef\xbd\x89\xef\xbd\x8c", true},
        {"\xef\xbd\xb6\xef\xbe\x9e", "\xe3\x82\xac", true}, /* half-width ka and its mark */
        {"o\xef\xac\x83"
         "ce",
         "office", true},                                               /* ligature */
        {"\xd0\x9f\xd0\xa0\xd0\x98", "\xd0\xbf\xd1\x80\xd0\xb8", true}, /* Cyrillic */
        {"\xe2\x84\xaa", "k", true},                                    /* Kelvin */
        {"\xf0\x9d\x90\x80", "a", true},                                /* mathematical A */
        {"a\xcc\xa3\xcc\x88", "\xc3\xa4\xcc\xa3", true},                /* marks in another order */
        {"cafe\xcc\x81", "caf\xc3\xa9", true},
        {"\xed\x95\x9c", "\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab", true}, /* Hangul by its letters */
        {"\xe6\x9d\xb1\xe4\xba\xac", "\xe4\xba\xac\xe9\x83\xbd", false},
        {"abc", "abd", false},
        {"abc", "", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct str message;
        str_init(&message, 65536);
        str_format(&message, "X: y\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n%s\r\n",
                   cases[i].text);
        if (finds(str_slice(&message), cases[i].wanted) != cases[i].found)
            fail_msg("\"%s\" in \"%s\"", cases[i].wanted, cases[i].text);
        str_clear(&message);
        str_format(&message, "Subject: %s\r\n\r\n", cases[i].text);
        if (finds(str_slice(&message), cases[i].wanted) != cases[i].found)
            fail_msg("\"%s\" in the subject \"%s\"", cases[i].wanted, cases[i].text);
        str_free(&message);
    }
}

/* All of Unicode: what the table remembers is what folding gives, alone and among others. */
static void the_table_folds_as_the_library(void **state)
{
    (void)state;
    struct casefold table = {0};
    struct str text, plain, quick;
    str_init(&text, 65536);
    str_init(&plain, 65536);
    str_init(&quick, 65536);
    for (uint32_t first = 0x80; first < 0x20000; first += 16) {
        str_clear(&text);
        str_clear(&plain);
        str_clear(&quick);
        for (uint32_t c = first; c < first + 16; c++) {
            if (c >= 0xD800 && c < 0xE000)
                continue;
            char bytes[4] = {(char)(0xF0 | c >> 18), (char)(0x80 | (c >> 12 & 63)),
                             (char)(0x80 | (c >> 6 & 63)), (char)(0x80 | (c & 63))};
            if (c < 0x800)
                bytes[2] = (char)(0xC0 | c >> 6);
            else if (c < 0x10000)
                bytes[1] = (char)(0xE0 | c >> 12);
            size_t size = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
            str_append(&text, slice_of(bytes + 4 - size, size));
            if (c % 3 == 0)
                str_append_text(&text, "E");
        }
        assert_true(casefold_fold(str_slice(&text), &plain));
        assert_true(casefold_append(&table, str_slice(&text), &quick));
        if (!slice_equal(str_slice(&plain), str_slice(&quick)))
            fail_msg("U+%04X and its neighbours", (unsigned)first);
    }
    casefold_free(&table);
    str_free(&text);
    str_free(&plain);
    str_free(&quick);
}

/* ---- charsets and encodings ------------------------------------------------------------------- */

struct sample {
    const char *charset, *bytes, *encoding, *wanted;
};

static const struct sample samples[] = {
    {"iso-2022-jp", "\x1b$B2q5D\x1b(B desu", "7bit", "\xe4\xbc\x9a\xe8\xad\xb0"},
    {"iso-2022-jp", "\x1b$B2q5D\x1b(B desu", "7bit", "DESU"},
    {"shift_jis", "\x89\xef\x8b\x63", "8bit", "\xe4\xbc\x9a\xe8\xad\xb0"},
    {"euc-jp", "\xb2\xf1\xb5\xc4", "8bit", "\xe4\xbc\x9a\xe8\xad\xb0"},
    {"gb18030", "\xbb\xe1\xd2\xe9", "8bit", "\xe4\xbc\x9a\xe8\xae\xae"},
    {"big5", "\xb7|\xc4\xb3", "8bit", "\xe6\x9c\x83\xe8\xad\xb0"},
    {"euc-kr", "\xc7\xd1", "8bit", "\xed\x95\x9c"},
    {"koi8-r", "\xf0\xf2\xe9", "8bit", "\xd0\xbf\xd1\x80\xd0\xb8"},
    {"windows-1251", "\xcf\xd0\xc8", "8bit", "\xd0\xbf\xd1\x80\xd0\xb8"},
    {"iso-8859-1", "=DCBER", "quoted-printable",
     "\xc3\xbc"
     "ber"},
    {"utf-7", "A+BB8-B", "7bit",
     "a\xd0\xbf"
     "b"},
    {"utf-16", "//4fBCAE", "base64", "\xd0\xbf\xd1\x80"},
    {"utf-16be", "BB8EIA==", "base64", "\xd0\xbf\xd1\x80"},
    {"utf-8", "0J/QoA==", "base64", "\xd0\xbf\xd1\x80"},
    {"utf-8", "soft=\r\nly", "quoted-printable", "softly"},
    {"us-ascii", "\xd0\x9f\xd0\xa0", "8bit", "\xd0\xbf\xd1\x80"}, /* a label that lies */
    {"x-unknown",
     "\xdc"
     "BER",
     "8bit",
     "\xc3\xbc"
     "ber"},
};

static void charsets(void **state)
{
    (void)state;
    /* as a message, a part, a part of a message within, and as HTML */
    static const char *const forms[] = {
        "Content-Type: text/plain; charset=\"%s\"\r\nContent-Transfer-Encoding: %s\r\n\r\n%s\r\n",
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nnothing\r\n--b\r\n"
        "Content-Type: text/plain; charset=%s\r\nContent-Transfer-Encoding: "
        "%s\r\n\r\n%s\r\n--b--\r\n",
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: "
        "message/rfc822\r\n\r\nA: b\r\n"
        "Content-Type: text/html; charset=%s\r\nContent-Transfer-Encoding: "
        "%s\r\n\r\n%s\r\n--b--\r\n",
    };
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
        for (size_t k = 0; k < sizeof forms / sizeof *forms; k++) {
            struct str message;
            str_init(&message, 65536);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
            assert_true(str_format(&message, forms[k], samples[i].charset, samples[i].encoding,
                                   samples[i].bytes));
#pragma GCC diagnostic pop
            if (!finds(str_slice(&message), samples[i].wanted))
                fail_msg("%s, %s, form %zu", samples[i].charset, samples[i].encoding, k);
            assert_false(finds(str_slice(&message), "zzz"));
            assert_false(finds(str_slice(&message), "\xe7\x8c\xab"));
            str_free(&message);
        }
    }
}

static void headers(void **state)
{
    (void)state;
    static const struct {
        const char *header, *wanted;
        bool found;
    } cases[] = {
        {"Subject: =?ISO-2022-JP?B?GyRCMnE1RBsoQg==?=", "\xe4\xbc\x9a\xe8\xad\xb0", true},
        {"Subject: =?utf-8?q?=D0=9F?= =?utf-8?q?=D0=A0?=", "\xd0\xbf\xd1\x80", true},
        {"Subject: =?utf-8?b?0J8=?=\r\n =?koi8-r?b?8g==?=", "\xd0\xbf\xd1\x80", true},
        {"Subject: =?x-none?q?=DC=42?=",
         "\xc3\xbc"
         "b",
         true},
        {"Subject: a\r\n folded subject\r\n\there", "FOLDED SUBJECT\there", true},
        {"Subject: ab\r\nX: cd", "abX", false},
        {"Subject: one\r\nX-Two: two", "x-two", true},                   /* TEXT looks at names */
        {"Subject: \x1b$B2q5D\x1b(B", "\xe4\xbc\x9a\xe8\xad\xb0", true}, /* raw, as old mailers */
        {"Subject: caf\xe9", "CAF\xc3\x89", true},
        {"no field at all", "field", false},
        {"Subject: a\rb", "ab", true},
        {"Subject: =?broken", "=?broken", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct str message;
        str_init(&message, 65536);
        str_format(&message, "%s\r\n\r\n", cases[i].header);
        if (finds(str_slice(&message), cases[i].wanted) != cases[i].found)
            fail_msg("\"%s\" in \"%s\"", cases[i].wanted, cases[i].header);
        str_free(&message);
    }
}

/* RFC 9051 6.4.4: the empty text is in every text, also in one of no bytes. */
static void the_empty_text_is_everywhere(void **state)
{
    (void)state;
    static const char *const charsets[] = {"us-ascii", "utf-8", "iso-2022-jp", "utf-16", "utf-7"};
    for (size_t i = 0; i < sizeof charsets / sizeof *charsets; i++) {
        char message[100];
        int size = snprintf(message, sizeof message, "Content-Type: text/plain; charset=%s\r\n\r\n",
                            charsets[i]);
        assert_true(finds(slice_of(message, (size_t)size), ""));
    }
}

/* Attachments that are no text are not looked into, reports are. */
static void kinds_of_parts(void **state)
{
    (void)state;
    assert_false(finds(SLICE("Content-Type: application/pdf\r\n\r\nword\r\n"), "word"));
    assert_false(finds(SLICE("Content-Type: multipart/mixed; boundary=b\r\n\r\npreamble\r\n--b\r\n"
                             "Content-Type: image/png\r\n\r\nword\r\n--b--\r\nword\r\n"),
                       "word"));
    assert_true(
        finds(SLICE("Content-Type: message/delivery-status\r\n\r\nAction: failed\r\n"), "FAILED"));
    assert_true(finds(SLICE("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
                            "Content-Disposition: attachment; filename=word.pdf\r\n"
                            "Content-Type: application/pdf\r\n\r\nx\r\n--b--\r\n"),
                      "word.pdf"));
    assert_true(finds(SLICE("Content-Type: broken\r\n\r\nword\r\n"), "word"));
    assert_true(finds(SLICE("Content-Type: multipart/mixed\r\n\r\nword\r\n"), "word"));
}

/* ---- places ----------------------------------------------------------------------------------- */

/* A text across each border of the pieces that large texts come in. */
static void borders_of_pieces(void **state)
{
    (void)state;
    static const char *const fillers[] = {"a", "\xc3\xa9", "\xe6\x9d\xb1", "x\xcc\x81"};
    for (size_t f = 0; f < sizeof fillers / sizeof *fillers; f++) {
        for (size_t before = 32760 - 40; before < 32776; before += 3) {
            struct str message;
            str_init(&message, 1 << 20);
            str_append_text(&message, "Content-Type: text/plain; charset=utf-8\r\n\r\n\xc3\xa4");
            size_t start = message.size;
            while (message.size - start < before)
                str_append_text(&message, fillers[f]);
            str_append_text(&message, "Hall\xc3\xb6"
                                      "chen wird \xc3\x9c"
                                      "bermut");
            for (int i = 0; i < 40; i++)
                str_append_text(&message, fillers[f]);
            assert_true(finds(str_slice(&message), "hall\xc3\x96"
                                                   "CHEN WIRD \xc3\xbc"
                                                   "berMUT"));
            str_free(&message);
        }
    }
}

static void large_texts_in_charsets(void **state)
{
    (void)state;
    struct str message;
    str_init(&message, 8 << 20);
    str_append_text(&message, "Content-Type: text/plain; charset=iso-2022-jp\r\n\r\n");
    for (int i = 0; i < 20000; i++)
        str_append_text(&message, "\x1b$BF|K\\8l\x1b(B text\r\n");
    str_append_text(&message, "\x1b$B2q5D\x1b(B\r\n");
    assert_true(finds(str_slice(&message), "\xe4\xbc\x9a\xe8\xad\xb0"));
    assert_true(finds(str_slice(&message), "text\r\n\xe4\xbc\x9a\xe8\xad\xb0"));
    assert_false(finds(str_slice(&message), "\xe4\xbc\x9a\xe4\xbc\x9a"));
    str_free(&message);
}

static void scanning(void **state)
{
    (void)state;
    char text[200];
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = "eE tXz"[i * 7 % 6];
    for (size_t size = 1; size < 40; size++) {
        char wanted[40];
        size_t first, second;
        for (size_t i = 0; i < size; i++)
            wanted[i] = (char)('a' + (i * 5 + size) % 26);
        bytescan_choose(slice_of(wanted, size), &first, &second);
        assert_true(first < size && second < size && (size == 1 || first != second));
        for (size_t at = 0; at + size <= 100; at++) {
            char copy[200];
            memcpy(copy, text, sizeof copy);
            for (size_t i = 0; i < size; i++)
                copy[at + i] = (char)(i % 2 ? wanted[i] : wanted[i] - 0x20);
            assert_true(
                bytescan_has(slice_of(copy, at + size), slice_of(wanted, size), first, second));
            assert_true(bytescan_has(slice_of(copy, 150), slice_of(wanted, size), first, second));
            assert_false(size > 3 && bytescan_has(slice_of(copy, at + size - 1),
                                                  slice_of(wanted, size), first, second));
        }
    }
    assert_true(bytescan_has(SLICE(""), SLICE(""), 0, 0));
    assert_false(bytescan_has(SLICE("@[`{"), SLICE("`{["), 0, 1));
    assert_false(bytescan_has_high(SLICE("0123456789abcdef0123456789abcdef\x7f")));
    assert_true(bytescan_has_high(SLICE("0123456789abcdef0123456789abcdef\x80")));
    assert_true(bytescan_has_high(SLICE("0123456\xff"
                                        "89abcdef")));
}

/* Every byte at every place of texts of every size around those of the blocks. */
static void plain_bytes(void **state)
{
    (void)state;
    char text[50];
    for (size_t size = 0; size <= sizeof text; size++) {
        memset(text, 'a', sizeof text);
        assert_true(bytescan_is_plain(slice_of(text, size)));
        for (size_t place = 0; place < size; place++) {
            for (unsigned byte = 0; byte < 256; byte++) {
                bool plain = byte >= ' ' && byte <= '~' && byte != '"' && byte != '\\';
                text[place] = (char)byte;
                assert_int_equal(bytescan_is_plain(slice_of(text, size)), plain);
            }
            text[place] = 'a';
        }
    }
}

/* ---- monsters --------------------------------------------------------------------------------- */

static void monsters_cost_little(void **state)
{
    (void)state;
    struct str message;
    str_init(&message, 64 << 20);
    for (int i = 0; i < 100000; i++) /* 10 MB of header */
        str_format(&message,
                   "X-%d: =?utf-8?q?=C3=A9?= and much more of the same, which goes on and on "
                   "and on\r\n",
                   i);
    str_append_text(&message, "Content-Type: multipart/mixed; boundary=b\r\n\r\n");
    for (int i = 0; i < 100000; i++)
        str_append_text(&message,
                        "--b\r\nContent-Type: text/plain; charset=utf-7\r\n\r\n+AOk-\r\n");
    struct textmatch match;
    struct textneedle needle;
    textmatch_init(&match);
    textneedle_make(&needle, SLICE("never there"));
    struct slice whole = str_slice(&message), header = source_header_of(whole);
    assert_false(textmatch_header(&match, header, &needle));
    assert_false(textmatch_body(&match, whole, header.size, &needle));
    textmatch_free(&match);
    str_free(&message);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(letters),
        cmocka_unit_test(the_table_folds_as_the_library),
        cmocka_unit_test(charsets),
        cmocka_unit_test(headers),
        cmocka_unit_test(the_empty_text_is_everywhere),
        cmocka_unit_test(kinds_of_parts),
        cmocka_unit_test(borders_of_pieces),
        cmocka_unit_test(large_texts_in_charsets),
        cmocka_unit_test(scanning),
        cmocka_unit_test(plain_bytes),
        cmocka_unit_test(monsters_cost_little),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
