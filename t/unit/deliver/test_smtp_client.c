/*
 * smtp_client: transactions with servers of all kinds, played by a script
 *
 * "S:" the server's line, "C:" the client's line as expected, "M:" the message's end is awaited
 * (what came must be the text), "B:" these bytes, "E:" the client must close, "X:" the server goes away, "P:" it does
 * nothing any more.
 */
#include "unit.h"

#include "clock.h"
#include "io.h"
#include "remote_request.h"
#include "smtp_client.h"
#include "smtp_reply.h"
#include "unixsocket.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LINES_MAX = 40, RECIPIENTS_MAX = 4, WAIT_MS = 10000 };

static const struct smtp_client_tls may_have_tls = {.level = SMTP_CLIENT_TLS_MAY,
                                                    .check = {.server_name = "server"}};
static const struct smtp_client_tls must_have_tls = {.level = SMTP_CLIENT_TLS_MUST,
                                                     .check = {.server_name = "server"}};

/* ---- replies ----------------------------------------------------------------------------------*/

struct reply_case {
    const char *lines[4];
    enum smtp_reply_result result; /* of the last line */
    unsigned code;
    const char *status;
    const char *text;
    enum verdict verdict;
};

static const struct reply_case replies[] = {
    {{"250 ok\r\n"}, SMTP_REPLY_DONE, 250, "2.0.0", "250 ok", VERDICT_OK},
    {{"250\r\n"}, SMTP_REPLY_DONE, 250, "2.0.0", "250", VERDICT_OK},
    {{"250 ok\n"}, SMTP_REPLY_DONE, 250, "2.0.0", "250 ok", VERDICT_OK},
    {{"354 go\r\n"}, SMTP_REPLY_DONE, 354, "2.0.0", "354 go", VERDICT_OK},
    {{"550 5.1.1 no such user\r\n"},
     SMTP_REPLY_DONE,
     550,
     "5.1.1",
     "550 5.1.1 no such user",
     VERDICT_PERM},
    {{"451 4.7.1\r\n"}, SMTP_REPLY_DONE, 451, "4.7.1", "451 4.7.1", VERDICT_TEMP},
    {{"550 4.1.1 odd\r\n"}, SMTP_REPLY_DONE, 550, "5.0.0", "550 4.1.1 odd", VERDICT_PERM},
    {{"550 5.1.1x\r\n"}, SMTP_REPLY_DONE, 550, "5.0.0", "550 5.1.1x", VERDICT_PERM},
    {{"550 5.1000.1 x\r\n"}, SMTP_REPLY_DONE, 550, "5.0.0", "550 5.1000.1 x", VERDICT_PERM},
    {{"550-5.7.1 one\r\n", "550-two\r\n", "550 three\r\n"},
     SMTP_REPLY_DONE,
     550,
     "5.7.1",
     "550 5.7.1 one two three",
     VERDICT_PERM},
    {{"550 a\tb\x80\r\n"}, SMTP_REPLY_DONE, 550, "5.0.0", "550 a?b?", VERDICT_PERM},
    {{"550-one\r\n"}, SMTP_REPLY_MORE, 550, "5.0.0", "550 one", VERDICT_PERM},
    {{"250-one\r\n", "550 two\r\n"}, SMTP_REPLY_BAD, 250, NULL, NULL, VERDICT_OK},
    {{"250ok\r\n"}, SMTP_REPLY_BAD, 0, NULL, NULL, VERDICT_OK},
    {{"25 ok\r\n"}, SMTP_REPLY_BAD, 0, NULL, NULL, VERDICT_OK},
    {{"199 ok\r\n"}, SMTP_REPLY_BAD, 0, NULL, NULL, VERDICT_OK},
    {{"600 ok\r\n"}, SMTP_REPLY_BAD, 0, NULL, NULL, VERDICT_OK},
    {{"\r\n"}, SMTP_REPLY_BAD, 0, NULL, NULL, VERDICT_OK},
    {{"250 ok"}, SMTP_REPLY_BAD, 0, NULL, NULL, VERDICT_OK},
    {{"HTTP/1.1 400 Bad Request\r\n"}, SMTP_REPLY_BAD, 0, NULL, NULL, VERDICT_OK},
};

static void replies_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof replies / sizeof *replies; i++) {
        const struct reply_case *one = &replies[i];
        enum smtp_reply_result result = SMTP_REPLY_MORE;
        struct smtp_reply reply;
        struct slice text;
        smtp_reply_init(&reply);
        for (size_t line = 0; line < 4 && one->lines[line]; line++)
            result = smtp_reply_line(&reply, slice_text(one->lines[line]), &text);
        if (result != one->result)
            fail_msg("%s: %d", one->lines[0], (int)result);
        if (!one->status)
            continue;
        assert_int_equal(reply.code, one->code);
        assert_string_equal(smtp_reply_status(&reply), one->status);
        assert_string_equal(reply.text, one->text);
        assert_int_equal(smtp_reply_verdict(&reply), one->verdict);
    }
}

