/* keywordmatch: keywords in From and Subject, however a mailer wrote them */
#include "unit.h"

#include "keywordmatch.h"

#include <stdlib.h>
#include <string.h>

#define JAPANESE "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e" /* nihongo */
#define IDN      JAPANESE ".example"
#define ACE      "xn--wgv71a119e.example" /* the same domain */

static const struct {
    const char *name, *header;
    enum forwardrule_condition condition;
    const char *keyword;
    bool found;
} cases[] = {
    {"plain", "Subject: Invoice 7\r\n", FORWARDRULE_SUBJECT, "invoice", true},
    {"another field", "To: invoice\r\nSubject: x\r\n", FORWARDRULE_SUBJECT, "invoice", false},
    {"name of the field", "Subject: x\r\n", FORWARDRULE_SUBJECT, "subject", false},
    {"symbols", "Subject: [SPAM?] 100% (a*b) \\d+\r\n", FORWARDRULE_SUBJECT, "% (A*B) \\D+", true},
    {"blanks", "Subject: one  two\r\n\t three\r\n", FORWARDRULE_SUBJECT, "one two   three", true},
    {"folded in a word of blanks", "Subject: one\r\n two\r\n", FORWARDRULE_SUBJECT, "one two",
     true},
    {"bare line feeds", "Subject: one\n two\nX: y\n", FORWARDRULE_SUBJECT, "one two", true},
    {"wide blank", "Subject: =?UTF-8?Q?a=E3=80=80b?=\r\n", FORWARDRULE_SUBJECT, "a b", true},
    {"wide keyword", "Subject: a b\r\n", FORWARDRULE_SUBJECT,
     "\xef\xbc\xa1\xe3\x80\x80\xef\xbd\x82", true},
    {"half-width kana", "Subject: =?UTF-8?B?776D?=\r\n", FORWARDRULE_SUBJECT, "\xe3\x83\x86", true},
    {"UTF-8 in base64", "Subject: =?UTF-8?B?5pel5pys6Kqe?=\r\n", FORWARDRULE_SUBJECT, JAPANESE,
     true},
    {"ISO-2022-JP in base64", "Subject: =?ISO-2022-JP?B?GyRCRnxLXDhsGyhC?=\r\n",
     FORWARDRULE_SUBJECT, JAPANESE, true},
    {"ISO-2022-JP as it is", "Subject: \x1b$BF|K\\8l\x1b(B\r\n", FORWARDRULE_SUBJECT, JAPANESE,
     true},
    {"Shift_JIS", "Subject: =?Shift_JIS?B?k/qWe4zq?=\r\n", FORWARDRULE_SUBJECT, JAPANESE, true},
    {"raw UTF-8", "Subject: " JAPANESE "\r\n", FORWARDRULE_SUBJECT, JAPANESE, true},
    {"two words make one text", "Subject: =?UTF-8?B?5pel?=\r\n =?UTF-8?B?5pys6Kqe?=\r\n",
     FORWARDRULE_SUBJECT, JAPANESE, true},
    {"a character in two words", "Subject: =?UTF-8?B?5pel5pw=?= =?UTF-8?B?rOiqng==?=\r\n",
     FORWARDRULE_SUBJECT, JAPANESE, true},
    {"wave dash by its twin",
     "Subject: 1\xef\xbd\x9e"
     "2\r\n",
     FORWARDRULE_SUBJECT,
     "1\xe3\x80\x9c"
     "2",
     true},
    {"wave dash, the other way round",
     "Subject: 1\xe3\x80\x9c"
     "2\r\n",
     FORWARDRULE_SUBJECT,
     "1\xef\xbd\x9e"
     "2",
     true},
    {"wave dash in ISO-2022-JP", "Subject: =?ISO-2022-JP?B?MRskQiFBGyhCMg==?=\r\n",
     FORWARDRULE_SUBJECT,
     "1\xe3\x80\x9c"
     "2",
     true},
    {"minus by its twin",
     "Subject: 1\xef\xbc\x8d"
     "2\r\n",
     FORWARDRULE_SUBJECT,
     "1\xe2\x88\x92"
     "2",
     true},
    {"minus, the other way round",
     "Subject: 1\xe2\x88\x92"
     "2\r\n",
     FORWARDRULE_SUBJECT,
     "1\xef\xbc\x8d"
     "2",
     true},
    {"minus in ISO-2022-JP", "Subject: =?ISO-2022-JP?B?MRskQiFdGyhCMg==?=\r\n", FORWARDRULE_SUBJECT,
     "1\xe2\x88\x92"
     "2",
     true},
    {"double bar by its twin",
     "Subject: 1\xe2\x88\xa5"
     "2\r\n",
     FORWARDRULE_SUBJECT,
     "1\xe2\x80\x96"
     "2",
     true},
    {"double bar, the other way round",
     "Subject: 1\xe2\x80\x96"
     "2\r\n",
     FORWARDRULE_SUBJECT,
     "1\xe2\x88\xa5"
     "2",
     true},
    {"double bar in ISO-2022-JP", "Subject: =?ISO-2022-JP?B?MRskQiFCGyhCMg==?=\r\n",
     FORWARDRULE_SUBJECT,
     "1\xe2\x80\x96"
     "2",
     true},
    {"dash by its twin",
     "Subject: 1\xe2\x80\x95"
     "2\r\n",
     FORWARDRULE_SUBJECT,
     "1\xe2\x80\x94"
     "2",
     true},
    {"dash, the other way round",
     "Subject: 1\xe2\x80\x94"
     "2\r\n",
     FORWARDRULE_SUBJECT,
     "1\xe2\x80\x95"
     "2",
     true},
    {"cent by its twin",
     "Subject: 1\xef\xbf\xa0"
     "2\r\n",
     FORWARDRULE_SUBJECT,
     "1\xc2\xa2"
     "2",
     true},
    {"cent, the other way round",
     "Subject: 1\xc2\xa2"
     "2\r\n",
     FORWARDRULE_SUBJECT,
     "1\xef\xbf\xa0"
     "2",
     true},
    {"cent in ISO-2022-JP", "Subject: =?ISO-2022-JP?B?MRskQiFxGyhCMg==?=\r\n", FORWARDRULE_SUBJECT,
     "1\xc2\xa2"
     "2",
     true},
    {"pound by its twin",
     "Subject: 1\xef\xbf\xa1"
     "2\r\n",
     FORWARDRULE_SUBJECT,
     "1\xc2\xa3"
     "2",
     true},
    {"pound, the other way round",
     "Subject: 1\xc2\xa3"
     "2\r\n",
     FORWARDRULE_SUBJECT,
     "1\xef\xbf\xa1"
     "2",
     true},
    {"pound in ISO-2022-JP", "Subject: =?ISO-2022-JP?B?MRskQiFyGyhCMg==?=\r\n", FORWARDRULE_SUBJECT,
     "1\xc2\xa3"
     "2",
     true},
    {"not by its twin",
     "Subject: 1\xef\xbf\xa2"
     "2\r\n",
     FORWARDRULE_SUBJECT,
     "1\xc2\xac"
     "2",
     true},
    {"not, the other way round",
     "Subject: 1\xc2\xac"
     "2\r\n",
     FORWARDRULE_SUBJECT,
     "1\xef\xbf\xa2"
     "2",
     true},
    {"not in ISO-2022-JP", "Subject: =?ISO-2022-JP?B?MRskQiJMGyhCMg==?=\r\n", FORWARDRULE_SUBJECT,
     "1\xc2\xac"
     "2",
     true},
    {"name", "From: Taro Yamada <taro@x.example>\r\n", FORWARDRULE_FROM, "taro yamada", true},
    {"address", "From: Taro Yamada <taro@X.example>\r\n", FORWARDRULE_FROM, "TARO@x.example", true},
    {"encoded name", "From: =?UTF-8?B?5pel5pys6Kqe?= <a@x.example>\r\n", FORWARDRULE_FROM, JAPANESE,
     true},
    {"encoded name in quotes", "From: \"=?UTF-8?B?5pel5pys6Kqe?=\" <a@x.example>\r\n",
     FORWARDRULE_FROM, JAPANESE, true},
    {"A-labels by U-labels", "From: a@" ACE "\r\n", FORWARDRULE_FROM, "@" IDN, true},
    {"U-labels by A-labels", "From: a@" IDN "\r\n", FORWARDRULE_FROM, "@" ACE, true},
    {"A-labels by themselves", "From: a@" ACE "\r\n", FORWARDRULE_FROM, "@" ACE, true},
    {"a part of an A-label", "From: a@" ACE "\r\n", FORWARDRULE_FROM, "xn--wgv71", true},
    {"a part of a U-label", "From: a@" ACE "\r\n", FORWARDRULE_FROM, "\xe6\x9c\xac\xe8\xaa\x9e.",
     true},
    {"A-labels in upper case", "From: a@XN--MNCHEN-3YA.Example\r\n", FORWARDRULE_FROM,
     "a@M\xc3\x9cNCHEN.example", true},
    {"keyword in upper case", "From: a@m\xc3\xbcnchen.example\r\n", FORWARDRULE_FROM,
     "XN--MNCHEN-3YA", true},
    {"a subdomain", "From: a@mail." ACE "\r\n", FORWARDRULE_FROM, "mail." IDN, true},
    {"name and both labels", "From: \"A \\\"B\\\"\" <a@" ACE ">\r\n", FORWARDRULE_FROM,
     "a \"b\"\" <a@" IDN ">", true},
    {"another domain", "From: a@xn--mnchen-3ya.example\r\n", FORWARDRULE_FROM, IDN, false},
    {"no such A-label", "From: a@xn--99999999.example\r\n", FORWARDRULE_FROM, "xn--99999999.ex",
     true},
    {"an A-label that is empty", "From: a@xn--.example\r\n", FORWARDRULE_FROM, "a@xn--.e", true},
    {"not a label's start", "From: a@yxn--wgv71a119e.example\r\n", FORWARDRULE_FROM, JAPANESE,
     false},
    {"not in a subject", "Subject: " ACE "\r\n", FORWARDRULE_SUBJECT, IDN, false},
    {"folded words",
     "From: =?UTF-8?B?5pel?=\r\n\t=?UTF-8?B?5pys?=\r\n =?UTF-8?B?6Kqe?=\r\n <a@x.example>\r\n",
     FORWARDRULE_FROM, JAPANESE " <a", true},
    {"a word and plain text", "From: =?UTF-8?Q?Taro?= Yamada <a@x.example>\r\n", FORWARDRULE_FROM,
     "Taro Yamada", true},
    {"words of two charsets",
     "From: =?ISO-2022-JP?B?GyRCRnwbKEI=?= =?Shift_JIS?B?lnuM6g==?= <a@x>\r\n", FORWARDRULE_FROM,
     JAPANESE, true},
    {"ISO-2022-JP that does not come back", "From: =?ISO-2022-JP?B?GyRCRnxLXDhs?= <a@x>\r\n",
     FORWARDRULE_FROM, JAPANESE " <a@x>", true},
    {"ISO-2022-JP in Q", "From: =?iso-2022-jp?Q?=1B$BF|K=5C8l=1B(B?= <a@x>\r\n", FORWARDRULE_FROM,
     JAPANESE, true},
    {"ISO-2022-JP as it is, in quotes", "From: \"\x1b$BF|K\\8l\x1b(B\" <a@x>\r\n", FORWARDRULE_FROM,
     JAPANESE "\" <a@x>", true},
    {"ISO-2022-JP in words that are folded",
     "From: =?ISO-2022-JP?B?GyRCRnwbKEI=?=\r\n =?ISO-2022-JP?B?GyRCS1w4bBsoQg==?= <a@x>\r\n",
     FORWARDRULE_FROM, JAPANESE, true},
    {"raw UTF-8 in quotes", "From: \"" JAPANESE "\" <a@x>\r\n", FORWARDRULE_FROM, JAPANESE, true},
    {"in a comment", "From: a@x.example (=?UTF-8?B?5pel5pys6Kqe?=)\r\n", FORWARDRULE_FROM, JAPANESE,
     true},
    {"a word with a language", "From: =?UTF-8*ja?B?5pel5pys6Kqe?= <a@x>\r\n", FORWARDRULE_FROM,
     JAPANESE, true},
    {"empty address", "From: =?UTF-8?B?5pel5pys6Kqe?= <>\r\n", FORWARDRULE_FROM, JAPANESE, true},
    {"euc-jp", "From: =?euc-jp?B?xvzL3Ljs?= <a@x.example>\r\n", FORWARDRULE_FROM,
     "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e", true},
    {"Shift_JIS", "From: =?Shift_JIS?B?k/qWe4zq?= <a@x.example>\r\n", FORWARDRULE_FROM,
     "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e", true},
    {"windows-31j", "From: =?windows-31j?B?k/qWe4zq?= <a@x.example>\r\n", FORWARDRULE_FROM,
     "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e", true},
    {"gb2312", "From: =?gb2312?B?1tDOxA==?= <a@x.example>\r\n", FORWARDRULE_FROM,
     "\xe4\xb8\xad\xe6\x96\x87", true},
    {"GBK", "From: =?GBK?B?1tDOxA==?= <a@x.example>\r\n", FORWARDRULE_FROM,
     "\xe4\xb8\xad\xe6\x96\x87", true},
    {"gb18030", "From: =?gb18030?B?1tDOxA==?= <a@x.example>\r\n", FORWARDRULE_FROM,
     "\xe4\xb8\xad\xe6\x96\x87", true},
    {"Big5", "From: =?Big5?B?pKSk5Q==?= <a@x.example>\r\n", FORWARDRULE_FROM,
     "\xe4\xb8\xad\xe6\x96\x87", true},
    {"EUC-KR", "From: =?EUC-KR?B?x9GxuQ==?= <a@x.example>\r\n", FORWARDRULE_FROM,
     "\xed\x95\x9c\xea\xb5\xad", true},
    {"ks_c_5601-1987", "From: =?ks_c_5601-1987?B?x9GxuQ==?= <a@x.example>\r\n", FORWARDRULE_FROM,
     "\xed\x95\x9c\xea\xb5\xad", true},
    {"iso-2022-kr", "From: =?iso-2022-kr?B?GyQpQw5HUTE5Dw==?= <a@x.example>\r\n", FORWARDRULE_FROM,
     "\xed\x95\x9c\xea\xb5\xad", true},
    {"KOI8-R", "From: =?KOI8-R?B?6dfBzg==?= <a@x.example>\r\n", FORWARDRULE_FROM,
     "\xd0\x98\xd0\xb2\xd0\xb0\xd0\xbd", true},
    {"windows-1251", "From: =?windows-1251?B?yOLg7Q==?= <a@x.example>\r\n", FORWARDRULE_FROM,
     "\xd0\x98\xd0\xb2\xd0\xb0\xd0\xbd", true},
    {"iso-8859-5", "From: =?iso-8859-5?B?uNLQ3Q==?= <a@x.example>\r\n", FORWARDRULE_FROM,
     "\xd0\x98\xd0\xb2\xd0\xb0\xd0\xbd", true},
    {"iso-8859-1", "From: =?iso-8859-1?B?SvZyZw==?= <a@x.example>\r\n", FORWARDRULE_FROM,
     "J\xc3\xb6"
     "rg",
     true},
    {"ISO-8859-15", "From: =?ISO-8859-15?B?pA==?= <a@x.example>\r\n", FORWARDRULE_FROM,
     "\xe2\x82\xac", true},
    {"windows-1252", "From: =?windows-1252?B?gA==?= <a@x.example>\r\n", FORWARDRULE_FROM,
     "\xe2\x82\xac", true},
    {"utf-7", "From: =?utf-7?B?K1plVm5MSXFlLQ==?= <a@x.example>\r\n", FORWARDRULE_FROM,
     "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e", true},
    {"utf-16", "From: =?utf-16?B?//7lZSxnnoo=?= <a@x.example>\r\n", FORWARDRULE_FROM,
     "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e", true},
    {"quoted quotes", "From: \"Joe \\\"Q\\\" Public\" <a@x.example>\r\n", FORWARDRULE_FROM,
     "joe \"q\" public", true},
    {"as they are written", "From: \"Joe \\\"Q\\\" Public\" <a@x.example>\r\n", FORWARDRULE_FROM,
     "\\\"q\\\"", true},
    {"in the second", "From: a@x.example\r\nFrom: b@x.example\r\n", FORWARDRULE_FROM, "b@x", true},
    {"not across two", "Subject: one\r\nSubject: two\r\n", FORWARDRULE_SUBJECT, "one two", false},
    {"not across kinds", "From: one\r\nSubject: two\r\n", FORWARDRULE_SUBJECT, "one", false},
    {"not in the body", "From: a\r\n\r\nSubject: one\r\n", FORWARDRULE_SUBJECT, "one", false},
    {"sharp s", "Subject: STRASSE\r\n", FORWARDRULE_SUBJECT,
     "stra\xc3\x9f"
     "e",
     true},
    {"no such charset", "Subject: =?X-NONE?Q?abc?=\r\n", FORWARDRULE_SUBJECT, "abc", true},
    {"empty header", "", FORWARDRULE_FROM, "a", false},
    {"empty field", "From:\r\n", FORWARDRULE_FROM, "a", false},
    {"all", "", FORWARDRULE_ALL, "", true},
};

