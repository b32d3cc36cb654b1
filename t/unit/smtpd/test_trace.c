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

#define DATE ";\r\n\tThu, 01 Jan 1970 00:00:00 +0000\r\n"

static const struct received_case cases[] = {
    {"plain",
     {.client = "192.0.2.1", .helo = {"c.example", 9}},
     "Received: from c.example ([192.0.2.1])\r\n\tby me with SMTP id 1" DATE},
    {"everything",
     {.client = "2001:db8::1",
      .name = "mx.example.org",
      .helo = {"[IPv6:2001:db8::1]", 18},
      .tls_version = "TLSv1.2",
      .tls_cipher = "ECDHE-RSA-AES256-GCM-SHA384",
      .account = "u1@example.jp",
      .is_extended = true,
      .utf8 = true,
      .recipient = {"u2@example.jp", 13}},
     "Received: from [IPv6:2001:db8::1] (mx.example.org [IPv6:2001:db8::1])\r\n"
     "\t(using TLSv1.2 with cipher ECDHE-RSA-AES256-GCM-SHA384 (256/256 bits))\r\n"
     "\tby me with UTF8SMTPSA id 1\r\n\tfor <u2@example.jp>" DATE},
    {"a cipher of unknown size",
     {.client = "192.0.2.1",
      .helo = {"c", 1},
      .tls_version = "TLSv1.2",
      .tls_cipher = "NEW",
      .is_extended = true},
     "Received: from c ([192.0.2.1])\r\n\t(using TLSv1.2 with cipher NEW)\r\n"
     "\tby me with ESMTPS id 1" DATE},
    {"LMTP",
     {.client = "127.0.0.1", .helo = {"c", 1}, .is_extended = true, .is_lmtp = true},
     "Received: from c ([127.0.0.1])\r\n\tby me with LMTP id 1" DATE},
    {"LMTP with TLS and UTF-8",
     {.client = "127.0.0.1",
      .helo = {"c", 1},
      .tls_version = "TLSv1.2",
      .tls_cipher = "ECDHE-ECDSA-CHACHA20-POLY1305",
      .is_extended = true,
      .is_lmtp = true,
      .utf8 = true},
     "Received: from c ([127.0.0.1])\r\n"
     "\t(using TLSv1.2 with cipher ECDHE-ECDSA-CHACHA20-POLY1305 (256/256 bits))\r\n"
     "\tby me with UTF8LMTPS id 1" DATE},
    {"8 bits only where they were asked for",
     {.client = "192.0.2.1", .helo = {"c", 1}, .recipient = {"\xe3\x81\x82@b", 5}},
     "Received: from c ([192.0.2.1])\r\n\tby me with SMTP id 1" DATE},
    {"and there they are",
     {.client = "192.0.2.1",
      .helo = {"c", 1},
      .is_extended = true,
      .utf8 = true,
      .recipient = {"\xe3\x81\x82@b", 5}},
     "Received: from c ([192.0.2.1])\r\n\tby me with UTF8SMTP id 1\r\n"
     "\tfor <\xe3\x81\x82@b>" DATE},
    {"a name that tries",
     {.client = "192.0.2.1",
      .name = "x)(\r\n",
      .helo = {"a)\r\nBcc: (x\0", 12},
      .is_extended = true},
     "Received: from a???Bcc:??x? (x???? [192.0.2.1])\r\n\tby me with ESMTP id 1" DATE},
};

static const char *or_empty(const char *text)
{
    return text ? text : "";
}

/* RFC 5322 2.1.1, whatever strangers are called. */
static void no_line_is_too_long(void **state)
{
    (void)state;
    struct str field;
    char name[400], recipient[ENVELOPE_ADDRESS_MAX];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    memset(recipient, 'r', sizeof recipient);
    struct trace trace = {.client = "2001:db8:1111:2222:3333:4444:5555:6666",
                          .name = name,
                          .helo = slice_text(name),
                          .me = name + sizeof name - 256,
                          .id = "0123456789abcdef.0123456789",
                          .tls_version = "TLSv1.2",
                          .tls_cipher = "ECDHE-ECDSA-CHACHA20-POLY1305",
                          .account = "a",
                          .is_extended = true,
                          .recipient = slice_of(recipient, sizeof recipient)};
    str_init(&field, TRACE_FIELD_MAX);
    assert_true(trace_received(&trace, &field));
    struct slice rest = str_slice(&field);
    while (rest.size > 0)
        assert_true(slice_cut(&rest, '\n').size < 998);
    str_free(&field);
}

static void received_fields(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct trace trace = cases[i].trace;
        struct str field;
        trace.me = "me";
        trace.id = "1";
        trace.name = or_empty(trace.name);
        trace.tls_version = or_empty(trace.tls_version);
        trace.account = or_empty(trace.account);
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
    char helo[1000], account[321], name[256];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    memset(helo, ' ', sizeof helo);
    memset(account, 'u', sizeof account - 1);
    account[320] = '\0';
    struct trace trace = {.service = "submissions",
                          .client = "2001:db8:1111:2222:3333:4444:5555:6666",
                          .name = name,
                          .helo = slice_of(helo, sizeof helo),
                          .tls_version = "TLSv1.2",
                          .account = account};
    str_init(&origin, ENVELOPE_ORIGIN_MAX);
    assert_true(trace_origin(&trace, &origin));
    assert_null(strstr(str_text(&origin), "  "));
    assert_non_null(strstr(str_text(&origin), "helo=???"));
    assert_null(strstr(str_text(&origin), " name="));
    str_clear(&origin);
    trace.account = "";
    assert_true(trace_origin(&trace, &origin));
    assert_non_null(strstr(str_text(&origin), " name=nnn"));
    assert_non_null(strstr(str_text(&origin), " tls=TLSv1.2"));
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
    assert_true(reply_format(REPLY_RECIPIENT_FULL, SLICE(""), &line));
    assert_string_equal(str_text(&line), "452 sorry, mailbox is full (#4.5.2)\r\n");
    str_free(&line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(received_fields),
        cmocka_unit_test(no_line_is_too_long),
        cmocka_unit_test(an_origin_is_one_line_that_fits),
        cmocka_unit_test(every_reply_is_one_line),
        cmocka_unit_test(the_prescribed_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
