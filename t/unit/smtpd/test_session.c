/*
 * session: transcripts of whole sessions, and that each reply of the table is reached
 *
 * A line of a transcript is what the client sends ("C: " a line with CRLF, "c: " bytes as they
 * stand) or what it expects ("S: " a whole line, or its beginning if it ends in '*'; "M: " a reply
 * of several lines, one of which is this), "E:" the end of the connection.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "peers.h"
#include "session.h"

enum { LINES_MAX = 140, WAIT_MS = 20000 };

struct transcript {
    const char *name;
    enum session_service service;
    const char *client;         /* NULL: 192.0.2.1 */
    const char *const host[20]; /* settings that differ: NAME, VALUE */
    const char *const lines[LINES_MAX];
    const char *const message[20]; /* texts that queue-inject must have got, in this order */
    bool no_message;               /* nothing may have come to it */
    bool speaks_for_others;        /* tcpd says so */
    const char *asked, *told;      /* what stated must have heard, if it is looked at */
    struct board *board;           /* for 'O' */
};

static struct peers peers;
static bool seen[REPLY_COUNT];

#define EHLO(more)                                                                                 \
    "C: EHLO client.example", "S: 250-mail.example.jp", "S: 250-PIPELINING",                       \
        "S: 250-SIZE 52428800", "S: 250-8BITMIME", "S: 250-SMTPUTF8", "S: 250-CHUNKING",           \
        "S: 250-BINARYMIME", "S: 250-DSN", "S: 250-LIMITS RCPTMAX=*",                              \
        more "S: 250 ENHANCEDSTATUSCODES"
#define WITH_STARTTLS     "S: 250-STARTTLS",
#define WITH_AUTH         "S: 250-AUTH PLAIN LOGIN",
#define GREETING          "S: 220 mail.example.jp ESMTP"
#define EHLO_ANY          "C: EHLO c", "M: PIPELINING"
#define BEGIN_OF(size)    GREETING, "C: EHLO c", "M: SIZE " #size
#define QUIT              "C: QUIT", "S: 221 2.0.0 mail.example.jp goodbye", "E:"
#define BEGIN             GREETING, EHLO(WITH_STARTTLS)
#define BEGIN_SUBMISSIONS GREETING, EHLO(WITH_AUTH)
/* \0u1@example.jp\0secret */
#define LOGIN    "C: AUTH PLAIN AHUxQGV4YW1wbGUuanAAc2VjcmV0", "S: 235 2.7.0 welcome"
#define MAIL     "C: MAIL FROM:<a@example.org>", "S: 250 2.1.0 ok"
#define RCPT     "C: RCPT TO:<u1@example.jp>", "S: 250 2.1.5 ok"
#define DATA     "C: DATA", "S: 354 go ahead, end with CRLF.CRLF"
#define ACCEPTED "S: 250 2.0.0 ok 0cw9x2k4m7q1p"
#define BARE     "S: 550 5.6.0 a CR or LF stands alone in that message", "E:"

