/* replymessage: the reply as it goes out, byte by byte */
#include "unit.h"

#include "replymessage.h"
#include "replyrules.h"

#include <stdlib.h>

#define JAPANESE "\xe4\xb8\x8d\xe5\x9c\xa8\r\n"
#define JIS      "\x1b$BIT:_\x1b(B\r\n"

static struct replymessage reply_to(const char *mail, const char *utf8, const char *seven)
{
    bool is_whole;
    return (struct replymessage){.local = SLICE("u1"),
                                 .domain = SLICE("example.jp"),
                                 .to = SLICE("a@x.example"),
                                 .utf8 = slice_text(utf8),
                                 .seven = slice_text(seven),
                                 .start = slice_text(mail),
                                 .header = replyrules_header(slice_text(mail), true, &is_whole),
                                 .now = 1795348800,
                                 .unique = "auto.1.2"};
}

static void check_whole(const struct replymessage *reply, const char *wanted)
{
    struct str message;
    str_init(&message, REPLYMESSAGE_MAX);
    assert_true(replymessage_compose(reply, &message));
    assert_slice(str_slice(&message), wanted);
    str_free(&message);
}

static void is_a_message(void **state)
{
    (void)state;
    struct replymessage reply =
        reply_to("Subject: Hi\r\nMessage-ID: <m@x>\r\n\r\n", "Away\r\n", "Away\r\n");
    check_whole(&reply, "From: <u1@example.jp>\r\n"
                        "To: <a@x.example>\r\n"
                        "Subject: Auto: Hi\r\n"
                        "Date: Sun, 22 Nov 2026 12:00:00 +0000\r\n"
                        "Message-ID: <auto.1.2@example.jp>\r\n"
                        "In-Reply-To: <m@x>\r\n"
                        "References: <m@x>\r\n"
                        "Auto-Submitted: auto-replied\r\n"
                        "X-Auto-Response-Suppress: All\r\n"
                        "MIME-Version: 1.0\r\n"
                        "Content-Type: text/plain; charset=us-ascii\r\n"
                        "Content-Transfer-Encoding: 7bit\r\n"
                        "\r\n"
                        "Away\r\n");
}

static void has_part(const char *name, const struct replymessage *reply, const char *wanted)
{
    struct str message;
    str_init(&message, REPLYMESSAGE_MAX);
    assert_true(replymessage_compose(reply, &message));
    if (!memmem(message.data, message.size, wanted, strlen(wanted)))
        fail_msg("%s: no \"%s\" in\n%.*s", name, wanted, SLICE_PRINTF(str_slice(&message)));
    str_free(&message);
}

#define IN_JIS                                                                                     \
    "Content-Type: text/plain; charset=ISO-2022-JP\r\nContent-Transfer-Encoding: 7bit\r\n\r\n" JIS
#define IN_UTF8 "charset=UTF-8\r\nContent-Transfer-Encoding: base64\r\n\r\n5LiN5ZyoDQo=\r\n"

static const struct {
    const char *name, *mail, *utf8, *seven, *wanted;
} charsets[] = {
    {"UTF-8", "A: b\r\n\r\n", JAPANESE, JIS, IN_UTF8},
    {"by its type", "Content-Type: text/plain; CHARSET=iso-2022-jp\r\n\r\n", JAPANESE, JIS, IN_JIS},
    {"quoted", "Content-Type: text/plain; charset=\"ISO-2022-JP\"\r\n\r\n", JAPANESE, JIS, IN_JIS},
    {"Microsoft's", "Content-Type: text/plain; charset=iso-2022-jp-ms\r\n\r\n", JAPANESE, JIS,
     IN_JIS},
    {"by its subject", "Subject: =?ISO-2022-JP?B?GyRCJCIbKEI=?=\r\n\r\n", JAPANESE, JIS, IN_JIS},
    {"with a language", "Subject: =?ISO-2022-JP*ja?B?GyRCJCIbKEI=?=\r\n\r\n", JAPANESE, JIS,
     IN_JIS},
    {"by a part", "A: b\r\n\r\n--x\r\nContent-Type: text/plain;\r\n\tcharset=iso-2022-jp\r\n",
     JAPANESE, JIS, IN_JIS},
    {"but it can't be", "Subject: =?ISO-2022-JP?B?GyRCJCIbKEI=?=\r\n\r\n", JAPANESE, "", IN_UTF8},
    {"ASCII is ASCII", "Subject: =?ISO-2022-JP?B?GyRCJCIbKEI=?=\r\n\r\n", "x\r\n", "x\r\n",
     "charset=us-ascii\r\n"},
};

