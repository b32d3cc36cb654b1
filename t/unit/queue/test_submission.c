/* submission and sendmail_options: what programs hand to sendmail */
#include "unit.h"

#include "sendmail_options.h"
#include "submission.h"

#include <stdlib.h>
#include <string.h>

/* ---- the dot ------------------------------------------------------------------------------------ */

struct dot_case {
    const char *name, *input, *message;
    bool ended;
};
static const struct dot_case dot_cases[] = {
    {"no dot", "a\nb\n", "a\nb\n", false},
    {"dot", "a\n.\nb\n", "a\n", true},
    {"dot CRLF", "a\r\n.\r\nb", "a\r\n", true},
    {"dot first", ".\n", "", true},
    {"two dots", "..\na\n", "..\na\n", false},
    {"dot and word", ".a\n", ".a\n", false},
    {"dot within", "a.\n.b\n", "a.\n.b\n", false},
    {"dot CR and more", ".\rx\n.\n", ".\rx\n", true},
    {"no line end", "a", "a", false},
};

static void ends_at_a_dot(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof dot_cases / sizeof *dot_cases; i++) {
        const struct dot_case *one = &dot_cases[i];
        for (size_t cut = 0; cut <= strlen(one->input); cut++) {
            struct submission_dot dot = {0};
            struct str message;
            struct slice parts[] = {slice_of(one->input, cut), slice_text(one->input + cut)};
            str_init(&message, 1000);
            for (size_t part = 0; part < 2; part++)
                while (parts[part].size > 0 && !dot.ended)
                    str_append(&message, submission_undot(&dot, &parts[part]));
            if (!slice_equal(str_slice(&message), slice_text(one->message)) ||
                dot.ended != one->ended)
                fail_msg("%s, cut at %zu: \"%.*s\"", one->name, cut,
                         SLICE_PRINTF(str_slice(&message)));
            str_free(&message);
        }
    }
}

/* ---- the header --------------------------------------------------------------------------------- */

struct header_case {
    const char *name, *message;
    bool reads_recipients;
    const char *header; /* the new one */
    const char *body;
    const char *recipients; /* divided by '|' */
    size_t bad;
};

#define ADDED_DATE "Date: Thu, 01 Jan 1970 00:00:00 +0000\r\n"
#define ADDED_ID   "Message-ID: <unique@mail.test>\r\n"
#define ADDED_FROM "From: <me@mail.test>\r\n"