/* clang-format off */
static const struct transcript transcripts[] = {
    {.name = "a client with a name",
     .client = "192.0.2.5",
     .lines = {BEGIN, MAIL, RCPT, DATA, "C: ", "C: .", ACCEPTED, QUIT},
     .message = {"Received: from client.example (client.example.org [192.0.2.5])\r\n"}},
    {.name = "a listed client is refused but by the postmaster",
     .client = "192.0.2.66",
     .lines = {BEGIN, MAIL, "C: RCPT TO:<u1@example.jp>",
               "S: 550 5.7.1 192.0.2.66 is listed by bl.example: seen spamming",
               "C: RCPT TO:<nobody@example.jp>", "S: 550 5.1.1 *",
               "C: RCPT TO:<postmaster@example.jp>", "S: 250 2.1.5 ok", DATA, "C: ", "C: .",
               ACCEPTED, QUIT},
     .message = {"Received: ", "X-Blocklist: 192.0.2.66 tag.example\r\n",
                 "X-Blocklist: 192.0.2.66 bl.example\r\n\t(seen spamming)\r\n"}},
    {.name = "a tagged client",
     .client = "192.0.2.67",
     .lines = {BEGIN, MAIL, RCPT, DATA, "C: Subject: x", "C: ", "C: .", ACCEPTED, QUIT},
     .message = {"\r\nX-Blocklist: 192.0.2.67 tag.example\r\n\t(why not)\r\nSubject: x\r\n"}},
    {.name = "loopback and submission clients are not asked about",
     .service = SESSION_SUBMISSIONS,
     .client = "192.0.2.66",
     .host = {"connection-rate", "1", "greet-delay", "20000"},
     .lines = {BEGIN_SUBMISSIONS, LOGIN, "C: MAIL FROM:<u1@example.jp>", "S: 250 2.1.0 ok",
               "C: RCPT TO:<grey@example.jp>", "S: 250 2.1.5 ok", QUIT}},
    {.name = "greylisted, each recipient for itself",
     .lines = {BEGIN, MAIL, "C: RCPT TO:<grey@example.jp>",
               "S: 450 4.7.1 greylisted, try again in 299 seconds", RCPT, QUIT}},
    {.name = "come again",
     .lines = {BEGIN, "C: MAIL FROM:<known@example.org>", "S: 250 2.1.0 ok",
               "C: RCPT TO:<grey@example.jp>", "S: 250 2.1.5 ok", QUIT}},
    {.name = "nobody's mail is greylisted at DATA",
     .lines = {BEGIN, "C: MAIL FROM:<>", "S: 250 2.1.0 ok", "C: RCPT TO:<grey@example.jp>",
               "S: 250 2.1.5 ok", "C: DATA", "S: 450 4.7.1 greylisted, try again later",
               "C: MAIL FROM:<>", "S: 250 2.1.0 ok", RCPT, DATA, "C: .", ACCEPTED, QUIT}},
    {.name = "too many connections",
     .client = "192.0.2.70",
     .host = {"connection-rate", "1"},
     .lines = {"S: 421 4.7.0 too many connections within a minute, try again later", "E:"}},
    {.name = "too much mail",
     .client = "192.0.2.70",
     .host = {"message-rate", "1"},
     .lines = {BEGIN, "C: MAIL FROM:<a@example.org>",
               "S: 450 4.7.1 too much mail within a minute, try again later", QUIT}},
    {.name = "too many recipients within a minute",
     .client = "192.0.2.70",
     .host = {"recipient-rate", "1"},
     .lines = {BEGIN, MAIL, "C: RCPT TO:<u1@example.jp>",
               "S: 450 4.7.1 too much mail within a minute, try again later", QUIT}},
    {.name = "who speaks before the greeting",
     .host = {"greet-delay", "20000"},
     .lines = {"C: EHLO early", "S: 521 5.5.1 you spoke before the greeting", "E:"}},
    {.name = "a message from another server",
     .lines = {BEGIN, "C: MAIL FROM:<a@example.org> SIZE=100 BODY=8BITMIME", "S: 250 2.1.0 ok",
               RCPT, "C: RCPT TO:<U2@CHILD.example.jp>", "S: 250 2.1.5 ok", DATA,
               "C: Subject: hello", "C: ", "C: ..dot", "C: .", ACCEPTED, QUIT},
     .message = {"by=smtp client=192.0.2.1 helo=client.example\na@example.org\n8\n0\n\n\n"
                 "u1@example.jp\n\n\nU2@child.example.jp\n\n\n\n"
                 "Received: from client.example ([192.0.2.1])\r\n"
                 "\tby mail.example.jp with ESMTP id ",
                 "\r\nSubject: hello\r\n\r\n.dot\r\n"}},
    {.name = "HELO, several messages, RSET between",
     .lines = {GREETING, "C: helo client.example", "S: 250 mail.example.jp",
               MAIL, RCPT, DATA, "C: one", "C: .", ACCEPTED,
               MAIL, RCPT, "C: RSET", "S: 250 2.0.0 ok",
               "C: RCPT TO:<u1@example.jp>", "S: 503 5.5.1 MAIL first",
               "C: MAIL FROM:<>", "S: 250 2.1.0 ok", "C: RCPT TO:<u2@example.jp>", "S: 250 2.1.5 ok",
               DATA, "C: .", ACCEPTED, QUIT},
     .message = {"helo=client.example\n\n7\n0\n\n\nu2@example.jp\n\n\n\n", "with SMTP id ",
                 "\r\n\tfor <u2@example.jp>;\r\n\t"}},
    {.name = "a whole pipelined session in one write",
     .lines = {GREETING,
               "c: EHLO c\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<u1@example.jp>\r\nDATA\r\n"
               "x\r\n.\r\nQUIT\r\n",
               "M: DSN", "S: 250 2.1.0 ok", "S: 250 2.1.5 ok", "S: 354 *", ACCEPTED, "S: 221 *", "E:"},
     .message = {"x\r\n"}},
    {.name = "order of commands",
     .lines = {GREETING, "C: MAIL FROM:<a@example.org>", "S: 503 5.5.1 HELO or EHLO first",
               "C: RCPT TO:<u1@example.jp>", "S: 503 5.5.1 HELO or EHLO first",
               "C: DATA", "S: 503 5.5.1 HELO or EHLO first",
               "C: AUTH PLAIN", "S: 503 5.5.1 HELO or EHLO first",
               EHLO(WITH_STARTTLS), "C: DATA", "S: 503 5.5.1 MAIL first", MAIL,
               "C: MAIL FROM:<a@example.org>", "S: 503 5.5.1 one MAIL per message",
               "C: AUTH PLAIN", "S: 503 5.5.1 not within a mail transaction",
               "C: DATA", "S: 554 5.5.1 no valid recipients", QUIT}},
    {.name = "what is always answered",
     .lines = {GREETING, "C: NOOP", "S: 250 2.0.0 ok", "C: noop with words", "S: 250 2.0.0 ok",
               "C: HELP", "S: 214 2.0.0 see RFC 5321",
               "C: VRFY u1", "S: 252 2.5.2 send some mail, i'll try my best",
               "C: VRFY", "S: 501 5.5.4 syntax: VRFY name",
               "C: EXPN list", "S: 500 5.5.1 unknown command",
               "C: XYZZY", "S: 500 5.5.1 unknown command", "C: ", "S: 500 5.5.1 unknown command",
               "C: HELO", "S: 501 5.5.4 syntax: HELO host", "C: EHLO", "S: 501 5.5.4 syntax: EHLO host",
               "C: RSET", "S: 250 2.0.0 ok", QUIT}},
    {.name = "line ends of commands",
     .lines = {BEGIN, "c: NOOP\n", "S: 500 5.5.2 lines end in CRLF and hold no CR, LF or NUL",
               "c: NOOP a\rb\r\n", "S: 500 5.5.2 lines end in CRLF and hold no CR, LF or NUL",
               "c: NOOP\n", "S: 500 5.5.2 *", "C: NOOP", "S: 250 2.0.0 ok", QUIT}},
    {.name = "addresses and parameters",
     .lines = {BEGIN, "C: MAIL", "S: 501 5.5.4 syntax: MAIL FROM:<address> [parameters]",
               "C: MAIL FROM:", "S: 501 5.5.4 syntax: *",
               "C: MAIL FROM:<a@b@c>", "S: 501 5.1.7 can't understand that sender address",
               "C: MAIL FROM:<a@example.org", "S: 501 5.1.7 *",
               "C: MAIL FROM:<a@example.org> SIZE=x", "S: 501 5.5.4 can't understand that parameter",
               "C: MAIL FROM:<a@example.org> BODY=BINARY", "S: 501 5.5.4 *",
               "C: MAIL FROM:<a@example.org> HOLDFOR=1", "S: 555 5.5.4 unknown parameter",
               "C: MAIL FROM:<\xe3\x81\x82@example.org>", "S: 553 5.6.7 that address needs SMTPUTF8",
               "C: MAIL FROM: a@example.org", "S: 250 2.1.0 ok",
               "C: RCPT", "S: 501 5.5.4 syntax: RCPT TO:<address> [parameters]",
               "C: RCPT TO:<>", "S: 501 5.1.3 can't understand that recipient address",
               "C: RCPT TO:<\xe3\x81\x82@example.jp>", "S: 553 5.6.7 *",
               "C: RCPT TO:<u1@example.jp> NOTIFY=OFTEN", "S: 501 5.5.4 *",
               "C: RCPT TO:<\"u1\"@Example.JP>", "S: 250 2.1.5 ok",
               "C: RCPT TO:<u1@example.jp>", "S: 250 2.1.5 ok",
               "C: RCPT TO:<Postmaster>", "S: 250 2.1.5 ok",
               "C: DATA now", "S: 501 5.5.4 syntax: DATA without parameters",
               DATA, "C: .", ACCEPTED, QUIT},
     .message = {"\nu1@example.jp\n\n\npostmaster@example.jp\n\n\n\n"}},
    {.name = "SMTPUTF8",
     .lines = {BEGIN, "C: MAIL FROM:<\xe3\x81\x82@example.org> SMTPUTF8 BODY=8BITMIME", "S: 250 2.1.0 ok",
               RCPT, DATA, "C: .", ACCEPTED, QUIT},
     .message = {"\n\xe3\x81\x82@example.org\n8\n1\n\n\nu1@example.jp\n\n\n\n", "with UTF8SMTP id "}},
    {.name = "who lives here",
     .lines = {BEGIN, MAIL, "C: RCPT TO:<nobody-knows@example.jp>",
               "S: 550 5.1.1 sorry, no mailbox here by that name",
               "C: RCPT TO:<u1@example.net>", "S: 554 5.7.1 sorry, that domain isn't served here",
               "C: RCPT TO:<u1@[192.0.2.1]>", "S: 554 5.7.1 *",
               "C: RCPT TO:<u1%example.net@example.jp>", "S: 550 5.1.1 *",
               "C: RCPT TO:<@example.jp:u1@example.net>", "S: 554 5.7.1 *",
               "C: RCPT TO:<u1@broken.jp>", "S: 451 4.3.0 passing trouble here, please try again later",
               "C: RCPT TO:<full@example.jp>", "S: 452 sorry, mailbox is full (#4.5.2)",
               "C: RCPT TO:<paused@example.jp>", "S: 423 sorry, that message exceeds my limit",
               "C: RCPT TO:<stopped@example.jp>", "S: 450 4.2.1 *",
               "C: RCPT TO:<full@other.jp>", "S: 552 sorry, mailbox is full (#5.2.2)",
               "C: DATA", "S: 554 5.5.1 no valid recipients", QUIT},
     .no_message = true},
    {.name = "no relaying for loopback", .client = "127.0.0.1",
     .lines = {BEGIN, "C: MAIL FROM:<u1@example.jp>", "S: 250 2.1.0 ok",
               "C: RCPT TO:<a@example.net>", "S: 554 5.7.1 *", QUIT}},
    {.name = "sizes that are declared",
     .host = {"databytes", "30000000"},
     .lines = {GREETING, "C: HELO c", "S: 250 *",
               "C: MAIL FROM:<a@example.org> SIZE=30000001",
               "S: 552 sorry, that message size exceeds my databytes limit (#5.3.4)",
               "C: MAIL FROM:<a@example.org> SIZE=99999999999999999999",
               "S: 552 sorry, that message size exceeds my databytes limit (#5.3.4)",
               "C: MAIL FROM:<a@example.org> SIZE=20971521", "S: 250 2.1.0 ok",
               "C: RCPT TO:<u1@example.jp>",
               "S: 552 sorry, that message size exceeds my databytes limit (#5.3.4)",
               "C: RSET", "S: 250 *", "C: MAIL FROM:<a@example.org> SIZE=20971520", "S: 250 2.1.0 ok",
               "C: RCPT TO:<u1@example.jp>", "S: 250 2.1.5 ok", QUIT}},
    {.name = "a message of just the size", .host = {"databytes", "12"},
     .lines = {GREETING, "C: HELO c", "S: 250 *", MAIL, RCPT, DATA, "C: .123456789", "C: ", "C: .",
               "S: 552 sorry, that message size exceeds my databytes limit (#5.3.4)",
               MAIL, RCPT, DATA, "C: 1234567890", "C: .", ACCEPTED, QUIT},
     .message = {"\r\n1234567890\r\n"}},
    {.name = "a message over the size", .host = {"databytes", "12"},
     .lines = {GREETING, "C: HELO c", "S: 250 *", MAIL, RCPT, DATA, "C: 12345678901", "C: .",
               "S: 552 sorry, that message size exceeds my databytes limit (#5.3.4)", QUIT},
     .no_message = true},
    {.name = "LF dot LF smuggles nothing",
     .lines = {BEGIN, MAIL, RCPT, DATA, "c: one\r\n\n.\nMAIL FROM:<x@example.org>\r\n.\r\n", BARE},
     .no_message = true},
    {.name = "CR dot CR smuggles nothing",
     .lines = {BEGIN, MAIL, RCPT, DATA, "c: one\r.\rtwo\r\n.\r\n", BARE}, .no_message = true},
    {.name = "CRLF dot LF ends nothing, and nobody waits for ever",
     .lines = {BEGIN, MAIL, RCPT, DATA, "c: one\r\n.\n", BARE}, .no_message = true},
    {.name = "a line that is too long", .host = {"line-max", "1000"},
     .lines = {BEGIN, MAIL, RCPT, DATA, "L: 1001", "C: .",
               "S: 554 5.6.0 sorry, a line of that message is too long",
               MAIL, RCPT, DATA, "L: 1000", "C: .", ACCEPTED, QUIT}},
    {.name = "hops", .host = {"hops-max", "2"},
     .lines = {BEGIN, MAIL, RCPT, DATA, "C: Received: 1", "C: RECEIVED : 2", "C: Received: 3", "C: ", "C: .",
               "S: 554 5.4.6 too many Received fields, that message is looping",
               MAIL, RCPT, DATA, "C: Received: 1", "C: Received: 2", "C: ", "C: Received: 3", "C: .",
               ACCEPTED, QUIT}},
    {.name = "a header section without end",
     .lines = {BEGIN, MAIL, RCPT, DATA, "H: 1100000", "C: .",
               "S: 552 5.3.4 sorry, that message's header section is too large", QUIT},
     .no_message = true},
    {.name = "too many recipients", .host = {"recipients-max", "2"},
     .lines = {BEGIN, MAIL, "C: RCPT TO:<u1@example.jp>", "S: 250 2.1.5 ok",
               "C: RCPT TO:<u2@example.jp>", "S: 250 2.1.5 ok",
               "C: RCPT TO:<small@example.jp>", "S: 452 4.5.3 too many recipients in one message",
               DATA, "C: .", ACCEPTED, QUIT}},
    {.name = "too many errors", .host = {"errors-max", "3"},
     .lines = {BEGIN, "C: a", "S: 500 *", "C: b", "S: 500 *", "C: c", "S: 500 *",
               "S: 421 4.7.0 too many errors", "E:"}},
    {.name = "too many commands", .host = {"recipients-max", "1"},
     .lines = {GREETING, "N: 101", "C: NOOP", "S: 250 *",
               "S: 421 4.7.0 too many commands without a message", "E:"}},
    {.name = "a browser",
     .lines = {GREETING, "C: GET / HTTP/1.1", "S: 421 4.7.0 this is no web server", "E:"}},
    {.name = "a long command line",
     .lines = {BEGIN, "L: 600", "S: 500 5.5.2 line too long", "L: 100000", "S: 500 5.5.2 line too long",
               "C: NOOP", "S: 250 *", QUIT}},
    {.name = "silence", .host = {"timeout-smtp", "1"},
     .lines = {BEGIN, "S: 421 4.4.2 timeout", "E:"}},
    {.name = "silence within DATA", .host = {"timeout-smtp-data", "1"},
     .lines = {BEGIN, MAIL, RCPT, DATA, "C: x", "S: 421 4.4.2 timeout", "E:"}, .no_message = true},
    {.name = "the queue's troubles",
     .lines = {BEGIN, "C: MAIL FROM:<temp@example.org>", "S: 250 *", RCPT, DATA, "C: .",
               "S: 451 4.3.0 the disk is full",
               "C: MAIL FROM:<perm@example.org>", "S: 250 *", RCPT, DATA, "C: .",
               "S: 554 5.6.7 not like that", MAIL, RCPT, DATA, "C: .", ACCEPTED, QUIT}},
    {.name = "nothing compiled", .host = {"me", ""},
     .lines = {"S: 421 4.3.0 not ready, please try again later", "E:"}},
    {.name = "no AUTH on 25",
     .lines = {BEGIN, "C: AUTH PLAIN AHUxQGV4YW1wbGUuanAAc2VjcmV0",
               "S: 502 5.5.1 AUTH is not offered here", QUIT}},
    {.name = "STARTTLS forgets",
     .lines = {BEGIN, MAIL, "C: STARTTLS x", "S: 501 5.5.4 syntax: STARTTLS without parameters",
               "c: STARTTLS\r\nRCPT TO:<u1@example.jp>\r\n", "S: 220 2.0.0 ready to start TLS", "W: 200",
               "C: MAIL FROM:<a@example.org>", "S: 503 5.5.1 HELO or EHLO first",
               EHLO(), "C: STARTTLS", "S: 503 5.5.1 TLS is active already",
               MAIL, RCPT, DATA, "C: .", ACCEPTED, QUIT},
     .message = {" tls=TLSv1.2\n",
                 "\t(using TLSv1.2 with cipher ECDHE-RSA-AES128-GCM-SHA256 (128/128 bits))\r\n"
                 "\tby mail.example.jp with ESMTPS id "}},
    {.name = "a failed handshake ends it", .client = "192.0.2.99",
     .lines = {BEGIN, "C: STARTTLS", "S: 220 2.0.0 ready to start TLS", "E:"}},
    {.name = "587 offers AUTH only under TLS", .service = SESSION_SUBMISSION,
     .lines = {BEGIN, "C: MAIL FROM:<u1@example.jp>", "S: 530 5.7.0 authentication required",
               "C: AUTH PLAIN AHUxQGV4YW1wbGUuanAAc2VjcmV0", "S: 538 5.7.11 start TLS first",
               "C: STARTTLS", "S: 220 *", "W: 200", EHLO(WITH_AUTH),
               "C: MAIL FROM:<u1@example.jp>", "S: 530 5.7.0 authentication required", LOGIN,
               "C: EHLO client.example", "M: SIZE 20971520",
               "C: AUTH PLAIN x", "S: 503 5.5.1 authenticated already",
               "C: MAIL FROM:<u1@example.jp>", "S: 250 *",
               "C: RCPT TO:<a@example.net>", "S: 250 2.1.5 ok",
               "C: RCPT TO:<nobody-knows@example.jp>", "S: 550 5.1.1 *",
               DATA, "C: Subject: x", "C: ", "C: y", "C: .", ACCEPTED, QUIT},
     .message = {"by=submission client=192.0.2.1 helo=client.example tls=TLSv1.2 user=u1@example.jp\n",
                 "\na@example.net\n\n\n\n", "with ESMTPSA id ", "\r\nSubject: x\r\nDate: ",
                 "\r\nMessage-ID: <", "@mail.example.jp>\r\n\r\ny\r\n"}},
    {.name = "587 in the clear where the operator wants it", .service = SESSION_SUBMISSION,
     .host = {"plaintext-auth", "on"},
     .lines = {GREETING, EHLO(WITH_STARTTLS WITH_AUTH),
               "C: AUTH PLAIN AHN0cmljdEBleGFtcGxlLmpwAHNlY3JldA==", "S: 538 5.7.11 start TLS first",
               LOGIN, QUIT}},
    {.name = "465", .service = SESSION_SUBMISSIONS,
     .lines = {BEGIN_SUBMISSIONS, "C: STARTTLS", "S: 503 5.5.1 TLS is active already", LOGIN,
               "C: MAIL FROM:<U1@child.Example.jp>", "S: 250 *", RCPT,
               "C: MAIL FROM:<u1@example.jp>", "S: 503 *", DATA,
               "C: date: Sat, 21 Nov 2026 23:30:00 +0000", "C: Message-Id: <1@client.example>",
               "C: ", "C: z", "C: .", ACCEPTED, QUIT},
     .message = {"by=submissions ", "\r\ndate: Sat, 21 Nov 2026 23:30:00 +0000\r\n"
                 "Message-Id: <1@client.example>\r\n\r\nz\r\n"}},
    {.name = "a failed handshake on 465", .service = SESSION_SUBMISSIONS, .client = "192.0.2.99",
     .lines = {"E:"}},
    {.name = "the sender must be one's own", .service = SESSION_SUBMISSIONS,
     .lines = {BEGIN_SUBMISSIONS, LOGIN,
               "C: MAIL FROM:<u2@example.jp>", "S: 553 5.7.1 sorry, that sender address is not yours",
               "C: MAIL FROM:<a@example.org>", "S: 553 5.7.1 *",
               "C: MAIL FROM:<u1@example.org>", "S: 553 5.7.1 *",
               "C: MAIL FROM:<nobody-knows@example.jp>", "S: 553 5.7.1 *",
               "C: MAIL FROM:<u1@broken.jp>", "S: 451 4.3.0 *",
               "C: MAIL FROM:<>", "S: 250 *", "C: RSET", "S: 250 *",
               "C: MAIL FROM:<u1+tag@example.jp>", "S: 250 *", QUIT}},
    {.name = "an account that may not send", .service = SESSION_SUBMISSIONS,
     .lines = {BEGIN_SUBMISSIONS, "C: AUTH PLAIN AHN0b3BwZWRAZXhhbXBsZS5qcABzZWNyZXQ=", "S: 235 *",
               "C: MAIL FROM:<stopped@example.jp>", "S: 450 4.7.1 sending is stopped for a day", QUIT}},
    {.name = "an account with a size of its own", .service = SESSION_SUBMISSIONS,
     .lines = {BEGIN_SUBMISSIONS, "C: AUTH PLAIN AHNtYWxsQGV4YW1wbGUuanAAc2VjcmV0", "S: 235 *",
               "C: EHLO c", "M: SIZE 2000",
               "C: MAIL FROM:<small@example.jp> SIZE=2001", "S: 552 *",
               "C: MAIL FROM:<small@example.jp> SIZE=2000", "S: 423 sorry, that message exceeds my limit",
               QUIT}},
    {.name = "what stated is asked and told of a stranger's message",
     .lines = {BEGIN, "C: MAIL FROM:<u1@example.jp> SIZE=100", "S: 250 *", RCPT,
               "C: RCPT TO:<u2@child.example.jp>", "S: 250 *", "C: RCPT TO:<u3@other.jp>", "S: 250 *",
               DATA, "C: .", ACCEPTED, MAIL, "C: RCPT TO:<u3@other.jp>", "S: 250 *", "C: RSET", "S: 250 *",
               MAIL, RCPT, DATA, "C: .", ACCEPTED, QUIT},
     .asked = "allows u1@example.jp receive domain 200 60 7200\n"
              "allows u2@example.jp receive domain 200 60 7200\n"
              "allows u3@other.jp receive\n"
              "allows u3@other.jp receive\n"
              "allows u1@example.jp receive domain 200 60 7200\n",
     .told = "received @example.jp @other.jp\nreceived @example.jp\n"},
    {.name = "what stated is asked and told of a customer's message", .service = SESSION_SUBMISSIONS,
     .lines = {BEGIN_SUBMISSIONS, LOGIN, "C: MAIL FROM:<u1@example.jp>", "S: 250 *",
               "C: RCPT TO:<a@example.net>", "S: 250 *", "C: RCPT TO:<b@example.net>", "S: 250 *",
               DATA, "C: .", ACCEPTED,
               "C: MAIL FROM:<>", "S: 250 *", "C: RCPT TO:<u3@other.jp>", "S: 250 *", RCPT, DATA, "C: .", ACCEPTED,
               QUIT},
     .asked = "allows u1@example.jp send domain 100 3600 7200 messages 10 86400 86400\n"
              "allows u1@example.jp send domain 100 3600 7200 messages 10 86400 86400\n"
              "allows u3@other.jp receive\nallows u1@example.jp receive domain 200 60 7200\n",
     .told = "sent u1@example.jp 2\nsent u1@example.jp 2\nreceived @other.jp @example.jp\n"},
    {.name = "a message that stated is not asked about does not hide the one before it",
     .lines = {BEGIN, MAIL, RCPT, DATA, "C: .", ACCEPTED, "C: BDAT 4 LAST", "W: 100",
               "c: xx\r\n", "S: 503 *", QUIT},
     .asked = "allows u1@example.jp receive domain 200 60 7200\n",
     .told = "received @example.jp\n"},
    {.name = "another size limit wants a transaction of its own, where none was declared",
     .lines = {BEGIN, MAIL, RCPT, "C: RCPT TO:<u2@example.jp>", "S: 250 *", "C: RCPT TO:<u3@other.jp>",
               "S: 452 4.5.3 its size limit is another one, send it a message of its own",
               DATA, "C: .", ACCEPTED,
               MAIL, "C: RCPT TO:<u3@other.jp>", "S: 250 *", "C: RCPT TO:<u1@example.jp>", "S: 452 4.5.3 *",
               DATA, "L: 9998", "C: .", ACCEPTED,
               MAIL, "C: RCPT TO:<u3@other.jp>", "S: 250 *", DATA, "L: 9999", "C: .", "S: 552 *",
               /* With a size, each recipient has its own answer; who understates it gets the strictest. */
               "C: MAIL FROM:<a@example.org> SIZE=10000", "S: 250 *", RCPT, "C: RCPT TO:<u3@other.jp>", "S: 250 *",
               "C: RSET", "S: 250 *", "C: MAIL FROM:<a@example.org> SIZE=10001", "S: 250 *",
               "C: RCPT TO:<u3@other.jp>", "S: 552 sorry, that message size exceeds my databytes limit (#5.3.4)",
               RCPT, DATA, "L: 12000", "C: .", ACCEPTED,
               "C: MAIL FROM:<a@example.org> SIZE=10", "S: 250 *", RCPT, "C: RCPT TO:<u3@other.jp>", "S: 250 *",
               DATA, "L: 12000", "C: .", "S: 552 sorry, that message size exceeds my databytes limit (#5.3.4)",
               QUIT}},
    {.name = "who has logged in gets the smallest limit", .service = SESSION_SUBMISSIONS,
     .lines = {BEGIN_SUBMISSIONS, LOGIN, "C: MAIL FROM:<u1@example.jp>", "S: 250 *", RCPT,
               "C: RCPT TO:<u3@other.jp>", "S: 250 *", DATA, "L: 12000", "C: .",
               "S: 552 sorry, that message size exceeds my databytes limit (#5.3.4)",
               "C: MAIL FROM:<u1@example.jp>", "S: 250 *", RCPT, DATA, "L: 12000", "C: .", ACCEPTED, QUIT}},
    {.name = "AUTH PLAIN without initial response", .service = SESSION_SUBMISSIONS,
     .lines = {BEGIN_SUBMISSIONS, "C: AUTH plain", "S: 334 ", "C: AHUxQGV4YW1wbGUuanAAc2VjcmV0",
               "S: 235 2.7.0 welcome", QUIT}},
    {.name = "AUTH LOGIN", .service = SESSION_SUBMISSIONS,
     .lines = {BEGIN_SUBMISSIONS, "C: AUTH LOGIN", "S: 334 VXNlcm5hbWU6", "C: dTFAZXhhbXBsZS5qcA==",
               "S: 334 UGFzc3dvcmQ6", "C: c2VjcmV0", "S: 235 2.7.0 welcome", QUIT}},
    {.name = "AUTH LOGIN with initial response", .service = SESSION_SUBMISSIONS,
     .lines = {BEGIN_SUBMISSIONS, "C: AUTH LOGIN dTFAZXhhbXBsZS5qcA==", "S: 334 UGFzc3dvcmQ6",
               "C: c2VjcmV0", "S: 235 2.7.0 welcome", QUIT}},
    {.name = "AUTH that goes wrong", .service = SESSION_SUBMISSIONS,
     .lines = {BEGIN_SUBMISSIONS, "C: AUTH", "S: 501 5.5.4 syntax: AUTH mechanism [initial response]",
               "C: AUTH PLAIN a b", "S: 501 5.5.4 *",
               "C: AUTH CRAM-MD5", "S: 504 5.5.4 unknown mechanism",
               "C: AUTH PLAIN", "S: 334 ", "C: *", "S: 501 5.7.0 authentication cancelled",
               "C: AUTH PLAIN !", "S: 501 5.5.2 can't decode that response",
               "C: AUTH PLAIN", "S: 334 ", "c: AHUxQGV4YW1wbGUuanAAc2VjcmV0\n", "S: 501 5.5.2 *",
               "C: AUTH PLAIN", "S: 334 ", "L: 13000", "S: 500 5.5.6 that response is too long",
               "C: AUTH PLAIN AHUxQGV4YW1wbGUuanAAd3Jvbmc=", "S: 535 5.7.8 authentication failed",
               "C: AUTH PLAIN AGxvY2tlZEBleGFtcGxlLmpwAHNlY3JldA==", "S: 454 4.7.0 locked for a time",
               "C: AUTH PLAIN AGV4cGlyZWRAZXhhbXBsZS5qcABzZWNyZXQ=", "S: 535 5.7.8 set a new password",
               "C: AUTH PLAIN AGRpc2FibGVkQGV4YW1wbGUuanAAc2VjcmV0", "S: 525 5.7.13 this account is off",
               "C: AUTH PLAIN AGdvbmVAZXhhbXBsZS5qcABzZWNyZXQ=", "S: 451 4.3.0 *",
               "C: MAIL FROM:<gone@example.jp>", "S: 530 *",
               "C: AUTH PLAIN AHUxQGV4YW1wbGUuanAAd3Jvbmc=", "S: 535 *",
               "S: 421 4.7.0 too many errors", "E:"}},

    /* RFC 3461 */
    {.name = "what the sender wants to hear",
     .lines = {BEGIN, "C: MAIL FROM:<a@example.org> RET=HDRS ENVID=QQ+2B1", "S: 250 *",
               "C: RCPT TO:<u1@example.jp> NOTIFY=success,delay ORCPT=rfc822;x+2By@example.net", "S: 250 *",
               "C: RCPT TO:<u2@example.jp> NOTIFY=NEVER", "S: 250 *", DATA, "C: .", ACCEPTED,
               MAIL, RCPT, DATA, "C: .", ACCEPTED, QUIT},
     .message = {"\na@example.org\n7\n0\n\n\nu1@example.jp\n\n\n\n"}},
    {.name = "wishes as they are handed on",
     .lines = {BEGIN, "C: MAIL FROM:<a@example.org> RET=HDRS ENVID=QQ+2B1", "S: 250 *",
               "C: RCPT TO:<u1@example.jp> NOTIFY=success,delay ORCPT=rfc822;x+2By@example.net", "S: 250 *",
               "C: RCPT TO:<u2@example.jp> NOTIFY=NEVER", "S: 250 *", DATA, "C: .", ACCEPTED, QUIT},
     .message = {"\n7\n0\nHDRS\nQQ+2B1\nu1@example.jp\nSUCCESS,DELAY\nrfc822;x+2By@example.net\n"
                 "u2@example.jp\nNEVER\n\n\n"}},
    {.name = "a recipient named twice is heard of as either asks",
     .lines = {BEGIN, MAIL, "C: RCPT TO:<u1@example.jp> NOTIFY=NEVER", "S: 250 *",
               "C: RCPT TO:<u1@example.jp> NOTIFY=SUCCESS ORCPT=rfc822;x@y", "S: 250 *",
               "C: RCPT TO:<u2@example.jp> NOTIFY=NEVER", "S: 250 *", "C: RCPT TO:<u2@example.jp>", "S: 250 *",
               "C: RCPT TO:<postmaster> NOTIFY=NEVER", "S: 250 *",
               "C: RCPT TO:<postmaster> NOTIFY=NEVER", "S: 250 *", DATA, "C: .", ACCEPTED, QUIT},
     .message = {"\nu1@example.jp\nSUCCESS\nrfc822;x@y\nu2@example.jp\nFAILURE,DELAY\n\n"
                 "postmaster@example.jp\nNEVER\n\n\n"}},
    {.name = "parameters once, and right",
     .lines = {BEGIN, "C: MAIL FROM:<a@example.org> RET=HDRS RET=HDRS", "S: 501 5.5.4 *",
               "C: MAIL FROM:<a@example.org> ENVID=a=b", "S: 501 5.5.4 *", MAIL,
               "C: RCPT TO:<u1@example.jp> NOTIFY=NEVER,DELAY", "S: 501 5.5.4 *",
               "C: RCPT TO:<u1@example.jp> ORCPT=nothing", "S: 501 5.5.4 *",
               "C: RCPT TO:<u1@example.jp> a b c d e f g h i j k l m n o p q r s t u v w x y z",
               "S: 555 5.5.4 *", QUIT}},

    /* RFC 3030 */
    {.name = "chunks",
     .lines = {BEGIN, "C: MAIL FROM:<a@example.org> BODY=8BITMIME", "S: 250 *", RCPT,
               "c: BDAT 12\r\nSubject: x\r\n", "S: 250 2.0.0 12 octets received",
               "c: BDAT 0\r\n", "S: 250 2.0.0 0 octets received",
               "c: BDAT 3\r\n\r\n.", "S: 250 2.0.0 3 octets received",
               "c: BDAT 9 last\r\n\r\n..\r\n.\r\n", ACCEPTED, MAIL, QUIT},
     .message = {"with ESMTP id ", "\r\nSubject: x\r\n\r\n.\r\n..\r\n.\r\n"}},
    {.name = "chunks in one write, and two messages",
     .lines = {BEGIN,
               "c: MAIL FROM:<a@example.org>\r\nRCPT TO:<u1@example.jp>\r\nBDAT 7\r\na: b\r\n\r"
               "BDAT 6 LAST\r\n\nQUIT\rMAIL FROM:<b@example.org>\r\nRCPT TO:<u2@example.jp>\r\n"
               "BDAT 3 LAST\r\nx\r\nQUIT\r\n",
               "S: 250 2.1.0 ok", "S: 250 2.1.5 ok", "S: 250 2.0.0 7 *", "S: 550 5.6.0 *", "S: 250 2.1.0 ok", "S: 250 2.1.5 ok",
               ACCEPTED, "S: 221 *", "E:"},
     .message = {"\nb@example.org\n", "\r\nx\r\n"}},
    {.name = "a message of one empty last chunk",
     .lines = {BEGIN, MAIL, RCPT, "c: BDAT 9\r\na: b\r\n\r\nx", "S: 250 *", "c: BDAT 0 LAST\r\n", ACCEPTED,
               MAIL, RCPT, "c: BDAT 0 LAST\r\n", ACCEPTED, QUIT},
     .message = {"\r\n"}},
    {.name = "a last line without an end gets one",
     .lines = {BEGIN, MAIL, RCPT, "c: BDAT 9 LAST\r\na: b\r\n\r\nx", ACCEPTED, QUIT},
     .message = {"\r\na: b\r\n\r\nx\r\n"}},
    {.name = "so does a header",
     .lines = {BEGIN, "C: MAIL FROM:<a@example.org> BODY=BINARYMIME", "S: 250 *", RCPT,
               "c: BDAT 4 LAST\r\na: b", ACCEPTED, QUIT},
     .message = {"\na@example.org\nB\n", "\r\na: b\r\n"}},
    {.name = "a binary body stays as it is",
     .lines = {BEGIN, "C: MAIL FROM:<a@example.org> BODY=BINARYMIME", "S: 250 *", RCPT,
               "C: DATA", "S: 503 5.5.1 a BINARYMIME message comes by BDAT",
               "c: BDAT 9\r\na: b\r\n\r\n\n", "S: 250 *", "c: BDAT 8 LAST\r\n\r.\r\r\n.\n\r", ACCEPTED, QUIT},
     .message = {"\r\na: b\r\n\r\n\n\r.\r\r\n.\n\r"}},
    {.name = "a binary message's header is text",
     .lines = {BEGIN, "C: MAIL FROM:<a@example.org> BODY=BINARYMIME", "S: 250 *", RCPT,
               "c: BDAT 11 LAST\r\na: b\nc: d\r\n",
               "S: 550 5.6.0 a CR or LF stands alone in the text of that message", QUIT},
     .no_message = true},
    {.name = "text has line ends only in pairs",
     .lines = {BEGIN, MAIL, RCPT, "c: BDAT 5 LAST\r\na\nb\r\n",
               "S: 550 5.6.0 a CR or LF stands alone in the text of that message",
               MAIL, RCPT, "c: BDAT 5 LAST\r\na\rb\r\n", "S: 550 5.6.0 *",
               MAIL, RCPT, "c: BDAT 2\r\na\r", "S: 250 *", "c: BDAT 1 LAST\r\n\n", ACCEPTED,
               MAIL, RCPT, "c: BDAT 2 LAST\r\na\r", "S: 550 5.6.0 *", QUIT}},
    {.name = "no byte of a chunk is a command",
     .lines = {GREETING, "c: BDAT 6\r\nQUIT\r\n", "S: 503 5.5.1 HELO or EHLO first", EHLO(WITH_STARTTLS),
               "c: BDAT 6 LAST\r\nQUIT\r\n", "S: 503 5.5.1 MAIL first", MAIL,
               "c: BDAT 6 LAST\r\nQUIT\r\n", "S: 554 5.5.1 no valid recipients", RCPT, "C: NOOP", "S: 250 *", QUIT},
     .no_message = true},
    {.name = "chunks behind a failed one",
     .lines = {BEGIN, MAIL, RCPT, "c: BDAT 3\r\na\nbBDAT 6\r\nQUIT\r\nBDAT 6\r\nQUIT\r\n",
               "S: 550 5.6.0 *", "S: 550 5.6.0 *", "S: 550 5.6.0 *",
               "C: MAIL FROM:<a@example.org>", "S: 503 *", "c: BDAT 6 LAST\r\nQUIT\r\n", "S: 550 5.6.0 *",
               MAIL, "C: RSET", "S: 250 *", QUIT},
     .no_message = true},
    {.name = "RSET between chunks",
     .lines = {BEGIN, MAIL, RCPT, "c: BDAT 3\r\nx\r\n", "S: 250 *", "C: RSET", "S: 250 *",
               "c: BDAT 3 LAST\r\nx\r\n", "S: 503 5.5.1 MAIL first", MAIL, RCPT, "c: BDAT 3 LAST\r\ny\r\n", ACCEPTED, QUIT},
     .message = {"\r\ny\r\n"}},
    {.name = "EHLO between chunks",
     .lines = {BEGIN, MAIL, RCPT, "c: BDAT 3\r\nx\r\n", "S: 250 *", "C: EHLO c", "M: DSN",
               "c: BDAT 0 LAST\r\n", "S: 503 5.5.1 MAIL first", QUIT}, .no_message = true},
    {.name = "what does not go between chunks",
     .lines = {BEGIN, MAIL, RCPT, "c: BDAT 3\r\nx\r\n", "S: 250 *",
               "C: DATA", "S: 503 5.5.1 BDAT or RSET, that message comes in chunks",
               "C: RCPT TO:<u2@example.jp>", "S: 503 5.5.1 BDAT or RSET, that message comes in chunks",
               "C: MAIL FROM:<a@example.org>", "S: 503 5.5.1 *", "C: AUTH PLAIN", "S: 503 5.5.1 *",
               "C: XCLIENT ADDR=192.0.2.1", "S: 503 5.5.1 *",
               "C: NOOP", "S: 250 *", "c: BDAT 3 LAST\r\ny\r\n", ACCEPTED, QUIT},
     .message = {"\r\nx\r\ny\r\n"}},
    {.name = "a client that waits between chunks",
     .lines = {BEGIN, MAIL, RCPT, "c: BDAT 3\r\nx\r\n", "S: 250 *", "W: 1300",
               "c: BDAT 3 LAST\r\ny\r\n", ACCEPTED, QUIT},
     .message = {"\r\nx\r\ny\r\n"}},
    {.name = "a client that errs between chunks, and is made to wait",
     .host = {"tarpit-errors", "1", "tarpit-delay", "1"},
     .lines = {BEGIN, MAIL, RCPT, "c: BDAT 3\r\nx\r\n", "S: 250 *", "C: X", "S: 500 *", "C: X", "S: 500 *",
               "c: BDAT 3 LAST\r\ny\r\n", ACCEPTED, QUIT},
     .message = {"\na@example.org\n7\n", "\r\nx\r\ny\r\n"}},
    {.name = "STARTTLS between chunks",
     .lines = {BEGIN, MAIL, RCPT, "c: BDAT 3\r\nx\r\n", "S: 250 *", "C: STARTTLS", "S: 220 *", "W: 200",
               "c: BDAT 3 LAST\r\ny\r\n", "S: 503 5.5.1 HELO or EHLO first", QUIT},
     .no_message = true},
    {.name = "chunks that get too big", .host = {"databytes", "12"},
     .lines = {BEGIN_OF(12), MAIL, RCPT, "c: BDAT 12\r\n1234567890\r\n", "S: 250 *", "c: BDAT 6 LAST\r\nQUIT\r\n",
               "S: 552 sorry, that message size exceeds my databytes limit (#5.3.4)",
               MAIL, RCPT, "c: BDAT 13\r\nQUIT\r\nQUIT\r\n\n", "S: 552 *", "c: BDAT 0 LAST\r\n", "S: 552 *",
               MAIL, RCPT, "c: BDAT 12 LAST\r\n1234567890\r\n", ACCEPTED, QUIT}},
    {.name = "an endless chunk", .host = {"timeout-smtp-data", "1"},
     .lines = {BEGIN, MAIL, RCPT, "c: BDAT 18446744073709551615\r\nQUIT\r\n", "S: 421 4.4.2 timeout", "E:"},
     .no_message = true},
    {.name = "a chunk of less than no bytes",
     .lines = {BEGIN, MAIL, RCPT, "c: BDAT -6\r\nQUIT\r\n", "S: 501 5.5.4 syntax: BDAT size [LAST]", "E:"},
     .no_message = true},
    {.name = "a chunk beyond 64 bits",
     .lines = {BEGIN, MAIL, RCPT, "c: BDAT 18446744073709551616\r\nQUIT\r\n", "S: 501 5.5.4 *", "E:"},
     .no_message = true},
    {.name = "hops in chunks", .host = {"hops-max", "1"},
     .lines = {BEGIN, MAIL, RCPT, "c: BDAT 13\r\nReceived: 1\r\n", "S: 250 *", "c: BDAT 13 LAST\r\nReceived: 1\r\n",
               "S: 554 5.4.6 *", QUIT},
     .no_message = true},
    {.name = "more chunks than commands without a message", .host = {"recipients-max", "1"},
     .lines = {BEGIN, MAIL, RCPT, "B: 300", "c: BDAT 0 LAST\r\n", ACCEPTED, QUIT}},
    {.name = "the queue's troubles with chunks",
     .lines = {BEGIN, "C: MAIL FROM:<temp@example.org>", "S: 250 *", RCPT, "c: BDAT 0 LAST\r\n",
               "S: 451 4.3.0 the disk is full", MAIL, RCPT, "c: BDAT 0 LAST\r\n", ACCEPTED, QUIT}},

    /* RFC 2033 */
    {.name = "LMTP answers for each recipient", .service = SESSION_LMTP,
     .lines = {"S: 220 mail.example.jp LMTP", "C: EHLO c", "S: 500 5.5.1 unknown command",
               "C: HELO c", "S: 500 5.5.1 unknown command", "C: LHLO", "S: 501 5.5.4 syntax: LHLO host",
               "C: LHLO c", "M: PIPELINING", MAIL, "C: DATA", "S: 503 5.5.1 no valid recipients", RCPT,
               "C: RCPT TO:<nobody-knows@example.jp>", "S: 550 5.1.1 *",
               "C: RCPT TO:<a@example.net>", "S: 554 5.7.1 *", RCPT,
               "C: RCPT TO:<u2@example.jp>", "S: 250 *", DATA, "C: x: y", "C: .", ACCEPTED, ACCEPTED, ACCEPTED,
               MAIL, RCPT, DATA, "C: .", ACCEPTED,
               MAIL, RCPT, "C: RCPT TO:<u2@example.jp>", "S: 250 *", "c: BDAT 3\r\nx\r\n", "S: 250 2.0.0 3 *",
               "c: BDAT 0 LAST\r\n", ACCEPTED, ACCEPTED,
               "C: MAIL FROM:<temp@example.org>", "S: 250 *", RCPT, RCPT, DATA, "C: .",
               "S: 451 4.3.0 the disk is full", "S: 451 4.3.0 the disk is full", QUIT},
     .message = {"by=lmtp ", "with LMTP id "}},
    {.name = "LMTP refuses for each recipient, and it is one error", .service = SESSION_LMTP,
     .host = {"errors-max", "3", "hops-max", "1"},
     .lines = {"S: 220 *", "C: LHLO c", "M: DSN", MAIL, RCPT, RCPT, RCPT, RCPT, DATA, "C: Received: 1", "C: Received: 2",
               "C: ", "C: .", "S: 554 5.4.6 *", "S: 554 5.4.6 *", "S: 554 5.4.6 *", "S: 554 5.4.6 *", QUIT},
     .no_message = true},
    {.name = "SMTP is not greeted by LHLO",
     .lines = {GREETING, "C: LHLO c", "S: 500 5.5.1 unknown command", QUIT}},

    /* XCLIENT */
    {.name = "XCLIENT is not for all",
     .lines = {BEGIN, "C: XCLIENT ADDR=198.51.100.7", "S: 550 5.7.0 XCLIENT is not for you", QUIT}},
    {.name = "XCLIENT", .speaks_for_others = true,
     .lines = {GREETING, "C: EHLO proxy", "M: XCLIENT NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT",
               "C: XCLIENT", "S: 501 5.5.4 syntax: XCLIENT attribute=value...",
               "C: XCLIENT ADDR=x", "S: 501 5.5.4 *", "C: XCLIENT COLOUR=red", "S: 501 5.5.4 *",
               "C: XCLIENT ADDR=198.51.100.7 NAME=mx.example.org PORT=25 HELO=h PROTO=ESMTP DESTADDR=192.0.2.9", GREETING,
               "C: MAIL FROM:<a@example.org>", "S: 503 5.5.1 HELO or EHLO first", "C: EHLO h.example.org", "M: XCLIENT",
               MAIL, "C: XCLIENT ADDR=198.51.100.8", "S: 503 5.5.1 not within a mail transaction",
               RCPT, DATA, "C: .", ACCEPTED,
               "C: XCLIENT ADDR=IPV6:2001:db8::7 NAME=[UNAVAILABLE]", GREETING, "C: HELO h", "S: 250 *",
               MAIL, RCPT, DATA, "C: .", ACCEPTED, QUIT},
     .message = {"by=smtp client=2001:db8::7 helo=h\n", "from h ([IPv6:2001:db8::7])\r\n"}},
    {.name = "XCLIENT with a name", .speaks_for_others = true,
     .lines = {GREETING, "C: XCLIENT ADDR=198.51.100.7 NAME=mx.example.org", GREETING, EHLO_ANY,
               MAIL, RCPT, DATA, "C: .", ACCEPTED, QUIT},
     .message = {"client=198.51.100.7 ", "from c (mx.example.org [198.51.100.7])\r\n"}},
    {.name = "XCLIENT with a login", .speaks_for_others = true,
     .lines = {GREETING, EHLO_ANY, "C: XCLIENT ADDR=198.51.100.7 LOGIN=nobody-knows@example.jp",
               "S: 550 5.7.0 there is no such LOGIN",
               "C: XCLIENT ADDR=198.51.100.7 LOGIN=u1@example.jp", GREETING, EHLO_ANY,
               "C: MAIL FROM:<u2@example.jp>", "S: 553 5.7.1 *",
               "C: MAIL FROM:<u1@example.jp>", "S: 250 *", "C: RCPT TO:<a@example.net>", "S: 250 *", DATA, "C: .", ACCEPTED,
               "C: XCLIENT ADDR=198.51.100.7", GREETING, EHLO_ANY, "C: MAIL FROM:<u1@example.jp>", "S: 250 *",
               "C: RCPT TO:<a@example.net>", "S: 554 5.7.1 *", QUIT},
     .message = {"client=198.51.100.7 helo=c user=u1@example.jp\n", "with ESMTPA id "}},
    {.name = "XCLIENT with a login does not open LMTP", .service = SESSION_LMTP, .speaks_for_others = true,
     .lines = {"S: 220 *", "C: XCLIENT ADDR=198.51.100.7 LOGIN=u1@example.jp", "S: 220 mail.example.jp LMTP",
               "C: LHLO c", "M: DSN", "C: MAIL FROM:<u1@example.jp>", "S: 250 *", "C: RCPT TO:<a@example.net>", "S: 554 5.7.1 *", QUIT}},
    {.name = "XCLIENT pipelined", .speaks_for_others = true,
     .lines = {GREETING, "c: XCLIENT ADDR=198.51.100.7 NAME=[TEMPUNAVAIL]\r\nHELO h\r\nMAIL FROM:<>\r\n", GREETING,
               "S: 250 mail.example.jp", "S: 250 2.1.0 ok", QUIT}},

    /* Bad input */
    {.name = "addresses that strain",
     .lines = {BEGIN, "C: MAIL FROM:<a..b@docomo.ne.jp>", "S: 250 *", "C: RSET", "S: 250 *",
               "C: MAIL FROM:<c.@ezweb.ne.jp>", "S: 250 *", "C: RSET", "S: 250 *",
               "C: MAIL FROM:<\"a b\\\"<>@\"@example.org>", "S: 250 *",
               "C: RCPT TO:<@a.example,@b.example:u1@example.jp>", "S: 250 *",
               "C: RCPT TO:<\"u1@example.jp\"@example.jp>", "S: 550 5.1.1 *",
               "C: RCPT TO:<\"u1\\\"@example.jp>", "S: 501 5.1.3 *",
               "C: RCPT TO:<u1@example.jp,u2@example.jp>", "S: 501 5.1.3 *",
               "C: RCPT TO:<../u1@example.jp>", "S: 501 5.1.3 *",
               "C: RCPT TO:<u/../1@example.jp>", "S: 550 5.1.1 *",
               "C: RCPT TO:<|sh@example.jp>", "S: 550 5.1.1 *", "A: 65536", "S: 500 5.5.2 line too long",
               "A: 400", "S: 501 5.1.3 *", DATA, "C: .", ACCEPTED, QUIT},
     .message = {"\n\"a b\\\"<>@\"@example.org\n7\n0\n\n\nu1@example.jp\n\n\n\n"}},
    {.name = "8 bits where they are not asked for",
     .lines = {BEGIN, "C: EHLO \x80\xff", "M: DSN", "C: MAIL FROM:<\xff@example.org>", "S: 501 5.1.7 *",
               "C: MAIL FROM:<\xff@example.org> SMTPUTF8", "S: 501 5.1.7 *",
               "C: MAIL FROM:<a@\xe3\x81\x82.jp>", "S: 553 5.6.7 *", "C: \xe3\x81\x82", "S: 500 5.5.1 *", MAIL, RCPT, DATA, "C: .", ACCEPTED, QUIT},
     .message = {"helo=??\n", "from ?? ("}},
};
/* clang-format on */

