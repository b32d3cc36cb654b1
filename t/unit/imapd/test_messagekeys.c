/* messagekeys and what they are made of: base subjects, ids, the form that sorts, sent dates */
#include "messagekeys.h"

#include "basesubject.h"
#include "casemap.h"
#include "hash.h"
#include "messageid.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- base subjects ---------------------------------------------------------------------------- */

struct subject_case {
    const char *field, *base;
    bool is_reply;
};

/* clang-format off */
static const struct subject_case subject_cases[] = {
    {"", "", false},
    {" ", "", false},
    {"foo", "foo", false},
    {"  foo\t", "foo", false},
    {"foo  \t bar", "foo bar", false},
    {"foo\r\n bar", "foo bar", false},
    {"foo\r\n\t  bar", "foo bar", false},
    /* trailers */
    {"foo (fwd)", "foo", true},
    {"foo (FWD) ", "foo", true},
    {"foo (fwd) (fwd)", "foo", true},
    {"foo(fwd)", "foo", true},
    {"(fwd)", "", true},
    {"foo (fwd) bar", "foo (fwd) bar", false},
    {"foo (fwd", "foo (fwd", false},
    /* leaders */
    {"Re: foo", "foo", true},
    {"RE:foo", "foo", true},
    {"re : foo", "foo", true},
    {"Re:", "", true},
    {"re: ", "", true},
    {"Re: Re: Re: foo", "foo", true},
    {"Re[2]: foo", "foo", true},
    {"Re [2] : foo", "foo", true},
    {"Re[2][3]: foo", "Re[2][3]: foo", false},
    {"Re(2): foo", "Re(2): foo", false},
    {"Fw: foo", "foo", true},
    {"FWD: foo", "foo", true},
    {"Fwd[x]: foo", "foo", true},
    {"Forward: foo", "Forward: foo", false},
    {"fwdd: foo", "fwdd: foo", false},
    {"Reply: foo", "Reply: foo", false},
    {"AW: foo", "AW: foo", false},
    {"re", "re", false},
    {"re foo", "re foo", false},
    {"red: foo", "red: foo", false},
    {":foo", ":foo", false},
    {"Re: Fw: Fwd: re: foo", "foo", true},
    /* blobs */
    {"[list] foo", "foo", false},
    {"[list]foo", "foo", false},
    {"[list] [other] foo", "foo", false},
    {"[list][other]foo", "foo", false},
    {"[list] Re: foo", "foo", true},
    {"Re: [list] foo", "foo", true},
    {"Re: [list] Re: foo", "foo", true},
    {"[a] [b] Re: [c] [d] Fwd: [e] foo", "foo", true},
    {"[list]", "[list]", false},
    {" [list] ", "[list]", false},
    {"[a] [b]", "[b]", false},
    {"Re: [a]", "[a]", true},
    {"[a] Re:", "", true},
    {"[] foo", "foo", false},
    {"[]", "[]", false},
    {"[a[b] foo", "[a[b] foo", false},
    {"[a]] foo", "] foo", false},
    {"[a foo", "[a foo", false},
    {"a] foo", "a] foo", false},
    {"foo [list]", "foo [list]", false},
    {"[\xe3\x83\xaa\xe3\x82\xb9\xe3\x83\x88] foo", "foo", false},
    {"[list] (fwd)", "[list]", true},
    /* forwards in brackets */
    {"[fwd: foo]", "foo", true},
    {"[FWD: Re: foo]", "foo", true},
    {"[fwd: [fwd: foo]]", "foo", true},
    {"[fwd: [list] foo (fwd)]", "foo", true},
    {"[fwd: foo] (fwd)", "foo", true},
    {"Re: [fwd: foo]", "foo", true},
    {"[list] [fwd: foo]", "foo", true},
    {"[fwd: foo] bar", "bar", false},
    {"[fwd:]", "", true},
    {"[fwd:", "[fwd:", false},
    {"[fwd foo]", "[fwd foo]", false},
    {"[fwd: foo", "[fwd: foo", false},
    {"[fwd: Re: [list]]", "[list]", true},
    {"[fwd: foo]]", "]", false},
    /* encoded words */
    {"=?US-ASCII?Q?Re=3A?= foo", "foo", true},
    {"=?UTF-8?B?UmU6IGZvbw==?=", "foo", true},
    {"Re: =?ISO-8859-1?Q?[l=E9]_caf=E9?=", "caf\xc3\xa9", true},
    {"=?UTF-8?Q?foo=09bar?=", "foo bar", false},
    {"=?UTF-8?Q?foo?= =?UTF-8?Q?bar?=", "foobar", false},
    {"=?UTF-8?Q?__foo__?=", "foo", false},
    {"\x1b$B%F%9%H\x1b(B (fwd)", "\xe3\x83\x86\xe3\x82\xb9\xe3\x83\x88", true},
    {"caf\xe9", "caf\xc3\xa9", false},
    {"Re: =?unknown?Q?foo?=", "foo", true},
};
/* clang-format on */