static const struct header_case header_cases[] = {
    {"all there", "From: a@b\r\nDate: x\r\nMessage-ID: y\r\n\r\nbody\r\n", false,
     "From: a@b\r\nDate: x\r\nMessage-ID: y\r\n\r\n", "body\r\n", "", 0},
    {"nothing there", "Subject: s\r\n\r\nbody\r\n", false,
     "Subject: s\r\n" ADDED_FROM ADDED_DATE ADDED_ID "\r\n", "body\r\n", "", 0},
    {"no header", "just text\r\nmore\r\n", false, ADDED_FROM ADDED_DATE ADDED_ID "\r\n",
     "just text\r\nmore\r\n", "", 0},
    {"empty", "", false, ADDED_FROM ADDED_DATE ADDED_ID "\r\n", "", "", 0},
    {"body without empty line", "Subject: s\r\nno field\r\n", false,
     "Subject: s\r\n" ADDED_FROM ADDED_DATE ADDED_ID "\r\n", "no field\r\n", "", 0},
    {"recipients", "TO: a@b.c\r\ncc: d,\r\n e@f.g\r\nBcc: h@i.j\r\n\r\n", true,
     "TO: a@b.c\r\ncc: d,\r\n e@f.g\r\n" ADDED_FROM ADDED_DATE ADDED_ID "\r\n", "",
     "a@b.c|d@mail.test|e@f.g|h@i.j", 0},
    {"recipients not asked for", "To: a@b.c\r\nBcc: h@i.j\r\n\r\n", false,
     "To: a@b.c\r\n" ADDED_FROM ADDED_DATE ADDED_ID "\r\n", "", "", 0},
    {"resent", "To: a@b.c\r\nResent-To: d@e.f\r\nResent-Bcc: x@y.z\r\n\r\n", true,
     "To: a@b.c\r\nResent-To: d@e.f\r\n" ADDED_FROM ADDED_DATE ADDED_ID "\r\n", "", "d@e.f|x@y.z",
     0},
    {"bad recipient", "To: a b, c@d.e\r\n\r\n", true,
     "To: a b, c@d.e\r\n" ADDED_FROM ADDED_DATE ADDED_ID "\r\n", "", "c@d.e", 1},
    {"mbox line and Return-Path", "From joe Thu Jan 1\r\nReturn-Path: <x@y>\r\nSubject: s\r\n\r\n",
     false, "Subject: s\r\n" ADDED_FROM ADDED_DATE ADDED_ID "\r\n", "", "", 0},
    {"name with blank is no field", "Sub ject: s\r\n\r\n", false,
     ADDED_FROM ADDED_DATE ADDED_ID "\r\n", "Sub ject: s\r\n\r\n", "", 0},
    {"blanks before the colon", "To : a@b.c\r\nBcc\t: h@i.j\r\nFrom  : x@y\r\n\r\n", true,
     "To : a@b.c\r\nFrom  : x@y\r\n" ADDED_DATE ADDED_ID "\r\n", "", "a@b.c|h@i.j", 0},
    {"nothing but a colon", " : s\r\n", false, ADDED_FROM ADDED_DATE ADDED_ID "\r\n", " : s\r\n",
     "", 0},
    {"header without end", "Subject: s", false,
     "Subject: s\r\n" ADDED_FROM ADDED_DATE ADDED_ID "\r\n", "", "", 0},
};

static void makes_headers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof header_cases / sizeof *header_cases; i++) {
        const struct header_case *one = &header_cases[i];
        struct submission submission;
        struct envelope envelope;
        struct str recipients;
        submission_init(&submission);
        envelope_init(&envelope);
        str_init(&recipients, 1000);
        submission.me = "mail.test";
        submission.sender = SLICE("me@mail.test");
        submission.unique = "unique";
        submission.reads_recipients = one->reads_recipients;
        assert_true(submission_read(&submission, slice_text(one->message), &envelope));
        if (!slice_equal(str_slice(&submission.header), slice_text(one->header)))
            fail_msg("%s: %.*s", one->name, SLICE_PRINTF(str_slice(&submission.header)));
        assert_slice(slice_from(slice_text(one->message), submission.header_size), one->body);
        for (size_t j = 0; j < envelope.recipient_count; j++) {
            str_append_text(&recipients, j > 0 ? "|" : "");
            str_append(&recipients, str_slice(&envelope.recipients[j].address));
        }
        assert_slice(str_slice(&recipients), one->recipients);
        assert_int_equal(submission.bad_count, one->bad);
        str_free(&recipients);
        envelope_free(&envelope);
        submission_free(&submission);
    }
}

static const struct {
    const char *name, *sender, *from;
} from_cases[] = {
    {"Joe \"X\" \\\r\nBcc: evil@example.org", "me@mail.test",
     "From: \"Joe \\\"X\\\" \\\\  Bcc: evil@example.org\" <me@mail.test>\r\n"},
    {"\u5c71\u7530", "me@mail.test", "From: =?UTF-8?B?5bGx55Sw?= <me@mail.test>\r\n"},
    {"\u5c71\r\nBcc: e@x", "me@mail.test",
     "From: =?UTF-8?B?5bGxDQpCY2M6IGVAeA==?= <me@mail.test>\r\n"},
    {"", "", "From: <MAILER-DAEMON@mail.test>\r\n"},
    {"Reports", "", "From: \"Reports\" <MAILER-DAEMON@mail.test>\r\n"},
};