static void replies_are_bounded(void **state)
{
    (void)state;
    struct smtp_reply reply;
    struct slice text;
    smtp_reply_init(&reply);
    for (int i = 0; i < SMTP_REPLY_LINES_MAX; i++)
        assert_int_equal(smtp_reply_line(&reply, SLICE("250-some text of the server\r\n"), &text),
                         SMTP_REPLY_MORE);
    assert_int_equal(strlen(reply.text), SMTP_REPLY_TEXT_MAX - 1);
    assert_int_equal(smtp_reply_line(&reply, SLICE("250-x\r\n"), &text), SMTP_REPLY_BAD);
}

/* ---- the server -------------------------------------------------------------------------------*/

/* _exit codes of the server's process. */
enum { SERVER_GOOD = 0, SERVER_UNEXPECTED = 3 };

_Noreturn static void unexpected(const char *expected, struct slice got)
{
    fprintf(stderr, "server: expected \"%s\", got \"%.*s\"\n", expected, SLICE_PRINTF(got));
    _exit(SERVER_UNEXPECTED);
}

static void expect_message(struct stream *stream, const char *expected)
{
    struct str message;
    struct slice line = SLICE("");
    str_init(&message, 100000);
    while (stream_line(stream, 4000, &line) == STREAM_OK && !slice_equal(line, SLICE(".\r\n")))
        str_append(&message, line);
    if (!slice_equal(line, SLICE(".\r\n")) ||
        !slice_equal(str_slice(&message), slice_text(expected)))
        unexpected(expected, str_slice(&message));
    str_free(&message);
}

static void expect_bytes(struct stream *stream, struct slice expected)
{
    struct slice got;
    while (expected.size > 0) {
        if (stream_bytes(stream, expected.size, &got) != STREAM_OK || !slice_starts(expected, got))
            unexpected(expected.data, SLICE("other bytes"));
        expected = slice_from(expected, got.size);
    }
}

_Noreturn static void serve(int fd, const char *const lines[])
{
    struct stream stream;
    struct slice line;
    signal(SIGPIPE, SIG_IGN);
    stream_init(&stream, fd, fd, 8192, WAIT_MS);
    for (size_t i = 0; i < LINES_MAX && lines[i]; i++) {
        const char *text = lines[i][2] == ' ' ? lines[i] + 3 : "";
        switch (lines[i][0]) {
        case 'S':
            stream_format(&stream, "%s\r\n", text);
            break;
        case 'C':
            if (stream_line(&stream, 4000, &line) != STREAM_OK)
                unexpected(text, SLICE("nothing"));
            line.size -= 2;
            if (!slice_equal(line, slice_text(text)))
                unexpected(text, line);
            break;
        case 'M':
            expect_message(&stream, text);
            break;
        case 'B':
            expect_bytes(&stream, slice_text(text));
            break;
        case 'P':
            stream_flush(&stream);
            pause();
            break;
        case 'X':
            stream_flush(&stream);
            _exit(SERVER_GOOD);
        default:
            if (stream_line(&stream, 4000, &line) != STREAM_END)
                unexpected("the end", line);
            break;
        }
    }
    stream_flush(&stream);
    _exit(SERVER_GOOD);
}

/* ---- the client -------------------------------------------------------------------------------*/

struct dialogue {
    const char *name;
    const char *const lines[LINES_MAX];
    const char *recipients[RECIPIENTS_MAX];
    enum envelope_body body;
    bool utf8;
    bool must_have_tls;
    enum smtp_client_result greeted, sent;
    bool is_clean;
    bool wants_dsn;     /* NOTIFY for the first recipient, ORCPT for the second, RET, ENVID */
    const char *text;   /* of the message; NULL: message_text */
    unsigned passed_on; /* bits of recipients */
    const char *outcomes[RECIPIENTS_MAX]; /* "K 2.0.0 text", "-" undecided */
};

#define GREET "S: 220 hello", "C: EHLO me", "S: 250-there"
#define PIPED GREET, "S: 250 PIPELINING"
#define BARE  GREET, "S: 250 HELP"
#define FROM  "C: MAIL FROM:<s@example.jp>"
#define BODY  "M: X: y\r\n\r\n..dot\r\nlast\r\n"

