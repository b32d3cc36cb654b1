/* mime: structures as real and as ugly as mail's, fields, parameters, encodings, Japanese headers
 */
#include "unit.h"

#include "mime.h"

#include <stdio.h>
#include <string.h>

/* ---- structure ------------------------------------------------------------------------------ */

/* Draws a tree: type/subtype{lines:body} for a leaf, type/subtype(children) for others. Line ends
 * in bodies are drawn as "~". */
static void draw(struct slice message, const struct mime_part *part, struct str *text)
{
    str_append(text, part->type);
    str_append_byte(text, '/');
    str_append(text, part->subtype);
    if (part->is_multipart || part->is_message) {
        assert_non_null(part->first_child);
        str_append_byte(text, '(');
        for (const struct mime_part *child = part->first_child; child; child = child->next) {
            assert_ptr_equal(child->parent, part);
            assert_true(child->header >= part->body);
            assert_true(child->body + child->body_size <= part->body + part->body_size);
            draw(message, child, text);
            str_append_text(text, child->next ? " " : "");
        }
        str_append_byte(text, ')');
        return;
    }
    assert_null(part->first_child);
    str_format(text, "{%zu:", part->body_lines);
    struct slice body = slice_part(message, part->body, part->body_size);
    assert_int_equal(body.size, part->body_size);
    for (size_t i = 0; i < body.size; i++)
        if (body.data[i] != '\r')
            str_append_byte(text, body.data[i] == '\n' ? '~' : body.data[i]);
    str_append_byte(text, '}');
}

static void check_structure(const char *name, struct slice message, const char *expected)
{
    struct str text;
    str_init(&text, 100000);
    struct mime_part *root = mime_parse(message);
    assert_non_null(root);
    draw(message, root, &text);
    if (!slice_equal(str_slice(&text), slice_text(expected)))
        fail_msg("%s: %.*s is not %s", name, SLICE_PRINTF(str_slice(&text)), expected);
    mime_free(&root);
    assert_null(root);
    str_free(&text);
}

#define MIXED "Content-Type: multipart/mixed; boundary=b\n\n"