/* ---- the session under test -------------------------------------------------------------------*/

static pid_t start_session(const struct transcript *one, int *client)
{
    static const char *const names[] = {"smtp", "submission", "submissions", "lmtp"};
    struct session_peer peer = {.service = one->service,
                                .service_name = names[one->service],
                                .client = one->client ? one->client : "192.0.2.1",
                                .client_port = "4711",
                                .server = "192.0.2.2",
                                .speaks_for_others = one->speaks_for_others};
    int pair[2];
    assert_true(unixsocket_pair(SOCK_STREAM, pair));
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        static struct session session;
        close(pair[0]);
        int log = open("session-log", O_WRONLY | O_CREAT | O_APPEND, 0644);
        dup2(log, STDERR_FILENO);
        signal(SIGPIPE, SIG_IGN);
        alarm(60);
        session_prepare(&session);
        if (!session_begin(&session, &peer, pair[1], pair[1]))
            _exit(1);
        session_run(&session);
        session_free(&session);
        exit(session.end ? 0 : 2);
    }
    close(pair[1]);
    *client = pair[0];
    return pid;
}

/* ---- the client -------------------------------------------------------------------------------*/

static void send_bytes(const struct transcript *one, int fd, struct slice bytes)
{
    if (!io_write_all(fd, bytes, clock_deadline(WAIT_MS)))
        fail_msg("%s: sending failed", one->name);
}

