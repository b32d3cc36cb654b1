/* replyrules: what an automatic reply may answer, field by field */
#include "unit.h"

#include "replyrules.h"

#include <stdlib.h>

static struct replyrules_mail mail_of(const char *sender, const char *recipient, const char *header)
{
    return (struct replyrules_mail){.sender = slice_text(sender),
                                    .recipient = slice_text(recipient),
                                    .mailbox = SLICE("u1"),
                                    .domain = SLICE("example.jp"),
                                    .header = slice_text(header),
                                    .is_whole = true};
}

static void check(const char *name, const struct replyrules_mail *mail,
                  enum replyrules_verdict wanted)
{
    enum replyrules_verdict got = replyrules_decide(mail);
    if (got != wanted)
        fail_msg("%s: %s, not %s", name, replyrules_name(got), replyrules_name(wanted));
}

static const struct {
    const char *sender;
    enum replyrules_verdict verdict;
} senders[] = {
    {"a@x.example", REPLYRULES_ANSWER},
    {"a..b@docomo.ne.jp", REPLYRULES_ANSWER},
    {"\"a b\"@x.example", REPLYRULES_ANSWER},
    {"SRS0=HHH=TT=x.example=a@y.example", REPLYRULES_ANSWER},
    {"requests@x.example", REPLYRULES_ANSWER},
    {"u1@x.example", REPLYRULES_ANSWER},
    {"", REPLYRULES_NO_SENDER},
    {"root", REPLYRULES_NO_SENDER},
    {"@x.example", REPLYRULES_NO_SENDER},
    {"a@", REPLYRULES_NO_SENDER},
    {"u1@example.jp", REPLYRULES_OWN},
    {"U1@Example.JP", REPLYRULES_OWN},
    {"u1+tag@example.jp", REPLYRULES_OWN},
    {"u1@child.example", REPLYRULES_OWN}, /* as it is addressed below */
    {"MAILER-DAEMON@x.example", REPLYRULES_PROGRAM},
    {"owner-l@x.example", REPLYRULES_PROGRAM},
    {"l-owner@x.example", REPLYRULES_PROGRAM},
    {"L-Request@x.example", REPLYRULES_PROGRAM},
    {"-request@x.example", REPLYRULES_ANSWER},
    {"listserv@x.example", REPLYRULES_PROGRAM},
    {"majordomo@x.example", REPLYRULES_PROGRAM},
    {"l-bounces@x.example", REPLYRULES_PROGRAM},
    {"l-bounces+u1=example.jp@x.example", REPLYRULES_PROGRAM},
    {"bounces+7@x.example", REPLYRULES_PROGRAM},
    {"bounce-7@x.example", REPLYRULES_PROGRAM},
    {"no-reply@x.example", REPLYRULES_PROGRAM},
    {"NoReply@x.example", REPLYRULES_PROGRAM},
};

static void knows_senders(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof senders / sizeof *senders; i++) {
        struct replyrules_mail mail =
            mail_of(senders[i].sender, "u1@child.example", "To: u1@child.example\r\n\r\n");
        check(senders[i].sender, &mail, senders[i].verdict);
    }
}

#define TO "To: u1@example.jp\r\n"