static const struct {
    const char *name, *message, *expected;
} structures[] = {
    {"nothing", "", "text/plain{0:}"},
    {"header alone", "Subject: x\n", "text/plain{0:}"},
    {"cut header", "Subj", "text/plain{0:}"},
    {"empty line alone", "\n", "text/plain{0:}"},
    {"body alone", "\nhello\n", "text/plain{1:hello~}"},
    {"no last line end", "A: b\n\nhello", "text/plain{0:hello}"},
    {"a lone CR ends no line", "A: b\r\rhello\n\nbody", "text/plain{0:body}"},
    {"type as written", "CONTENT-TYPE: Text/HTML\n\nx", "Text/HTML{0:x}"},
    {"comments in the type", "Content-Type: (a(b)) text (c) / (d\\)) html (e)\n\nx",
     "text/html{0:x}"},
    {"folded type", "Content-Type:\n text/\n html;\n charset=x\n\nx", "text/html{0:x}"},
    {"broken type", "Content-Type: text\n\nx", "text/plain{0:x}"},
    {"broken subtype", "Content-Type: text/\n\nx", "text/plain{0:x}"},
    {"first type counts", "Content-Type: a/b\nContent-Type: c/d\n\nx", "a/b{0:x}"},
    {"one part", MIXED "--b\n\none\n--b--\n", "multipart/mixed(text/plain{0:one})"},
    {"the line end before the boundary is not the part's", MIXED "--b\n\none\n\n--b--\n",
     "multipart/mixed(text/plain{1:one~})"},
    {"preamble and epilogue", MIXED "pre\n--b\n\none\n--b--\nepi\n--b\n\nnot a part\n",
     "multipart/mixed(text/plain{0:one})"},
    {"empty parts", MIXED "--b\n--b\n\n--b\n\n\n--b--\n",
     "multipart/mixed(text/plain{0:} text/plain{0:} text/plain{0:})"},
    {"header without end", MIXED "--b\nContent-Type: text/html\n--b\n\nx\n--b--\n",
     "multipart/mixed(text/html{0:} text/plain{0:x})"},
    {"missing end", MIXED "--b\n\none\n--b\n\ntwo\n",
     "multipart/mixed(text/plain{0:one} text/plain{1:two~})"},
    {"ends in the boundary", MIXED "--b\n\none\n--b",
     "multipart/mixed(text/plain{0:one} "
     "text/plain{0:})"},
    {"ends in the end", MIXED "--b\n\none\n--b--", "multipart/mixed(text/plain{0:one})"},
    {"blanks behind", MIXED "--b \t\n\none\n--b--  \n", "multipart/mixed(text/plain{0:one})"},
    {"longer lines are text", MIXED "--b\n\none\n--bc\n--b-\n--b---\n-- b\n--\n-\n--b--\n",
     "multipart/mixed(text/plain{6:one~--bc~--b-~--b---~-- b~--~-})"},
    {"CRLF", "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\none\r\n--b--\r\n",
     "multipart/mixed(text/plain{0:one})"},
    {"mixed line ends",
     "Content-Type: multipart/mixed; boundary=b\r\n\n--b\n\r\none\r\ntwo\n--b--\r\n",
     "multipart/mixed(text/plain{1:one~two})"},
    {"no boundary", "Content-Type: multipart/mixed\n\n--b\n\none\n", "text/plain{3:--b~~one~}"},
    {"empty boundary", "Content-Type: multipart/mixed; boundary=\"\"\n\n--\n\none\n",
     "text/plain{3:--~~one~}"},
    {"no parts", MIXED "nothing here\n", "text/plain{1:nothing here~}"},
    {"quoted boundary",
     "Content-Type: multipart/mixed; boundary=\"a \\\"b\"\n\n--a \"b\n\none\n--a \"b--\n",
     "multipart/mixed(text/plain{0:one})"},
    {"boundary in segments",
     "Content-Type: multipart/mixed; boundary*1=c; boundary*0=b\n\n--bc\n\none\n--bc--\n",
     "multipart/mixed(text/plain{0:one})"},
    {"nested",
     MIXED "--b\nContent-Type: multipart/alternative; boundary=c\n\n--c\n\none\n--c\n"
           "Content-Type: text/html\n\ntwo\n--c--\n--b\n\nthree\n--b--\n",
     "multipart/mixed(multipart/alternative(text/plain{0:one} text/html{0:two}) "
     "text/plain{0:three})"},
    {"the parent's boundary ends the child",
     MIXED "--b\nContent-Type: multipart/alternative; boundary=c\n\n--c\n\none\n--b\n\nthree\n",
     "multipart/mixed(multipart/alternative(text/plain{0:one}) text/plain{1:three~})"},
    {"the parent's end ends all",
     MIXED "--b\nContent-Type: multipart/alternative; boundary=c\n\n--c\n\none\n--b--\n--c\n\nno\n",
     "multipart/mixed(multipart/alternative(text/plain{0:one}))"},
    {"one boundary begins with the other",
     MIXED "--b\nContent-Type: multipart/alternative; boundary=bb\n\n--bb\n\none\n--bb--\n--b--\n",
     "multipart/mixed(multipart/alternative(text/plain{0:one}))"},
    {"the inner one is shorter",
     "Content-Type: multipart/mixed; boundary=bb\n\n--bb\nContent-Type: multipart/alternative; "
     "boundary=b\n\n--b\n\none\n--b--\n--bb\n\ntwo\n--bb--\n",
     "multipart/mixed(multipart/alternative(text/plain{0:one}) text/plain{0:two})"},
    {"a boundary that looks like an end",
     MIXED "--b\nContent-Type: multipart/alternative; boundary=\"b--\"\n\n--b--\n\none\n--b----\n"
           "--b\n\ntwo\n--b--\n",
     "multipart/mixed(multipart/alternative(text/plain{0:one}) text/plain{0:two})"},
    {"the same boundary twice",
     MIXED "--b\nContent-Type: multipart/alternative; boundary=b\n\n--b\n\none\n--b--\n--b\n\n"
           "two\n--b--\n",
     "multipart/mixed(multipart/alternative(text/plain{0:one}) text/plain{0:two})"},
    {"message", "Content-Type: message/rfc822\n\nSubject: inner\n\nhello\n",
     "message/rfc822(text/plain{1:hello~})"},
    {"message without anything", "Content-Type: message/rfc822\n",
     "message/rfc822(text/plain{0:})"},
    {"message without anything in a part",
     MIXED "--b\nContent-Type: message/rfc822\n--b\nContent-Type: message/rfc822\n\n--b--\n",
     "multipart/mixed(message/rfc822(text/plain{0:}) message/rfc822(text/plain{0:}))"},
    {"message with parts",
     MIXED
     "--b\nContent-Type: message/rfc822\n\nContent-Type: multipart/mixed; boundary=c\n\n--c\n\n"
     "one\n--c--\n--b\n\ntwo\n--b--\n",
     "multipart/mixed(message/rfc822(multipart/mixed(text/plain{0:one})) text/plain{0:two})"},
    {"the line end that ends a header stays with it",
     MIXED "--b\nContent-Type: message/rfc822\n\nA: b\n\n--b--\n",
     "multipart/mixed(message/rfc822(text/plain{0:}))"},
    {"other messages are leaves", "Content-Type: message/delivery-status\n\nx: y\n",
     "message/delivery-status{1:x: y~}"},
    {"digest",
     "Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: x\n\none\n--b\n"
     "Content-Type: text/plain\n\ntwo\n--b\nContent-Type: broken\n\nthree\n--b--\n",
     "multipart/digest(message/rfc822(text/plain{0:one}) text/plain{0:two} text/plain{0:three})"},
    {"inside a digest's message the default is text again",
     "Content-Type: multipart/digest; boundary=b\n\n--b\n\nContent-Type: multipart/mixed; "
     "boundary=c\n\n--c\n\none\n--c--\n--b--\n",
     "multipart/digest(message/rfc822(multipart/mixed(text/plain{0:one})))"},
};