static void send_run(const struct transcript *one, int fd, const char *prefix, size_t size,
                     const char *end)
{
    char *run = malloc(size);
    assert_non_null(run);
    memset(run, 'x', size);
    send_bytes(one, fd, slice_text(prefix));
    send_bytes(one, fd, slice_of(run, size));
    send_bytes(one, fd, slice_text(end));
    free(run);
}

static void note_reply(struct slice line)
{
    for (unsigned name = 0; name < REPLY_COUNT; name++) {
        const struct reply_form *form = reply_form((enum reply)name);
        struct slice rest = line, text = slice_text(form->text);
        if (!slice_equal(slice_cut_word(&rest), slice_text(form->code)))
            continue;
        rest = slice_trim(rest);
        if (form->status[0] != '\0' &&
            !slice_equal(slice_cut_word(&rest), slice_text(form->status)))
            continue;
        rest = slice_trim(rest);
        size_t place = slice_find(text, '$');
        if (slice_starts(rest, slice_part(text, 0, place)) &&
            slice_ends(rest, slice_from(text, place + 1)) &&
            (place < text.size || rest.size == text.size))
            seen[name] = true;
    }
}

static void expect_line(const struct transcript *one, struct stream *stream, const char *expected)
{
    struct slice line, wanted = slice_text(expected);
    enum stream_result result = stream_line(stream, 1000, &line);
    if (result != STREAM_OK)
        fail_msg("%s: expected \"%s\", got the end (%d)", one->name, expected, (int)result);
    assert_true(slice_ends(line, SLICE("\r\n")));
    line.size -= 2;
    note_reply(line);
    bool is_prefix = slice_ends(wanted, SLICE("*"));
    if (is_prefix)
        wanted.size--;
    if (is_prefix ? !slice_starts(line, wanted) : !slice_equal(line, wanted))
        fail_msg("%s: expected \"%s\", got \"%.*s\"", one->name, expected, SLICE_PRINTF(line));
}

