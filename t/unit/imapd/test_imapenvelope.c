/* imapenvelope, bodystructure, section: what FETCH says about a message's structure */
#include "unit.h"

#include "bodystructure.h"
#include "imapenvelope.h"
#include "section.h"

#include <stdio.h>
#include <string.h>

static void addresses(void **state)
{
    (void)state;
    static const struct {
        const char *field, *list;
    } fields[] = {
        {"", "NIL"},
        {"a@b.c", "((NIL NIL \"a\" \"b.c\"))"},
        {"Joe <a@b>", "((\"Joe\" NIL \"a\" \"b\"))"},
        {"\"Joe, \\\"J\\\"\" <a@b>", "((\"Joe, \\\"J\\\"\" NIL \"a\" \"b\"))"},
        {"John Q. Public <a@b>", "((\"John Q. Public\" NIL \"a\" \"b\"))"},
        {"a@b (Joe (J) X)", "((\"Joe (J) X\" NIL \"a\" \"b\"))"},
        {"(c) Joe (d) <a@b> (e)", "((\"Joe\" NIL \"a\" \"b\"))"},
        {"a@b, c@d ,\r\n e@f", "((NIL NIL \"a\" \"b\")(NIL NIL \"c\" \"d\")(NIL NIL \"e\" \"f\"))"},
        {",,a@b,,", "((NIL NIL \"a\" \"b\"))"},
        {"<@x,@y:a@b>", "((NIL NIL \"a\" \"b\"))"},
        {"\"a b\"@c", "((NIL NIL \"a b\" \"c\"))"},
        {"a . b @ c . d", "((NIL NIL \"a.b\" \"c.d\"))"},
        {"a@[192.0.2.1]", "((NIL NIL \"a\" \"[192.0.2.1]\"))"},
        {"a..b@docomo.ne.jp", "((NIL NIL \"a..b\" \"docomo.ne.jp\"))"},
        {"Team: a@b, Joe <c@d>;",
         "((NIL NIL \"Team\" NIL)(NIL NIL \"a\" \"b\")(\"Joe\" NIL \"c\" \"d\")(NIL NIL NIL NIL))"},
        {"undisclosed-recipients:;", "((NIL NIL \"undisclosed-recipients\" NIL)(NIL NIL NIL NIL))"},
        {"Team: a@b", "((NIL NIL \"Team\" NIL)(NIL NIL \"a\" \"b\")(NIL NIL NIL NIL))"},
        {"x@y, T:;, z@w",
         "((NIL NIL \"x\" \"y\")(NIL NIL \"T\" NIL)(NIL NIL NIL NIL)(NIL NIL \"z\" \"w\"))"},
        {";", "NIL"},
        {"root", "((NIL NIL \"root\" \"MISSING_DOMAIN\"))"},
        {"Two Words", "((\"Two Words\" NIL \"MISSING_MAILBOX\" \"MISSING_DOMAIN\"))"},
        {"Joe <>", "((\"Joe\" NIL \"MISSING_MAILBOX\" \"MISSING_DOMAIN\"))"},
        {"Joe <a@b", "((\"Joe\" NIL \"a\" \"b\"))"},
        {"\"Joe <a@b>", "((NIL NIL \"Joe <a@b>\" \"MISSING_DOMAIN\"))"},
        {"(never closed", "NIL"},
        {"a@b c@d", "((NIL NIL \"a\" \"b\"))"},
        {"a@b@c", "((NIL NIL \"a\" \"b\"))"},
        {"=?utf-8?B?4pij?= <a@b>", "((\"=?utf-8?B?4pij?=\" NIL \"a\" \"b\"))"},
        {"\xe3\x81\x82 <a@b>", "(({3}\r\n\xe3\x81\x82 NIL \"a\" \"b\"))"},
        /* raw ISO-2022-JP holds bytes that look like syntax */
        {"\"\x1b$B\"<\"@\x1b(B\" <a@b>", "((\"\x1b$B\\\"<\\\"@\x1b(B\" NIL \"a\" \"b\"))"},
    };
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        struct str out;
        str_init(&out, 65536);
        assert_true(imapenvelope_append_addresses(&out, slice_text(fields[i].field)));
        if (strcmp(fields[i].field, "\"Joe <a@b>") == 0)
            assert_non_null(strstr(str_text(&out), "Joe <a@b>"));
        else if (!slice_equal(str_slice(&out), slice_text(fields[i].list)))
            fail_msg("%s: %s", fields[i].field, str_text(&out));
        str_free(&out);
    }
}