static void finds_the_structure(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof structures / sizeof structures[0]; i++)
        check_structure(structures[i].name, slice_text(structures[i].message),
                        structures[i].expected);
}

/* Every message above, with CRLF, cut at every byte: nothing but a tree that is in order. */
static void survives_every_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof structures / sizeof structures[0]; i++) {
        struct slice whole = slice_text(structures[i].message);
        for (size_t size = 0; size <= whole.size; size++) {
            struct str part, text;
            str_init(&part, 1000);
            str_init(&text, 100000);
            str_append(&part, slice_part(whole, 0, size));
            struct mime_part *root = mime_parse(str_slice(&part));
            assert_non_null(root);
            draw(str_slice(&part), root, &text);
            mime_free(&root);
            str_free(&text);
            str_free(&part);
        }
    }
}

static void tells_where_parts_lie(void **state)
{
    (void)state;
    struct slice message = SLICE("Content-Type: multipart/mixed; boundary=b\r\n\r\npre\r\n--b\r\n"
                                 "A: b\r\n\r\none\r\ntwo\r\n--b--\r\nepilogue\r\n");
    struct mime_part *root = mime_parse(message);
    assert_int_equal(root->header, 0);
    assert_int_equal(root->header_size, 45);
    assert_int_equal(root->body, 45);
    assert_int_equal(root->body_size, message.size - 45);
    assert_int_equal(root->body_lines, 8);
    const struct mime_part *part = root->first_child;
    assert_int_equal(part->header, 55);
    assert_slice(slice_part(message, part->header, part->header_size), "A: b\r\n\r\n");
    assert_slice(slice_part(message, part->body, part->body_size), "one\r\ntwo");
    assert_int_equal(part->body_lines, 1);
    assert_null(part->next);
    mime_free(&root);
}

static size_t depth_of(const struct mime_part *part)
{
    size_t depth = 0;
    while (part->first_child) {
        part = part->first_child;
        depth++;
    }
    return depth;
}

static size_t count_parts(const struct mime_part *part)
{
    size_t count = 0;
    while (part) {
        count++;
        if (part->first_child) {
            part = part->first_child;
            continue;
        }
        while (part && !part->next)
            part = part->parent;
        part = part ? part->next : NULL;
    }
    return count;
}