/* A reply of several lines; one of them is, or begins, as expected. */
static void expect_lines(const struct transcript *one, struct stream *stream, const char *expected)
{
    struct slice line;
    bool found = false;
    do {
        if (stream_line(stream, 1000, &line) != STREAM_OK || line.size < 6)
            fail_msg("%s: expected \"%s\" among lines, got the end", one->name, expected);
        found = found || slice_starts(slice_from(line, 4), slice_text(expected));
    } while (line.data[3] == '-');
    if (!found)
        fail_msg("%s: \"%s\" is not among the lines", one->name, expected);
}

static void expect_end(const struct transcript *one, struct stream *stream)
{
    struct slice bytes;
    enum stream_result result = stream_bytes(stream, 1000, &bytes);
    if (result != STREAM_END)
        fail_msg("%s: expected the end, got %d", one->name, (int)result);
}

static void pause_ms(long ms)
{
    struct timespec wait = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    nanosleep(&wait, NULL);
}

static void play_line(const struct transcript *one, struct stream *stream, const char *line)
{
    const char *text = line[1] != '\0' && line[2] == ' ' ? line + 3 : "";
    size_t number = strtoul(text, NULL, 10);
    switch (line[0]) {
    case 'C':
        send_bytes(one, stream->out, slice_text(text));
        send_bytes(one, stream->out, SLICE("\r\n"));
        break;
    case 'c':
        send_bytes(one, stream->out, slice_text(text));
        break;
    case 'L': /* a line of so many bytes */
        send_run(one, stream->out, "", number, "\r\n");
        break;
    case 'H': /* a header field of about so many bytes */
        send_run(one, stream->out, "X-Field: ", number, "\r\n\r\n");
        break;
    case 'N': /* so many NOOPs */
        for (; number > 0; number--) {
            send_bytes(one, stream->out, SLICE("NOOP\r\n"));
            expect_line(one, stream, "250 2.0.0 ok");
        }
        break;
    case 'B': /* so many chunks of one line */
        for (; number > 0; number--) {
            send_bytes(one, stream->out, SLICE("BDAT 4\r\nxx\r\n"));
            expect_line(one, stream, "250 2.0.0 4 octets received");
        }
        break;
    case 'A': /* an address whose local part has so many bytes */
        send_run(one, stream->out, "RCPT TO:<", number, "@example.jp>\r\n");
        break;
    case 'O': /* sessions of an account are over */
        board_end_sessions(one->board, slice_text(text));
        break;
    case 'W':
        pause_ms((long)number);
        break;
    case 'S':
        expect_line(one, stream, text);
        break;
    case 'M':
        expect_lines(one, stream, text);
        break;
    default:
        expect_end(one, stream);
        break;
    }
}

