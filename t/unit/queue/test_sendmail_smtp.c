/* sendmail -bs: SMTP on standard input, without a queue behind it */
#include "folder.h"

#include "envelope.h"
#include "io.h"
#include "sendmail_smtp.h"
#include "str.h"

#include <errno.h>
#include <sys/mman.h>
#include <sysexits.h>

enum { OUTPUT_MAX = 65536 };

#define GREETING "220 mail.example.jp ESMTP\n"
#define DOWN     "451 4.3.0 the queue does not answer, try again later\n"
#define BYE      "221 2.0.0 bye\n"

static void write_me(const char *root)
{
    char path[64];
    snprintf(path, sizeof path, "%s/control", root);
    assert_true(mkdir(path, 0700) == 0 || errno == EEXIST);
    snprintf(path, sizeof path, "%s/control/me", root);
    FILE *file = fopen(path, "w");
    assert_true(file && fputs("mail.example.jp\n", file) >= 0 && fclose(file) == 0);
}

/* What is answered, with LF as line end. */
static int talk(const char *root, struct slice input, char output[OUTPUT_MAX])
{
    static const struct sendmail_options options;
    int in = memfd_create("in", MFD_CLOEXEC), out = memfd_create("out", MFD_CLOEXEC);
    assert_true(in >= 0 && out >= 0 && io_write_all(in, input, INT64_MAX));
    assert_true(lseek(in, 0, SEEK_SET) == 0);
    int code = sendmail_smtp(&options, in, out, root);
    assert_true(lseek(out, 0, SEEK_SET) == 0);
    ssize_t got = read(out, output, OUTPUT_MAX - 1);
    assert_true(got >= 0);
    size_t end = 0;
    for (ssize_t i = 0; i < got; i++)
        if (output[i] != '\r')
            output[end++] = output[i];
    output[end] = '\0';
    io_close(&in);
    io_close(&out);
    return code;
}

static void dialogues(void **state)
{
    static const struct {
        const char *name, *input, *output;
        int code;
    } cases[] = {
        {"nothing", "", GREETING, EX_OK},
        {"QUIT", "QUIT\r\nNOOP\r\n", GREETING BYE, EX_OK},
        {"LF alone", "NOOP\nQUIT\n", GREETING "250 2.0.0 ok\n" BYE, EX_OK},
        {"HELO", "HELO x\r\n", GREETING "250 mail.example.jp\n", EX_OK},
        {"EHLO", "EHLO x\r\n",
         GREETING "250-mail.example.jp\n250-PIPELINING\n250-8BITMIME\n250-ENHANCEDSTATUSCODES\n"
                  "250-DSN\n250 SMTPUTF8\n",
         EX_OK},
        {"a message, and the queue is down",
         "MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example> NOTIFY=NEVER\r\nRCPT "
         "TO:<postmaster>\r\nDATA\r\nSubject: x\r\n\r\nx\r\n.\r\nRCPT TO:<c@d.example>\r\nQUIT\r\n",
         GREETING "250 2.1.0 sender ok\n250 2.1.5 recipient ok\n250 2.1.5 recipient ok\n"
                  "354 end with a line that is one dot\n" DOWN "503 5.5.1 MAIL first\n" BYE,
         EX_OK},
        {"left within a message", "MAIL FROM:<>\nRCPT TO:<c@d.example>\nDATA\nSubject: x\n\nx\n",
         GREETING "250 2.1.0 sender ok\n250 2.1.5 recipient ok\n354 end with a line that is one "
                  "dot\n",
         EX_PROTOCOL},
        {"in another order",
         "RCPT TO:<a@b>\nDATA\nMAIL FROM:<a@b.example>\nMAIL FROM:<a@b.example>\nDATA\nRSET\nRCPT "
         "TO:<a@b.example>\n",
         GREETING "503 5.5.1 MAIL first\n503 5.5.1 MAIL first\n250 2.1.0 sender ok\n503 5.5.1 "
                  "there is a sender already\n554 5.5.1 RCPT first\n250 2.0.0 ok\n503 5.5.1 MAIL "
                  "first\n",
         EX_OK},
        {"addresses",
         "MAIL FROM:<a b@c>\nMAIL\nMAIL FROM:<\xe3\x81\x82@b.example>\nMAIL FROM:<\xe3\x81\x82@"
         "b.example> SMTPUTF8\nRCPT TO:<>\nRCPT TO:<\xe3\x81\x84@b.example>\n",
         GREETING "501 5.1.3 that is no address\n501 5.5.4 not understood\n553 5.6.7 such an "
                  "address wants SMTPUTF8\n250 2.1.0 sender ok\n501 5.1.3 that is no "
                  "address\n250 2.1.5 recipient ok\n",
         EX_OK},
        {"parameters",
         "MAIL FROM:<a@b.example> COLOUR=red\nMAIL FROM:<a@b.example> RET=all\nMAIL "
         "FROM:<a@b.example> BODY=BINARYMIME\nMAIL FROM:<a@b.example> BODY=8BITMIME SIZE=1 "
         "RET=HDRS ENVID=x\n",
         GREETING "555 5.5.4 unknown parameter\n501 5.5.4 a parameter is wrong\n501 5.5.4 a "
                  "parameter is wrong\n250 2.1.0 sender ok\n",
         EX_OK},
        {"what is not here",
         "STARTTLS\nAUTH PLAIN x\nBDAT 1\nEXPN x\nLHLO x\nGET / HTTP/1.1\nFOO\n\n",
         GREETING "502 5.5.1 not on standard input\n502 5.5.1 not on standard input\n502 5.5.1 not "
                  "on standard input\n502 5.5.1 not on standard input\n502 5.5.1 not on standard "
                  "input\n500 5.5.1 unknown command\n500 5.5.1 unknown command\n500 5.5.1 unknown "
                  "command\n",
         EX_OK},
        {"VRFY and HELP", "VRFY x\nHELP\n",
         GREETING "252 2.1.5 send some mail, it will be seen then\n214 2.0.0 see sendmail(1)\n",
         EX_OK},
        {"a CR within a line", "NOOP\rx\n", GREETING "500 5.5.2 a byte that belongs in no line\n",
         EX_OK},
    };
    const char *root = *state;
    char output[OUTPUT_MAX];
    write_me(root);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int code = talk(root, slice_text(cases[i].input), output);
        if (strcmp(output, cases[i].output) != 0 || code != cases[i].code)
            fail_msg("%s: exit %d: %s", cases[i].name, code, output);
    }
}