static void chooses_a_charset(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof charsets / sizeof *charsets; i++) {
        struct replymessage reply = reply_to(charsets[i].mail, charsets[i].utf8, charsets[i].seven);
        has_part(charsets[i].name, &reply, charsets[i].wanted);
    }
}

#define TEN    "123456789 "
#define FIFTY  TEN TEN TEN TEN TEN
#define LONG_A "\xe3\x81\x82\xe3\x81\x82\xe3\x81\x82\xe3\x81\x82\xe3\x81\x82" /* five */

static const struct {
    const char *name, *mail, *text, *wanted;
} subjects[] = {
    {"none", "A: b\r\n\r\n", "x\r\n", "\r\nSubject: Automatic reply\r\n"},
    {"empty", "Subject: \r\n\r\n", "x\r\n", "\r\nSubject: Automatic reply\r\n"},
    {"none, Japanese", "A: b\r\n\r\n", JAPANESE, "\r\nSubject: =?UTF-8?B?6Ieq5YuV6L+U5L+h?=\r\n"},
    {"Japanese", "Subject: Hi\r\n\r\n", JAPANESE,
     "\r\nSubject: =?UTF-8?B?6Ieq5YuV6L+U5L+hOg==?= Hi\r\n"},
    {"Japanese before an encoded word", "Subject: =?UTF-8?B?44GC?=\r\n\r\n", JAPANESE,
     "\r\nSubject: =?UTF-8?B?6Ieq5YuV6L+U5L+hOiA=?= =?UTF-8?B?44GC?=\r\n"},
    {"French is not Japanese", "Subject: Hi\r\n\r\n", "d\xc3\xa9sol\xc3\xa9\r\n",
     "\r\nSubject: Auto: Hi\r\n"},
    {"folded", "Subject: a\r\n  b\r\n\tc\r\n\r\n", "x\r\n", "\r\nSubject: Auto: a b c\r\n"},
    {"encoded words stay", "Subject: =?UTF-8?B?44GC?=\r\n =?UTF-8?B?44GC?=\r\n\r\n", "x\r\n",
     "\r\nSubject: Auto: =?UTF-8?B?44GC?= =?UTF-8?B?44GC?=\r\n"},
    {"long", "Subject: " FIFTY FIFTY "\r\n\r\n", "x\r\n",
     "\r\nSubject: Auto: " FIFTY "123456789\r\n " TEN TEN TEN "123456789\r\n"},
    {"UTF-8 as it is", "Subject: \xe3\x81\x82\r\n\r\n", "x\r\n",
     "\r\nSubject: Auto: =?UTF-8?B?44GC?=\r\n"},
    {"long UTF-8", "Subject: " LONG_A LONG_A LONG_A LONG_A "\r\n\r\n", "x\r\n",
     "\r\nSubject: Auto:\r\n"
     " =?UTF-8?B?44GC44GC44GC44GC44GC44GC44GC44GC44GC44GC44GC44GC44GC44GC44GC?=\r\n"
     " =?UTF-8?B?44GC44GC44GC44GC44GC?=\r\n"},
    {"raw ISO-2022-JP", "Subject: \x1b$B$\"\x1b(B\r\n\r\n", "x\r\n",
     "\r\nSubject: Automatic reply\r\n"},
    {"raw Shift_JIS", "Subject: \x82\xa0\r\n\r\n", "x\r\n", "\r\nSubject: Automatic reply\r\n"},
    {"only the first", "Subject: a\r\nSubject: b\r\n\r\n", "x\r\n", "\r\nSubject: Auto: a\r\n"},
};