/* Usual addresses are read by other code than all others: in each field as it stands, and all of it as
 * if it were unusual, for a comment in front. */
static void plain_and_other_addresses(void **state)
{
    (void)state;
    static const char *const fields[] = {
        "a@b",
        " a@b ",
        "<a@b>",
        "< a@b>",
        "Joe <a@b>",
        "Joe<a@b>",
        "J. R. <a@b>",
        "J  R <a@b>",
        "J\tR <a@b>",
        "J R\t<a@b>",
        "J R\r\n <a@b>",
        "J\r\n R <a@b>",
        "J R <a@b",
        "J R <a @b>",
        "J R <a@b@c>",
        "J R <@b>",
        "J R <a@>",
        "J R <a>",
        "J R a@b",
        "J R",
        "J",
        "J R <a@b> x",
        "J R <a@b> (x)",
        "J R <a@b> <c@d>",
        "J (x) R <a@b>",
        "\"J R\" <a@b>",
        "\"J R\"<a@b>",
        "\"J, R\" \r\n\t<a@b> \r\n",
        "\"\" <a@b>",
        "\"J \\\" R\" <a@b>",
        "\"J\tR\" <a@b>",
        "\"J\" R <a@b>",
        "\"J\" a@b",
        "\"J\" \"R\" <a@b>",
        "\"J\"",
        "\"J",
        "J\"R\" <a@b>",
        "\"a\"@b",
        "a@\"b\"",
        "a@b.",
        ".a@.b",
        "a@[192.0.2.1]",
        "a@[IPv6:2001:db8::1]",
        "a@b;",
        "a@b; c@d",
        "x@y, T: a@b;, z@w",
        "x@y,, ,\r\n z@w,",
        "x@y z@w, a@b",
        "\xe3\x81\x82 <\xff@\x80>",
        "a\x01@b",
        "a@b\x7f",
        "\x1b$B\"<\"@\x1b(B <a@b>",
        "a@b, \x1b$B,\x1b(B <a@b>",
        "a)@b",
        "a\\b@c",
    };
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        for (size_t twice = 0; twice < 2; twice++) {
            struct str field, out, slow;
            str_init(&field, 1024);
            str_init(&out, 1024);
            str_init(&slow, 1024);
            str_append_texts(&field, "()", twice ? "p@q, " : "", fields[i], twice ? ",r@s" : "");
            assert_true(imapenvelope_append_addresses(&out, slice_from(str_slice(&field), 2)));
            assert_true(imapenvelope_append_addresses(&slow, str_slice(&field)));
            assert_string_equal(str_text(&out), str_text(&slow));
            str_free(&field);
            str_free(&out);
            str_free(&slow);
        }
}

/* RFC 3501 section 8 */
static const char rfc_header[] = "Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\r\n"
                                 "From: Terry Gray <gray@cac.washington.edu>\r\n"
                                 "Subject: IMAP4rev1 WG mtg summary and minutes\r\n"
                                 "To: imap@cac.washington.edu\r\n"
                                 "cc: minutes@CNRI.Reston.VA.US, John Klensin <KLENSIN@MIT.EDU>\r\n"
                                 "Message-Id: <B27397-0100000@cac.washington.edu>\r\n"
                                 "MIME-Version: 1.0\r\n"
                                 "Content-Type: TEXT/PLAIN; CHARSET=US-ASCII\r\n\r\n";

