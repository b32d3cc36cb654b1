/* downgrade, contentwriter: what comes out, for which target, and that it decodes to the same */
#include "unit.h"

#include "downgrade.h"
#include "mime.h"
#include "str.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OUTPUT_MAX = 1 << 24 };

#define MULTI                                                                                      \
    "From: a\r\nContent-Type: multipart/mixed; boundary=b\r\n"                                     \
    "Content-Transfer-Encoding: 8bit\r\n\r\n"

struct text {
    const char *data;
    size_t size;
};
#define TEXT(literal)                                                                              \
    {                                                                                              \
        literal, sizeof(literal) - 1                                                               \
    }

static const struct {
    const char *name;
    enum downgrade_target target;
    struct text before, after;
} cases[] = {
    {"7 bits stay", DOWNGRADE_TO_7BIT, TEXT("A: b\r\n\r\nx\r\n"), TEXT("A: b\r\n\r\nx\r\n")},
    {"text becomes quoted-printable", DOWNGRADE_TO_7BIT, TEXT("A: b\r\n\r\na=\xe9 \r\n"),
     TEXT("A: b\r\nMIME-Version: 1.0\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
          "a=3D=E9=20\r\n")},
    {"8 bits stay where they may", DOWNGRADE_TO_8BIT, TEXT("A: b\r\n\r\n\xe9\r\n"),
     TEXT("A: b\r\n\r\n\xe9\r\n")},
    {"the field is replaced, folded or not, in any case", DOWNGRADE_TO_7BIT,
     TEXT("content-transfer-ENCODING:\r\n 8bit\r\nMime-Version: 1.0\r\nB: c\r\n\r\n\xe9"),
     TEXT("Mime-Version: 1.0\r\nB: c\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
          "=E9=\r\n")},
    {"headers keep their bytes", DOWNGRADE_TO_7BIT, TEXT("Subject: \xe9\r\n\r\nx\r\n"),
     TEXT("Subject: \xe9\r\n\r\nx\r\n")},
    {"NUL, CR and LF alone", DOWNGRADE_TO_8BIT,
     TEXT("A: b\r\n\r\n1\0"
          "2\r3\n4\r\n"),
     TEXT("A: b\r\nMIME-Version: 1.0\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
          "1=002=0D3=0A=\r\n4\r\n")},
    {"binary that is none", DOWNGRADE_TO_8BIT,
     TEXT("Content-Transfer-Encoding: binary\r\n\r\n\xe9\r\n"),
     TEXT("MIME-Version: 1.0\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\xe9\r\n")},
    {"parts, preamble, epilogue", DOWNGRADE_TO_7BIT,
     TEXT(MULTI "pre\xe9\r\n--b\r\nContent-Type: text/plain\r\n\r\n\xe9\r\n--b\t\r\n"
                "Content-Type: image/x\r\n\r\n\xe1\n\r\n--b--\r\nepi\xe9\r\n"),
     TEXT("From: a\r\nContent-Type: multipart/mixed; boundary=b\r\nMIME-Version: 1.0\r\n"
          "Content-Transfer-Encoding: 7bit\r\n\r\npre?\r\n--b\r\nContent-Type: text/plain\r\n"
          "Content-Transfer-Encoding: quoted-printable\r\n\r\n=E9\r\n--b\r\n"
          "Content-Type: image/x\r\nContent-Transfer-Encoding: base64\r\n\r\n4Qo=\r\n--b--\r\n"
          "epi?\r\n")},
    {"a message inside", DOWNGRADE_TO_7BIT,
     TEXT("Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 8bit\r\nMIME-Version: 1.0\r\n"
          "\r\nC: d\r\n\r\n\xe9\r\n"),
     TEXT("Content-Type: message/rfc822\r\nMIME-Version: 1.0\r\nContent-Transfer-Encoding: 7bit\r\n"
          "\r\nC: d\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=E9\r\n")},
    {"a boundary that never comes", DOWNGRADE_TO_7BIT, TEXT(MULTI "--c\r\n\xe9\r\n--c--\r\n"),
     TEXT("From: a\r\nContent-Type: multipart/mixed; boundary=b\r\nMIME-Version: 1.0\r\n"
          "Content-Transfer-Encoding: quoted-printable\r\n\r\n=2D-c\r\n=E9\r\n=2D-c--\r\n")},
    {"no end", DOWNGRADE_TO_7BIT, TEXT(MULTI "--b\r\n\r\n\xe9"),
     TEXT("From: a\r\nContent-Type: multipart/mixed; boundary=b\r\nMIME-Version: 1.0\r\n"
          "Content-Transfer-Encoding: 7bit\r\n\r\n--b\r\n"
          "Content-Transfer-Encoding: quoted-printable\r\n\r\n=E9=\r\n")},
    {"quoted-printable that is not", DOWNGRADE_TO_7BIT,
     TEXT("Content-Transfer-Encoding: quoted-printable\r\n\r\na=C3 \xe9 = x=\r\nb  \r\n"),
     TEXT("Content-Transfer-Encoding: quoted-printable\r\n\r\na=C3 =E9 = x=\r\nb\r\n")},
    {"base64 that is not", DOWNGRADE_TO_7BIT,
     TEXT("Content-Transfer-Encoding: base64\r\n\r\nQU\xff"
          "JD\r\n"),
     TEXT("Content-Transfer-Encoding: base64\r\n\r\nQUJD\r\n")},
    {"a header without an end", DOWNGRADE_TO_7BIT, TEXT("Content-Transfer-Encoding: 8bit\r\n"),
     TEXT("Content-Transfer-Encoding: 8bit\r\n")},
    {"nothing", DOWNGRADE_TO_7BIT, TEXT(""), TEXT("")},
};

