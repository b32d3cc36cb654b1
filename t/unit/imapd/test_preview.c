/* preview, htmltext: the first words of messages of every kind (RFC 8970) */
#include "unit.h"

#include "charset.h"
#include "htmltext.h"
#include "preview.h"

#include <stdlib.h>
#include <string.h>

static const struct html_case {
    const char *name, *html, *text;
} html_cases[] = {
    {"plain", "one two", "one two"},
    {"blocks divide, inline tags do not", "<p>a</p>b<br>c <b>d</b>e", " a b c de"},
    {"comments", "a<!-- <b> > -->b<!-- never ends", "ab"},
    {"what is not shown", "<head><title>T</title>x</head>a<STYLE>p{}</style>b<script>1<2</script>c",
     "  a  b  c"},
    {"hidden for ever", "a<style>b</styl>c", "a "},
    {"a tag that never ends", "a<p class=\"x", "a "},
    {"a quoted >", "<a href=\"x>y\" title='>'>b</a>", "b"},
    {"an apostrophe outside of a value", "<p isn't>b<p>", " b "},
    {"no tag", "1 < 2 <3 <> x", "1 < 2 <3 <> x"},
    {"declarations", "<!DOCTYPE html><?xml?>a", "  a"},
    {"references", "&lt;&amp;&gt;&quot;&nbsp;&eacute;&#233;&#xE9;&#X3042;&#128512;",
     "<&>\" &eacute;\xc3\xa9\xc3\xa9\xe3\x81\x82\xf0\x9f\x98\x80"},
    {"references that make no sense", "&&;&#;&#x;&#xZ;&#1114112;&#55296;&#0;&amp",
     "&&;&#;&#x;&#xZ;   &amp"},
    {"empty", "", ""},
    {"a tag's name only", "<", "<"},
    {"an end tag's", "</", " "},
};

static void html_becomes_text(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof html_cases / sizeof *html_cases; i++) {
        struct str text;
        str_init(&text, 1000);
        assert_true(htmltext_append(&text, slice_text(html_cases[i].html)));
        struct slice got = str_slice(&text);
        if (!slice_equal(got, slice_text(html_cases[i].text)))
            fail_msg("%s: \"%.*s\"", html_cases[i].name, SLICE_PRINTF(got));
        str_free(&text);
    }
}

#define HEAD "Subject: s\r\n"
#define TEXT HEAD "\r\n"
#define MIXED                                                                                      \
    HEAD "Content-Type: multipart/mixed; boundary=b\r\n\r\n"                                       \
         "--b\r\n"

static const struct preview_case {
    const char *name, *message, *text;
} preview_cases[] = {
    {"blanks are one", TEXT "  a\t b\r\n\r\n c \r\n", "a b c"},
    {"controls are blanks",
     TEXT "a\x01\x7f"
          "b",
     "a b"},
    {"blanks of Unicode",
     TEXT "\xe3\x80\x80"
          "a\xc2\xa0\xc2\xa0"
          "b",
     "a b"},
    {"what nobody sees",
     TEXT "\xe2\x80\x8b\xcd\x8f\xc2\xad"
          "a\xef\xbb\xbf",
     "a"},
    {"quoted lines and a signature are left out", TEXT "> x\r\n>> y\r\nz\r\n-- \r\nw\r\n", "z"},
    {"unless there is nothing else", TEXT "> x\r\n-- \r\nw\r\n", "> x -- w"},
    {"raw Latin-1 without a name", TEXT "gr\xfc\xdf", "gr\xef\xbf\xbd\xef\xbf\xbd"},
    {"charset", HEAD "Content-Type: text/plain; charset=iso-8859-1\r\n\r\ngr\xfc\xdf",
     "gr\xc3\xbc\xc3\x9f"},
    {"base64",
     HEAD "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: BASE64\r\n\r\n"
          "Z3LDvMOfZQ==\r\n",
     "gr\xc3\xbc\xc3\x9f"
     "e"},
    {"quoted-printable", HEAD "Content-Transfer-Encoding: quoted-printable\r\n\r\na=\r\nb=20=C3=BC",
     "ab \xc3\xbc"},
    {"HTML", HEAD "Content-Type: text/html\r\n\r\n<p>a&amp;b</p>", "a&b"},
    {"the first text that says something",
     MIXED "\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n<img>\r\n--b\r\n\r\nthird\r\n--b--\r\n",
     "third"},
    {"no attachment",
     MIXED "Content-Disposition: ATTACHMENT; filename=x\r\n\r\nno\r\n--b\r\n\r\nyes\r\n--b--\r\n",
     "yes"},
    {"a message inside", MIXED "Content-Type: message/rfc822\r\n\r\n" TEXT "inner\r\n--b--\r\n",
     "inner"},
    {"other text", HEAD "Content-Type: text/calendar\r\n\r\nBEGIN:VCALENDAR", ""},
    {"no text", HEAD "Content-Type: image/png\r\n\r\nx", ""},
    {"no body", HEAD, ""},
    {"nothing", "", ""},
};

static void previews(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof preview_cases / sizeof *preview_cases; i++) {
        struct str text;
        str_init(&text, PREVIEW_TEXT_MAX);
        preview_append(&text, slice_text(preview_cases[i].message));
        struct slice got = str_slice(&text);
        if (!slice_equal(got, slice_text(preview_cases[i].text)))
            fail_msg("%s: \"%.*s\"", preview_cases[i].name, SLICE_PRINTF(got));
        str_free(&text);
    }
}

static size_t count_characters(struct slice text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.size; i++)
        count += ((unsigned char)text.data[i] & 0xc0) != 0x80;
    return count;
}

/* RFC 8970 3.1: at most 200 characters, not bytes, and none is cut. */
static void two_hundred_characters(void **state)
{
    static const char *const characters[] = {"a", "\xc3\xbc", "\xe3\x81\x82", "\xf0\x9f\x98\x80"};
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct str message, text;
        str_init(&message, 10000);
        str_init(&text, PREVIEW_TEXT_MAX);
        str_append_text(&message, HEAD "Content-Type: text/plain; charset=utf-8\r\n\r\n");
        for (int k = 0; k < 250; k++)
            str_append_text(&message, characters[i]);
        preview_append(&text, str_slice(&message));
        assert_int_equal(count_characters(str_slice(&text)), PREVIEW_CHARACTERS);
        assert_true(charset_is_utf8(str_slice(&text)));
        str_free(&message);
        str_free(&text);
    }
}

static void fronts_of_messages(void **state)
{
    static const char whole[] = HEAD
        "Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; "
        "charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\nZ3LDvMOfZQ==\r\n--b\r\n"
        "Content-Type: text/html\r\n\r\n<p>x</p>\r\n--b--\r\n";
    (void)state;
    for (size_t size = 0; size < sizeof whole; size++) {
        struct str text;
        char *front = malloc(size + 1); /* so that a byte too far is found */
        assert_non_null(front);
        memcpy(front, whole, size);
        str_init(&text, PREVIEW_TEXT_MAX);
        preview_append(&text, slice_of(front, size));
        assert_true(!text.failed && charset_is_utf8(str_slice(&text)));
        str_free(&text);
        free(front);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(html_becomes_text),
        cmocka_unit_test(previews),
        cmocka_unit_test(two_hundred_characters),
        cmocka_unit_test(fronts_of_messages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