static void envelopes(void **state)
{
    (void)state;
    static const struct {
        const char *header, *envelope;
    } headers[] = {
        {rfc_header,
         "(\"Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\" \"IMAP4rev1 WG mtg summary and minutes\" "
         "((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) "
         "((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) "
         "((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) "
         "((NIL NIL \"imap\" \"cac.washington.edu\")) "
         "((NIL NIL \"minutes\" \"CNRI.Reston.VA.US\")(\"John Klensin\" NIL \"KLENSIN\" "
         "\"MIT.EDU\")) "
         "NIL NIL \"<B27397-0100000@cac.washington.edu>\")"},
        {"", "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)"},
        {"From: a@b\r\nSender: s@t\r\nReply-To: r@u\r\n\r\n",
         "(NIL NIL ((NIL NIL \"a\" \"b\")) ((NIL NIL \"s\" \"t\")) ((NIL NIL \"r\" \"u\")) NIL NIL "
         "NIL "
         "NIL NIL)"},
        {"From: a@b\r\nSender:\r\nReply-To: ;\r\n\r\n",
         "(NIL NIL ((NIL NIL \"a\" \"b\")) ((NIL NIL \"a\" \"b\")) ((NIL NIL \"a\" \"b\")) NIL NIL "
         "NIL "
         "NIL NIL)"},
        {"Subject: one\r\n\ttwo\r\n  three  \r\nSubject: other\r\nTo: a@b\r\nTo: c@d\r\n\r\n",
         "(NIL \"one two three\" NIL NIL NIL ((NIL NIL \"a\" \"b\")(NIL NIL \"c\" \"d\")) NIL NIL "
         "NIL "
         "NIL)"},
        {"Subject: a\\\"b\r\nMessage-ID:\r\n <c@d>\r\nTo: x\r\nFrom: ;\r\nReply-To: a@b\r\n\r\n",
         "(NIL \"a\\\\\\\"b\" NIL NIL ((NIL NIL \"a\" \"b\")) ((NIL NIL \"x\" \"MISSING_DOMAIN\")) "
         "NIL NIL NIL \"<c@d>\")"},
        {"Date:\r\nIn-Reply-To: <a@b>\r\n <c@d>\r\nno field\r\n\r\n",
         "(\"\" NIL NIL NIL NIL NIL NIL NIL \"<a@b> <c@d>\" NIL)"},
    };
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        struct str out;
        str_init(&out, 65536);
        assert_true(imapenvelope_append(&out, slice_text(headers[i].header)));
        assert_slice(str_slice(&out), headers[i].envelope);
        str_free(&out);
    }
}

static void a_full_answer_is_no_crash(void **state)
{
    (void)state;
    for (size_t max = 0; max < 300; max += 7) {
        struct str out;
        str_init(&out, max);
        assert_false(imapenvelope_append(&out, slice_text(rfc_header)));
        str_free(&out);
    }
}

#define TEXT_END "NIL NIL NIL NIL)"

static const struct structure {
    const char *name, *message, *structure, *body;
} structures[] = {
    {"plain", "\r\nab\r\ncd\r\n",
     "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 8 2 " TEXT_END,
     "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 8 2)"},
    {"as written",
     "Content-Type: TEXT/PLAIN; CHARSET=US-ASCII\r\nContent-Transfer-Encoding: BASE64\r\n\r\nx",
     "(\"TEXT\" \"PLAIN\" (\"charset\" \"US-ASCII\") NIL NIL \"BASE64\" 1 0 " TEXT_END, NULL},
    {"everything",
     "Content-Type: image/png; name=\"a b.png\"\r\nContent-ID: <i@d>\r\nContent-Description: "
     "what\r\n it is\r\n"
     "Content-Transfer-Encoding: base64\r\nContent-MD5: Q2hl\r\nContent-Disposition: "
     "attachment;\r\n"
     " filename*0=\"long \"; filename*1=name.png\r\nContent-Language: en, ja\r\nContent-Location: "
     "http://x/\r\n\r\nAA\r\n",
     "(\"image\" \"png\" (\"name\" \"a b.png\") \"<i@d>\" \"what it is\" \"base64\" 4 \"Q2hl\" "
     "(\"attachment\" (\"filename\" \"long name.png\")) (\"en\" \"ja\") \"http://x/\")",
     "(\"image\" \"png\" (\"name\" \"a b.png\") \"<i@d>\" \"what it is\" \"base64\" 4)"},
    {"RFC 2231",
     "Content-Type: application/pdf; name*0*=utf-8'ja'%E6%97%A5; name*1=\"x.pdf\"\r\n\r\n",
     "(\"application\" \"pdf\" (\"name*\" \"utf-8''%E6%97%A5x.pdf\") NIL NIL \"7bit\" 0 " TEXT_END,
     NULL},
    {"nested",
     "Content-Type: multipart/mixed; boundary=o\r\n\r\n--o\r\nContent-Type: multipart/alternative; "
     "boundary=i\r\n\r\n"
     "--i\r\n\r\nt\r\n--i\r\nContent-Type: text/html\r\n\r\n<p>\r\n--i--\r\n--o\r\nContent-Type: "
     "message/rfc822\r\n\r\n"
     "Subject: in\r\n\r\nbody\r\n--o--\r\n",
     "(((\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 1 0 " TEXT_END
     "(\"text\" \"html\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 3 0 " TEXT_END
     " \"alternative\" (\"boundary\" \"i\") NIL NIL NIL)"
     "(\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 19 (NIL \"in\" NIL NIL NIL NIL NIL NIL NIL NIL) "
     "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 4 0 " TEXT_END " 2 " TEXT_END
     " \"mixed\" (\"boundary\" \"o\") NIL NIL NIL)",
     "(((\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 1 0)"
     "(\"text\" \"html\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 3 0) \"alternative\")"
     "(\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 19 (NIL \"in\" NIL NIL NIL NIL NIL NIL NIL NIL) "
     "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 4 0) 2) \"mixed\")"},
    {"names of parameters are any bytes too", "Content-Type: text/plain; a\"b=c; \xe9=d\r\n\r\nx",
     "(\"text\" \"plain\" (\"a\\\"b\" \"c\" {1}\r\n\xe9 \"d\" \"charset\" \"us-ascii\") NIL NIL "
     "\"7bit\" 1 0 " TEXT_END,
     NULL},
    {"no type",
     "Content-Type: nonsense\r\nContent-Disposition: ;\r\nContent-Language: "
     ",\r\nContent-ID:\r\n\r\nx",
     "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 1 0 " TEXT_END, NULL},
};