static bool take(void *owner, struct slice bytes)
{
    return str_append(owner, bytes);
}

static void messages_are_rewritten(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct str output;
        struct slice before = slice_of(cases[i].before.data, cases[i].before.size);
        str_init(&output, OUTPUT_MAX);
        assert_true(downgrade_write(before, cases[i].target, take, &output));
        if (!slice_equal(str_slice(&output), slice_of(cases[i].after.data, cases[i].after.size)))
            fail_msg("%s: %.*s", cases[i].name, SLICE_PRINTF(str_slice(&output)));
        str_free(&output);
    }
}

static void traits_are_seen(void **state)
{
    (void)state;
    static const struct {
        struct text text;
        unsigned traits;
    } texts[] = {
        {TEXT(""), 0},
        {TEXT("abc\r\ndefghijklmnop\r\n"), 0},
        {TEXT("no end"), 0},
        {TEXT("1234567\x80"), DOWNGRADE_HIGH},
        {TEXT("12345678\x80"), DOWNGRADE_HIGH},
        {TEXT("a\0"), DOWNGRADE_BINARY},
        {TEXT("a\n"), DOWNGRADE_BINARY},
        {TEXT("a\r"), DOWNGRADE_BINARY},
        {TEXT("a\rb\r\n"), DOWNGRADE_BINARY},
        {TEXT("\r\r\n"), DOWNGRADE_BINARY},
        {TEXT("\xff\n"), DOWNGRADE_BINARY | DOWNGRADE_HIGH},
    };
    char line[DOWNGRADE_LINE_MAX + 3];
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_int_equal(downgrade_traits(slice_of(texts[i].text.data, texts[i].text.size)),
                         texts[i].traits);
    memset(line, 'x', sizeof line);
    memcpy(line + DOWNGRADE_LINE_MAX, "\r\n", 2);
    assert_int_equal(downgrade_traits(slice_of(line, DOWNGRADE_LINE_MAX + 2)), 0);
    memcpy(line + DOWNGRADE_LINE_MAX, "x\r\n", 3);
    assert_int_equal(downgrade_traits(slice_of(line, DOWNGRADE_LINE_MAX + 3)), DOWNGRADE_BINARY);
    assert_true(downgrade_is_needed(DOWNGRADE_HIGH, DOWNGRADE_TO_7BIT));
    assert_false(downgrade_is_needed(DOWNGRADE_HIGH, DOWNGRADE_TO_8BIT));
    assert_true(downgrade_is_needed(DOWNGRADE_BINARY, DOWNGRADE_TO_8BIT));
}

