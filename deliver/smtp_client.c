/* smtp_client - see smtp_client.h */
#include "smtp_client.h"

#include "clock.h"
#include "encode.h"
#include "io.h"
#include "number.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
    INPUT_MAX = 8192,
    LOGIN_LINE_MAX = 4096,
    LINE_MAX_BYTES = 4096, /* of a reply; RFC 5321 says 512, and some greet at length */
    /* RFC 5321 4.5.3.2 */
    GREETING_MS = 300000,
    COMMAND_MS = 300000,
};

void smtp_client_init(struct smtp_client *client)
{
    *client = (struct smtp_client){.is_open = false, .deadline = CLOCK_NEVER};
}

bool smtp_client_open(struct smtp_client *client, int fd, const char *address)
{
    smtp_client_init(client);
    client->buffer = malloc(SMTP_CLIENT_BUFFER);
    if (!client->buffer ||
        !slice_copy_text(slice_text(address), client->address, sizeof client->address) ||
        !stream_init(&client->stream, fd, fd, INPUT_MAX, CLOCK_NEVER)) {
        free(client->buffer);
        client->buffer = NULL;
        io_close(&fd);
        return false;
    }
    client->is_open = true;
    return true;
}

void smtp_client_limit(struct smtp_client *client, int64_t deadline)
{
    client->deadline = deadline;
}

void smtp_client_close(struct smtp_client *client)
{
    if (!client->is_open)
        return;
    io_close(&client->stream.in);
    stream_free(&client->stream);
    free(client->buffer);
    client->buffer = NULL;
    client->is_open = false;
}

void smtp_client_quit(struct smtp_client *client)
{
    if (!client->is_open)
        return;
    client->stream.timeout_ms = 0;
    stream_write_text(&client->stream, "QUIT\r\n");
    stream_flush(&client->stream);
    smtp_client_close(client);
}

/* ---- outcomes ---------------------------------------------------------------------------------*/

void smtp_client_decide(struct smtp_client_outcome *outcome, enum verdict verdict,
                        const char *status, const char *text)
{
    outcome->is_decided = true;
    outcome->verdict = verdict;
    snprintf(outcome->status, sizeof outcome->status, "%s", status);
    snprintf(outcome->text, sizeof outcome->text, "%s", text);
}

void smtp_client_decide_by_reply(const struct smtp_client *client,
                                 struct smtp_client_outcome *outcome)
{
    char text[SMTP_CLIENT_TEXT_MAX];
    snprintf(text, sizeof text, "%s said: %s", client->address, client->reply.text);
    smtp_client_decide(outcome, smtp_reply_verdict(&client->reply),
                       smtp_reply_status(&client->reply), text);
}

/* ---- replies ----------------------------------------------------------------------------------*/

enum smtp_client_result smtp_client_lose(struct smtp_client *client, enum stream_result why,
                                         const char *phase)
{
    static const char *const reasons[] = {
        [STREAM_OK] = "an answer that is no SMTP", [STREAM_END] = "connection closed",
        [STREAM_TIMEOUT] = "no answer in time",    [STREAM_TOO_LONG] = "an endless line",
        [STREAM_ERROR] = "connection broken",
    };
    snprintf(client->trouble, sizeof client->trouble, "%s: %s at %s", client->address, reasons[why],
             phase);
    return SMTP_CLIENT_LOST;
}

typedef void each_line(struct smtp_client *client, struct slice text);

/* Reads one whole reply. OK: 2xx or 3xx. */
static enum smtp_client_result read_lines(struct smtp_client *client, int64_t wait_ms,
                                          const char *phase, each_line *each)
{
    struct stream *stream = &client->stream;
    smtp_reply_init(&client->reply);
    stream->timeout_ms = CLOCK_NEVER;
    int64_t deadline = clock_deadline(wait_ms);
    stream->deadline = deadline < client->deadline ? deadline : client->deadline;
    for (;;) {
        struct slice line, text;
        enum stream_result got = stream_line(stream, LINE_MAX_BYTES, &line);
        if (got != STREAM_OK)
            return smtp_client_lose(client, got, phase);
        enum smtp_reply_result result = smtp_reply_line(&client->reply, line, &text);
        if (result == SMTP_REPLY_BAD)
            return smtp_client_lose(client, STREAM_OK, phase);
        if (each)
            each(client, text);
        if (result == SMTP_REPLY_DONE)
            break;
    }
    return smtp_reply_verdict(&client->reply) == VERDICT_OK ? SMTP_CLIENT_OK : SMTP_CLIENT_REFUSED;
}

enum smtp_client_result smtp_client_read(struct smtp_client *client, int64_t wait_ms,
                                         const char *phase)
{
    return read_lines(client, wait_ms, phase, NULL);
}