static void takes_the_subject(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof subjects / sizeof *subjects; i++) {
        struct replymessage reply = reply_to(subjects[i].mail, subjects[i].text, "");
        has_part(subjects[i].name, &reply, subjects[i].wanted);
    }
}

/* A word that never ends is left out; one that ends late is cut before. */
static void bounds_the_subject(void **state)
{
    (void)state;
    struct str mail;
    str_init(&mail, REPLYMESSAGE_MAX);
    str_append_text(&mail, "Subject: ab ");
    for (size_t i = 0; i < 2000; i++)
        str_append_byte(&mail, 'x');
    str_append_text(&mail, "\r\n\r\n");
    struct replymessage reply = reply_to(str_text(&mail), "x\r\n", "x\r\n");
    has_part("cut", &reply, "\r\nSubject: Auto: ab\r\n");
    str_clear(&mail);
    str_append_text(&mail, "Subject: ");
    for (size_t i = 0; i < 2000; i++)
        str_append_byte(&mail, 'x');
    str_append_text(&mail, "\r\n\r\n");
    reply = reply_to(str_text(&mail), "x\r\n", "x\r\n");
    has_part("left out", &reply, "\r\nSubject: Automatic reply\r\n");
    str_free(&mail);
}

static const struct {
    const char *name, *mail, *wanted;
} references[] = {
    {"both", "References: <a@x>\r\n <b@x>\r\nIn-Reply-To: <c@x>\r\nMessage-ID: <m@x>\r\n\r\n",
     "In-Reply-To: <m@x>\r\nReferences: <a@x>\r\n <b@x>\r\n <m@x>\r\nAuto"},
    {"In-Reply-To", "In-Reply-To: <c@x>\r\nMessage-ID: <m@x>\r\n\r\n",
     "In-Reply-To: <m@x>\r\nReferences: <c@x>\r\n <m@x>\r\nAuto"},
    {"no Message-ID", "References: <a@x>\r\n\r\n", "auto.1.2@example.jp>\r\nAuto"},
    {"two Message-IDs", "Message-ID: <a@x> <b@x>\r\n\r\n", "auto.1.2@example.jp>\r\nAuto"},
    {"no id", "Message-ID: a@x\r\n\r\n", "auto.1.2@example.jp>\r\nAuto"},
    {"an id within", "Message-ID: <a<b@x>\r\nReferences: <a> <b@x> x <c@x\r\n\r\n",
     "References: <b@x>\r\n <a<b@x>\r\nAuto"},
    {"high bytes", "Message-ID: <\xe3\x81\x82@x>\r\n\r\n", "auto.1.2@example.jp>\r\nAuto"},
    {"many",
     "References: <0@x> <1@x> <2@x> <3@x> <4@x> <5@x> <6@x> <7@x> <8@x> <9@x> <10@x>\r\n"
     "Message-ID: <m@x>\r\n\r\n",
     "References: <2@x>\r\n <3@x>\r\n <4@x>\r\n <5@x>\r\n <6@x>\r\n <7@x>\r\n <8@x>\r\n <9@x>\r\n"
     " <10@x>\r\n <m@x>\r\nAuto"},
};

static void refers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof references / sizeof *references; i++) {
        struct replymessage reply = reply_to(references[i].mail, "x\r\n", "x\r\n");
        has_part(references[i].name, &reply, references[i].wanted);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_a_message),
        cmocka_unit_test(chooses_a_charset),
        cmocka_unit_test(takes_the_subject),
        cmocka_unit_test(bounds_the_subject),
        cmocka_unit_test(refers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