static void lines_that_are_too_long(void **state)
{
    static char line[20000];
    char output[OUTPUT_MAX];
    memset(line, 'x', sizeof line);
    line[sizeof line - 1] = '\n';
    write_me(*state);
    assert_int_equal(talk(*state, slice_of(line, sizeof line), output), EX_OK);
    assert_string_equal(output, GREETING "500 5.5.2 the line is too long\n");
    assert_int_equal(talk(*state, slice_of(line + sizeof line - 1000, 1000), output), EX_OK);
    assert_string_equal(output, GREETING "500 5.5.2 the line is too long\n");
}

static void too_much(void **state)
{
    char output[OUTPUT_MAX];
    struct str input;
    write_me(*state);
    str_init(&input, 65536);
    for (unsigned i = 0; i < 60; i++)
        str_append_text(&input, "FOO\n");
    assert_int_equal(talk(*state, str_slice(&input), output), EX_PROTOCOL);
    assert_non_null(strstr(output, "421 4.7.0 too many commands"));
    str_clear(&input);
    str_append_text(&input, "MAIL FROM:<>\n");
    for (unsigned i = 0; i < ENVELOPE_RECIPIENTS_MAX + 1; i++)
        str_append_text(&input, "RCPT TO:<a@b.example>\n");
    assert_int_equal(talk(*state, str_slice(&input), output), EX_OK);
    assert_non_null(strstr(output, "452 4.5.3 too many recipients"));
    str_free(&input);
}

/* A header that never ends is read to the end of the data, and refused. */
static void a_header_without_end(void **state)
{
    char output[OUTPUT_MAX];
    struct str input;
    write_me(*state);
    str_init(&input, 4 << 20);
    str_append_text(&input, "MAIL FROM:<>\nRCPT TO:<a@b.example>\nDATA\n");
    for (unsigned i = 0; i < 60000; i++)
        str_append_text(&input, "X-Header: 0123456789012345678901234567890\n");
    str_append_text(&input, ".\nNOOP\n");
    assert_false(input.failed);
    assert_int_equal(talk(*state, str_slice(&input), output), EX_OK);
    assert_non_null(strstr(output, "554 the header is too large\n250 2.0.0 ok\n"));
    str_free(&input);
}

static void who_can_not_be_told_is_given_up(void **state)
{
    static const struct sendmail_options options;
    int in = memfd_create("in", MFD_CLOEXEC), out = open("/dev/full", O_WRONLY | O_CLOEXEC);
    write_me(*state);
    assert_true(in >= 0 && out >= 0);
    assert_int_equal(sendmail_smtp(&options, in, out, *state), EX_IOERR);
    io_close(&in);
    io_close(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dialogues),
        cmocka_unit_test(lines_that_are_too_long),
        cmocka_unit_test(too_much),
        cmocka_unit_test(a_header_without_end),
        cmocka_unit_test(who_can_not_be_told_is_given_up),
    };
    return cmocka_run_group_tests(tests, folder_enter, folder_leave);
}