void smtp_client_write(struct smtp_client *client, int64_t wait_ms)
{
    /* Output may leave at once when there is much of it. */
    client->stream.timeout_ms = wait_ms;
    client->stream.deadline = client->deadline;
}

static void write_command(struct smtp_client *client, const char *verb, const char *argument)
{
    smtp_client_write(client, COMMAND_MS);
    stream_write_text(&client->stream, verb);
    stream_write_text(&client->stream, argument);
    stream_write_text(&client->stream, "\r\n");
}

static enum smtp_client_result command(struct smtp_client *client, const char *verb,
                                       const char *argument, each_line *each)
{
    write_command(client, verb, argument);
    return read_lines(client, COMMAND_MS, verb, each);
}

/* ---- greeting ---------------------------------------------------------------------------------*/

static const struct {
    const char *keyword;
    enum smtp_client_extension extension;
} extensions[] = {
    {"PIPELINING", SMTP_CLIENT_PIPELINING},
    {"SIZE", SMTP_CLIENT_SIZE},
    {"8BITMIME", SMTP_CLIENT_8BITMIME},
    {"SMTPUTF8", SMTP_CLIENT_SMTPUTF8},
    {"STARTTLS", SMTP_CLIENT_STARTTLS},
    {"DSN", SMTP_CLIENT_DSN},
    {"CHUNKING", SMTP_CLIENT_CHUNKING},
    {"BINARYMIME", SMTP_CLIENT_BINARYMIME},
    {"AUTH", SMTP_CLIENT_AUTH},
};

/* "AUTH PLAIN LOGIN"; some also say "AUTH=PLAIN LOGIN", for clients of before RFC 2554. */
static void take_mechanisms(struct smtp_client *client, struct slice words)
{
    while (words.size > 0) {
        struct slice word = slice_cut_word(&words);
        if (slice_equal_nocase(word, SLICE("PLAIN")))
            client->mechanisms |= SMTP_CLIENT_PLAIN;
        else if (slice_equal_nocase(word, SLICE("LOGIN")))
            client->mechanisms |= SMTP_CLIENT_LOGIN;
    }
}

static void take_extension(struct smtp_client *client, struct slice text)
{
    struct slice keyword = slice_cut_word(&text);
    if (client->reply.lines == 1) { /* the server's name */
        if (!slice_copy_text(keyword, client->name, sizeof client->name))
            client->name[0] = '\0';
        return;
    }
    for (size_t i = 0; i < sizeof extensions / sizeof *extensions; i++)
        if (slice_equal_nocase(keyword, slice_text(extensions[i].keyword)))
            client->extensions |= extensions[i].extension;
    if (slice_equal_nocase(keyword, SLICE("SIZE")) &&
        !number_parse(slice_cut_word(&text), UINT64_MAX, &client->size_max))
        client->size_max = 0;
    if (slice_equal_nocase(keyword, SLICE("AUTH")))
        take_mechanisms(client, text);
}

static enum smtp_client_result say_hello(struct smtp_client *client, const char *helo)
{
    client->extensions = 0;
    client->mechanisms = 0;
    client->size_max = 0;
    client->name[0] = '\0';
    enum smtp_client_result result = command(client, "EHLO ", helo, take_extension);
    if (result != SMTP_CLIENT_REFUSED || client->reply.code < 500)
        return result;
    /* What a refusal says are no extensions. */
    client->extensions = 0;
    client->name[0] = '\0';
    return command(client, "HELO ", helo, NULL);
}

static enum smtp_client_result fail_tls(struct smtp_client *client, enum tlsreport_result result,
                                        const char *reason)
{
    client->tls_result = result;
    snprintf(client->tls_trouble, sizeof client->tls_trouble, "%s", reason);
    snprintf(client->trouble, sizeof client->trouble, "%s: TLS failed: %s", client->address,
             reason);
    return SMTP_CLIENT_TLS_FAILED;
}

/* STARTTLS is not to be had: the message goes without, where it may. */
static enum smtp_client_result go_without_tls(struct smtp_client *client,
                                              const struct smtp_client_tls *tls, const char *reason)
{
    enum smtp_client_result result = fail_tls(client, TLSREPORT_STARTTLS_NOT_SUPPORTED, reason);
    return tls->level == SMTP_CLIENT_TLS_MUST ? result : SMTP_CLIENT_OK;
}