static void check_message(const struct transcript *one)
{
    struct str message;
    str_init(&message, PEERS_MESSAGE_MAX * 2);
    bool came = io_read_file(AT_FDCWD, "last-message", &message);
    if (one->no_message && came)
        fail_msg("%s: queue-inject got \"%s\"", one->name, str_text(&message));
    const char *at = came ? str_text(&message) : "";
    for (size_t i = 0; one->message[i]; i++) {
        const char *found = strstr(at, one->message[i]);
        if (!found)
            fail_msg("%s: \"%s\" is not in \"%s\"", one->name, one->message[i], at);
        at = found + strlen(one->message[i]);
    }
    str_free(&message);
}

static void check_heard(const struct transcript *one, const char *kind, pid_t pid,
                        const char *wanted)
{
    struct str heard;
    char name[32];
    str_init(&heard, 4000);
    peers_state_file(name, sizeof name, kind, pid);
    for (int64_t end = clock_deadline(WAIT_MS); wanted; pause_ms(10)) {
        str_clear(&heard);
        bool came = io_read_file(AT_FDCWD, name, &heard);
        if (slice_equal(str_slice(&heard), slice_text(wanted)) || (!came && wanted[0] == '\0'))
            break;
        if (clock_left(end) == 0)
            fail_msg("%s: stated was %s \"%s\"", one->name, kind, str_text(&heard));
    }
    str_free(&heard);
}

