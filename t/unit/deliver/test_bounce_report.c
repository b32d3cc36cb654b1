/* bounce: requests, and reports as RFC 3464 wants them */
#include "unit.h"

#include "bounce_report.h"
#include "report.h"

#include <stdio.h>
#include <string.h>

static void write_report(const struct report_recipient *recipients, size_t count,
                         const char *header, bool is_double, struct str *text)
{
    struct report report = {.me = "mail.test",
                            .from = SLICE("MAILER-DAEMON"),
                            .to = SLICE("s@example.org"),
                            .is_double = is_double,
                            .id = SLICE("0cw9x2k4m7q1p"),
                            .arrived = 0,
                            .now = 1763766000,
                            .unique = "report.x",
                            .header = slice_text(header),
                            .recipients = recipients,
                            .recipient_count = count};
    str_init(text, REPORT_MAX);
    assert_true(report_write(&report, text));
}

static void expect(struct str *text, const char *part)
{
    if (!strstr(str_text(text), part))
        fail_msg("missing: %s\nin: %s", part, str_text(text));
}

static bool is_7bit(const struct str *text)
{
    size_t line = 0;
    for (size_t i = 0; i < text->size; i++) {
        unsigned char byte = (unsigned char)text->data[i];
        line = byte == '\n' ? 0 : line + 1;
        if (byte >= 0x80 || byte == 0 || line > 998 ||
            (byte == '\n' && (i == 0 || text->data[i - 1] != '\r')))
            return false;
    }
    return true;
}

static void reports_two_recipients(void **state)
{
    (void)state;
    static const struct report_recipient two[] = {
        {{"u1@example.jp", 13}, {"5.1.1", 5}, {"no such mailbox", 15}},
        {{"u2@example.org", 14}, {"5.7.1", 5}, {"550 5.7.1 go away", 17}},
    };
    struct str text;
    write_report(two, 2, "Subject: hello\r\nMessage-ID: <a@b>\r\n", false, &text);
    assert_true(is_7bit(&text));
    expect(&text, "From: Mail Delivery System <MAILER-DAEMON@mail.test>\r\n");
    expect(&text, "To: <s@example.org>\r\n");
    expect(&text, "Subject: Undelivered Mail Returned to Sender\r\n");
    expect(&text, "Date: Fri, 21 Nov 2025 23:00:00 +0000\r\n");
    expect(&text, "Message-ID: <report.x@mail.test>\r\n");
    expect(&text, "References: <a@b>\r\n");
    expect(&text, "Auto-Submitted: auto-replied\r\n");
    expect(&text, "Content-Type: multipart/report; report-type=delivery-status;\r\n");
    expect(&text, "Reporting-MTA: dns; mail.test\r\n");
    expect(&text, "Arrival-Date: Thu, 01 Jan 1970 00:00:00 +0000\r\n"
                  "\r\nFinal-Recipient: rfc822; u1@example.jp\r\nAction: failed\r\n"
                  "Status: 5.1.1\r\nDiagnostic-Code: X-Mail-Suite; no such mailbox\r\n"
                  "\r\nFinal-Recipient: rfc822; u2@example.org\r\nAction: failed\r\n"
                  "Status: 5.7.1\r\nDiagnostic-Code: smtp; 550 5.7.1 go away\r\n");
    expect(&text, "<u1@example.jp>:\r\n    5.1.1 no such mailbox\r\n");
    expect(&text, "Content-Type: text/rfc822-headers\r\n"
                  "Content-Description: Header of the undelivered message\r\n\r\n"
                  "Subject: hello\r\nMessage-ID: <a@b>\r\n");
    assert_true(slice_ends(str_slice(&text), SLICE("\r\n--report.x--\r\n")));
    str_free(&text);
}

static void stays_7bit(void **state)
{
    (void)state;
    static const struct report_recipient one[] = {
        {{"\xe3\x81\x82@example.jp", 14}, {"5.1.1", 5}, {"\xe3\x81\x82 is unknown", 14}}};
    struct str text;
    char header[3000];
    memset(header, 'x', sizeof header);
    memcpy(header, "Subject: \xe3\x81\x82\r\nX-Long: ", 22);
    header[sizeof header - 1] = '\0';
    write_report(one, 1, header, true, &text);
    assert_true(is_7bit(&text));
    expect(&text, "Subject: Undelivered report (double bounce)\r\n");
    expect(&text, "Final-Recipient: utf-8; \\x{3042}@example.jp\r\n");
    expect(&text, "Diagnostic-Code: X-Mail-Suite; ??? is unknown\r\n");
    expect(&text, "Subject: =E3=81=82\r\nX-Long: xxx");
    str_free(&text);
}

struct quote_case {
    const char *input, *output;
};
static const struct quote_case quote_cases[] = {
    {"", ""},
    {"plain\r\n", "plain\r\n"},
    {"a=b\r\n", "a=3Db\r\n"},
    {"blank \r\n", "blank=20\r\n"},
    {"blank within\r\n", "blank within\r\n"},
    {"tab\t\r\n", "tab=09\r\n"},
    {"lone\nLF", "lone=0ALF"},
    {"lone\rCR", "lone=0DCR"},
    {"\xff", "=FF"},
    {"ends in blank ", "ends in blank=20"},
};