static void a_thousand_levels_end_at_the_bound(void **state)
{
    (void)state;
    struct str multiparts, messages;
    str_init(&multiparts, 1000000);
    str_init(&messages, 1000000);
    for (int i = 0; i < 1000; i++) {
        str_format(&multiparts, "Content-Type: multipart/mixed; boundary=\"b%d\"\n\n--b%d\n", i, i);
        str_append_text(&messages, "Content-Type: message/rfc822\n\n");
    }
    struct mime_part *root = mime_parse(str_slice(&multiparts));
    assert_int_equal(depth_of(root), MIME_DEPTH_MAX);
    mime_free(&root);
    root = mime_parse(str_slice(&messages));
    assert_int_equal(depth_of(root), MIME_DEPTH_MAX);
    const struct mime_part *part = root;
    while (part->first_child)
        part = part->first_child;
    assert_slice(part->type, "application");
    assert_slice(part->subtype, "octet-stream");
    assert_false(part->is_message);
    assert_true(part->body_size > 10000);
    mime_free(&root);
    str_free(&multiparts);
    str_free(&messages);
}

static void a_hundred_thousand_parts_end_at_the_bound(void **state)
{
    (void)state;
    struct str message;
    str_init(&message, 10000000);
    str_append_text(&message, MIXED);
    for (int i = 0; i < 100000; i++)
        str_append_text(&message, "--b\nContent-Type: message/rfc822\n\nA: b\n\nx\n");
    str_append_text(&message, "--b--\n");
    struct mime_part *root = mime_parse(str_slice(&message));
    assert_int_equal(count_parts(root), MIME_PARTS_MAX);
    mime_free(&root);
    str_free(&message);
}

/* What took time in squares would not come to an end here. */
static void large_and_ugly_is_still_linear(void **state)
{
    (void)state;
    static const char *const units[] = {
        "x",  "A: b\n", " \n",       "\n",   "--b\n",   "--b--\n", "\"",       "(", "\\",
        "=?", "=?a?q?", "=?a?q?b?=", ";a=b", ";a*1=b;", "\x1b$",   ";a=\x1b$", "%", "='"};
    static const char *const heads[] = {"", "Content-Type: ", MIXED "--b\nContent-Type: a/b; c=\"",
                                        "Content-Type: multipart/mixed; boundary=b"};
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        for (size_t j = 0; j < sizeof heads / sizeof heads[0]; j++) {
            struct str message, utf8;
            struct slice value = SLICE("");
            struct mime_parameters parameters;
            str_init(&message, 4000000);
            str_init(&utf8, 8000000);
            str_append_text(&message, heads[j]);
            while (message.size < 1100000)
                str_append_text(&message, units[i]);
            struct mime_part *root = mime_parse(str_slice(&message));
            assert_non_null(root);
            mime_free(&root);
            mime_find_field(str_slice(&message), "Subject", &value);
            assert_true(mime_parse_parameters(str_slice(&message), &parameters));
            mime_free_parameters(&parameters);
            assert_true(mime_decode_header(str_slice(&message), &utf8));
            str_free(&message);
            str_free(&utf8);
        }
    }
}

/* ---- fields --------------------------------------------------------------------------------- */

static void walks_fields(void **state)
{
    (void)state;
    struct slice header = SLICE("From someone Sat Nov 21\r\nSubject: one\r\n two\r\n\tthree\r\n"
                                "no field\r\n behind it\r\nX : spaced\nEmpty:\r\n: nameless\n"
                                "Folded:\r\n value\r\nLast: x\r\r\n\r\n");
    static const struct {
        const char *name, *value;
    } expected[] = {{"Subject", "one\r\n two\r\n\tthree"},
                    {"X", "spaced"},
                    {"Empty", ""},
                    {"Folded", "value"},
                    {"Last", "x\r"}};
    struct slice rest = header;
    struct mime_field field;
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        assert_true(mime_next_field(&rest, &field));
        assert_slice(field.name, expected[i].name);
        assert_slice(field.value, expected[i].value);
        assert_true(slice_starts(field.whole, field.name) && slice_ends(field.whole, SLICE("\n")));
    }
    assert_false(mime_next_field(&rest, &field));
    struct slice value;
    assert_true(mime_find_field(header, "LAST", &value));
    assert_false(mime_find_field(header, "Las", &value));
    assert_false(mime_find_field(header, "behind it", &value));
    assert_true(mime_find_field(SLICE("A: b"), "a", &value));
    assert_slice(value, "b");
}