/* Lines of a megabyte, and bytes of all kinds, in text and in others. */
static void large_bodies_decode_to_the_same(void **state)
{
    (void)state;
    enum { SIZE = 3 << 20, LINE = 1 << 20 };
    static const char *const heads[] = {"Content-Type: text/plain\r\n\r\n",
                                        "Content-Type: application/x\r\n\r\n",
                                        "Content-Transfer-Encoding: quoted-printable\r\n\r\n"};
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        struct str message, output, before, after;
        struct slice encoding = SLICE("");
        str_init(&message, OUTPUT_MAX);
        str_init(&output, OUTPUT_MAX);
        str_init(&before, OUTPUT_MAX);
        str_init(&after, OUTPUT_MAX);
        str_append_text(&message, heads[i]);
        unsigned seed = 1;
        for (size_t at = 0; at < SIZE; at++) {
            seed = seed * 1103515245u + 12345u;
            bool is_end = at % LINE == LINE - 1;
            str_append(&message, is_end ? SLICE("\r\n") : slice_of(&(char){(char)(seed >> 16)}, 1));
        }
        assert_true(downgrade_write(str_slice(&message), DOWNGRADE_TO_7BIT, take, &output));
        assert_int_equal(downgrade_traits(str_slice(&output)), 0);
        struct slice body = slice_from(str_slice(&message), strlen(heads[i]));
        mime_decode_body(body, i == 2 ? SLICE("quoted-printable") : SLICE("8bit"), &before);
        struct mime_part *part = mime_parse(str_slice(&output));
        assert_non_null(part);
        assert_true(mime_find_field(slice_part(str_slice(&output), 0, part->header_size),
                                    "Content-Transfer-Encoding", &encoding));
        mime_decode_body(slice_part(str_slice(&output), part->body, part->body_size), encoding,
                         &after);
        assert_true(slice_equal(str_slice(&before), str_slice(&after)));
        mime_free(&part);
        str_free(&message);
        str_free(&output);
        str_free(&before);
        str_free(&after);
    }
}

static void long_header_lines_are_folded(void **state)
{
    (void)state;
    struct str message, output;
    str_init(&message, OUTPUT_MAX);
    str_init(&output, OUTPUT_MAX);
    str_append_text(&message, "Subject:");
    for (int i = 0; i < 300; i++)
        str_append_text(&message, " word");
    str_append_text(&message, "\r\nX-Long: ");
    for (int i = 0; i < 2000; i++)
        str_append_byte(&message, 'y');
    str_append_text(&message, "\r\n\r\nbody\r\n");
    assert_true(downgrade_write(str_slice(&message), DOWNGRADE_TO_8BIT, take, &output));
    assert_int_equal(downgrade_traits(str_slice(&output)), 0);
    assert_true(slice_ends(str_slice(&output), SLICE("\r\n\r\nbody\r\n")));
    /* Where there were blanks, unfolding gives the same. */
    struct slice rest = str_slice(&output), line = slice_cut(&rest, '\n');
    assert_true(slice_ends(line, SLICE(" word\r")));
    assert_true(slice_starts(rest, SLICE(" word")));
    str_free(&message);
    str_free(&output);
}

static bool take_once(void *owner, struct slice bytes)
{
    unsigned *count = owner;
    (void)bytes;
    return ++*count < 2;
}

static void nobody_is_asked_again_who_said_no(void **state)
{
    (void)state;
    static char body[100000];
    unsigned count = 0;
    memset(body, 0xe9, sizeof body);
    memcpy(body, "\r\n", 2);
    assert_false(
        downgrade_write(slice_of(body, sizeof body), DOWNGRADE_TO_7BIT, take_once, &count));
    assert_int_equal(count, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_are_rewritten),
        cmocka_unit_test(traits_are_seen),
        cmocka_unit_test(large_bodies_decode_to_the_same),
        cmocka_unit_test(long_header_lines_are_folded),
        cmocka_unit_test(nobody_is_asked_again_who_said_no),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