/* What is told may still be on its way when the session is over. */
static void check_state(const struct transcript *one, pid_t pid)
{
    check_heard(one, "asked", pid, one->asked);
    check_heard(one, "told", pid, one->told);
}

/* Starts a session and plays the lines, with `signal` at their end unless it is 0; the session's
 * status when it is over. */
static int play_lines(const struct transcript *one, int signal, pid_t *pid)
{
    struct stream stream;
    int client, status;
    unlink("last-message");
    assert_true(peers_set_host(one->host));
    *pid = start_session(one, &client);
    assert_true(stream_init(&stream, client, client, 8192, WAIT_MS));
    for (size_t i = 0; i < LINES_MAX && one->lines[i]; i++)
        play_line(one, &stream, one->lines[i]);
    if (signal == 0)
        close(client);
    else
        assert_int_equal(kill(*pid, signal), 0);
    assert_int_equal(waitpid(*pid, &status, 0), *pid);
    if (signal != 0)
        close(client);
    stream_free(&stream);
    return status;
}

static void play(const struct transcript *one)
{
    pid_t pid;
    int status = play_lines(one, 0, &pid);
    if (status != 0)
        fail_msg("%s: the session ended with %d", one->name, status);
    check_message(one);
    check_state(one, pid);
}

static void transcripts_hold(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof transcripts / sizeof *transcripts; i++)
        play(&transcripts[i]);
}