static void makes_from(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof from_cases / sizeof *from_cases; i++) {
        struct submission submission;
        struct envelope envelope;
        submission_init(&submission);
        envelope_init(&envelope);
        submission.me = "mail.test";
        submission.sender = slice_text(from_cases[i].sender);
        submission.unique = "unique";
        submission.name = slice_text(from_cases[i].name);
        assert_true(submission_read(&submission, SLICE("\r\n"), &envelope));
        if (!slice_starts(str_slice(&submission.header), slice_text(from_cases[i].from)))
            fail_msg("%zu: %.*s", i, SLICE_PRINTF(str_slice(&submission.header)));
        envelope_free(&envelope);
        submission_free(&submission);
    }
}

static void knows_a_whole_header(void **state)
{
    (void)state;
    assert_false(submission_has_header(SLICE("Subject: s\r\n"), false));
    assert_true(submission_has_header(SLICE("Subject: s\r\n"), true));
    assert_false(submission_has_header(SLICE("Subject: s\r\n\tmore"), false));
    assert_true(submission_has_header(SLICE("Subject: s\r\n\r\n"), false));
    assert_true(submission_has_header(SLICE("Subject: s\r\ntext\r\n"), false));
    assert_false(submission_has_header(SLICE(""), false));
    assert_false(submission_has_header(SLICE("Subj"), false));
}

/* ---- the command line --------------------------------------------------------------------------- */

struct option_case {
    const char *line; /* blanks between arguments */
    bool good;
    enum sendmail_mode mode;
    bool reads_recipients, ignores_dots;
    const char *sender, *name, *wrong;
    int recipients;
};
static const struct option_case option_cases[] = {
    {"sendmail u@x", true, SENDMAIL_SUBMIT, false, false, NULL, NULL, NULL, 1},
    {"sendmail -t -i", true, SENDMAIL_SUBMIT, true, true, NULL, NULL, NULL, 0},
    {"sendmail -ti", true, SENDMAIL_SUBMIT, true, true, NULL, NULL, NULL, 0},
    {"sendmail -it", true, SENDMAIL_SUBMIT, true, true, NULL, NULL, NULL, 0},
    {"sendmail -t -oi -f a@b", true, SENDMAIL_SUBMIT, true, true, "a@b", NULL, NULL, 0},
    {"sendmail -fa@b -FName u v w", true, SENDMAIL_SUBMIT, false, false, "a@b", "Name", NULL, 3},
    {"sendmail -oem -oi -- -odd", true, SENDMAIL_SUBMIT, false, true, NULL, NULL, NULL, 1},
    {"sendmail -bm -v -em -N never u", true, SENDMAIL_SUBMIT, false, false, NULL, NULL, NULL, 1},
    {"/usr/sbin/sendmail -bp", true, SENDMAIL_LIST_QUEUE, false, false, NULL, NULL, NULL, 0},
    {"/usr/bin/mailq", true, SENDMAIL_LIST_QUEUE, false, false, NULL, NULL, NULL, 0},
    {"newaliases", true, SENDMAIL_NOTHING, false, false, NULL, NULL, NULL, 0},
    {"sendmail -q1h", true, SENDMAIL_NOTHING, false, false, NULL, NULL, NULL, 0},
    {"sendmail -bs", true, SENDMAIL_SMTP, false, false, NULL, NULL, NULL, 0},
    {"sendmail -itf a@b u", true, SENDMAIL_SUBMIT, true, true, "a@b", NULL, NULL, 1},
    {"sendmail -vtfa@b", true, SENDMAIL_SUBMIT, true, false, "a@b", NULL, NULL, 0},
    {"sendmail -ioem -c -d u", true, SENDMAIL_SUBMIT, false, true, NULL, NULL, NULL, 1},
    {"sendmail -emt -d0.1 u", true, SENDMAIL_SUBMIT, false, false, NULL, NULL, NULL, 1},
    {"sendmail -bs -b m u", true, SENDMAIL_SUBMIT, false, false, NULL, NULL, NULL, 1},
    {"sendmail -I", true, SENDMAIL_NOTHING, false, false, NULL, NULL, NULL, 0},
    {"sendmail -tZ", false, SENDMAIL_SUBMIT, false, false, NULL, NULL, "-tZ", 0},
    {"sendmail -itf", false, SENDMAIL_SUBMIT, false, false, NULL, NULL, "-itf", 0},
    /* There is a message, and nobody would read it. */
    {"sendmail -q1h u v", false, SENDMAIL_SUBMIT, false, false, NULL, NULL, "u", 0},
    {"sendmail -bp u", false, SENDMAIL_SUBMIT, false, false, NULL, NULL, "u", 0},
    {"sendmail -bs u", false, SENDMAIL_SUBMIT, false, false, NULL, NULL, "u", 0},
    {"sendmail -t -q", false, SENDMAIL_SUBMIT, false, false, NULL, NULL, "-t", 0},
    {"sendmail -bd", false, SENDMAIL_SUBMIT, false, false, NULL, NULL, "-bd", 0},
    {"sendmail -N often u", false, SENDMAIL_SUBMIT, false, false, NULL, NULL, "-N", 0},
    {"sendmail -Nnever,delay u", false, SENDMAIL_SUBMIT, false, false, NULL, NULL, "-Nnever,delay",
     0},
    {"sendmail -R all u", false, SENDMAIL_SUBMIT, false, false, NULL, NULL, "-R", 0},
    {"sendmail -V a=b u", false, SENDMAIL_SUBMIT, false, false, NULL, NULL, "-V", 0},
    {"sendmail -V", false, SENDMAIL_SUBMIT, false, false, NULL, NULL, "-V", 0},
    {"sendmail -Z", false, SENDMAIL_SUBMIT, false, false, NULL, NULL, "-Z", 0},
    {"sendmail -f", false, SENDMAIL_SUBMIT, false, false, NULL, NULL, "-f", 0},
    {"sendmail -", false, SENDMAIL_SUBMIT, false, false, NULL, NULL, "-", 0},
};

