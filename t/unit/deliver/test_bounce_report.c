/* bounce: requests, and reports as RFC 3464 wants them */
#include "unit.h"

#include "bounce_report.h"
#include "report.h"

#include <stdio.h>
#include <string.h>

static struct report facts(enum report_kind kind, const struct report_recipient *recipients,
                           size_t count, struct slice message)
{
    return (struct report){.kind = kind,
                           .me = "mail.test",
                           .from = SLICE("MAILER-DAEMON"),
                           .to = SLICE("s@example.org"),
                           .id = SLICE("0cw9x2k4m7q1p"),
                           .arrived = 0,
                           .now = 1763766000,
                           .until = 1763766000,
                           .unique = "report.x",
                           .message = message,
                           .recipients = recipients,
                           .recipient_count = count};
}

static void write_report(const struct report_recipient *recipients, size_t count,
                         const char *header, bool is_double, struct str *text)
{
    struct report report =
        facts(is_double ? REPORT_DOUBLE : REPORT_FAILED, recipients, count, slice_text(header));
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
        {{"u1@example.jp", 13}, {"5.1.1", 5}, {"no such mailbox", 15}, 0, {0}, {0}},
        {{"u2@example.org", 14},
         {"5.7.1", 5},
         {"550 5.7.1 go away", 17},
         0,
         {"rfc822;U+2B2@example.org", 24},
         {"mx.example.org", 14}},
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
                  "\r\nOriginal-Recipient: rfc822; U+2@example.org\r\n"
                  "Final-Recipient: rfc822; u2@example.org\r\nAction: failed\r\n"
                  "Status: 5.7.1\r\nRemote-MTA: dns; mx.example.org\r\nDiagnostic-Code: smtp; 550 "
                  "5.7.1 go away\r\n");
    expect(&text,
           "Content-Type: text/rfc822-headers\r\nContent-Description: Header of the message\r\n");
    expect(&text, "Content-Type: text/rfc822-headers\r\n"
                  "Content-Description: Header of the message\r\n\r\n"
                  "Subject: hello\r\nMessage-ID: <a@b>\r\n");
    assert_true(slice_ends(str_slice(&text), SLICE("\r\n--report.x--\r\n")));
    str_free(&text);
}