static void finds_keywords(void **state)
{
    (void)state;
    struct keywordmatch match;
    keywordmatch_init(&match);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_true(keywordmatch_read(&match, slice_text(cases[i].header)));
        if (keywordmatch_has(&match, cases[i].condition, slice_text(cases[i].keyword)) !=
            cases[i].found)
            fail_msg("%s", cases[i].name);
    }
    keywordmatch_free(&match);
}

/* Header bytes of any size are looked at within bounds. */
static void keeps_its_bounds(void **state)
{
    (void)state;
    enum { SIZE = 2 * KEYWORDMATCH_HEADER_MAX };
    struct keywordmatch match;
    struct str header;
    keywordmatch_init(&match);
    str_init(&header, SIZE + 100);
    str_append_text(&header, "Subject: first\r\nSubject: ");
    while (header.size < SIZE)
        str_append_text(&header, "\xef\xb7\xba"); /* U+FDFA: eighteen characters when folded */
    str_append_text(&header, "\r\nSubject: last\r\n");
    assert_true(keywordmatch_read(&match, str_slice(&header)));
    assert_true(match.subject.lines.size <= KEYWORDMATCH_TEXT_MAX);
    assert_true(keywordmatch_has(&match, FORWARDRULE_SUBJECT, SLICE("first")));
    assert_false(keywordmatch_has(&match, FORWARDRULE_SUBJECT, SLICE("last")));
    str_clear(&header);
    while (header.size < KEYWORDMATCH_HEADER_MAX)
        str_append_text(&header, "Subject: x\r\n");
    assert_true(keywordmatch_read(&match, str_slice(&header)));
    assert_true(keywordmatch_has(&match, FORWARDRULE_SUBJECT, SLICE("x")));
    str_free(&header);
    keywordmatch_free(&match);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_keywords),
        cmocka_unit_test(keeps_its_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