static const struct transcript ended = {.name = "ended",
                                        .host = {NULL},
                                        .lines = {BEGIN, MAIL, RCPT, DATA, "C: .", ACCEPTED},
                                        .asked =
                                            "allows u1@example.jp receive domain 200 60 7200\n",
                                        .told = "received @example.jp\n"};

/* As soon as it was accepted, whatever becomes of the session. */
static void what_was_accepted_is_told(void **state)
{
    pid_t pid;
    (void)state;
    assert_int_equal(WTERMSIG(play_lines(&ended, SIGKILL, &pid)), SIGKILL);
    check_state(&ended, pid);
}

/* The line that waits for the next is written when the session is ended from outside. */
static void an_ended_session_has_logged_what_it_accepted(void **state)
{
    struct str log;
    pid_t pid;
    (void)state;
    assert_int_equal(unlink("session-log"), 0);
    assert_int_equal(play_lines(&ended, SIGTERM, &pid), 0);
    check_state(&ended, pid);
    str_init(&log, 100000);
    assert_true(io_read_file(AT_FDCWD, "session-log", &log));
    assert_non_null(strstr(str_text(&log), "accepted id=0cw9x2k4m7q1p"));
    str_free(&log);
}

/* What is on the board is not asked; what is not, or is no more, is. */
static void the_board_is_asked_first(void **state)
{
    struct transcript one = {.name = "board",
                             .host = {NULL},
                             .lines = {BEGIN, MAIL, RCPT, DATA, "C: .", ACCEPTED, QUIT},
                             .told = "received @example.jp\n"};
    struct board board;
    (void)state;
    assert_true(board_make(&board, getgid()));
    for (int turn = 0; turn < 5; turn++) {
        if (turn == 1)
            board_begin(&board);
        if (turn == 2)
            board_note_room(&board, &(struct board_rule){.account = SLICE("u9@example.jp"),
                                                         .action = SLICE("receive"),
                                                         .name = SLICE("domain"),
                                                         .limit = 200,
                                                         .window_s = 60,
                                                         .lasts_s = 7200});
        if (turn == 3)
            board_note_state(&board, SLICE("u1@example.jp"));
        if (turn == 4)
            board_forget_rooms(&board);
        one.asked = turn == 2 ? "" : "allows u1@example.jp receive domain 200 60 7200\n";
        play(&one);
    }
    board_end(&board);
    assert_int_equal(unlink(BOARD_FILE), 0);
}

/* Whatever the client says next, and nobody else's. */
static void a_login_ends_with_its_password(void **state)
{
    struct board board;
    const struct transcript cases[] = {
        {.name = "mine",
         .service = SESSION_SUBMISSIONS,
         .host = {NULL},
         .board = &board,
         .lines = {BEGIN_SUBMISSIONS, LOGIN, "C: NOOP", "S: 250 *", "O: u1@example.jp", "C: NOOP",
                   "S: 421 4.7.0 the account's password was changed, or it is locked or gone: log "
                   "in again",
                   "E:"}},
        {.name = "my domain's",
         .service = SESSION_SUBMISSIONS,
         .host = {NULL},
         .board = &board,
         .lines = {BEGIN_SUBMISSIONS, LOGIN, "O: @example.jp", "C: MAIL FROM:<u1@example.jp>",
                   "S: 421 4.7.0 *", "E:"}},
        {.name = "somebody else's",
         .service = SESSION_SUBMISSIONS,
         .host = {NULL},
         .board = &board,
         .lines = {BEGIN_SUBMISSIONS, "O: u1@example.jp", LOGIN, "O: u3@example.jp", "C: NOOP",
                   "S: 250 *", QUIT}},
        {.name = "nobody's",
         .host = {NULL},
         .board = &board,
         .lines = {BEGIN, "O: @example.jp", "C: NOOP", "S: 250 *", QUIT}},
    };
    (void)state;
    assert_true(board_make(&board, getgid()));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        play(&cases[i]);
    board_end(&board);
    assert_int_equal(unlink(BOARD_FILE), 0);
}

/* A client that goes away at any point leaves no message and ends the process. */
static void disconnecting_anywhere_is_harmless(void **state)
{
    (void)state;
    static const char session_text[] =
        "EHLO c\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<u1@example.jp>\r\nDATA\r\nSubject: x\r\n"
        "\r\nx\r\n.";
    const struct transcript plain = {.name = "disconnect", .host = {NULL}};
    assert_true(peers_set_host(plain.host));
    unlink("last-message");
    for (size_t size = 0; size < sizeof session_text; size += 3) {
        int client, status;
        pid_t pid = start_session(&plain, &client);
        send_bytes(&plain, client, slice_of(session_text, size));
        close(client);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
    }
    assert_int_equal(access("last-message", F_OK), -1);
}

/* The same session in single bytes gives the same replies. */
static void bytes_may_come_one_by_one(void **state)
{
    (void)state;
    static const char session_text[] =
        "EHLO c\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<u1@example.jp>\r\nDATA\r\nSubject: x\r\n"
        "\r\n..x\r\n.\r\nQUIT\r\n";
    const struct transcript one = {
        .name = "bytes", .host = {NULL}, .message = {"\r\nSubject: x\r\n\r\n.x\r\n"}};
    const char *const expected[] = {"S: 220 *",        "M: DSN",   "S: 250 2.1.0 ok",
                                    "S: 250 2.1.5 ok", "S: 354 *", "S: 250 2.0.0 ok *",
                                    "S: 221 *"};
    struct stream stream;
    int client, status;
    assert_true(peers_set_host(one.host));
    pid_t pid = start_session(&one, &client);
    for (size_t i = 0; i + 1 < sizeof session_text; i++)
        send_bytes(&one, client, slice_of(session_text + i, 1));
    assert_true(stream_init(&stream, client, client, 8192, WAIT_MS));
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        play_line(&one, &stream, expected[i]);
    expect_end(&one, &stream);
    close(client);
    stream_free(&stream);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    check_message(&one);
}

/* Runs last. */
static void every_reply_was_reached(void **state)
{
    (void)state;
    for (unsigned name = 0; name < REPLY_COUNT; name++)
        if (!seen[name])
            fail_msg("no transcript reaches \"%s %s\"", reply_form((enum reply)name)->code,
                     reply_form((enum reply)name)->text);
}

static int start_peers(void **state)
{
    (void)state;
    return peers_start(&peers) ? 0 : -1;
}

static int stop_peers(void **state)
{
    (void)state;
    peers_stop(&peers);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(transcripts_hold),
        cmocka_unit_test(what_was_accepted_is_told),
        cmocka_unit_test(an_ended_session_has_logged_what_it_accepted),
        cmocka_unit_test(the_board_is_asked_first),
        cmocka_unit_test(a_login_ends_with_its_password),
        cmocka_unit_test(disconnecting_anywhere_is_harmless),
        cmocka_unit_test(bytes_may_come_one_by_one),
        cmocka_unit_test(every_reply_was_reached),
    };
    return cmocka_run_group_tests(tests, start_peers, stop_peers);
}