/* Draws "value|name=value|name=value(charset)". */
static void draw_parameters(struct slice field, struct str *text)
{
    struct mime_parameters parameters;
    assert_true(mime_parse_parameters(field, &parameters));
    str_append(text, str_slice(&parameters.value));
    for (size_t i = 0; i < parameters.count; i++) {
        const struct mime_parameter *parameter = &parameters.list[i];
        str_append_byte(text, '|');
        str_append(text, str_slice(&parameter->name));
        str_append_byte(text, '=');
        str_append(text, str_slice(&parameter->value));
        if (parameter->charset.size > 0) {
            str_append_byte(text, '(');
            str_append(text, str_slice(&parameter->charset));
            str_append_byte(text, ')');
        }
    }
    mime_free_parameters(&parameters);
}

static const struct {
    const char *name, *field, *expected;
} parameter_cases[] = {
    {"nothing", "", ""},
    {"value alone", "text/plain", "text/plain"},
    {"one", "text/plain; charset=UTF-8", "text/plain|charset=UTF-8"},
    {"names in lower case", "text/plain;CharSet=\"x\"", "text/plain|charset=x"},
    {"comments", "(c) text/plain (a;b) ; (d) charset (e) = (f) x (g) ; y=z",
     "text/plain|charset=x|y=z"},
    {"quoting", "a; b=\"c \\\"d\\\\ ; e=f\"; g=h", "a|b=c \"d\\ ; e=f|g=h"},
    {"folded", "a;\r\n b=\"c\r\n d\";\r\n\te=f\r\n", "a|b=c d|e=f"},
    {"open quote", "a; b=\"c; d=e", "a|b=c; d=e"},
    {"blanks in a name without quotes", "attachment; filename=my file (1).pdf ; size=3",
     "attachment|filename=my file|size=3"},
    {"parentheses in one", "attachment; filename=file(1).pdf", "attachment|filename=file(1).pdf"},
    {"no value", "a; b; c=d; =e; ;; f=", "a|c=d|f="},
    {"the first one counts", "a; b=c; B=d", "a|b=c"},
    {"junk behind quotes", "a; b=\"c\"junk; d=e", "a|b=c|d=e"},
    {"no last semicolon", "a;", "a"},
    {"RFC 2231", "a; title*=us-ascii'en-us'This%20is%20%2A%2A%2Afun%2A%2A%2A",
     "a|title=This is ***fun***(us-ascii)"},
    {"segments", "a; url*0=\"ftp://\"; url*1=\"example\"", "a|url=ftp://example"},
    {"segments out of order", "a; t*2=\"!\"; t*0*=utf-8''%E3%81; t*1*=%82", "a|t=あ!(utf-8)"},
    {"a segment is missing", "a; t*0=x; t*2=z", "a|t=x"},
    {"the first is missing", "a; t*1=x", "a|t="},
    {"plain beside extended", "a; f=\"old.txt\"; f*=utf-8''new.txt", "a|f=new.txt(utf-8)"},
    {"plain beside segments", "a; f=\"old.txt\"; f*0=new; f*1=.txt", "a|f=new.txt"},
    {"broken percents", "a; f*=utf-8''%4%zz%41%", "a|f=%4%zzA%(utf-8)"},
    {"percents without charset", "a; f*=x%41", "a|f=xA"},
    {"a quote in later segments", "a; f*0*=utf-8''a'b; f*1*='c'", "a|f=a'b'c'(utf-8)"},
    {"odd marks", "a; f*x=1; *=2; *0=3; g*00=4; h*999=5", "a|f*x=1|*=2|*0=3|g=4|h*999=5"},
    {"raw ISO-2022-JP with a quote in it", "a; f=\"\x1b$B\"!\\\"\x1b(B.txt\"; g=h",
     "a|f=\x1b$B\"!\\\"\x1b(B.txt|g=h"},
    {"never shifted back", "a; f=\"\x1b$B\"; g=h", "a|f=\x1b$B|g=h"},
};

static void reads_parameters(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof parameter_cases / sizeof parameter_cases[0]; i++) {
        struct str text;
        str_init(&text, 1000);
        draw_parameters(slice_text(parameter_cases[i].field), &text);
        if (!slice_equal(str_slice(&text), slice_text(parameter_cases[i].expected)))
            fail_msg("%s: %.*s", parameter_cases[i].name, SLICE_PRINTF(str_slice(&text)));
        str_free(&text);
    }
}

