/* trace and reply: what strangers' names may do to fields, logs and lines: nothing */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "envelope.h"
#include "reply.h"
#include "trace.h"

#include <string.h>

struct received_case {
    const char *name;
    struct trace trace;
    const char *expected;
};

static const struct received_case cases[] = {
    {"plain",
     {.client = "192.0.2.1", .helo = {"c.example", 9}, .tls_version = "", .account = ""},
     "Received: from c.example ([192.0.2.1])\r\n\tby me with SMTP\r\n\tid 1; "
     "Thu, 01 Jan 1970 00:00:00 +0000\r\n"},
    {"everything",
     {.client = "2001:db8::1",
      .helo = {"[IPv6:2001:db8::1]", 18},
      .tls_version = "TLSv1.2",
      .account = "u1@example.jp",
      .is_extended = true,
      .utf8 = true},
     "Received: from [IPv6:2001:db8::1] ([IPv6:2001:db8::1])\r\n\tby me with UTF8SMTPSA (TLSv1.2 "
     "AES)\r\n\tid 1; Thu, 01 Jan 1970 00:00:00 +0000\r\n"},
    {"a name that tries",
     {.client = "192.0.2.1",
      .helo = {"a)\r\nBcc: (x\0", 12},
      .tls_version = "",
      .account = "",
      .is_extended = true},
     "Received: from a???Bcc:??x? ([192.0.2.1])\r\n\tby me with ESMTP\r\n\tid 1; "
     "Thu, 01 Jan 1970 00:00:00 +0000\r\n"},
};

static void received_fields(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct trace trace = cases[i].trace;
        struct str field;
        trace.me = "me";
        trace.id = "1";
        trace.tls_cipher = "AES";
        str_init(&field, TRACE_FIELD_MAX);
        assert_true(trace_received(&trace, &field));
        assert_string_equal(str_text(&field), cases[i].expected);
        str_free(&field);
    }
}

static void an_origin_is_one_line_that_fits(void **state)
{
    (void)state;
    struct str origin;
    char helo[1000], account[321];
    memset(helo, ' ', sizeof helo);
    memset(account, 'u', sizeof account - 1);
    account[320] = '\0';
    struct trace trace = {.service = "submissions",
                          .client = "2001:db8:1111:2222:3333:4444:5555:6666",
                          .helo = slice_of(helo, sizeof helo),
                          .tls_version = "TLSv1.2",
                          .account = account};
    str_init(&origin, ENVELOPE_ORIGIN_MAX);
    assert_true(trace_origin(&trace, &origin));
    assert_null(strstr(str_text(&origin), "  "));
    assert_non_null(strstr(str_text(&origin), "helo=???"));
    str_free(&origin);
}

static void every_reply_is_one_line(void **state)
{
    (void)state;
    char detail[2000];
    memset(detail, '\n', sizeof detail);
    for (unsigned name = 0; name < REPLY_COUNT; name++) {
        const struct reply_form *form = reply_form((enum reply)name);
        struct str line;
        assert_non_null(form->code);
        assert_int_equal(strlen(form->code), 3);
        if (form->status[0] != '\0')
            assert_int_equal(form->status[0], form->code[0]);
        str_init(&line, REPLY_LINE_MAX);
        assert_true(reply_format((enum reply)name, slice_of(detail, sizeof detail), &line));
        assert_int_equal(slice_find(str_slice(&line), '\n'), line.size - 1);
        assert_int_equal(slice_find(str_slice(&line), '\r'), line.size - 2);
        str_free(&line);
    }
}

static void the_prescribed_words(void **state)
{
    (void)state;
    struct str line;
    str_init(&line, REPLY_LINE_MAX);
    assert_true(reply_format(REPLY_TOO_BIG, SLICE(""), &line));
    assert_string_equal(str_text(&line),
                        "552 sorry, that message size exceeds my databytes limit (#5.3.4)\r\n");
    str_clear(&line);
    assert_true(
        reply_format(REPLY_RECIPIENT_PAUSED, SLICE("sorry, mailbox is full (#4.5.2)"), &line));
    assert_string_equal(str_text(&line), "452 sorry, mailbox is full (#4.5.2)\r\n");
    str_free(&line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(received_fields),
        cmocka_unit_test(an_origin_is_one_line_that_fits),
        cmocka_unit_test(every_reply_is_one_line),
        cmocka_unit_test(the_prescribed_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