static void base_subjects(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof subject_cases / sizeof *subject_cases; i++) {
        const struct subject_case *one = &subject_cases[i];
        struct str base;
        bool is_reply;
        str_init(&base, 1000);
        assert_true(basesubject_append(&base, slice_text(one->field), NULL, &is_reply));
        if (!slice_equal(str_slice(&base), slice_text(one->base)) || is_reply != one->is_reply)
            fail_msg("\"%s\": \"%.*s\", %d", one->field, SLICE_PRINTF(str_slice(&base)), is_reply);
        str_free(&base);
    }
}

/* Quadratic work would not end. */
static void long_subjects(void **state)
{
    (void)state;
    static const char *const pieces[] = {
        "[a]", "[", "re: ", "re[", "[fwd:", "(fwd)", "[fwd: ]", " \t", "[a] re", "]"};
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        struct str field, base;
        bool is_reply;
        str_init(&field, 1 << 20);
        str_init(&base, 1 << 20);
        while (field.size + 16 < field.max)
            str_append_text(&field, pieces[i]);
        assert_true(basesubject_append(&base, str_slice(&field), NULL, &is_reply));
        str_free(&field);
        str_free(&base);
    }
}

/* ---- the form that sorts ---------------------------------------------------------------------- */

static void forms(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", ""},
        {"Hello, World_1", "HELLO, WORLD_1"},
        {"\xc3\xa9", "E\xcc\x81"},                /* e acute */
        {"e\xcc\x81", "E\xcc\x81"},               /* the same in two */
        {"\xc3\x84rger", "A\xcc\x88RGER"},        /* A umlaut */
        {"\xc7\x86", "D\x7a\xcc\x8c"},            /* dz caron: its title case, in parts */
        {"\xef\xbd\x81\xef\xbc\xa1", "AA"},       /* full width */
        {"\xef\xbd\xb1", "\xe3\x82\xa2"},         /* half-width kana */
        {"\xef\xac\x81", "fi"},                   /* a ligature has no title case of its own */
        {"\xd1\x8f", "\xd0\xaf"},                 /* Cyrillic */
        {"\xce\xb1\xcf\x82", "\xce\x91\xce\xa3"}, /* Greek; the final sigma too */
        {"\xc3\x9f", "\xc3\x9f"},                 /* sharp s */
        {"\xe1\xba\xad", "A\xcc\xa3\xcc\x82"},    /* decomposes twice */
        {"\xe6\xbc\xa2\xe5\xad\x97", "\xe6\xbc\xa2\xe5\xad\x97"},
        {"a\xff\x62", "A\xff"
                      "B"}, /* broken */
        {"\xe3\x81", "\xe3\x81"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct str form;
        str_init(&form, 100);
        assert_true(casemap_append(&form, slice_text(cases[i][0])));
        assert_slice(str_slice(&form), cases[i][1]);
        str_free(&form);
    }
    struct str small;
    str_init(&small, 3);
    assert_false(casemap_append(&small, SLICE("abcd")));
    str_free(&small);
}

/* ---- message ids ------------------------------------------------------------------------------ */