/* clang-format off */
static const struct dialogue dialogues[] = {
    {.name = "step by step",
     .lines = {BARE, FROM, "S: 250 ok", "C: RCPT TO:<a@x>", "S: 250 ok", "C: RCPT TO:<b@x>", "S: 250 ok",
               "C: DATA", "S: 354 go", BODY, "S: 250 2.6.0 taken", "C: QUIT"},
     .recipients = {"a@x", "b@x"}, .is_clean = true,
     .outcomes = {"K 2.6.0 peer said: 250 2.6.0 taken", "K 2.6.0 peer said: 250 2.6.0 taken"}},
    {.name = "pipelined",
     .lines = {PIPED, FROM, "C: RCPT TO:<a@x>", "C: RCPT TO:<b@x>", "C: DATA",
               "S: 250 ok", "S: 250 ok", "S: 250 ok", "S: 354 go", BODY, "S: 250 ok", "C: QUIT"},
     .recipients = {"a@x", "b@x"}, .is_clean = true,
     .outcomes = {"K 2.0.0 peer said: 250 ok", "K 2.0.0 peer said: 250 ok"}},
    {.name = "each recipient has a verdict of its own",
     .lines = {PIPED, FROM, "C: RCPT TO:<a@x>", "C: RCPT TO:<b@x>", "C: RCPT TO:<c@x>", "C: DATA",
               "S: 250 ok", "S: 550-5.1.1 no", "S: 550 5.1.1 really", "S: 250 ok", "S: 452 4.2.2 full",
               "S: 354 go", BODY, "S: 250 ok", "C: QUIT"},
     .recipients = {"a@x", "b@x", "c@x"}, .is_clean = true,
     .outcomes = {"D 5.1.1 peer said: 550 5.1.1 no 5.1.1 really", "K 2.0.0 peer said: 250 ok",
                  "Z 4.2.2 peer said: 452 4.2.2 full"}},
    {.name = "all extensions",
     .lines = {GREET, "S: 250-size 5000", "S: 250-8BITMIME", "S: 250 SMTPUTF8",
               "C: MAIL FROM:<s@example.jp> SIZE=20 BODY=8BITMIME SMTPUTF8", "S: 250 ok",
               "C: RCPT TO:<a@x>", "S: 250 ok", "C: DATA", "S: 354 go", BODY, "S: 250 ok", "C: QUIT"},
     .recipients = {"a@x"}, .body = ENVELOPE_BODY_8BIT, .utf8 = true, .is_clean = true,
     .outcomes = {"K 2.0.0 peer said: 250 ok"}},
    {.name = "a server of old",
     .lines = {"S: 220-hello", "S: 220 you", "C: EHLO me", "S: 500 what", "C: HELO me", "S: 250 there",
               FROM, "S: 250 ok", "C: RCPT TO:<a@x>", "S: 251 will forward", "C: DATA", "S: 354 go",
               BODY, "S: 250 ok", "C: QUIT"},
     .recipients = {"a@x"}, .body = ENVELOPE_BODY_8BIT, .is_clean = true,
     .outcomes = {"K 2.0.0 peer said: 250 ok"}},
    {.name = "TLS that is demanded is not offered",
     .lines = {PIPED, "C: QUIT"}, .recipients = {"a@x"}, .must_have_tls = true, .greeted = SMTP_CLIENT_TLS_FAILED,
     .outcomes = {"-"}},
    {.name = "TLS that is demanded is refused",
     .lines = {GREET, "S: 250 STARTTLS", "C: STARTTLS", "S: 454 not now", "C: QUIT"}, .recipients = {"a@x"},
     .must_have_tls = true, .greeted = SMTP_CLIENT_TLS_FAILED, .outcomes = {"-"}},
    {.name = "TLS is demanded of a server of old",
     .lines = {"S: 220 hello", "C: EHLO me", "S: 500 what", "C: HELO me", "S: 250 there", "C: QUIT"},
     .recipients = {"a@x"}, .must_have_tls = true, .greeted = SMTP_CLIENT_TLS_FAILED, .outcomes = {"-"}},
    {.name = "TLS that is welcome is refused",
     .lines = {GREET, "S: 250 STARTTLS", "C: STARTTLS", "S: 454 not now", FROM, "S: 250 ok", "C: RCPT TO:<a@x>",
               "S: 250 ok", "C: DATA", "S: 354 go", BODY, "S: 250 ok", "C: QUIT"},
     .recipients = {"a@x"}, .is_clean = true, .outcomes = {"K 2.0.0 peer said: 250 ok"}},
    {.name = "SMTPUTF8 is needed by the header",
     .lines = {PIPED, "C: QUIT"}, .recipients = {"a@x"}, .utf8 = true, .is_clean = true, .sent = SMTP_CLIENT_REFUSED,
     .text = "Subject: \xc3\xbc\r\n\r\nx\r\n",
     .outcomes = {"D 5.6.7 peer does not take internationalized mail (SMTPUTF8)"}},
    {.name = "SMTPUTF8 is needed by a part's header",
     .lines = {PIPED, "C: QUIT"}, .recipients = {"a@x"}, .utf8 = true, .is_clean = true, .sent = SMTP_CLIENT_REFUSED,
     .text = "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Description: \xc3\xbc\r\n\r\nx\r\n--b--\r\n",
     .outcomes = {"D 5.6.7 peer does not take internationalized mail (SMTPUTF8)"}},
    {.name = "SMTPUTF8 is needed by one recipient",
     .lines = {PIPED, FROM, "C: RCPT TO:<a@x>", "C: DATA", "S: 250 ok", "S: 250 ok", "S: 354 go", BODY, "S: 250 ok", "C: QUIT"},
     .recipients = {"\xc3\xbc@x", "a@x"}, .utf8 = true, .is_clean = true,
     .outcomes = {"D 5.6.7 peer does not take internationalized mail (SMTPUTF8)", "K 2.0.0 peer said: 250 ok"}},
    {.name = "SMTPUTF8 is needed by no other than the only recipient",
     .lines = {PIPED, "C: QUIT"}, .recipients = {"\xc3\xbc@x"}, .utf8 = true, .is_clean = true, .sent = SMTP_CLIENT_REFUSED,
     .outcomes = {"D 5.6.7 peer does not take internationalized mail (SMTPUTF8)"}},
    {.name = "SMTPUTF8 is needed by nothing: a body of UTF-8 is 8-bit content",
     .lines = {GREET, "S: 250 8BITMIME", "C: MAIL FROM:<s@example.jp> BODY=8BITMIME", "S: 250 ok", "C: RCPT TO:<a@x>", "S: 250 ok",
               "C: DATA", "S: 354 go", "M: X: y\r\nSubject: x\r\n\r\n\xc3\xbc\r\n", "S: 250 ok", "C: QUIT"},
     .recipients = {"a@x"}, .body = ENVELOPE_BODY_8BIT, .utf8 = true, .is_clean = true, .text = "Subject: x\r\n\r\n\xc3\xbc\r\n",
     .outcomes = {"K 2.0.0 peer said: 250 ok"}},
    {.name = "too large for the server",
     .lines = {GREET, "S: 250 SIZE 19", "C: QUIT"}, .recipients = {"a@x"}, .is_clean = true,
     .sent = SMTP_CLIENT_REFUSED,
     .outcomes = {"D 5.3.4 peer takes messages up to 19 bytes, this one has 20"}},
    {.name = "busy", .lines = {"S: 421 4.3.2 busy", "C: QUIT"}, .recipients = {"a@x"},
     .greeted = SMTP_CLIENT_REFUSED, .outcomes = {"-"}},
    {.name = "EHLO later", .lines = {"S: 220 x", "C: EHLO me", "S: 451 later", "C: QUIT"},
     .recipients = {"a@x"}, .greeted = SMTP_CLIENT_REFUSED, .outcomes = {"-"}},
    {.name = "no SMTP at all", .lines = {"S: SSH-2.0-OpenSSH_9.2", "C: QUIT"}, .recipients = {"a@x"},
     .greeted = SMTP_CLIENT_LOST, .outcomes = {"-"}},
    {.name = "gone at once", .lines = {"X:"}, .recipients = {"a@x"}, .greeted = SMTP_CLIENT_LOST,
     .outcomes = {"-"}},
    {.name = "the sender is refused",
     .lines = {BARE, FROM, "S: 553 5.1.8 no", "C: QUIT"}, .recipients = {"a@x", "b@x"},
     .sent = SMTP_CLIENT_REFUSED,
     .outcomes = {"D 5.1.8 peer said: 553 5.1.8 no", "D 5.1.8 peer said: 553 5.1.8 no"}},
    {.name = "the sender is refused, pipelined",
     .lines = {PIPED, FROM, "C: RCPT TO:<a@x>", "C: DATA", "S: 451 no", "S: 503 no", "S: 503 no", "C: QUIT"},
     .recipients = {"a@x"}, .sent = SMTP_CLIENT_REFUSED, .outcomes = {"Z 4.0.0 peer said: 451 no"}},
    {.name = "no recipient is left",
     .lines = {BARE, FROM, "S: 250 ok", "C: RCPT TO:<a@x>", "S: 550 no", "C: QUIT"}, .recipients = {"a@x"},
     .sent = SMTP_CLIENT_REFUSED, .outcomes = {"D 5.0.0 peer said: 550 no"}},
    {.name = "no recipient is left, and 354 all the same",
     .lines = {PIPED, FROM, "C: RCPT TO:<a@x>", "C: DATA", "S: 250 ok", "S: 550 no", "S: 354 go",
               "C: .", "S: 554 no recipients", "C: QUIT"},
     .recipients = {"a@x"}, .sent = SMTP_CLIENT_REFUSED, .outcomes = {"D 5.0.0 peer said: 550 no"}},
    {.name = "DATA is refused",
     .lines = {PIPED, FROM, "C: RCPT TO:<a@x>", "C: RCPT TO:<b@x>", "C: DATA", "S: 250 ok", "S: 250 ok",
               "S: 550 no", "S: 451 not now", "C: QUIT"},
     .recipients = {"a@x", "b@x"}, .sent = SMTP_CLIENT_REFUSED,
     .outcomes = {"Z 4.0.0 peer said: 451 not now", "D 5.0.0 peer said: 550 no"}},
    {.name = "DATA with an odd answer",
     .lines = {PIPED, FROM, "C: RCPT TO:<a@x>", "C: DATA", "S: 250 ok", "S: 250 ok", "S: 250 ok", "C: QUIT"},
     .recipients = {"a@x"}, .sent = SMTP_CLIENT_LOST, .outcomes = {"-"}},
    {.name = "the message is refused",
     .lines = {PIPED, FROM, "C: RCPT TO:<a@x>", "C: DATA", "S: 250 ok", "S: 250 ok", "S: 354 go", BODY,
               "S: 550 5.7.1 spam", "C: QUIT"},
     .recipients = {"a@x"}, .sent = SMTP_CLIENT_REFUSED, .is_clean = true,
     .outcomes = {"D 5.7.1 peer said: 550 5.7.1 spam"}},
    {.name = "gone behind RCPT: another server may have them",
     .lines = {BARE, FROM, "S: 250 ok", "C: RCPT TO:<a@x>", "S: 550 no", "C: RCPT TO:<b@x>", "X:"},
     .recipients = {"a@x", "b@x"}, .sent = SMTP_CLIENT_LOST,
     .outcomes = {"D 5.0.0 peer said: 550 no", "-"}},
    {.name = "gone behind the message: nobody knows",
     .lines = {PIPED, FROM, "C: RCPT TO:<a@x>", "C: RCPT TO:<b@x>", "C: DATA", "S: 250 ok", "S: 250 ok",
               "S: 550 no", "S: 354 go", BODY, "X:"},
     .recipients = {"a@x", "b@x"}, .sent = SMTP_CLIENT_LOST,
     .outcomes = {"Z 4.4.2 peer: connection closed at the end of the message", "D 5.0.0 peer said: 550 no"}},
    {.name = "421 behind the message",
     .lines = {PIPED, FROM, "C: RCPT TO:<a@x>", "C: DATA", "S: 250 ok", "S: 250 ok", "S: 354 go", BODY,
               "S: 421 4.3.0 closing", "C: QUIT"},
     .recipients = {"a@x"}, .sent = SMTP_CLIENT_REFUSED,
     .outcomes = {"Z 4.3.0 peer said: 421 4.3.0 closing"}},
    {.name = "STARTTLS is refused, so without",
     .lines = {GREET, "S: 250 STARTTLS", "C: STARTTLS", "S: 454 no", FROM, "S: 250 ok", "C: RCPT TO:<a@x>",
               "S: 250 ok", "C: DATA", "S: 354 go", BODY, "S: 250 ok", "C: QUIT"},
     .recipients = {"a@x"}, .is_clean = true, .outcomes = {"K 2.0.0 peer said: 250 ok"}},
    {.name = "STARTTLS without tlsd",
     .lines = {GREET, "S: 250 STARTTLS", "C: STARTTLS", "S: 220 go", "E:"},
     .recipients = {"a@x"}, .greeted = SMTP_CLIENT_TLS_FAILED, .outcomes = {"-"}},
    {.name = "DSN goes along",
     .lines = {GREET, "S: 250-PIPELINING", "S: 250 DSN", FROM " RET=HDRS ENVID=Q+2B1",
               "C: RCPT TO:<a+b@x> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;a+2Bb@x", "C: RCPT TO:<b@x> ORCPT=rfc822;old@x",
               "C: RCPT TO:<c@x>", "C: DATA", "S: 250 ok", "S: 250 ok", "S: 250 ok", "S: 550 no", "S: 354 go", BODY,
               "S: 250 ok", "C: QUIT"},
     .recipients = {"a+b@x", "b@x", "c@x"}, .wants_dsn = true, .is_clean = true, .passed_on = 3,
     .outcomes = {"K 2.0.0 peer said: 250 ok", "K 2.0.0 peer said: 250 ok", "D 5.0.0 peer said: 550 no"}},
    {.name = "DSN is unknown there",
     .lines = {PIPED, FROM, "C: RCPT TO:<a@x>", "C: DATA", "S: 250 ok", "S: 250 ok", "S: 354 go", BODY,
               "S: 250 ok", "C: QUIT"},
     .recipients = {"a@x"}, .wants_dsn = true, .is_clean = true, .outcomes = {"K 2.0.0 peer said: 250 ok"}},
    {.name = "8 bits, offered",
     .lines = {GREET, "S: 250 8BITMIME", FROM " BODY=8BITMIME", "S: 250 ok", "C: RCPT TO:<a@x>", "S: 250 ok",
               "C: DATA", "S: 354 go", "M: X: y\r\nA: b\r\n\r\n\xe9\r\n", "S: 250 ok", "C: QUIT"},
     .text = "A: b\r\n\r\n\xe9\r\n", .recipients = {"a@x"}, .is_clean = true,
     .outcomes = {"K 2.0.0 peer said: 250 ok"}},
    {.name = "8 bits, not offered",
     .lines = {GREET, "S: 250 SIZE", FROM " SIZE=83", "S: 250 ok", "C: RCPT TO:<a@x>", "S: 250 ok", "C: DATA",
               "S: 354 go",
               "M: X: y\r\nA: b\r\nMIME-Version: 1.0\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=E9\r\n",
               "S: 250 ok", "C: QUIT"},
     .text = "A: b\r\n\r\n\xe9\r\n", .recipients = {"a@x"}, .body = ENVELOPE_BODY_8BIT, .is_clean = true,
     .outcomes = {"K 2.0.0 peer said: 250 ok"}},
    {.name = "binary, by DATA",
     .lines = {GREET, "S: 250-8BITMIME", "S: 250 CHUNKING", FROM " BODY=8BITMIME", "S: 250 ok", "C: RCPT TO:<a@x>",
               "S: 250 ok", "C: DATA", "S: 354 go",
               "M: X: y\r\nContent-Type: a/b\r\nMIME-Version: 1.0\r\nContent-Transfer-Encoding: base64\r\n\r\n4Qo=\r\n",
               "S: 250 ok", "C: QUIT"},
     .text = "Content-Type: a/b\r\n\r\n\xe1\n", .recipients = {"a@x"}, .body = ENVELOPE_BODY_BINARY, .is_clean = true,
     .outcomes = {"K 2.0.0 peer said: 250 ok"}},
    {.name = "binary, by BDAT, all in one",
     .lines = {GREET, "S: 250-PIPELINING", "S: 250-CHUNKING", "S: 250 BINARYMIME", FROM " BODY=BINARYMIME",
               "C: RCPT TO:<a@x>", "C: BDAT 16 LAST", "C: X: y", "C: A: b", "C: ", "S: 250 ok", "S: 250 ok",
               "B: \xe1\n", "S: 250 2.6.0 got it", "C: QUIT"},
     .text = "A: b\r\n\r\n\xe1\n", .recipients = {"a@x"}, .body = ENVELOPE_BODY_BINARY, .is_clean = true,
     .outcomes = {"K 2.6.0 peer said: 250 2.6.0 got it"}},
    {.name = "BDAT step by step",
     .lines = {GREET, "S: 250 CHUNKING", FROM, "S: 250 ok", "C: RCPT TO:<a@x>", "S: 250 ok", "C: BDAT 20 LAST",
               "C: X: y", "C: ", "C: .dot", "C: last", "S: 250 ok", "C: QUIT"},
     .recipients = {"a@x"}, .is_clean = true, .outcomes = {"K 2.0.0 peer said: 250 ok"}},
    {.name = "BDAT is refused: the transaction is not over",
     .lines = {GREET, "S: 250 CHUNKING", FROM, "S: 250 ok", "C: RCPT TO:<a@x>", "S: 250 ok", "C: BDAT 20 LAST",
               "C: X: y", "C: ", "C: .dot", "C: last", "S: 552 5.3.4 too big", "C: QUIT"},
     .recipients = {"a@x"}, .sent = SMTP_CLIENT_REFUSED, .outcomes = {"D 5.3.4 peer said: 552 5.3.4 too big"}},
    {.name = "BDAT along with recipients that are refused",
     .lines = {GREET, "S: 250-PIPELINING", "S: 250 CHUNKING", FROM, "C: RCPT TO:<a@x>", "C: BDAT 20 LAST", "C: X: y", "C: ",
               "C: .dot", "C: last", "S: 250 ok", "S: 550 no", "S: 503 no recipients", "C: QUIT"},
     .recipients = {"a@x"}, .sent = SMTP_CLIENT_REFUSED, .outcomes = {"D 5.0.0 peer said: 550 no"}},
    {.name = "gone when all was said: nobody knows",
     .lines = {GREET, "S: 250-PIPELINING", "S: 250 CHUNKING", FROM, "C: RCPT TO:<a@x>", "C: BDAT 20 LAST", "C: X: y", "C: ",
               "C: .dot", "C: last", "X:"},
     .recipients = {"a@x"}, .sent = SMTP_CLIENT_LOST,
     .outcomes = {"Z 4.4.2 peer: connection closed at MAIL"}},
};
/* clang-format on */