static void reads_the_command_line(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof option_cases / sizeof *option_cases; i++) {
        const struct option_case *one = &option_cases[i];
        struct sendmail_options options;
        char *line = strdup(one->line);
        char *argv[16], *next = line;
        int argc = 0;
        assert_non_null(line);
        while (argc < 15 && (argv[argc] = strsep(&next, " ")) != NULL)
            argc++;
        argv[argc] = NULL;
        if (sendmail_options_parse(argc, argv, &options) != one->good)
            fail_msg("%s", one->line);
        if (one->good) {
            assert_int_equal(options.mode, one->mode);
            assert_int_equal(options.reads_recipients, one->reads_recipients);
            assert_int_equal(options.ignores_dots, one->ignores_dots);
            assert_int_equal(options.recipient_count, one->recipients);
            assert_slice(slice_text(options.sender), one->sender ? one->sender : "");
            assert_slice(slice_text(options.name), one->name ? one->name : "");
        } else {
            assert_string_equal(options.wrong, one->wrong);
        }
        free(line);
    }
}

static void reads_what_the_sender_wants_to_hear(void **state)
{
    (void)state;
    static char words[][16] = {"sendmail", "-Nsuccess,DELAY", "-R", "hdrs", "-V", "id+2B1", "u"};
    char *argv[] = {words[0], words[1], words[2], words[3], words[4], words[5], words[6], NULL};
    struct sendmail_options options;
    assert_true(sendmail_options_parse(7, argv, &options));
    assert_int_equal(options.notify, DSN_NOTIFY_SUCCESS | DSN_NOTIFY_DELAY);
    assert_int_equal(options.ret, DSN_RETURN_HEADERS);
    assert_string_equal(options.envid, "id+2B1");
    char *plain[] = {words[0], words[6], NULL};
    assert_true(sendmail_options_parse(2, plain, &options));
    assert_int_equal(options.notify, 0);
    assert_int_equal(options.ret, DSN_RETURN_DEFAULT);
    assert_null(options.envid);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ends_at_a_dot),
        cmocka_unit_test(makes_headers),
        cmocka_unit_test(makes_from),
        cmocka_unit_test(knows_a_whole_header),
        cmocka_unit_test(reads_the_command_line),
        cmocka_unit_test(reads_what_the_sender_wants_to_hear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
