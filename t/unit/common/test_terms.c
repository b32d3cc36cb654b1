/* terms: what authd writes is what imapd reads; everything else is refused */
#include "unit.h"

#include "capability.h"
#include "terms.h"

#include <string.h>

static void as_written_so_read(void **state)
{
    struct str out;
    struct terms read, terms = {.quota = 402653184,
                                .message_max = UINT64_MAX,
                                .login_delay = 300,
                                .expire = 30,
                                .utf8 = true,
                                .japanese = true,
                                .capabilities_off = capability_named(SLICE("MOVE")) |
                                                    capability_named(SLICE("IDLE"))};
    (void)state;
    str_init(&out, TERMS_MAX);
    terms_append(&out, &terms);
    assert_slice(str_slice(&out),
                 "capabilities-off=IDLE,MOVE expire=30 language=ja login-delay=300 "
                 "message-max=18446744073709551615 quota=402653184 utf8=on");
    assert_true(terms_is_well_formed(str_slice(&out)) && terms_parse(str_slice(&out), &read));
    assert_true(read.quota == terms.quota && read.message_max == terms.message_max &&
                read.capabilities_off == terms.capabilities_off && read.utf8 && read.japanese &&
                read.login_delay == 300 && read.expire == 30);
    str_free(&out);
}

/* What a client chose is all that pop3-login may say. */
static void only_what_was_chosen(void **state)
{
    struct str out;
    struct terms read, terms = {.quota = 1, .utf8 = true, .japanese = true};
    (void)state;
    str_init(&out, TERMS_MAX);
    terms_append_chosen(&out, &terms);
    assert_slice(str_slice(&out), "language=ja utf8=on");
    assert_true(terms_parse_chosen(str_slice(&out), &read) && read.utf8 && read.japanese);
    assert_true(terms_parse_chosen(SLICE(""), &read) && !read.utf8 && !read.japanese);
    assert_false(terms_parse_chosen(SLICE("utf8=on quota=1"), &read));
    assert_false(terms_parse_chosen(SLICE("utf8=off"), &read));
    assert_false(terms_parse_chosen(SLICE("language=de"), &read));
    str_free(&out);
}

static void defaults_take_no_room(void **state)
{
    struct str out;
    struct terms terms = {0};
    (void)state;
    str_init(&out, TERMS_MAX);
    terms_append(&out, &terms);
    assert_int_equal(out.size, 0);
    terms.quota = 5;
    assert_true(terms_parse(SLICE(""), &terms) && terms.quota == 0);
    str_free(&out);
}

/* Even with all of them off the longest terms fit. */
static void the_longest_fit(void **state)
{
    struct str out;
    struct terms terms;
    (void)state;
    memset(&terms, 0xff, sizeof terms);
    terms.utf8 = terms.japanese = true;
    str_init(&out, TERMS_MAX);
    terms_append(&out, &terms);
    assert_false(out.failed);
    assert_true(terms_is_well_formed(str_slice(&out)));
    str_free(&out);
}

static void anything_else_is_refused(void **state)
{
    static const struct {
        const char *text;
        bool formed, read;
    } all[] = {
        {"quota=1", true, true},
        {"quota=1 message-max=2", true, true},
        {"message-max=2 quota=1", true, true}, /* in any order */
        {"quota=x", true, false},
        {"quota=-1", true, false},
        {"quota=18446744073709551616", true, false},
        {"quota=1=1", true, false},
        {"nonsense=1", true, false},
        {"capabilities-off=MOVES", true, false},
        {"capabilities-off=IMAP4rev1", true, false},
        {"capabilities-off=MOVE,,IDLE", true, false},
        {"quota=1 quota=1", false, false},
        {"quota=1 message-max=2 quota=3", false, false},
        {" quota=1", false, false},
        {"quota=1 ", false, false},
        {"quota=1  message-max=2", false, false},
        {"quota", false, false},
        {"quota=", false, false},
        {"=1", false, false},
        {"QUOTA=1", false, false},
        {"quota2=1", true, false},
        {"quota=1\n", false, false},
        {"quota=\xe3\x81\x82", false, false},
        {"quota=\x7f", false, false},
        {" ", false, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        struct terms terms;
        if (terms_is_well_formed(slice_text(all[i].text)) != all[i].formed ||
            terms_parse(slice_text(all[i].text), &terms) != all[i].read)
            fail_msg("\"%s\"", all[i].text);
    }
}

static void there_are_bounds(void **state)
{
    struct str text;
    (void)state;
    str_init(&text, 2 * TERMS_MAX);
    str_append_text(&text, "a=");
    while (text.size < TERMS_MAX)
        str_append_byte(&text, 'b');
    assert_true(terms_is_well_formed(str_slice(&text)));
    str_append_byte(&text, 'b');
    assert_false(terms_is_well_formed(str_slice(&text)));
    str_clear(&text);
    for (int i = 0; i < TERMS_FIELDS_MAX; i++)
        str_format(&text, "%s%c%c=1", i == 0 ? "" : " ", 'a' + i / 26, 'a' + i % 26);
    assert_true(terms_is_well_formed(str_slice(&text)));
    str_append_text(&text, " z=1");
    assert_false(terms_is_well_formed(str_slice(&text)));
    str_free(&text);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_written_so_read), cmocka_unit_test(defaults_take_no_room),
        cmocka_unit_test(the_longest_fit),    cmocka_unit_test(anything_else_is_refused),
        cmocka_unit_test(there_are_bounds),   cmocka_unit_test(only_what_was_chosen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