static void ids(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", ""},
        {"<a@b>", "a@b "},
        {" <a@b>\r\n\t<c@d> ", "a@b c@d "},
        {"<a@b><c@d>", "a@b c@d "},
        {"<a@b>,<c@d>;", "a@b c@d "},
        {"a@b", ""},
        {"<a>", ""},
        {"<>", ""},
        {"<@>", ""},
        {"<a@>", ""},
        {"<@b>", ""},
        {"<a@b", ""},
        {"a@b>", ""},
        {"<<a@b>>", "a@b "},
        {"<x <a@b>", "a@b "},
        {"<a@b@c>", "a@b@c "},
        {"<\"a\"@b>", "a@b "},
        {"<\"a b\"@c>", "a b@c "},
        {"<\"a\\\"b\"@c>", "a\"b@c "},
        {"<\"a>b\"@c>", "a>b@c "},
        {"<\"a\".b@c>", "a.b@c "},
        {"<\"a@b> <c@d>", ""},
        {"<a@[1.2.3.4]>", "a@[1.2.3.4] "},
        {"< a @ b >", "a@b "},
        {"<a@b\r\n c>", "a@bc "},
        {"<(x)a(y)@b (z)>", "a(y)@b "},
        {"<(x(y)\\))a@b>", "a@b "},
        {"<(x a@b>", ""},
        {"Your message of \"Fri\" <a@b>", "a@b "},
        {"<A@b> <a@B>", "A@b a@B "},
        {"<a\\b@c>", "a\\b@c "},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct slice rest = slice_text(cases[i][0]);
        struct str id, all;
        str_init(&id, MESSAGEID_SIZE_MAX);
        str_init(&all, 1000);
        while (messageid_next(&rest, &id)) {
            str_append(&all, str_slice(&id));
            str_append_byte(&all, ' ');
        }
        assert_slice(str_slice(&all), cases[i][1]);
        str_free(&id);
        str_free(&all);
    }
}

static void long_ids(void **state)
{
    (void)state;
    static const char *const pieces[] = {"<", "<\"", "<(", "(", "\"", "<a@", "<a@b> (", "\\"};
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        struct str field, id;
        str_init(&field, 1 << 20);
        str_init(&id, MESSAGEID_SIZE_MAX);
        while (field.size + 16 < field.max)
            str_append_text(&field, pieces[i]);
        struct slice rest = str_slice(&field);
        while (messageid_next(&rest, &id))
            assert_true(id.size > 2);
        str_free(&field);
        str_free(&id);
    }
    char text[MESSAGEID_SIZE_MAX + 4];
    struct str id;
    str_init(&id, MESSAGEID_SIZE_MAX);
    for (size_t size = MESSAGEID_SIZE_MAX - 2; size <= MESSAGEID_SIZE_MAX + 2; size++) {
        memset(text, 'a', sizeof text);
        text[0] = '<';
        text[1 + size / 2] = '@';
        text[1 + size] = '>';
        struct slice rest = slice_of(text, size + 2);
        assert_int_equal(messageid_next(&rest, &id), size <= MESSAGEID_SIZE_MAX);
    }
    str_free(&id);
}

/* ---- keys ------------------------------------------------------------------------------------- */

static void extract(struct str *bytes, const char *header, struct messagekeys *keys)
{
    str_init(bytes, MESSAGEKEYS_SIZE_MAX);
    assert_true(messagekeys_extract(slice_text(header), NULL, bytes));
    assert_true(messagekeys_read(str_slice(bytes), keys));
}

static uint64_t hash_of(const char *id)
{
    return messageid_hash(slice_text(id));
}

