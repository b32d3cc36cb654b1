/* smtp_client - see smtp_client.h */
#include "smtp_client.h"

#include "clock.h"
#include "io.h"
#include "number.h"
#include "smtpdata.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    INPUT_MAX = 8192,
    LINE_MAX_BYTES = 4096, /* of a reply; RFC 5321 says 512, and some greet at length */
    CHUNK_SIZE = 32768,
    /* RFC 5321 4.5.3.2 */
    GREETING_MS = 300000,
    COMMAND_MS = 300000,
    DATA_COMMAND_MS = 120000,
    DATA_BLOCK_MS = 180000,
    DATA_END_MS = 600000,
    EARLY_REPLY_MS = 5000, /* a server that stopped reading has said why already, if ever */
};

void smtp_client_init(struct smtp_client *client)
{
    *client = (struct smtp_client){.is_open = false, .deadline = CLOCK_NEVER};
}

bool smtp_client_open(struct smtp_client *client, int fd, const char *address)
{
    smtp_client_init(client);
    client->buffer = malloc(CHUNK_SIZE);
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

/* All that are undecided (or, `only_accepted`, those whose RCPT was accepted). */
static void decide_rest(const struct smtp_client *client, const struct smtp_client_mail *mail,
                        struct smtp_client_outcome outcomes[], bool only_accepted)
{
    for (size_t i = 0; i < mail->recipient_count; i++)
        if (!outcomes[i].is_decided && (outcomes[i].is_accepted || !only_accepted))
            smtp_client_decide_by_reply(client, &outcomes[i]);
}

/* ---- replies ----------------------------------------------------------------------------------*/

static enum smtp_client_result lose(struct smtp_client *client, enum stream_result why,
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
static enum smtp_client_result read_reply(struct smtp_client *client, int64_t wait_ms,
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
            return lose(client, got, phase);
        enum smtp_reply_result result = smtp_reply_line(&client->reply, line, &text);
        if (result == SMTP_REPLY_BAD)
            return lose(client, STREAM_OK, phase);
        if (each && client->reply.lines > 1)
            each(client, text);
        if (result == SMTP_REPLY_DONE)
            break;
    }
    return smtp_reply_verdict(&client->reply) == VERDICT_OK ? SMTP_CLIENT_OK : SMTP_CLIENT_REFUSED;
}

static void write_command(struct smtp_client *client, const char *verb, const char *argument)
{
    /* Output may leave here when there is much of it. */
    client->stream.timeout_ms = COMMAND_MS;
    client->stream.deadline = client->deadline;
    stream_write_text(&client->stream, verb);
    stream_write_text(&client->stream, argument);
    stream_write_text(&client->stream, "\r\n");
}

static enum smtp_client_result command(struct smtp_client *client, const char *verb,
                                       const char *argument, each_line *each)
{
    write_command(client, verb, argument);
    return read_reply(client, COMMAND_MS, verb, each);
}

/* ---- greeting ---------------------------------------------------------------------------------*/

static const struct {
    const char *keyword;
    enum smtp_client_extension extension;
} extensions[] = {
    {"PIPELINING", SMTP_CLIENT_PIPELINING}, {"SIZE", SMTP_CLIENT_SIZE},
    {"8BITMIME", SMTP_CLIENT_8BITMIME},     {"SMTPUTF8", SMTP_CLIENT_SMTPUTF8},
    {"STARTTLS", SMTP_CLIENT_STARTTLS},
};

static void take_extension(struct smtp_client *client, struct slice text)
{
    struct slice keyword = slice_cut_word(&text);
    for (size_t i = 0; i < sizeof extensions / sizeof *extensions; i++)
        if (slice_equal_nocase(keyword, slice_text(extensions[i].keyword)))
            client->extensions |= extensions[i].extension;
    if (slice_equal_nocase(keyword, SLICE("SIZE")) &&
        !number_parse(slice_cut_word(&text), UINT64_MAX, &client->size_max))
        client->size_max = 0;
}

static enum smtp_client_result say_hello(struct smtp_client *client, const char *helo)
{
    client->extensions = 0;
    client->size_max = 0;
    enum smtp_client_result result = command(client, "EHLO ", helo, take_extension);
    if (result == SMTP_CLIENT_REFUSED && client->reply.code >= 500)
        result = command(client, "HELO ", helo, NULL);
    return result;
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
    enum smtp_client_result result = read_reply(client, GREETING_MS, "the greeting", NULL);
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

/* ---- the envelope -----------------------------------------------------------------------------*/

/* One transaction under way. */
struct transaction {
    struct smtp_client *client;
    const struct smtp_client_mail *mail;
    struct smtp_client_outcome *outcomes;
    size_t next; /* the first recipient whose RCPT was not written */
    size_t asked[SMTP_CLIENT_WINDOW];
    size_t asked_count; /* recipients whose replies are to be read */
    size_t accepted;
    bool mail_unread;
    bool data_unread;
};

static bool pipelines(const struct smtp_client *client)
{
    return client->extensions & SMTP_CLIENT_PIPELINING;
}

static void write_path(struct smtp_client *client, const char *verb, struct slice address)
{
    client->stream.timeout_ms = COMMAND_MS;
    client->stream.deadline = client->deadline;
    stream_write_text(&client->stream, verb);
    stream_write(&client->stream, address);
    stream_write_text(&client->stream, ">");
}

static void write_mail(struct transaction *transaction)
{
    struct smtp_client *client = transaction->client;
    const struct smtp_client_mail *mail = transaction->mail;
    write_path(client, "MAIL FROM:<", mail->sender);
    if (client->extensions & SMTP_CLIENT_SIZE)
        stream_format(&client->stream, " SIZE=%" PRIu64, mail->size + mail->added.size);
    if (mail->body != ENVELOPE_BODY_7BIT && (client->extensions & SMTP_CLIENT_8BITMIME))
        stream_write_text(&client->stream, " BODY=8BITMIME");
    if (mail->utf8)
        stream_write_text(&client->stream, " SMTPUTF8");
    stream_write_text(&client->stream, "\r\n");
    transaction->mail_unread = true;
}

static enum smtp_client_result read_mail(struct transaction *transaction)
{
    struct smtp_client *client = transaction->client;
    if (!transaction->mail_unread)
        return SMTP_CLIENT_OK;
    transaction->mail_unread = false;
    enum smtp_client_result result = read_reply(client, COMMAND_MS, "MAIL", NULL);
    if (result == SMTP_CLIENT_REFUSED)
        decide_rest(client, transaction->mail, transaction->outcomes, false);
    return result;
}

/* Writes RCPT for as many as may be under way. */
static void write_recipients(struct transaction *transaction)
{
    struct smtp_client *client = transaction->client;
    const struct smtp_client_mail *mail = transaction->mail;
    size_t window = pipelines(client) ? SMTP_CLIENT_WINDOW : 1;
    transaction->asked_count = 0;
    for (; transaction->next < mail->recipient_count; transaction->next++) {
        if (transaction->outcomes[transaction->next].is_decided)
            continue;
        if (transaction->asked_count == window)
            break;
        write_path(client, "RCPT TO:<", mail->recipients[transaction->next].address);
        stream_write_text(&client->stream, "\r\n");
        transaction->asked[transaction->asked_count++] = transaction->next;
    }
}

static void write_data(struct transaction *transaction)
{
    write_command(transaction->client, "DATA", "");
    transaction->data_unread = true;
}

static enum smtp_client_result read_recipients(struct transaction *transaction)
{
    struct smtp_client *client = transaction->client;
    for (size_t i = 0; i < transaction->asked_count; i++) {
        struct smtp_client_outcome *outcome = &transaction->outcomes[transaction->asked[i]];
        enum smtp_client_result result = read_reply(client, COMMAND_MS, "RCPT", NULL);
        if (result == SMTP_CLIENT_LOST)
            return result;
        outcome->is_accepted = result == SMTP_CLIENT_OK;
        if (outcome->is_accepted)
            transaction->accepted++;
        else
            smtp_client_decide_by_reply(client, outcome);
    }
    return SMTP_CLIENT_OK;
}

/* A server that says 354 though it took no recipient wants an end all the same (RFC 2920 3.1). */
static enum smtp_client_result end_nothing(struct smtp_client *client)
{
    write_command(client, ".", "");
    enum smtp_client_result result = read_reply(client, COMMAND_MS, "the end of nothing", NULL);
    return result == SMTP_CLIENT_LOST ? result : SMTP_CLIENT_REFUSED;
}

static enum smtp_client_result read_data(struct transaction *transaction)
{
    struct smtp_client *client = transaction->client;
    enum smtp_client_result result = read_reply(client, DATA_COMMAND_MS, "DATA", NULL);
    if (result == SMTP_CLIENT_REFUSED)
        decide_rest(client, transaction->mail, transaction->outcomes, true);
    if (result != SMTP_CLIENT_OK)
        return result;
    if (client->reply.code != 354)
        return lose(client, STREAM_OK, "DATA");
    return transaction->accepted > 0 ? SMTP_CLIENT_OK : end_nothing(client);
}

/* MAIL, all RCPT, DATA. OK: the message may follow. */
static enum smtp_client_result send_envelope(struct transaction *transaction)
{
    struct smtp_client *client = transaction->client;
    enum smtp_client_result result = SMTP_CLIENT_OK;
    write_mail(transaction);
    if (!pipelines(client))
        result = read_mail(transaction);
    while (result == SMTP_CLIENT_OK && transaction->next < transaction->mail->recipient_count) {
        write_recipients(transaction);
        if (pipelines(client) && transaction->next == transaction->mail->recipient_count)
            write_data(transaction);
        result = read_mail(transaction);
        if (result == SMTP_CLIENT_OK)
            result = read_recipients(transaction);
    }
    if (result != SMTP_CLIENT_OK)
        return result;
    if (!transaction->data_unread && transaction->accepted == 0)
        return SMTP_CLIENT_REFUSED;
    if (!transaction->data_unread)
        write_data(transaction);
    return read_data(transaction);
}

/* ---- the message ------------------------------------------------------------------------------*/

static void write_encoded(struct smtp_client *client, struct smtpdata_encoder *encoder,
                          struct slice bytes)
{
    while (bytes.size > 0 && client->stream.broken == STREAM_OK) {
        struct slice run;
        bytes = slice_from(bytes, smtpdata_encode(encoder, bytes, &run));
        stream_write(&client->stream, run);
    }
}

/* False: the queue's file can't be read. */
static bool write_message(struct smtp_client *client, const struct smtp_client_mail *mail)
{
    struct smtpdata_encoder encoder;
    uint64_t done = 0;
    client->stream.timeout_ms = DATA_BLOCK_MS;
    client->stream.deadline = client->deadline;
    smtpdata_encoder_init(&encoder, true);
    write_encoded(client, &encoder, mail->added);
    while (done < mail->size && client->stream.broken == STREAM_OK) {
        size_t size = mail->size - done < CHUNK_SIZE ? (size_t)(mail->size - done) : CHUNK_SIZE;
        if (!io_pread_all(mail->fd, client->buffer, size, mail->start + (off_t)done))
            return false;
        write_encoded(client, &encoder, slice_of(client->buffer, size));
        done += size;
    }
    stream_write(&client->stream, smtpdata_encode_end(&encoder));
    stream_flush(&client->stream);
    return true;
}

/* The server took no more bytes. It may have said why. */
static enum smtp_client_result read_early_reply(struct transaction *transaction)
{
    struct smtp_client *client = transaction->client;
    enum stream_result broken = client->stream.broken;
    client->stream.broken = STREAM_OK;
    str_clear(&client->stream.output);
    enum smtp_client_result result = read_reply(client, EARLY_REPLY_MS, "the message", NULL);
    if (result == SMTP_CLIENT_REFUSED)
        decide_rest(client, transaction->mail, transaction->outcomes, true);
    return result == SMTP_CLIENT_REFUSED ? result : lose(client, broken, "the message");
}

/* What was sent whole may have been taken: it is not for another server now. */
static void decide_unknown(struct transaction *transaction)
{
    struct smtp_client *client = transaction->client;
    for (size_t i = 0; i < transaction->mail->recipient_count; i++)
        if (!transaction->outcomes[i].is_decided && transaction->outcomes[i].is_accepted)
            smtp_client_decide(&transaction->outcomes[i], VERDICT_TEMP, "4.4.2", client->trouble);
}

static enum smtp_client_result send_message(struct transaction *transaction)
{
    struct smtp_client *client = transaction->client;
    if (!write_message(client, transaction->mail)) {
        snprintf(client->trouble, sizeof client->trouble, "the message in the queue: %s",
                 strerror(errno));
        decide_unknown(transaction);
        return SMTP_CLIENT_LOST;
    }
    if (client->stream.broken != STREAM_OK)
        return read_early_reply(transaction);
    enum smtp_client_result result =
        read_reply(client, DATA_END_MS, "the end of the message", NULL);
    if (result == SMTP_CLIENT_LOST) {
        decide_unknown(transaction);
        return result;
    }
    decide_rest(client, transaction->mail, transaction->outcomes, true);
    client->is_clean = client->reply.code != 421;
    return result;
}

/* What can be known before MAIL. False: it can't go there. */
static bool check_offers(struct smtp_client *client, const struct smtp_client_mail *mail,
                         struct smtp_client_outcome outcomes[])
{
    char text[SMTP_REPLY_TEXT_MAX];
    const char *status = NULL;
    uint64_t size = mail->size + mail->added.size;
    if (mail->utf8 && !(client->extensions & SMTP_CLIENT_SMTPUTF8)) {
        status = "5.6.7";
        snprintf(text, sizeof text, "%s does not take internationalized mail (SMTPUTF8)",
                 client->address);
    } else if (client->size_max > 0 && size > client->size_max) {
        status = "5.3.4";
        snprintf(text, sizeof text,
                 "%s takes messages up to %" PRIu64 " bytes, this one has %" PRIu64,
                 client->address, client->size_max, size);
    }
    if (!status)
        return true;
    for (size_t i = 0; i < mail->recipient_count; i++)
        if (!outcomes[i].is_decided)
            smtp_client_decide(&outcomes[i], VERDICT_PERM, status, text);
    /* In place of what the server would have said. */
    smtp_reply_init(&client->reply);
    snprintf(client->reply.text, sizeof client->reply.text, "%s", text);
    return false;
}

enum smtp_client_result smtp_client_send(struct smtp_client *client,
                                         const struct smtp_client_mail *mail,
                                         struct smtp_client_outcome outcomes[])
{
    struct transaction transaction;
    transaction = (struct transaction){.client = client, .mail = mail, .outcomes = outcomes};
    for (size_t i = 0; i < mail->recipient_count; i++)
        outcomes[i].is_accepted = false;
    if (!check_offers(client, mail, outcomes))
        return SMTP_CLIENT_REFUSED;
    client->is_clean = false;
    enum smtp_client_result result = send_envelope(&transaction);
    return result == SMTP_CLIENT_OK ? send_message(&transaction) : result;
}
