/* international: which messages only a client that said UTF8 gets */
#include "unit.h"

#include "international.h"

#define UTF8_TRACE "Received: from a (b [192.0.2.1])\r\n\tby c with UTF8SMTPS id x; date\r\n"
#define TRACE      "Received: from a (b [192.0.2.1])\r\n\tby c with ESMTPS id x; date\r\n"

static void messages(void **state)
{
    static const struct {
        const char *head;
        bool is;
    } all[] = {
        {UTF8_TRACE "From: \xe3\x81\x82@example.jp\r\n\r\nbody\r\n", true},
        {"Return-Path: <a@b>\nDelivered-To: c\n" UTF8_TRACE
         "From: \xe3\x81\x82@example.jp\n\nbody\n",
         true},
        {UTF8_TRACE "From: a@example.jp\r\n\r\n\xe3\x81\x82\r\n",
         false}, /* the body does not count */
        {UTF8_TRACE "From: a@example.jp\r\n", false},
        {TRACE "Subject: \xe3\x81\x82\r\n\r\nbody\r\n", false}, /* sent so without asking */
        {TRACE UTF8_TRACE "Subject: \xe3\x81\x82\r\n\r\nbody\r\n", false}, /* the newest counts */
        {"Subject: \xe3\x81\x82\r\n\r\nbody\r\n", false},
        {UTF8_TRACE "Subject: a\r\n\t\xe3\x81\x82\r\n", true}, /* folded, and cut off */
        {"Received: with UTF8SMTP", false},
        {"", false},
        {"\r\n", false},
        {"\n\xe3", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (international_is(slice_text(all[i].head)) != all[i].is)
            fail_msg("\"%s\"", all[i].head);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(messages)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