static const struct {
    const char *header;
    enum replyrules_verdict verdict;
} headers[] = {
    {TO, REPLYRULES_ANSWER},
    {TO "Subject: List-Id: x\r\n Precedence: bulk\r\n", REPLYRULES_ANSWER},
    {"List-Id: <x>\r\n" TO, REPLYRULES_LIST},
    {TO "LIST-POST: <x>\r\n", REPLYRULES_LIST},
    {TO "List: x\r\n", REPLYRULES_ANSWER},
    {TO "Mailing-List: x\r\n", REPLYRULES_LIST},
    {TO "X-ML-Name: x\r\n", REPLYRULES_LIST},
    {TO "X-Mailman-Version: 2\r\n", REPLYRULES_LIST},
    {TO "X-BeenThere: x\r\n", REPLYRULES_LIST},
    {TO "Precedence: BULK\r\n", REPLYRULES_BULK},
    {TO "Precedence: junk (x)\r\n", REPLYRULES_BULK},
    {TO "Precedence:\r\n list\r\n", REPLYRULES_BULK},
    {TO "Precedence: first-class\r\n", REPLYRULES_ANSWER},
    {TO "Auto-Submitted: no\r\n", REPLYRULES_ANSWER},
    {TO "Auto-Submitted: NO; x=y\r\n", REPLYRULES_ANSWER},
    {TO "Auto-Submitted: auto-replied\r\n", REPLYRULES_AUTOMATIC},
    {TO "auto-submitted: auto-generated; x=no\r\n", REPLYRULES_AUTOMATIC},
    {TO "Auto-Submitted: nobody\r\n", REPLYRULES_AUTOMATIC},
    {TO "Auto-Submitted:\r\n", REPLYRULES_AUTOMATIC},
    {TO "X-Auto-Response-Suppress: All\r\n", REPLYRULES_AUTOMATIC},
    {TO "X-Auto-Response-Suppress: DR, RN, oof\r\n", REPLYRULES_AUTOMATIC},
    {TO "X-Auto-Response-Suppress: DR,AutoReply\r\n", REPLYRULES_AUTOMATIC},
    {TO "X-Auto-Response-Suppress: DR, NDR\r\n", REPLYRULES_ANSWER},
    {TO "X-Autoreply: yes\r\n", REPLYRULES_AUTOMATIC},
    {TO "Content-Type: multipart/report; report-type=x\r\n", REPLYRULES_AUTOMATIC},
    {TO "Content-Type: multipart/mixed\r\n", REPLYRULES_ANSWER},
    {TO "X-Spam-Flag: YES\r\n", REPLYRULES_SPAM},
    {TO "X-Spam-Flag: NO\r\n", REPLYRULES_ANSWER},
    {TO "X-Spam-Status: Yes, score=9\r\n", REPLYRULES_SPAM},
    {TO "X-Spam-Status: No, score=1\r\n", REPLYRULES_ANSWER},
    {TO "Delivered-To: u1@example.jp\r\n", REPLYRULES_LOOP},
    {TO "Delivered-To: u2@example.jp\r\n", REPLYRULES_ANSWER},
    {"", REPLYRULES_NOT_ADDRESSED},
    {"From: u1@example.jp\r\n", REPLYRULES_OWN},
    {TO "From: \"A\" <U1+tag@Example.JP>\r\n", REPLYRULES_OWN},
    {TO "From: a@x.example, u1@example.jp\r\n", REPLYRULES_OWN},
    {TO "From: a@x.example\r\nFrom: u1@example.jp\r\n", REPLYRULES_OWN},
    {TO "Sender: u1@example.jp\r\n", REPLYRULES_OWN},
    {TO "Reply-To: u1@example.jp\r\n", REPLYRULES_ANSWER},
    {TO "From: \"u1@example.jp\" <a@x.example>\r\n", REPLYRULES_ANSWER},
    {TO "From: another@y.example\r\nReply-To: third@z.example\r\n", REPLYRULES_ANSWER},
    {TO "From: Shop <no-reply@shop.example>\r\n", REPLYRULES_PROGRAM},
    {TO "From: MAILER-DAEMON@x.example (Mail)\r\n", REPLYRULES_PROGRAM},
    {TO "Sender: list-bounces@x.example\r\n", REPLYRULES_PROGRAM},
    {TO "From: a@x.example\r\nReply-To: NoReply@x.example\r\n", REPLYRULES_PROGRAM},
    {TO "From: \"no-reply@x.example\" <a@x.example>\r\n", REPLYRULES_ANSWER},
    {TO "From: noreply\r\n", REPLYRULES_ANSWER},
    {TO "From:\r\n", REPLYRULES_ANSWER},
    {TO "Return-Path: <>\r\n", REPLYRULES_NO_SENDER},
    {TO "Return-Path:\r\n", REPLYRULES_NO_SENDER},
    {TO "Return-Path: <a@x.example>\r\n", REPLYRULES_ANSWER},
    {"To: undisclosed-recipients:;\r\n", REPLYRULES_NOT_ADDRESSED},
    {"To: u2@example.jp\r\n", REPLYRULES_NOT_ADDRESSED},
    {"To: xu1@example.jp\r\n", REPLYRULES_NOT_ADDRESSED},
    {"To: x.u1@example.jp\r\n", REPLYRULES_NOT_ADDRESSED},
    {"To: u1@example.jpx, u1@example.jp.x, u1@xexample.jp\r\n", REPLYRULES_NOT_ADDRESSED},
    {"To: \"u1@example.jp\" <a@x.example>\r\n", REPLYRULES_NOT_ADDRESSED},
    {"To: a@x.example (u1@example.jp)\r\n", REPLYRULES_NOT_ADDRESSED},
    {"To: a@x.example (a \\) (b) <u1@example.jp>\r\n", REPLYRULES_NOT_ADDRESSED},
    {"To: \"a\\\" <u1@example.jp>\r\n", REPLYRULES_NOT_ADDRESSED},
    {"To: \"a\\\\\" <u1@example.jp>\r\n", REPLYRULES_ANSWER},
    {"To: (x) <U1@EXAMPLE.JP>\r\n", REPLYRULES_ANSWER},
    {"To: a@x.example,\r\n u1@example.jp\r\n", REPLYRULES_ANSWER},
    {"To: <@relay.example:u1@example.jp>\r\n", REPLYRULES_ANSWER},
    {"To: friends: a@x.example,u1@example.jp;\r\n", REPLYRULES_ANSWER},
    {"To: u1+tag@example.jp\r\n", REPLYRULES_ANSWER},
    {"Cc: u1@example.jp\r\n", REPLYRULES_ANSWER},
    {"Bcc: u1@example.jp\r\n", REPLYRULES_ANSWER},
    {"Resent-To: u1@example.jp\r\n", REPLYRULES_ANSWER},
    {"Resent-Cc: u1@example.jp\r\n", REPLYRULES_ANSWER},
    {"X-To: u1@example.jp\r\n", REPLYRULES_NOT_ADDRESSED},
    {"To: @\r\n", REPLYRULES_NOT_ADDRESSED},
};

