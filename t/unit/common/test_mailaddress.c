/* mailaddress: what is an address of the envelope, and what is none */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mailaddress.h"

#include <string.h>

#define X16 "xxxxxxxxxxxxxxxx"
#define X63 X16 X16 X16 "xxxxxxxxxxxxxxx"
#define X64 X16 X16 X16 X16

enum { U8 = MAILADDRESS_UTF8, EMPTY = MAILADDRESS_EMPTY, BARE = MAILADDRESS_BARE_POSTMASTER };

struct path_case {
    const char *text;
    unsigned flags;
    const char *canonical; /* NULL: no path */
    const char *rest;
};

static const struct path_case paths[] = {
    {"<u1@example.jp>", 0, "u1@example.jp", ""},
    {"<u1@example.jp> SIZE=1", 0, "u1@example.jp", " SIZE=1"},
    {"<U1@EXAMPLE.JP>", 0, "U1@example.jp", ""},
    {"<>", EMPTY, "", ""},
    {"<> BODY=7BIT", EMPTY, "", " BODY=7BIT"},
    {"<>", 0, NULL, NULL},
    {"", EMPTY, NULL, NULL},
    {"<", EMPTY, NULL, NULL},
    {"u1@example.jp", 0, NULL, NULL},
    {"<u1@example.jp", 0, NULL, NULL},
    {"<u1>", 0, NULL, NULL},
    {"<@example.jp>", 0, NULL, NULL},
    {"<u1@>", 0, NULL, NULL},
    {"<u1@example.jp.>", 0, NULL, NULL},
    {"<u1@.example.jp>", 0, NULL, NULL},
    {"<u1@example..jp>", 0, NULL, NULL},
    {"<u1@-example.jp>", 0, NULL, NULL},
    {"<u1@example-.jp>", 0, NULL, NULL},
    {"<u1@exa mple.jp>", 0, NULL, NULL},
    {"<u 1@example.jp>", 0, NULL, NULL},
    {"<u1@exa/mple.jp>", 0, NULL, NULL},
    {"<u1@host_name.example.jp>", 0, "u1@host_name.example.jp", ""},
    {"<u1@localhost>", 0, "u1@localhost", ""},
    /* RFC 5321 4.1.2, atext */
    {"<!#$%&'*+-/=?^_`{|}~@example.jp>", 0, "!#$%&'*+-/=?^_`{|}~@example.jp", ""},
    /* the Japanese carriers' dots */
    {"<a..b@docomo.ne.jp>", 0, "a..b@docomo.ne.jp", ""},
    {"<c.@ezweb.ne.jp>", 0, "c.@ezweb.ne.jp", ""},
    {"<.a@example.jp>", 0, NULL, NULL},
    {"<.@example.jp>", 0, NULL, NULL},
    {"<..@example.jp>", 0, NULL, NULL},
    /* quoted strings: one writing for each mailbox */
    {"<\"u1\"@example.jp>", 0, "u1@example.jp", ""},
    {"<\"u\\1\"@example.jp>", 0, "u1@example.jp", ""},
    {"<\"a b\"@example.jp>", 0, "\"a b\"@example.jp", ""},
    {"<\"a\\ b\"@example.jp>", 0, "\"a b\"@example.jp", ""},
    {"<\"a@b\"@example.jp>", 0, "\"a@b\"@example.jp", ""},
    {"<\"a>b\"@example.jp>", 0, "\"a>b\"@example.jp", ""},
    {"<\"a\\\"b\\\\\"@example.jp>", 0, "\"a\\\"b\\\\\"@example.jp", ""},
    {"<\"\"@example.jp>", 0, "\"\"@example.jp", ""},
    {"<\".\"@example.jp>", 0, "\".\"@example.jp", ""},
    {"<\"a@example.jp>", 0, NULL, NULL},
    {"<\"a\\", 0, NULL, NULL},
    {"<\"a\"b@example.jp>", 0, NULL, NULL},
    {"<\"a\tb\"@example.jp>", 0, NULL, NULL},
    {"<\"a\r\nb\"@example.jp>", 0, NULL, NULL},
    /* routes are ignored */
    {"<@a.example,@b.example:u1@example.jp>", 0, "u1@example.jp", ""},
    {"<@a.example:u1@example.jp>", 0, "u1@example.jp", ""},
    {"<@a.example,u1@example.jp>", 0, NULL, NULL},
    {"<@a.example>", 0, NULL, NULL},
    {"<@:u1@example.jp>", 0, NULL, NULL},
    /* literals */
    {"<u1@[192.0.2.1]>", 0, "u1@[192.0.2.1]", ""},
    {"<u1@[IPv6:2001:DB8::1]>", 0, "u1@[ipv6:2001:db8::1]", ""},
    {"<u1@[]>", 0, NULL, NULL},
    {"<u1@[192.0.2.1>", 0, NULL, NULL},
    {"<u1@[192.0.2.1]x>", 0, NULL, NULL},
    {"<u1@[../../etc]>", 0, NULL, NULL},
    /* postmaster alone */
    {"<postmaster>", BARE, "postmaster", ""},
    {"<PostMaster>", BARE, "PostMaster", ""},
    {"<postmaster>", 0, NULL, NULL},
    {"<hostmaster>", BARE, NULL, NULL},
    /* SMTPUTF8 */
    {"<\xe3\x81\x82@example.jp>", U8, "\xe3\x81\x82@example.jp", ""},
    {"<\xe3\x81\x82@\xe4\xbe\x8b.jp>", U8, "\xe3\x81\x82@\xe4\xbe\x8b.jp", ""},
    {"<\xe3\x81\x82@example.jp>", 0, NULL, NULL},
    {"<u1@\xe4\xbe\x8b.jp>", 0, NULL, NULL},
    {"<\xe3\x81@example.jp>", U8, NULL, NULL},
    {"<\xff@example.jp>", U8, NULL, NULL},
    {"<\xc0\xaf@example.jp>", U8, NULL, NULL},
    /* lengths: RFC 5321 4.5.3.1 */
    {"<" X64 "@example.jp>", 0, X64 "@example.jp", ""},
    {"<" X64 "x@example.jp>", 0, X64 "x@example.jp", ""},
    {"<" X64 X64 X64 X63 "@example.jp>", 0, X64 X64 X64 X63 "@example.jp", ""},
    {"<" X64 X64 X64 X64 "@example.jp>", 0, NULL, NULL},
    {"<" X64 X64 X64 X63 "@" X63 ".j>", 0, NULL, NULL},
    {"<" X64 X64 X64 X63 "@" X63 ">", 0, X64 X64 X64 X63 "@" X63, ""},
    {"<u@" X63 ".jp>", 0, "u@" X63 ".jp", ""},
    {"<u@" X64 ".jp>", 0, NULL, NULL},
    {"<u@" X63 "." X63 "." X63 "." X63 ">", 0, "u@" X63 "." X63 "." X63 "." X63, ""},
    {"<u@" X63 "." X63 "." X63 "." X63 ".jp>", 0, NULL, NULL},
};