static void body_structures(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof structures / sizeof *structures; i++) {
        struct slice message = slice_text(structures[i].message);
        struct mime_part *root = mime_parse_global(message);
        struct str out;
        assert_non_null(root);
        str_init(&out, 65536);
        assert_true(bodystructure_append(&out, message, root, BODYSTRUCTURE_EXTENDED));
        if (!slice_equal(str_slice(&out), slice_text(structures[i].structure)))
            fail_msg("%s: %s", structures[i].name, str_text(&out));
        str_clear(&out);
        assert_true(bodystructure_append(&out, message, root, BODYSTRUCTURE_PLAIN));
        if (structures[i].body)
            assert_slice(str_slice(&out), structures[i].body);
        str_free(&out);
        mime_free(&root);
    }
}

/* A part as it is without IMAP4rev2 and with it. */
static const struct {
    const char *name, *message, *rev1, *rev2;
    bool has_forms;
} globals[] = {
    {"message/global",
     "Content-Type: Message/Global\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
     "Subject: in\r\n\r\nbody\r\n",
     "(\"Message\" \"Global\" NIL NIL NIL \"8bit\" 21 " TEXT_END,
     "(\"Message\" \"Global\" NIL NIL NIL \"8bit\" 21 "
     "(NIL \"in\" NIL NIL NIL NIL NIL NIL NIL NIL) "
     "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 6 1 " TEXT_END " 3 " TEXT_END,
     true},
    {"encoded: nobody looks into it",
     "Content-Type: message/global\r\nContent-Transfer-Encoding: (x)\r\n base64\r\n\r\n"
     "U3ViamVjdDogaW4NCg0K\r\n",
     "(\"message\" \"global\" NIL NIL NIL \"base64\" 22 " TEXT_END,
     "(\"message\" \"global\" NIL NIL NIL \"base64\" 22 "
     "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL) "
     "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 0 0 " TEXT_END " 1 " TEXT_END,
     true},
    {"another", "Content-Type: message/globalx; a=\"\\\"message\\\" \\\"global\\\"\"\r\n\r\n",
     "(\"message\" \"globalx\" (\"a\" \"\\\"message\\\" \\\"global\\\"\") NIL NIL \"7bit\" "
     "0 " TEXT_END,
     "(\"message\" \"globalx\" (\"a\" \"\\\"message\\\" \\\"global\\\"\") NIL NIL \"7bit\" "
     "0 " TEXT_END,
     false},
};

static void global_messages(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof globals / sizeof *globals; i++) {
        struct slice message = slice_text(globals[i].message);
        struct mime_part *root = mime_parse_global(message);
        struct str out;
        assert_non_null(root);
        str_init(&out, 65536);
        assert_true(bodystructure_append(&out, message, root, BODYSTRUCTURE_EXTENDED));
        if (!slice_equal(str_slice(&out), slice_text(globals[i].rev1)))
            fail_msg("%s: %s", globals[i].name, str_text(&out));
        assert_int_equal(bodystructure_has_forms(str_slice(&out)), globals[i].has_forms);
        str_clear(&out);
        assert_true(
            bodystructure_append(&out, message, root, BODYSTRUCTURE_EXTENDED | BODYSTRUCTURE_REV2));
        if (!slice_equal(str_slice(&out), slice_text(globals[i].rev2)))
            fail_msg("%s: %s", globals[i].name, str_text(&out));
        str_free(&out);
        mime_free(&root);
    }
}

