/* addresslist: what people and programs write into To, Cc and Bcc */
#include "unit.h"

#include "addresslist.h"

struct list_case {
    const char *name, *field, *found; /* addresses, '|' between; '!' for one that is none */
};

static const struct list_case list_cases[] = {
    {"one", " u1@example.jp", "u1@example.jp"},
    {"two", "a@b.c, d@e.f", "a@b.c|d@e.f"},
    {"no blanks", "a@b.c,d@e.f", "a@b.c|d@e.f"},
    {"name", "User One <u1@example.jp>", "u1@example.jp"},
    {"quoted name with comma", "\"One, User\" <u1@example.jp>, x@y.z", "u1@example.jp|x@y.z"},
    {"quoted name with angle", "\"<a@b>\" <u1@example.jp>", "u1@example.jp"},
    {"quote in quotes", "\"a\\\"b, c\" <u1@example.jp>", "u1@example.jp"},
    {"quoted local part", "\"a b\"@example.jp", "\"a b\"@example.jp"},
    {"comment", "u1@example.jp (One, User)", "u1@example.jp"},
    {"comments everywhere", "(x)u1(y)@(z)example(a).(b)jp(c)", "u1@example.jp"},
    {"nested comment", "u1@example.jp (a (b) \\) c), x@y.z", "u1@example.jp|x@y.z"},
    {"blanks around", "u1 @ example . jp", "u1@example.jp"},
    {"folded", "a@b.c,\r\n d@e.f,\r\n\tg@h.i", "a@b.c|d@e.f|g@h.i"},
    {"group", "Friends: a@b.c, D <d@e.f>; x@y.z", "a@b.c|d@e.f|x@y.z"},
    {"empty group", "undisclosed-recipients:;", ""},
    {"group then more", "G:a@b.c;, d@e.f", "a@b.c|d@e.f"},
    {"empty elements", ", ,a@b.c,,", "a@b.c"},
    {"nothing", "", ""},
    {"blanks", "  \r\n ", ""},
    {"comment alone", "(nobody)", ""},
    {"route", "<@a.b,@c.d:u1@example.jp>", "u1@example.jp"},
    {"bare name", "root, cron", "root|cron"},
    {"literal", "u1@[192.0.2.1]", "u1@[192.0.2.1]"},
    {"UTF-8 name", "\xe3\x81\x82 \xe3\x81\x84 <u1@example.jp>", "u1@example.jp"},
    {"carrier", "a..b@docomo.ne.jp, c.@ezweb.ne.jp", "a..b@docomo.ne.jp|c.@ezweb.ne.jp"},
    {"words without address", "just some words, a@b.c", "!|a@b.c"},
    {"empty angles", "Nobody <>", "!"},
    {"angle not closed", "<a@b.c", "!"},
    {"quote not closed", "\"a <b@c.d>, e@f.g", "!"},
    {"comment not closed", "a@b.c (never", "!"},
    {"two angles", "<a@b.c> <d@e.f>", "!"},
    {"text behind the angle", "<a@b.c> d", "!"},
    {"stray bracket", "a@b.c>, d@e.f", "!|d@e.f"},
    {"line break in an address", "a@b.c\r\nd@e.f", "!"},
    {"backslash", "\\", "!"},
};

static void join(const char *field, struct str *found)
{
    struct slice rest = slice_text(field);
    struct str address;
    enum addresslist_result result;
    str_init(&address, ADDRESSLIST_ADDRESS_MAX);
    while ((result = addresslist_next(&rest, &address)) != ADDRESSLIST_END) {
        if (found->size > 0)
            str_append_text(found, "|");
        if (result == ADDRESSLIST_ONE)
            str_append(found, str_slice(&address));
        else
            str_append_text(found, "!");
    }
    str_free(&address);
}

static void reads_lists(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof list_cases / sizeof *list_cases; i++) {
        struct str found;
        str_init(&found, 10000);
        join(list_cases[i].field, &found);
        if (!slice_equal(str_slice(&found), slice_text(list_cases[i].found)))
            fail_msg("%s: \"%.*s\"", list_cases[i].name, SLICE_PRINTF(str_slice(&found)));
        str_free(&found);
    }
}

static void bounds_everything(void **state)
{
    (void)state;
    struct str text, found;
    str_init(&text, 1000000);
    str_init(&found, 10000);
    for (int i = 0; i < 100000; i++) /* a comment a hundred thousand deep */
        str_append_byte(&text, '(');
    join(str_text(&text), &found);
    assert_slice(str_slice(&found), "!");
    str_clear(&text);
    str_clear(&found);
    for (int i = 0; i < 5000; i++) /* a name as long as a page */
        str_append_text(&text, "word ");
    str_append_text(&text, "<a@b.c>, ");
    for (int i = 0; i < 400; i++)
        str_append_byte(&text, 'x');
    join(str_text(&text), &found);
    assert_slice(str_slice(&found), "a@b.c|!");
    str_free(&text);
    str_free(&found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_lists),
        cmocka_unit_test(bounds_everything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