static void all_keys(void **state)
{
    (void)state;
    struct str bytes;
    struct messagekeys keys;
    extract(&bytes,
            "Received: x\r\nfrom: =?UTF-8?Q?J=C3=B6?= Doe <Joe.Doe@Example.org>\r\n"
            "TO: <first@x>, second@y\r\nCc: (nobody)\r\nsubject : Re: [l] Hello\r\n"
            "Date: Wed, 1 Jan 2020 09:00:00 +0900\r\nMessage-Id: <m@x>\r\n"
            "In-Reply-To: <i@x>\r\nReferences: <r1@x>\r\n <r2@x>\r\nSubject: second\r\n",
            &keys);
    assert_true(keys.has_date && keys.is_reply);
    assert_int_equal(keys.date, 1577836800);
    assert_int_equal(keys.zone_minutes, 540);
    assert_int_equal(keys.id, hash_of("m@x"));
    assert_int_equal(messagekeys_reference_count(&keys), 2);
    assert_int_equal(messagekeys_reference(&keys, 0), hash_of("r1@x"));
    assert_int_equal(messagekeys_reference(&keys, 1), hash_of("r2@x"));
    assert_slice(keys.texts[MESSAGEKEYS_SUBJECT], "HELLO");
    assert_slice(keys.texts[MESSAGEKEYS_FROM], "JOE.DOE");
    assert_slice(keys.texts[MESSAGEKEYS_TO], "FIRST");
    assert_slice(keys.texts[MESSAGEKEYS_CC], "");
    assert_slice(keys.texts[MESSAGEKEYS_DISPLAY_FROM], "JO\xcc\x88 DOE");
    assert_slice(keys.texts[MESSAGEKEYS_DISPLAY_TO], "FIRST@X");
    str_free(&bytes);
}

static void no_keys(void **state)
{
    (void)state;
    static const char *const headers[] = {"", "\r\n", "nonsense", ":\r\n",
                                          "From:\r\nTo: \r\nSubject:\r\nDate:\r\nReferences:\r\n"};
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        struct str bytes;
        struct messagekeys keys;
        extract(&bytes, headers[i], &keys);
        assert_false(keys.has_date || keys.is_reply);
        assert_int_equal(keys.id, 0);
        assert_int_equal(messagekeys_sent(&keys, 42), 42);
        assert_int_equal(messagekeys_reference_count(&keys), 0);
        for (size_t j = 0; j < MESSAGEKEYS_TEXTS; j++)
            assert_int_equal(keys.texts[j].size, 0);
        str_free(&bytes);
    }
}