static void more_parameters_than_allowed(void **state)
{
    (void)state;
    struct str field;
    struct mime_parameters parameters;
    str_init(&field, 100000);
    str_append_text(&field, "a");
    for (int i = 0; i < 1000; i++)
        str_format(&field, "; p%d=%d", i, i);
    assert_true(mime_parse_parameters(str_slice(&field), &parameters));
    assert_int_equal(parameters.count, MIME_PARAMETERS_MAX);
    assert_non_null(mime_parameter(&parameters, "P63"));
    assert_null(mime_parameter(&parameters, "p64"));
    mime_free_parameters(&parameters);
    str_free(&field);
}

static void file_names_in_utf8(void **state)
{
    (void)state;
    static const struct {
        const char *field, *expected;
    } cases[] = {
        {"a; filename*=iso-2022-jp'ja'%1B$B%25F%259%25H%1B%28B.txt", "テスト.txt"},
        {"a; filename=\"=?ISO-2022-JP?B?GyRCJUYlOSVIGyhC?=.txt\"", "テスト.txt"},
        {"a; filename=\"=?utf-8?Q?=E3=83=86?= =?utf-8?Q?=E3=82=B9.txt?=\"", "テス.txt"},
        {"a; filename=\"\x1b$B%F%9%H\x1b(B.txt\"", "テスト.txt"},
        {"a; filename=\"\xe3\x83\x86.txt\"", "テ.txt"},
        {"a; filename*0*=shift_jis''%83e; filename*1*=%83X", "テス"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mime_parameters parameters;
        struct str utf8;
        str_init(&utf8, 100);
        assert_true(mime_parse_parameters(slice_text(cases[i].field), &parameters));
        const struct mime_parameter *name = mime_parameter(&parameters, "filename");
        assert_non_null(name);
        assert_true(mime_decode_parameter(name, &utf8));
        assert_slice(str_slice(&utf8), cases[i].expected);
        mime_free_parameters(&parameters);
        str_free(&utf8);
    }
}

/* ---- encodings ------------------------------------------------------------------------------ */

static void decodes_bodies(void **state)
{
    (void)state;
    static const struct {
        const char *encoding, *body, *expected;
    } cases[] = {
        {"7bit", "a=41\r\n", "a=41\r\n"},
        {"", "Zm9v", "Zm9v"},
        {"x-unknown", "Zm9v", "Zm9v"},
        {"BASE64", "Zm9v\r\nYmFy\r\n", "foobar"},
        {" base64 (really)", "Zm9v", "foo"},
        {"base64;", "Zm9v", "foo"},
        {"base64", "Zg==", "f"},
        {"base64", "Zg", "f"},
        {"base64", "Zg==Zm8=", "ffo"},
        {"base64", "Z!g\x80=*=\n", "f"},
        {"base64", "====", ""},
        {"base64", "", ""},
        {"quoted-printable", "a=41=3d=3D\r\n", "aA==\r\n"},
        {"Quoted-Printable", "soft=\r\nline=\nend", "softlineend"},
        {"quoted-printable", "blanks \t \r\nat the end \n", "blanks\r\nat the end\n"},
        {"quoted-printable", "soft= \r\nline", "softline"},
        {"quoted-printable", "=zz =4 =", "=zz =4 "},
        {"quoted-printable", "\xe3\x81\x82=E3=81=82", "ああ"},
        {"quoted-printable", "=20\n=09\n", " \n\t\n"},
        {"quoted-printable", "", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct str out;
        str_init(&out, 100);
        assert_true(
            mime_decode_body(slice_text(cases[i].body), slice_text(cases[i].encoding), &out));
        if (!slice_equal(str_slice(&out), slice_text(cases[i].expected)))
            fail_msg("%s %s: %.*s", cases[i].encoding, cases[i].body,
                     SLICE_PRINTF(str_slice(&out)));
        str_free(&out);
    }
    struct str out;
    str_init(&out, 5);
    assert_false(mime_decode_body(SLICE("Zm9vYmFy"), SLICE("base64"), &out));
    str_clear(&out);
    assert_false(mime_decode_body(SLICE("foobar"), SLICE("8bit"), &out));
    str_free(&out);
}

static const struct {
    const char *name, *value, *expected;
} headers[] = {
    {"plain", "hello world", "hello world"},
    {"nothing", "", ""},
    {"folded", "one\r\n two\n\tthree", "one two\tthree"},
    {"Q", "=?iso-8859-1?Q?a_b=E9?=", "a bé"},
    {"B", "=?UTF-8?B?44GC?=", "あ"},
    {"lower case", "=?utf-8?b?44GC?= =?utf-8?q?=e3=81=82?=", "ああ"},
    {"language", "=?us-ascii*en?Q?Keith_Moore?=", "Keith Moore"},
    {"text around", "Re: =?utf-8?B?44GC?= (x)", "Re: あ (x)"},
    {"blanks between words", "=?utf-8?Q?a?=   \r\n =?utf-8?Q?b?=", "ab"},
    {"blanks between word and text", "=?utf-8?Q?a?= b =?utf-8?Q?c?=", "a b c"},
    {"glued to text", "x=?utf-8?Q?a?=y", "xay"},
    {"blank as underscore between", "=?utf-8?Q?a_?= =?utf-8?Q?b?=", "a b"},
    {"two charsets", "=?iso-8859-1?Q?=E9?= =?utf-8?Q?=E3=81=82?=", "éあ"},
    {"split UTF-8", "=?utf-8?B?44E=?= =?utf-8?B?guOBgg==?=", "ああ"},
    {"split UTF-8 in Q", "=?utf-8?Q?=E3=81?=\r\n =?UTF-8?Q?=82?=", "あ"},
    {"split between B and Q", "=?utf-8?B?4w==?= =?utf-8?Q?=81=82?=", "あ"},
    {"ISO-2022-JP",
     "=?ISO-2022-JP?B?GyRCJDMkcyRLJEEkTxsoQg==?=\r\n =?ISO-2022-JP?B?GyRCQCQzJhsoQg==?=",
     "こんにちは世界"},
    {"ISO-2022-JP split in a character",
     "=?ISO-2022-JP?B?GyRCJDMk?= =?ISO-2022-JP?B?cyRLGyhC?=", "こんに"},
    {"ISO-2022-JP with NEC's characters", "=?ISO-2022-JP?B?GyRCLSEtahsoQg==?=", "①㈱"},
    {"Shift_JIS with a backslash byte", "=?Shift_JIS?B?lVyOpg==?=", "表示"},
    {"Shift_JIS split in a character", "=?Shift_JIS?Q?=82?= =?Shift_JIS?Q?=B1=82=F1?=", "こん"},
    {"EUC-JP", "=?EUC-JP?B?pKK+ug==?=", "あ昇"},
    {"raw ISO-2022-JP", "Re: \x1b$B$3$s\x1b(B!", "Re: こん!"},
    {"raw UTF-8", "\xe3\x81\x82 x", "あ x"},
    {"raw Latin-1", "caf\xe9", "café"},
    {"raw beside words", "\xe9 =?utf-8?Q?=E3=81=82?= \xe3\x81\x82", "é あ あ"},
    {"unknown charset", "=?x-none?Q?=E9?=", "é"},
    {"blanks in Q", "=?utf-8?Q?hello world?=", "hello world"},
    {"longer than 75",
     "=?utf-8?Q?aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
     "aaaaaaaaaaaaaaaaaaaaaaaa?=",
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
     "a"},
    {"empty word",
     "a =?utf-8?Q?"
     "?= b",
     "a  b"},
    {"no end", "=?utf-8?Q?abc", "=?utf-8?Q?abc"},
    {"cut in the head", "=?utf-8?Q", "=?utf-8?Q"},
    {"other encoding", "=?utf-8?X?abc?=", "=?utf-8?X?abc?="},
    {"no charset",
     "=?"
     "?Q?abc?=",
     "=?"
     "?Q?abc?="},
    {"equals signs", "a==?b=?c?=", "a==?b=?c?="},
    {"broken B", "=?utf-8?B?broken!?=", "=?utf-8?B?broken!?="},
    {"B without padding", "=?utf-8?B?YQ?= =?utf-8?B?Yg==?=", "ab"},
    {"broken Q", "=?utf-8?Q?=4=ZZ=?=", "=4=ZZ="},
    {"encoded line end", "=?utf-8?Q?a=0D=0Ab?=", "a\r\nb"},
    {"text that begins with an equals sign", "=?utf-8?Q?=41?=", "A"},
};

static void decodes_headers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        struct str utf8;
        str_init(&utf8, 1000);
        assert_true(mime_decode_header(slice_text(headers[i].value), &utf8));
        if (!slice_equal(str_slice(&utf8), slice_text(headers[i].expected)))
            fail_msg("%s: \"%.*s\"", headers[i].name, SLICE_PRINTF(str_slice(&utf8)));
        str_free(&utf8);
    }
    struct str utf8;
    str_init(&utf8, 3);
    assert_false(mime_decode_header(SLICE("four"), &utf8));
    str_clear(&utf8);
    assert_false(mime_decode_header(SLICE("=?utf-8?Q?four?="), &utf8));
    str_free(&utf8);
}