/* ---- sections --------------------------------------------------------------------------------- */

static const char section_message[] =
    "Subject: outer\r\nTo: t@o\r\nContent-Type: multipart/mixed; boundary=o\r\n\r\n"
    "--o\r\nX: 1\r\n\r\nfirst\r\n--o\r\nContent-Type: message/rfc822\r\n\r\n"
    "Subject: inner\r\nContent-Type: multipart/mixed; boundary=i\r\n\r\n"
    "--i\r\nY: 2\r\n\r\ndeep\r\n--i\r\nContent-Type: message/rfc822\r\n\r\nSubject: "
    "innermost\r\n\r\nend\r\n"
    "--i--\r\n--o--\r\n";

static const struct {
    const char *section, *bytes; /* NULL: no such part; "!": not a section */
} section_cases[] = {
    {"1", "first"},
    {"1.MIME", "X: 1\r\n\r\n"},
    {"1.1", "first"},
    {"1.2", NULL},
    {"1.HEADER", NULL},
    {"2.HEADER", "Subject: inner\r\nContent-Type: multipart/mixed; boundary=i\r\n\r\n"},
    {"2.MIME", "Content-Type: message/rfc822\r\n\r\n"},
    {"2.1", "deep"},
    {"2.1.MIME", "Y: 2\r\n\r\n"},
    {"2.2.1", "end"},
    {"2.2.TEXT", "end"},
    {"2.2.HEADER", "Subject: innermost\r\n\r\n"},
    {"2.2", "Subject: innermost\r\n\r\nend"},
    {"2.3", NULL},
    {"3", NULL},
    {"HEADER.FIELDS (TO \"x\")", "To: t@o\r\n\r\n"},
    {"HEADER.FIELDS.NOT (content-type subject)", "To: t@o\r\n\r\n"},
    {"2.HEADER.FIELDS (subject)", "Subject: inner\r\n\r\n"},
    {"MIME", "!"},
    {"0", "!"},
    {"1.", "!"},
    {"01", "!"},
    {"1..2", "!"},
    {"TEXT.1", "!"},
    {"HEADER.FIELDS", "!"},
    {"HEADER.FIELDS ()", "!"},
    {"4294967296", "!"},
    {"FOO", "!"},
};

static void check_section(const char *text, const char *expected, const struct mime_part *root)
{
    struct arena arena;
    struct parse parse;
    struct section section;
    struct slice bytes, whole = slice_text(section_message);
    struct str with_end, out;
    arena_init(&arena, 65536);
    str_init(&with_end, 4096);
    str_init(&out, 4096);
    str_format(&with_end, "%s]", text);
    parse_begin(&parse, str_slice(&with_end), &arena);
    bool is_section = section_parse(&parse, &section) && parse_at_end(&parse);
    if (is_section != (!expected || strcmp(expected, "!") != 0))
        fail_msg("[%s] is %sa section", text, is_section ? "" : "not ");
    if (is_section) {
        bool found = section_find(&section, whole, root, &bytes);
        if (found != (expected != NULL))
            fail_msg("[%s] is %sthere", text, found ? "" : "not ");
        if (found && section.field_count > 0) {
            assert_true(section_filter(&section, bytes, &out));
            bytes = str_slice(&out);
        }
        if (found)
            assert_slice(bytes, expected);
    }
    str_free(&with_end);
    str_free(&out);
    arena_free(&arena);
}

static void sections(void **state)
{
    (void)state;
    struct mime_part *root = mime_parse(slice_text(section_message));
    assert_non_null(root);
    for (size_t i = 0; i < sizeof section_cases / sizeof *section_cases; i++)
        check_section(section_cases[i].section, section_cases[i].bytes, root);
    mime_free(&root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses),       cmocka_unit_test(plain_and_other_addresses),
        cmocka_unit_test(envelopes),       cmocka_unit_test(body_structures),
        cmocka_unit_test(global_messages), cmocka_unit_test(a_full_answer_is_no_crash),
        cmocka_unit_test(sections),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