static const char message_text[] = "\r\n.dot\r\nlast\r\n";

static int make_message_of(const char *text)
{
    int fd = memfd_create("message", MFD_CLOEXEC);
    assert_true(fd >= 0);
    assert_true(io_write_all(fd, SLICE("HEAD\n"), CLOCK_NEVER));
    assert_true(io_write_all(fd, slice_text(text), CLOCK_NEVER));
    return fd;
}

static int make_message(void)
{
    return make_message_of(message_text);
}

static void check_outcome(const struct dialogue *one, size_t index,
                          const struct smtp_client_outcome *outcome)
{
    char text[SMTP_CLIENT_TEXT_MAX + 20];
    snprintf(text, sizeof text, "%c %s %s", verdict_letter(outcome->verdict), outcome->status,
             outcome->text);
    const char *got = outcome->is_decided ? text : "-";
    if (strcmp(got, one->outcomes[index]) != 0)
        fail_msg("%s, recipient %zu: expected \"%s\", got \"%s\"", one->name, index,
                 one->outcomes[index], got);
}

static void converse(const struct dialogue *one, struct smtp_client *client, int message)
{
    struct smtp_client_recipient recipients[RECIPIENTS_MAX];
    struct smtp_client_outcome outcomes[RECIPIENTS_MAX] = {0};
    struct smtp_client_mail mail = {.sender = SLICE("s@example.jp"),
                                    .recipients = recipients,
                                    .body = one->body,
                                    .utf8 = one->utf8,
                                    .added = SLICE("X: y\r\n"),
                                    .fd = message,
                                    .start = 5,
                                    .size = strlen(one->text ? one->text : message_text)};
    for (; mail.recipient_count < RECIPIENTS_MAX && one->recipients[mail.recipient_count];
         mail.recipient_count++)
        recipients[mail.recipient_count] = (struct smtp_client_recipient){
            .address = slice_text(one->recipients[mail.recipient_count])};
    if (one->wants_dsn) {
        mail.ret = DSN_RETURN_HEADERS;
        mail.envid = SLICE("Q+2B1");
        recipients[0].notify = DSN_NOTIFY_SUCCESS | DSN_NOTIFY_FAILURE;
        recipients[1].orcpt = SLICE("rfc822;old@x");
    }
    enum smtp_client_result greeted =
        smtp_client_greet(client, "me", one->must_have_tls ? &must_have_tls : &may_have_tls);
    if (one->must_have_tls && client->tls_result != TLSREPORT_STARTTLS_NOT_SUPPORTED)
        fail_msg("%s: %s", one->name, client->tls_trouble);
    if (greeted != one->greeted)
        fail_msg("%s: greeted %d, %s", one->name, (int)greeted, client->trouble);
    if (greeted == SMTP_CLIENT_OK) {
        enum smtp_client_result sent = smtp_client_send(client, &mail, outcomes);
        if (sent != one->sent)
            fail_msg("%s: sent %d, %s", one->name, (int)sent, client->trouble);
    }
    if (client->is_clean != one->is_clean)
        fail_msg("%s: clean %d", one->name, client->is_clean);
    for (size_t i = 0; i < mail.recipient_count; i++)
        check_outcome(one, i, &outcomes[i]);
    for (size_t i = 0; i < mail.recipient_count; i++)
        if (outcomes[i].is_passed_on != ((one->passed_on >> i & 1) != 0))
            fail_msg("%s, recipient %zu: passed on", one->name, i);
}