static void check_path(const struct path_case *one)
{
    struct mailaddress address;
    struct str canonical;
    bool parsed = mailaddress_parse_path(slice_text(one->text), one->flags, &address);
    if (parsed != (one->canonical != NULL))
        fail_msg("%s: parsed %d", one->text, parsed);
    if (!parsed)
        return;
    str_init(&canonical, 320);
    assert_true(mailaddress_canonical(&address, &canonical));
    if (!slice_equal(str_slice(&canonical), slice_text(one->canonical)))
        fail_msg("%s: %.*s", one->text, SLICE_PRINTF(str_slice(&canonical)));
    assert_true(slice_equal(address.rest, slice_text(one->rest)));
    str_free(&canonical);
}

static void paths_are_parsed(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        check_path(&paths[i]);
}

/* What is canonical parses, and is its own canonical form. */
static void canonical_is_stable(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct mailaddress address;
        struct str again;
        if (!paths[i].canonical || paths[i].flags & BARE)
            continue;
        str_init(&again, 320);
        assert_true(mailaddress_parse(slice_text(paths[i].canonical), U8 | EMPTY, &address));
        assert_true(mailaddress_canonical(&address, &again));
        if (!slice_equal(str_slice(&again), slice_text(paths[i].canonical)))
            fail_msg("%s became %.*s", paths[i].canonical, SLICE_PRINTF(str_slice(&again)));
        str_free(&again);
    }
}

static void no_prefix_of_a_path_is_one(void **state)
{
    (void)state;
    struct slice whole = SLICE("<@a.example:\"a b\"@example.jp>");
    struct mailaddress address;
    for (size_t size = 0; size < whole.size; size++)
        assert_false(mailaddress_parse_path(slice_part(whole, 0, size), EMPTY, &address));
    assert_true(mailaddress_parse_path(whole, EMPTY, &address));
}

static void bare_addresses(void **state)
{
    (void)state;
    struct mailaddress address;
    assert_true(mailaddress_parse(SLICE("u1@example.jp"), 0, &address));
    assert_true(slice_equal(address.local, SLICE("u1")));
    assert_true(slice_equal(address.domain, SLICE("example.jp")));
    assert_false(mailaddress_parse(SLICE("u1@example.jp>"), 0, &address));
    assert_false(mailaddress_parse(SLICE("u1@example.jp "), 0, &address));
    assert_false(mailaddress_parse(SLICE("u1@example.jp\0"), 0, &address));
    assert_false(mailaddress_parse(SLICE("u\0001@example.jp"), 0, &address));
    assert_false(mailaddress_parse(SLICE(""), 0, &address));
    assert_true(mailaddress_parse(SLICE(""), EMPTY, &address));
}

static void domains(void **state)
{
    (void)state;
    assert_true(mailaddress_is_domain(SLICE("a"), 0));
    assert_true(mailaddress_is_domain(SLICE("xn--r8jz45g.jp"), 0));
    assert_false(mailaddress_is_domain(SLICE(""), 0));
    assert_false(mailaddress_is_domain(SLICE("."), 0));
    assert_false(mailaddress_is_domain(SLICE("a b"), 0));
    assert_false(mailaddress_is_domain(SLICE("a\0b"), 0));
    assert_false(mailaddress_is_domain(SLICE("../x"), 0));
    assert_false(mailaddress_is_domain(SLICE("\xe4\xbe\x8b.jp"), 0));
    assert_true(mailaddress_is_domain(SLICE("\xe4\xbe\x8b.jp"), U8));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_are_parsed),
        cmocka_unit_test(canonical_is_stable),
        cmocka_unit_test(no_prefix_of_a_path_is_one),
        cmocka_unit_test(bare_addresses),
        cmocka_unit_test(domains),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