/* Lines are counted in blocks, and those that begin with a dash looked at: LFs, dashes and boundaries at
 * all places. */
static void lines_at_all_places(void **state)
{
    (void)state;
    static const char *const pieces[] = {"\n", "\n-", "\n--", "\n--b\n\n", "-", "\r\n--b--\r\n"};
    for (size_t size = 0; size < 5000; size = size < 100 ? size + 1 : size * 3)
        for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++)
            for (size_t place = 0; place <= size && place < 40; place++) {
                struct str text;
                size_t lines = 0, bytes = 0;
                str_init(&text, 65536);
                str_append_text(&text, "Content-Type: multipart/mixed; boundary=b\n\n--b\n\n");
                size_t start = text.size;
                for (size_t k = 0; k < size; k++) {
                    if (k == place)
                        str_append_text(&text, pieces[i]);
                    str_append_byte(&text, k % 29 == 28 ? '\n' : 'x');
                }
                struct mime_part *root = mime_parse(str_slice(&text));
                assert_non_null(root);
                struct mime_part *part = root->first_child;
                assert_int_equal(part->body, start);
                for (; bytes < part->body_size; bytes++)
                    lines += text.data[part->body + bytes] == '\n';
                assert_int_equal(part->body_lines, lines);
                bool has_second = i == 3 && place < size;
                assert_int_equal(part->next != NULL, has_second);
                for (lines = 0, bytes = root->body; bytes < text.size; bytes++)
                    lines += text.data[bytes] == '\n';
                assert_int_equal(root->body_lines, lines);
                mime_free(&root);
                str_free(&text);
            }
}

