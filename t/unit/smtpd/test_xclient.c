/* xclient: what a proxy may say of its client, and what it may not */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "xclient.h"

#include <string.h>

struct xclient_case {
    const char *argument;
    bool is_good;
    const char *address;
    const char *name;
    const char *login;
};

static const struct xclient_case cases[] = {
    {"ADDR=192.0.2.1 NAME=mx.example.org", true, "192.0.2.1", "mx.example.org", ""},
    {"addr=192.0.2.1 name=[unavailable]", true, "192.0.2.1", "", ""},
    {"ADDR=[UNAVAILABLE] NAME=[TEMPUNAVAIL] LOGIN=[UNAVAILABLE]", true, "", "", ""},
    {"ADDR=IPV6:2001:db8::1", true, "2001:db8::1", "", ""},
    {"ADDR=2001:DB8:0::1", true, "2001:db8::1", "", ""},
    {"ADDR=::ffff:192.0.2.1", true, "192.0.2.1", "", ""},
    {"NAME=spike.porcupine.org", true, "", "spike.porcupine.org", ""},
    {"LOGIN=u1+2Btag@example.jp", true, "", "", "u1+tag@example.jp"},
    {"PORT=65535 PROTO=ESMTP HELO=[192.0.2.1] DESTADDR=192.0.2.2 DESTPORT=25", true, "", "", ""},
    {"HELO=a+20b+22", true, "", "", ""},
    {"HELO=", true, "", "", ""},
    {"", false, NULL, NULL, NULL},
    {"ADDR", false, NULL, NULL, NULL},
    {"ADDR=", false, NULL, NULL, NULL},
    {"ADDR=192.0.2.256", false, NULL, NULL, NULL},
    {"ADDR=example.jp", false, NULL, NULL, NULL},
    {"ADDR=192.0.2.1 ADDR=192.0.2.2", false, NULL, NULL, NULL},
    {"ADDR=192.0.2.1 COLOUR=red", false, NULL, NULL, NULL},
    {"NAME=", false, NULL, NULL, NULL},
    {"NAME=a+0D+0Ab", false, NULL, NULL, NULL},
    {"NAME=a+", false, NULL, NULL, NULL},
    {"NAME=a+2", false, NULL, NULL, NULL},
    {"NAME=a+ab", false, NULL, NULL, NULL},
    {"LOGIN=u1+00@example.jp", false, NULL, NULL, NULL},
    {"LOGIN=", false, NULL, NULL, NULL},
    {"PORT=65536", false, NULL, NULL, NULL},
    {"PORT=-1", false, NULL, NULL, NULL},
    {"PROTO=HTTP", false, NULL, NULL, NULL},
    {"HELO=a+0Ab", false, NULL, NULL, NULL},
};

static void what_is_said(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct xclient_case *one = &cases[i];
        struct xclient xclient;
        if (xclient_parse(slice_text(one->argument), &xclient) != one->is_good)
            fail_msg("XCLIENT %s", one->argument);
        if (!one->is_good)
            continue;
        assert_string_equal(xclient.address, one->address);
        assert_string_equal(xclient.name, one->name);
        assert_string_equal(xclient.login, one->login);
    }
}

static void what_is_said_to_be_unknown_is_said(void **state)
{
    (void)state;
    struct xclient xclient;
    assert_true(xclient_parse(SLICE("NAME=[UNAVAILABLE] PORT=25"), &xclient));
    assert_true(xclient_says(&xclient, XCLIENT_NAME));
    assert_true(xclient_says(&xclient, XCLIENT_PORT));
    assert_false(xclient_says(&xclient, XCLIENT_ADDR));
    assert_string_equal(xclient.port, "25");
}

static void long_values_are_cut_or_refused(void **state)
{
    (void)state;
    struct xclient xclient;
    char text[700];
    memset(text, 'a', sizeof text);
    memcpy(text, "HELO=", 5);
    assert_true(xclient_parse(slice_of(text, 500), &xclient));
    assert_int_equal(strlen(xclient.helo), TRACE_HELO_MAX);
    assert_false(xclient_parse(slice_of(text, sizeof text), &xclient));
    memcpy(text, "NAME=", 5);
    assert_false(xclient_parse(slice_of(text, 500), &xclient));
    memcpy(text, "LOGI=", 5);
    assert_false(xclient_parse(slice_of(text, 500), &xclient));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_said),
        cmocka_unit_test(what_is_said_to_be_unknown_is_said),
        cmocka_unit_test(long_values_are_cut_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