static void returns_the_whole_message(void **state)
{
    (void)state;
    static const struct report_recipient one[] = {
        {{"u1@example.jp", 13}, {"5.1.1", 5}, {"no", 2}, 0, {0}, {0}}};
    static const struct {
        const char *name;
        struct slice message;
        bool is_utf8;
        const char *expected;
        bool is_7bit;
    } cases[] = {
        {"plain",
         {"A: b\r\n\r\nbody\r\n", 14},
         false,
         "Content-Type: message/rfc822\r\nContent-Description: The message\r\n\r\nA: "
         "b\r\n\r\nbody\r\n",
         true},
        {"8bit",
         {"A: b\r\n\r\n\xe3\x81\x82\r\n", 13},
         false,
         "Content-Description: The message\r\nContent-Transfer-Encoding: 8bit\r\n\r\nA: b\r\n\r\n"
         "\xe3\x81\x82\r\n",
         false},
        {"utf8",
         {"A: \xe3\x81\x82\r\n\r\nx\r\n", 13},
         true,
         "Content-Type: message/global\r\nContent-Description: The message\r\n"
         "Content-Transfer-Encoding: quoted-printable\r\n\r\nA: =E3=81=82\r\n\r\nx\r\n",
         true},
        {"NUL",
         {"A: b\r\n\r\na\0b\r\n", 13},
         false,
         "Content-Type: text/rfc822-headers\r\nContent-Description: Header of the message\r\n\r\n"
         "A: b\r\n\r\n--report.x--",
         true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct str text;
        struct report report = facts(REPORT_FAILED, one, 1, cases[i].message);
        report.is_whole = true;
        report.is_utf8 = cases[i].is_utf8;
        str_init(&text, REPORT_MAX);
        assert_true(report_write(&report, &text));
        if (!slice_has(str_slice(&text), '\0'))
            expect(&text, cases[i].expected);
        if (is_7bit(&text) != cases[i].is_7bit)
            fail_msg("%s: 7 bits or not", cases[i].name);
        assert_int_equal(strstr(str_text(&text), "--report.x\r\nContent-Type: text/plain") != NULL,
                         1);
        str_free(&text);
    }
}

static void warns_and_confirms(void **state)
{
    (void)state;
    static const struct report_recipient late[] = {{{"u1@example.jp", 13},
                                                    {"4.4.1", 5},
                                                    {"can't connect", 13},
                                                    REPORT_ACTION_DELAYED,
                                                    {0},
                                                    {0}}};
    static const struct report_recipient done[] = {
        {{"u1@example.jp", 13}, {"2.0.0", 5}, {"delivered", 9}, REPORT_ACTION_DELIVERED, {0}, {0}},
        {{"u2@example.org", 14}, {"2.1.5", 5}, {"250 ok", 6}, REPORT_ACTION_RELAYED, {0}, {0}},
        {{"l@example.jp", 12}, {"2.0.0", 5}, {"3 members", 9}, REPORT_ACTION_EXPANDED, {0}, {0}}};
    struct str text;
    struct report report = facts(REPORT_DELAYED, late, 1, SLICE("A: b\r\n\r\nbody"));
    report.envid = SLICE("QQ+2B1+0Ax");
    str_init(&text, REPORT_MAX);
    assert_true(report_write(&report, &text));
    assert_true(is_7bit(&text));
    expect(&text, "Subject: Delayed Mail (still being retried)\r\n");
    expect(&text, "Original-Envelope-Id: QQ+1?x\r\nReporting-MTA: dns; mail.test\r\n");
    expect(&text,
           "Action: delayed\r\nStatus: 4.4.1\r\nDiagnostic-Code: X-Mail-Suite; can't connect\r\n"
           "Will-Retry-Until: Fri, 21 Nov 2025 23:00:00 +0000\r\n");
    expect(&text, "It is tried on until\r\nFri, 21 Nov 2025 23:00:00 +0000. The reasons");
    str_clear(&text);
    report = facts(REPORT_SUCCESS, done, 3, SLICE("A: b\r\n\r\nbody"));
    assert_true(report_write(&report, &text));
    assert_true(is_7bit(&text));
    expect(&text, "Subject: Successful Mail Delivery Report\r\n");
    expect(&text, "Action: delivered\r\nStatus: 2.0.0\r\n");
    expect(&text, "Action: relayed\r\nStatus: 2.1.5\r\nDiagnostic-Code: smtp; 250 ok\r\n");
    expect(&text, "Action: expanded\r\n");
    assert_null(strstr(str_text(&text), "\r\n\r\nbody"));
    str_free(&text);
}

static void stays_7bit(void **state)
{
    (void)state;
    static const struct report_recipient one[] = {{{"\xe3\x81\x82@example.jp", 14},
                                                   {"5.1.1", 5},
                                                   {"\xe3\x81\x82 is unknown", 14},
                                                   0,
                                                   {0},
                                                   {0}}};
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

enum { FIELDS = 18 };
static const char *const good[FIELDS] = {
    "bounce/2", "0cw9x2k4m7q1p", "10",    "20", "s@example.org",  "1763766000",
    "failed",   "1763766000",    "8",     "0",  "FULL",           "QQ",
    "u1@x.jp",  "failed",        "5.1.1", "no", "rfc822;u1@x.jp", "mx"};

static bool parse(const char *const fields[FIELDS], size_t count, struct bounce_request *request)
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
    {0, "bounce/1"},  {1, "x"},   {2, "-"},           {3, "x"},       {4, ""},        {4, "a\r\nb"},
    {5, "yesterday"}, {6, "odd"}, {6, "double"},      {6, "success"}, {6, "delayed"}, {7, "-1"},
    {8, "9"},         {9, "yes"}, {10, "ALL"},        {11, "a b"},    {12, ""},       {12, "a\nb"},
    {13, "delayed"},  {13, ""},   {14, "5.1.1\r\nX"}, {15, "a\nb"},   {16, "rfc822"}, {17, "a\nb"},
};

static void reads_requests(void **state)
{
    (void)state;
    struct bounce_request request;
    struct str to;
    assert_true(parse(good, FIELDS, &request));
    assert_int_equal(request.recipient_count, 1);
    assert_true(bounce_is_whole(&request, 20));
    assert_false(bounce_is_whole(&request, 19));
    request.ret = DSN_RETURN_HEADERS;
    assert_false(bounce_is_whole(&request, 20));
    request.ret = DSN_RETURN_DEFAULT;
    assert_true(bounce_is_whole(&request, 20));
    request.body = ENVELOPE_BODY_BINARY;
    assert_false(bounce_is_whole(&request, 20));
    request.body = ENVELOPE_BODY_8BIT;
    request.kind = REPORT_SUCCESS;
    assert_false(bounce_is_whole(&request, 20));
    request.kind = REPORT_FAILED;
    str_init(&to, 400);
    assert_true(bounce_recipient(&request, SLICE("pm@x"), "mail.test", &to));
    assert_slice(str_slice(&to), "s@example.org");
    for (size_t count = 0; count < FIELDS; count++)
        assert_false(parse(good, count, &request));
    for (size_t i = 0; i < sizeof bad_fields / sizeof *bad_fields; i++) {
        const char *fields[FIELDS];
        memcpy(fields, good, sizeof fields);
        fields[bad_fields[i].field] = bad_fields[i].value;
        if (parse(fields, FIELDS, &request))
            fail_msg("field %zu: \"%s\"", bad_fields[i].field, bad_fields[i].value);
    }
    const char *fields[FIELDS];
    memcpy(fields, good, sizeof fields);
    fields[4] = "";
    fields[6] = "double";
    assert_true(parse(fields, FIELDS, &request));
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
        cmocka_unit_test(returns_the_whole_message),
        cmocka_unit_test(warns_and_confirms),
        cmocka_unit_test(stays_7bit),
        cmocka_unit_test(quotes),
        cmocka_unit_test(writes_addresses),
        cmocka_unit_test(cuts_headers),
        cmocka_unit_test(reads_requests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