/* RFC 5957 3, RFC 5256 3 and ENVELOPE's idea of the first address. */
static void addresses(void **state)
{
    (void)state;
    static const char *const cases[][3] = {
        {"a@x", "A", "A@X"},
        {"a@x (A. Name)", "A", "A. NAME"},
        {"\"A. Name\" <a@x>", "A", "A. NAME"},
        {"\"\" <a@x>", "A", "A@X"},
        {"a", "A", "A"},
        {"<>", "", ""},
        {"Friends: b@x, c@x;, d@x", "FRIENDS", "FRIENDS"},
        {"undisclosed recipients:;", "UNDISCLOSED RECIPIENTS", "UNDISCLOSED RECIPIENTS"},
        {"\"=?UTF-8?B?w7Y=?=\" <a@x>", "A", "O\xcc\x88"},
        {"=?UTF-8?Q?\?= <a@x>", "A", "A@X"},
        {"Two Words", "", "TWO WORDS"},
        {", , b@x", "B", "B@X"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct str bytes, header;
        struct messagekeys keys;
        str_init(&header, 1000);
        str_format(&header, "From: %s\n", cases[i][0]);
        extract(&bytes, str_text(&header), &keys);
        assert_slice(keys.texts[MESSAGEKEYS_FROM], cases[i][1]);
        assert_slice(keys.texts[MESSAGEKEYS_DISPLAY_FROM], cases[i][2]);
        str_free(&bytes);
        str_free(&header);
    }
}

/* RFC 5256 2.2 */
static void sent_dates(void **state)
{
    (void)state;
    enum { ARRIVED = 7 };
    static const struct {
        const char *field;
        int64_t sent;
    } cases[] = {
        {"Sun, 31 Dec 2000 16:01:33 -0800", 978307293},
        {"31 Dec 2000 16:01:33 PST", 978307293},
        {"31 Dec 2000 16:01:33", 978278493},
        {"31 Dec 2000 16:01:33 nonsense", 978278493},
        {"31 Dec 2000 16:01:33 +99", 978278493},
        {"31 Dec 2000 16:01", 978278460},
        {"31 Dec 2000 25:01:33 +0100", 978220800},
        {"31 Dec 2000 xx:01:33 +0100", 978220800},
        {"31 Dec 2000", 978220800},
        {"31 Dec 2000 16:01:60 +0000", 978278519},
        {"32 Dec 2000 16:01:33 +0000", ARRIVED},
        {"Dec 31 2000", ARRIVED},
        {"nonsense", ARRIVED},
        {"", ARRIVED},
        {"1 Jan 1960 00:00:00 +0000", -315619200},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct str bytes, header;
        struct messagekeys keys;
        str_init(&header, 1000);
        str_format(&header, "Date: %s\n", cases[i].field);
        extract(&bytes, str_text(&header), &keys);
        if (messagekeys_sent(&keys, ARRIVED) != cases[i].sent)
            fail_msg("%s: %lld", cases[i].field, (long long)messagekeys_sent(&keys, ARRIVED));
        str_free(&bytes);
        str_free(&header);
    }
}

/* Of many references the first and the last are there. */
static void many_references(void **state)
{
    (void)state;
    for (unsigned count = 120; count < 400; count += 7) {
        struct str header, bytes;
        struct messagekeys keys;
        str_init(&header, 65536);
        str_append_text(&header, "References:");
        for (unsigned i = 0; i < count; i++)
            str_format(&header, " <%u@x>", i);
        extract(&bytes, str_text(&header), &keys);
        size_t kept = messagekeys_reference_count(&keys);
        assert_int_equal(kept, count < 128 ? count : 128);
        assert_int_equal(messagekeys_reference(&keys, 0), hash_of("0@x"));
        for (size_t i = 1; i < kept; i++) {
            char id[32];
            snprintf(id, sizeof id, "%zu@x", count - kept + i);
            assert_int_equal(messagekeys_reference(&keys, i), hash_of(id));
        }
        str_free(&header);
        str_free(&bytes);
    }
}

/* Texts that differ behind what is kept are different still, and the size is bounded. */
static void long_texts(void **state)
{
    (void)state;
    struct str header, bytes[2];
    struct messagekeys keys[2];
    for (size_t i = 0; i < 2; i++) {
        str_init(&header, 65536);
        str_append_text(&header, "Subject: ");
        for (size_t j = 0; j < 5000; j++)
            str_append_byte(&header, 'x');
        str_append_text(&header, i ? "a\n" : "b\n");
        extract(&bytes[i], str_text(&header), &keys[i]);
        assert_int_equal(keys[i].texts[MESSAGEKEYS_SUBJECT].size, MESSAGEKEYS_TEXT_MAX);
        str_free(&header);
    }
    assert_false(
        slice_equal(keys[0].texts[MESSAGEKEYS_SUBJECT], keys[1].texts[MESSAGEKEYS_SUBJECT]));
    str_free(&bytes[0]);
    str_free(&bytes[1]);
}

/* What is not whole, too long, or of another version is not taken. */
static void damaged(void **state)
{
    (void)state;
    struct str bytes;
    struct messagekeys keys;
    extract(&bytes,
            "From: a@x\nDate: 1 Jan 2020 00:00:00 +0000\nMessage-ID: <a@x>\nReferences: <b@x>\n",
            &keys);
    for (size_t size = 0; size < bytes.size; size++)
        assert_false(messagekeys_read(slice_part(str_slice(&bytes), 0, size), &keys));
    assert_true(str_append_byte(&bytes, 0));
    assert_false(messagekeys_read(str_slice(&bytes), &keys));
    str_truncate(&bytes, bytes.size - 1);
    bytes.data[0]++;
    assert_false(messagekeys_read(str_slice(&bytes), &keys));
    str_free(&bytes);
    str_init(&bytes, 3);
    assert_false(messagekeys_extract(SLICE("From: a@x\n"), NULL, &bytes));
    str_free(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base_subjects), cmocka_unit_test(long_subjects),
        cmocka_unit_test(forms),         cmocka_unit_test(ids),
        cmocka_unit_test(long_ids),      cmocka_unit_test(all_keys),
        cmocka_unit_test(no_keys),       cmocka_unit_test(addresses),
        cmocka_unit_test(sent_dates),    cmocka_unit_test(many_references),
        cmocka_unit_test(long_texts),    cmocka_unit_test(damaged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