static void play(const struct dialogue *one)
{
    struct smtp_client client;
    int pair[2], status;
    assert_true(unixsocket_pair(SOCK_STREAM, pair));
    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        close(pair[0]);
        serve(pair[1], one->lines);
    }
    close(pair[1]);
    int message = one->text ? make_message_of(one->text) : make_message();
    assert_true(smtp_client_open(&client, pair[0], "peer"));
    converse(one, &client, message);
    smtp_client_quit(&client);
    io_close(&message);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (status != 0)
        fail_msg("%s: the server was surprised", one->name);
}

static void dialogues_hold(void **state)
{
    (void)state;
    signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < sizeof dialogues / sizeof *dialogues; i++)
        play(&dialogues[i]);
}

/* A queue file that is shorter than it says: no part of the message counts as the whole. */
static void a_short_file_is_never_ended(void **state)
{
    (void)state;
    const struct dialogue one = {.name = "short",
                                 .lines = {BARE, "E:"},
                                 .recipients = {"a@x"},
                                 .sent = SMTP_CLIENT_LOST,
                                 .is_clean = true,
                                 .outcomes = {"Z 4.3.0 the message in the queue: Protocol error"}};
    struct smtp_client client;
    int pair[2], status;
    assert_true(unixsocket_pair(SOCK_STREAM, pair));
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        close(pair[0]);
        serve(pair[1], one.lines);
    }
    close(pair[1]);
    int message = make_message();
    assert_int_equal(ftruncate(message, 8), 0);
    assert_true(smtp_client_open(&client, pair[0], "peer"));
    converse(&one, &client, message);
    smtp_client_close(&client);
    io_close(&message);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