static enum smtp_client_result start_tls(struct smtp_client *client, const struct tls_check *check)
{
    struct tls_session session = {.fd = -1};
    int plain_fd = client->stream.in;
    bool done = tls_connect(plain_fd, check, &session);
    io_close(&plain_fd);
    /* Pending input is thrown away: it came in the clear. */
    stream_switch(&client->stream, session.fd, session.fd);
    if (!done || !io_set_nonblocking(session.fd, true))
        return fail_tls(client, session.result, session.reason);
    client->tls_result = session.result;
    snprintf(client->tls_trouble, sizeof client->tls_trouble, "%s", session.reason);
    snprintf(client->tls_version, sizeof client->tls_version, "%s", session.version);
    return SMTP_CLIENT_OK;
}

static enum smtp_client_result greet(struct smtp_client *client, const char *helo,
                                     const struct smtp_client_tls *tls)
{
    enum smtp_client_result result = smtp_client_read(client, GREETING_MS, "the greeting");
    if (result == SMTP_CLIENT_OK)
        result = say_hello(client, helo);
    if (result != SMTP_CLIENT_OK || tls->level == SMTP_CLIENT_TLS_NEVER)
        return result;
    if (!(client->extensions & SMTP_CLIENT_STARTTLS))
        return go_without_tls(client, tls, "the server does not offer STARTTLS");
    result = command(client, "STARTTLS", "", NULL);
    if (result == SMTP_CLIENT_REFUSED)
        return go_without_tls(client, tls, "the server refuses STARTTLS");
    if (result == SMTP_CLIENT_OK)
        result = start_tls(client, &tls->check);
    if (result != SMTP_CLIENT_OK)
        return result;
    result = say_hello(client, helo);
    return result == SMTP_CLIENT_LOST
               ? fail_tls(client, TLSREPORT_VALIDATION_FAILURE, "nothing came through it")
               : result;
}

enum smtp_client_result smtp_client_greet(struct smtp_client *client, const char *helo,
                                          const struct smtp_client_tls *tls)
{
    enum smtp_client_result result = greet(client, helo, tls);
    client->is_clean = result == SMTP_CLIENT_OK;
    return result;
}

/* ---- AUTH (RFC 4954) --------------------------------------------------------------------------*/

static bool write_base64_line(struct smtp_client *client, const char *verb, struct slice bytes)
{
    struct str text;
    str_init(&text, LOGIN_LINE_MAX);
    bool done = encode_base64(bytes, &text);
    smtp_client_write(client, COMMAND_MS);
    if (done) {
        stream_write_text(&client->stream, verb);
        stream_write(&client->stream, str_slice(&text));
        stream_write_text(&client->stream, "\r\n");
    }
    str_free(&text);
    return done;
}

/* RFC 4616 */
static enum smtp_client_result login_plain(struct smtp_client *client, struct slice user,
                                           struct slice password)
{
    struct str response;
    str_init(&response, LOGIN_LINE_MAX);
    str_append_byte(&response, '\0');
    str_append(&response, user);
    str_append_byte(&response, '\0');
    bool done = str_append(&response, password) &&
                write_base64_line(client, "AUTH PLAIN ", str_slice(&response));
    str_free(&response);
    return done ? smtp_client_read(client, COMMAND_MS, "AUTH") : SMTP_CLIENT_LOST;
}

static enum smtp_client_result login_in_steps(struct smtp_client *client, struct slice user,
                                              struct slice password)
{
    const struct slice answers[] = {user, password};
    enum smtp_client_result result = command(client, "AUTH LOGIN", "", NULL);
    for (size_t i = 0; i < 2 && result == SMTP_CLIENT_OK; i++) {
        if (client->reply.code != 334)
            return smtp_client_lose(client, STREAM_OK, "AUTH");
        if (!write_base64_line(client, "", answers[i]))
            return SMTP_CLIENT_LOST;
        result = smtp_client_read(client, COMMAND_MS, "AUTH");
    }
    return result;
}

enum smtp_client_result smtp_client_login(struct smtp_client *client, struct slice user,
                                          struct slice password)
{
    enum smtp_client_result result;
    client->is_clean = false;
    if (client->mechanisms & SMTP_CLIENT_PLAIN) {
        result = login_plain(client, user, password);
    } else if (client->mechanisms & SMTP_CLIENT_LOGIN) {
        result = login_in_steps(client, user, password);
    } else {
        smtp_reply_init(&client->reply);
        snprintf(client->reply.text, sizeof client->reply.text,
                 "no way to log in that we know (AUTH PLAIN or LOGIN)");
        return SMTP_CLIENT_REFUSED;
    }
    if (result == SMTP_CLIENT_OK && client->reply.code / 100 != 2)
        return smtp_client_lose(client, STREAM_OK, "AUTH");
    client->is_clean = result == SMTP_CLIENT_OK;
    return result;
}

bool smtp_client_is_alive(struct smtp_client *client)
{
    char byte;
    return client->is_open && stream_pending(&client->stream).size == 0 &&
           recv(client->stream.in, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}