static void knows_fields(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        struct replyrules_mail mail = mail_of("a@x.example", "u1@example.jp", headers[i].header);
        check(headers[i].header, &mail, headers[i].verdict);
    }
}

static void knows_its_recipient(void **state)
{
    (void)state;
    struct replyrules_mail mail =
        mail_of("a@x.example", "unknown@example.jp", "To: unknown@example.jp, u1@example.jp\r\n");
    check("a catch-all", &mail, REPLYRULES_NOT_ADDRESSED);
    mail = mail_of("a@x.example", "u1+tag@child.example", "To: U1@Child.Example\r\n");
    check("a child domain, a tag", &mail, REPLYRULES_ANSWER);
    mail.is_whole = false;
    check("a header without end", &mail, REPLYRULES_LONG_HEADER);
    mail.is_whole = true;
    mail.added = SLICE("X-Spam-Flag: YES\r\n");
    check("a line of ours", &mail, REPLYRULES_SPAM);
    mail.added = SLICE("To: u1@child.example\r\n");
    mail.header = SLICE("To: a@x.example\r\n");
    check("no line of ours addresses", &mail, REPLYRULES_NOT_ADDRESSED);
}

/* However the two write an international domain. */
static void knows_both_forms_of_a_domain(void **state)
{
#define UNICODE "u1@\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e.example"
#define ASCII   "u1@xn--wgv71a119e.example"
    static const char *const addresses[] = {UNICODE, ASCII};
    static const char *const fields[] = {"To: " UNICODE "\r\n", "To: " ASCII "\r\n"};
    (void)state;
    for (size_t i = 0; i < 2; i++)
        for (size_t j = 0; j < 2; j++) {
            struct replyrules_mail mail = mail_of("a@x.example", addresses[i], fields[j]);
            check(fields[j], &mail, REPLYRULES_ANSWER);
            mail.sender = slice_text(addresses[1 - i]);
            check(addresses[1 - i], &mail, REPLYRULES_OWN);
            mail = mail_of("a@x.example", "u1@example.jp", fields[j]);
            check("another domain", &mail, REPLYRULES_NOT_ADDRESSED);
            mail.domain = slice_from(slice_text(addresses[i]), 3);
            check("the account's domain", &mail, REPLYRULES_ANSWER);
        }
    struct replyrules_mail mail =
        mail_of("a@x.example", UNICODE, "To: u1@\xff\xe6, u1@-\xc3\xbc\r\n");
    check("no domains", &mail, REPLYRULES_NOT_ADDRESSED);
}

static void finds_the_header(void **state)
{
    static const struct {
        const char *message;
        bool is_all;
        size_t size;
        bool is_whole;
    } cases[] = {
        {"A: b\r\n\r\nbody\r\n\r\n", false, 8, true},
        {"A: b\n\nbody", false, 6, true},
        {"\r\nbody", false, 2, true},
        {"A: b\r\n", false, 6, false},
        {"A: b\r\n", true, 6, true},
        {"A: b\r\n\r", false, 7, false},
        {"", true, 0, true},
        {"A: b\r\n\r\r\nx", false, 10, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bool is_whole = !cases[i].is_whole;
        struct slice header =
            replyrules_header(slice_text(cases[i].message), cases[i].is_all, &is_whole);
        if (header.size != cases[i].size || is_whole != cases[i].is_whole)
            fail_msg("case %zu: %zu, %d", i, header.size, is_whole);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_senders),       cmocka_unit_test(knows_fields),
        cmocka_unit_test(knows_its_recipient), cmocka_unit_test(knows_both_forms_of_a_domain),
        cmocka_unit_test(finds_the_header),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