/* Slow, but within all the limits of single steps. */
static void a_slow_server_holds_us_till_the_limit(void **state)
{
    (void)state;
    enum { LIMIT_MS = 300, SOON_MS = 5000, LARGE = 8 << 20 };
    static const char *const reads_nothing[] = {PIPED,       FROM,        "C: RCPT TO:<a@x>",
                                                "C: DATA",   "S: 250 ok", "S: 250 ok",
                                                "S: 354 go", "P:",        NULL};
    static const char *const never_ends[] = {"S: 220-hello", "P:", NULL};
    static const char *const *const servers[] = {reads_nothing, never_ends};
    for (size_t i = 0; i < 2; i++) {
        struct smtp_client client;
        struct smtp_client_outcome outcome = {0};
        struct smtp_client_recipient recipient = {.address = SLICE("a@x")};
        int pair[2], message = make_message();
        assert_int_equal(ftruncate(message, LARGE), 0);
        struct smtp_client_mail mail = {.sender = SLICE("s@example.jp"),
                                        .recipients = &recipient,
                                        .recipient_count = 1,
                                        .fd = message,
                                        .size = LARGE};
        assert_true(unixsocket_pair(SOCK_STREAM, pair));
        fflush(NULL);
        pid_t pid = fork();
        if (pid == 0)
            serve(pair[1], servers[i]);
        close(pair[1]);
        int64_t began = clock_ms();
        assert_true(smtp_client_open(&client, pair[0], "peer"));
        smtp_client_limit(&client, clock_deadline(LIMIT_MS));
        enum smtp_client_result result = smtp_client_greet(&client, "me", &may_have_tls);
        if (result == SMTP_CLIENT_OK)
            result = smtp_client_send(&client, &mail, &outcome);
        assert_int_equal(result, SMTP_CLIENT_LOST);
        assert_non_null(strstr(client.trouble, "no answer in time"));
        assert_true(clock_ms() - began < SOON_MS);
        smtp_client_quit(&client);
        io_close(&message);
        kill(pid, SIGKILL);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
    }
}