/* RFC 6532 3.7 */
static void message_global_is_for_who_shows_it(void **state)
{
    static const char plain[] = "Content-Type: message/global\r\n\r\nSubject: x\r\n\r\nbody";
    static const char encoded[] = "Content-Type: message/global\r\nContent-Transfer-Encoding: "
                                  "Quoted-Printable\r\n\r\nSubject: x\r\n\r\nbody";
    (void)state;
    struct mime_part *root = mime_parse(slice_text(plain));
    assert_true(mime_is_global(root) && !root->is_message && !root->first_child);
    mime_free(&root);
    root = mime_parse_global(slice_text(plain));
    assert_true(mime_is_global(root) && root->is_message);
    assert_int_equal(root->first_child->body_size, 4);
    mime_free(&root);
    root = mime_parse_global(slice_text(encoded));
    assert_true(mime_is_global(root) && !root->is_message && !root->first_child);
    mime_free(&root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_structure),
        cmocka_unit_test(survives_every_cut),
        cmocka_unit_test(tells_where_parts_lie),
        cmocka_unit_test(a_thousand_levels_end_at_the_bound),
        cmocka_unit_test(a_hundred_thousand_parts_end_at_the_bound),
        cmocka_unit_test(large_and_ugly_is_still_linear),
        cmocka_unit_test(lines_at_all_places),
        cmocka_unit_test(walks_fields),
        cmocka_unit_test(reads_parameters),
        cmocka_unit_test(more_parameters_than_allowed),
        cmocka_unit_test(file_names_in_utf8),
        cmocka_unit_test(decodes_bodies),
        cmocka_unit_test(decodes_headers),
        cmocka_unit_test(message_global_is_for_who_shows_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