static void quotes(void **state)
{
    (void)state;
    struct str text;
    str_init(&text, 100000);
    for (size_t i = 0; i < sizeof quote_cases / sizeof *quote_cases; i++) {
        str_clear(&text);
        assert_true(report_quote(&text, slice_text(quote_cases[i].input)));
        assert_slice(str_slice(&text), quote_cases[i].output);
    }
    str_clear(&text);
    char bytes[5000];
    memset(bytes, 0xe3, sizeof bytes);
    assert_true(report_quote(&text, slice_of(bytes, sizeof bytes)));
    size_t line = 0;
    for (size_t i = 0; i < text.size; i++) {
        line = text.data[i] == '\n' ? 0 : line + 1;
        assert_true(line <= 77); /* 76 and the CR */
    }
    str_free(&text);
}

struct address_case {
    const char *address, *field;
};
static const struct address_case address_cases[] = {
    {"u1@example.jp", "rfc822; u1@example.jp"},
    {"\xe3\x81\x82@example.jp", "utf-8; \\x{3042}@example.jp"},
    {"\xf0\x9f\x98\x80+x@y", "utf-8; \\x{1F600}\\x{2B}x@y"},
    {"\xff\xc3@y", "utf-8; \\x{FF}\\x{C3}@y"},
    {"a\xe3", "utf-8; a\\x{E3}"},
};

static void writes_addresses(void **state)
{
    (void)state;
    struct str text;
    str_init(&text, 1000);
    for (size_t i = 0; i < sizeof address_cases / sizeof *address_cases; i++) {
        str_clear(&text);
        assert_true(report_address(&text, slice_text(address_cases[i].address)));
        assert_slice(str_slice(&text), address_cases[i].field);
    }
    str_free(&text);
}

static void cuts_headers(void **state)
{
    (void)state;
    assert_slice(report_header(SLICE("A: b\r\n\r\nbody")), "A: b\r\n");
    assert_slice(report_header(SLICE("A: b\r\nC: d")), "A: b\r\nC: d");
    assert_slice(report_header(SLICE("\r\nbody")), "");
    assert_slice(report_header(SLICE("")), "");
    struct str text;
    str_init(&text, 1000000);
    while (text.size < 200000)
        str_append_text(&text, "X-Field: value\r\n");
    struct slice header = report_header(str_slice(&text));
    assert_in_range(header.size, REPORT_HEADER_MAX - 20, REPORT_HEADER_MAX);
    assert_true(slice_ends(header, SLICE("\r\n")));
    str_free(&text);
}

static const char *const good[] = {
    "bounce/1", "0cw9x2k4m7q1p", "10",    "20", "s@example.org", "1763766000",
    "failed",   "u1@example.jp", "5.1.1", "no"};

static bool parse(const char *const fields[10], size_t count, struct bounce_request *request)
{
    struct wire_message message;
    wire_init(&message);
    for (size_t i = 0; i < count; i++)
        message.fields[i] = slice_text(fields[i]);
    message.count = count;
    bool done = bounce_request_parse(&message, request);
    message.count = 0;
    wire_free(&message);
    return done;
}

static const struct {
    size_t field;
    const char *value;
} bad_fields[] = {
    {0, "bounce/2"}, {1, "x"},          {2, "-"},    {3, "x"},      {4, ""},
    {4, "a\r\nb"},   {5, "yesterday"},  {6, "odd"},  {6, "double"}, {7, ""},
    {7, "a\nb"},     {8, "5.1.1\r\nX"}, {9, "a\nb"},
};

static void reads_requests(void **state)
{
    (void)state;
    struct bounce_request request;
    struct str to;
    assert_true(parse(good, 10, &request));
    assert_int_equal(request.recipient_count, 1);
    str_init(&to, 400);
    assert_true(bounce_recipient(&request, SLICE("pm@x"), "mail.test", &to));
    assert_slice(str_slice(&to), "s@example.org");
    for (size_t count = 0; count < 10; count++)
        assert_false(parse(good, count, &request));
    for (size_t i = 0; i < sizeof bad_fields / sizeof *bad_fields; i++) {
        const char *fields[10];
        memcpy(fields, good, sizeof fields);
        fields[bad_fields[i].field] = bad_fields[i].value;
        if (parse(fields, 10, &request))
            fail_msg("field %zu: \"%s\"", bad_fields[i].field, bad_fields[i].value);
    }
    const char *fields[10];
    memcpy(fields, good, sizeof fields);
    fields[4] = "";
    fields[6] = "double";
    assert_true(parse(fields, 10, &request));
    str_clear(&to);
    assert_true(bounce_recipient(&request, SLICE("pm@x"), "mail.test", &to));
    assert_slice(str_slice(&to), "pm@x");
    str_clear(&to);
    assert_true(bounce_recipient(&request, SLICE(""), "mail.test", &to));
    assert_slice(str_slice(&to), "postmaster@mail.test");
    str_free(&to);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reports_two_recipients),
        cmocka_unit_test(stays_7bit),
        cmocka_unit_test(quotes),
        cmocka_unit_test(writes_addresses),
        cmocka_unit_test(cuts_headers),
        cmocka_unit_test(reads_requests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