/* ---- requests ---------------------------------------------------------------------------------*/

static bool read_request(const char *const fields[], size_t count, struct remote_request *request)
{
    static struct wire_message message;
    wire_free(&message);
    wire_init(&message);
    for (size_t i = 0; i < count; i++)
        message.fields[i] = slice_text(fields[i]);
    message.count = count;
    message.fds[0] = -1;
    message.fd_count = 1;
    return remote_request_read(&message, request);
}

static void requests_are_read(void **state)
{
    (void)state;
    static struct remote_request request;
    const char *fields[] = {"remote/2",
                            "id1",
                            "100",
                            "200",
                            "s@x",
                            "8",
                            "0",
                            "HDRS",
                            "QQ+2B1",
                            "",
                            "",
                            "A: b\r\n",
                            "a@Example.JP",
                            "SUCCESS,DELAY",
                            "rfc822;a@x",
                            "b@example.jp",
                            "",
                            ""};
    enum { COUNT = sizeof fields / sizeof *fields };
    assert_true(read_request(fields, COUNT, &request));
    assert_int_equal(request.port, 25);
    assert_string_equal(request.domain, "Example.JP");
    assert_int_equal(request.mail.recipient_count, 2);
    assert_int_equal(request.mail.start, 100);
    assert_int_equal(request.mail.body, ENVELOPE_BODY_8BIT);
    assert_int_equal(request.mail.ret, DSN_RETURN_HEADERS);
    assert_slice(request.mail.envid, "QQ+2B1");
    assert_int_equal(request.recipients[0].notify, DSN_NOTIFY_SUCCESS | DSN_NOTIFY_DELAY);
    assert_slice(request.recipients[0].orcpt, "rfc822;a@x");
    assert_int_equal(request.recipients[1].notify, 0);
    for (size_t count = 0; count < 15; count++)
        assert_false(read_request(fields, count, &request));
    static const struct {
        size_t index;
        const char *value;
    } wrong[] = {{0, "remote/1"}, {2, "x"},           {3, "-1"},
                 {4, "a b"},      {4, "a>b@x"},       {5, "9"},
                 {6, ""},         {7, "ALL"},         {8, "a b"},
                 {10, "0"},       {10, "65536"},      {11, "A: b"},
                 {12, ""},        {12, "a@x> x"},     {13, "NEVER,DELAY"},
                 {14, "x"},       {14, "rfc822;a b"}, {12, "a\r\nDATA@x"},
                 {15, "nodomain"}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const char *kept = fields[wrong[i].index];
        fields[wrong[i].index] = wrong[i].value;
        if (read_request(fields, COUNT, &request))
            fail_msg("field %zu may be \"%s\"", wrong[i].index, wrong[i].value);
        fields[wrong[i].index] = kept;
    }
}

static void answers_fit_into_a_packet(void **state)
{
    (void)state;
    static struct remote_request request;
    static struct smtp_client_outcome outcomes[REMOTE_REQUEST_RECIPIENTS_MAX];
    struct str packet;
    char text[SMTP_CLIENT_TEXT_MAX];
    memset(text, 't', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    request.mail.recipient_count = REMOTE_REQUEST_RECIPIENTS_MAX;
    for (size_t i = 0; i < REMOTE_REQUEST_RECIPIENTS_MAX; i++) {
        smtp_client_decide(&outcomes[i], VERDICT_PERM, "5.999.999", text);
        memset(outcomes[i].server, 's', SMTP_CLIENT_NAME_MAX);
    }
    str_init(&packet, WIRE_MAX_SIZE);
    remote_request_answer(&request, outcomes, &packet);
    assert_false(packet.failed);
    struct slice fields[WIRE_MAX_FIELDS];
    size_t count;
    assert_true(wire_split(str_slice(&packet), fields, WIRE_MAX_FIELDS, &count));
    assert_int_equal(count, REMOTE_REQUEST_RECIPIENTS_MAX * 5);
    assert_true(slice_equal(fields[0], SLICE("D")));
    str_free(&packet);
}

static int enter_empty_folder(void **state)
{
    (void)state;
    return chdir("/proc/self") == 0 ? 0 : -1; /* no run/tlsd/socket there */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replies_are_read),
        cmocka_unit_test(replies_are_bounded),
        cmocka_unit_test(dialogues_hold),
        cmocka_unit_test(a_short_file_is_never_ended),
        cmocka_unit_test(a_slow_server_holds_us_till_the_limit),
        cmocka_unit_test(requests_are_read),
        cmocka_unit_test(answers_fit_into_a_packet),
    };
    return cmocka_run_group_tests(tests, enter_empty_folder, NULL);
}
