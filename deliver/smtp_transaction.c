/* smtp_transaction - MAIL, RCPT, and the message; see smtp_client.h */
#include "io.h"
#include "mime.h"
#include "outgoing.h"
#include "smtp_client.h"
#include "smtpdata.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    /* RFC 5321 4.5.3.2 */
    COMMAND_MS = 300000,
    DATA_COMMAND_MS = 120000,
    DATA_BLOCK_MS = 180000,
    DATA_END_MS = 600000,
    EARLY_REPLY_MS = 5000, /* a server that stopped reading has said why already, if ever */
    /* So much goes along with the envelope, without waiting for what is said of that: it fits into
     * the socket's buffer, and little is lost when nobody wants it. */
    TOGETHER_MAX = 32768,
};

/* One transaction under way. */
struct transaction {
    struct smtp_client *client;
    const struct smtp_client_mail *mail;
    struct smtp_client_outcome *outcomes;
    struct outgoing content;
    enum outgoing_form form;
    bool by_chunks; /* BDAT in place of DATA */
    uint64_t size;  /* of all that the server gets */
    size_t next;    /* the first recipient whose RCPT was not written */
    size_t asked[SMTP_CLIENT_WINDOW];
    size_t asked_count; /* recipients whose replies are to be read */
    size_t accepted;
    bool mail_unread;
    bool data_unread;  /* DATA, or BDAT with the whole message */
    bool is_cut_short; /* the message could not be read or made to its end */
};

static bool offers(const struct smtp_client *client, unsigned extensions)
{
    return (client->extensions & extensions) == extensions;
}

static bool pipelines(const struct smtp_client *client)
{
    return offers(client, SMTP_CLIENT_PIPELINING);
}

/* All that are undecided (or, `only_accepted`, those whose RCPT was accepted). */
static void decide_rest(const struct transaction *transaction, bool only_accepted)
{
    const struct smtp_client *client = transaction->client;
    for (size_t i = 0; i < transaction->mail->recipient_count; i++) {
        struct smtp_client_outcome *outcome = &transaction->outcomes[i];
        if (outcome->is_decided || (only_accepted && !outcome->is_accepted))
            continue;
        smtp_client_decide_by_reply(client, outcome);
        /* RFC 3461 5.2.1: who knows DSN reports from now on. */
        outcome->is_passed_on = outcome->verdict == VERDICT_OK && offers(client, SMTP_CLIENT_DSN);
    }
}

/* What was sent whole may have been taken: it is not for another server now. */
static void decide_unknown(struct transaction *transaction, bool only_accepted)
{
    struct smtp_client *client = transaction->client;
    for (size_t i = 0; i < transaction->mail->recipient_count; i++) {
        struct smtp_client_outcome *outcome = &transaction->outcomes[i];
        if (!outcome->is_decided && (outcome->is_accepted || !only_accepted))
            smtp_client_decide(outcome, VERDICT_TEMP, "4.4.2", client->trouble);
    }
}

/* ---- the form ---------------------------------------------------------------------------------*/

static bool takes_8bit(const struct smtp_client *client)
{
    /* RFC 6531 3.1 (8): who takes SMTPUTF8 takes 8 bits. */
    return client->extensions & (SMTP_CLIENT_8BITMIME | SMTP_CLIENT_SMTPUTF8);
}

static bool is_binary(const struct transaction *transaction)
{
    return transaction->content.traits & DOWNGRADE_BINARY;
}

/* As much of the message as it is as the server takes. */
static void choose_form(struct transaction *transaction)
{
    const struct smtp_client *client = transaction->client;
    bool takes_binary = offers(client, SMTP_CLIENT_CHUNKING | SMTP_CLIENT_BINARYMIME);
    enum downgrade_target target = takes_8bit(client) ? DOWNGRADE_TO_8BIT : DOWNGRADE_TO_7BIT;
    uint64_t size = transaction->content.message.size;
    transaction->form = OUTGOING_AS_IS;
    if (!takes_binary && downgrade_is_needed(transaction->content.traits, target)) {
        transaction->form = target == DOWNGRADE_TO_8BIT ? OUTGOING_8BIT : OUTGOING_7BIT;
        size = outgoing_size(&transaction->content, transaction->form);
    }
    transaction->by_chunks =
        offers(client, SMTP_CLIENT_CHUNKING) && transaction->form == OUTGOING_AS_IS;
    transaction->size = size + transaction->mail->added.size;
}

/* Has a header, the message's or a part's, more than ASCII (RFC 6532)? Without memory: yes. */
static bool has_international_header(const struct outgoing *content)
{
    if (!(content->traits & DOWNGRADE_HIGH))
        return false;
    struct mime_part *root = mime_parse(content->message);
    bool has_one = !root;
    for (const struct mime_part *part = root; part && !has_one; part = mime_next_part(part))
        has_one = slice_has_high(slice_part(content->message, part->header, part->header_size));
    mime_free(&root);
    return has_one;
}

/* In place of what the server would have said. */
static void refuse(const struct transaction *transaction, size_t index, const char *status,
                   const char *text)
{
    struct smtp_reply *reply = &transaction->client->reply;
    smtp_client_decide(&transaction->outcomes[index], VERDICT_PERM, status, text);
    smtp_reply_init(reply);
    snprintf(reply->text, sizeof reply->text, "%s", text);
}

/* What came with SMTPUTF8 may need none (RFC 6531 3.1): an address that does, beside others, is no
 * reason to keep the message from these. */
static void refuse_international(const struct transaction *transaction)
{
    const struct smtp_client_mail *mail = transaction->mail;
    char text[SMTP_REPLY_TEXT_MAX];
    bool is_for_all =
        slice_has_high(mail->sender) || has_international_header(&transaction->content);
    snprintf(text, sizeof text, "%s does not take internationalized mail (SMTPUTF8)",
             transaction->client->address);
    for (size_t i = 0; i < mail->recipient_count; i++)
        if (!transaction->outcomes[i].is_decided &&
            (is_for_all || slice_has_high(mail->recipients[i].address)))
            refuse(transaction, i, "5.6.7", text);
}

static void refuse_large(const struct transaction *transaction)
{
    const struct smtp_client *client = transaction->client;
    char text[SMTP_REPLY_TEXT_MAX];
    snprintf(text, sizeof text, "%s takes messages up to %" PRIu64 " bytes, this one has %" PRIu64,
             client->address, client->size_max, transaction->size);
    for (size_t i = 0; i < transaction->mail->recipient_count; i++)
        if (!transaction->outcomes[i].is_decided)
            refuse(transaction, i, "5.3.4", text);
}

static bool is_any_undecided(const struct transaction *transaction)
{
    for (size_t i = 0; i < transaction->mail->recipient_count; i++)
        if (!transaction->outcomes[i].is_decided)
            return true;
    return false;
}

/* What is known before MAIL. False: it can't go there, and all are decided. */
static bool check_offers(const struct transaction *transaction)
{
    const struct smtp_client *client = transaction->client;
    if (transaction->mail->utf8 && !offers(client, SMTP_CLIENT_SMTPUTF8))
        refuse_international(transaction);
    if (client->size_max > 0 && transaction->size > client->size_max)
        refuse_large(transaction);
    return is_any_undecided(transaction);
}

/* ---- the envelope -----------------------------------------------------------------------------*/

static void write_path(struct smtp_client *client, const char *verb, struct slice address)
{
    smtp_client_write(client, COMMAND_MS);
    stream_write_text(&client->stream, verb);
    stream_write(&client->stream, address);
    stream_write_text(&client->stream, ">");
}

static void write_parameter(struct smtp_client *client, const char *name, struct slice value)
{
    if (value.size == 0)
        return;
    stream_write_text(&client->stream, name);
    stream_write(&client->stream, value);
}

static const char *body_parameter(const struct transaction *transaction)
{
    const struct smtp_client *client = transaction->client;
    bool has_high = transaction->content.traits & DOWNGRADE_HIGH;
    if (transaction->form == OUTGOING_7BIT)
        return "";
    if (transaction->form == OUTGOING_AS_IS && is_binary(transaction))
        return " BODY=BINARYMIME";
    if (transaction->mail->body == ENVELOPE_BODY_7BIT && !has_high)
        return "";
    return offers(client, SMTP_CLIENT_8BITMIME) ? " BODY=8BITMIME" : "";
}

static void write_mail(struct transaction *transaction)
{
    struct smtp_client *client = transaction->client;
    const struct smtp_client_mail *mail = transaction->mail;
    write_path(client, "MAIL FROM:<", mail->sender);
    if (offers(client, SMTP_CLIENT_SIZE))
        stream_format(&client->stream, " SIZE=%" PRIu64, transaction->size);
    stream_write_text(&client->stream, body_parameter(transaction));
    if (mail->utf8 && offers(client, SMTP_CLIENT_SMTPUTF8))
        stream_write_text(&client->stream, " SMTPUTF8");
    if (offers(client, SMTP_CLIENT_DSN)) {
        write_parameter(client, " RET=", slice_text(dsn_return_name(mail->ret)));
        write_parameter(client, " ENVID=", mail->envid);
    }
    stream_write_text(&client->stream, "\r\n");
    transaction->mail_unread = true;
}

static enum smtp_client_result read_mail(struct transaction *transaction)
{
    struct smtp_client *client = transaction->client;
    if (!transaction->mail_unread)
        return SMTP_CLIENT_OK;
    transaction->mail_unread = false;
    enum smtp_client_result result = smtp_client_read(client, COMMAND_MS, "MAIL");
    if (result == SMTP_CLIENT_REFUSED)
        decide_rest(transaction, false);
    return result;
}

/* "rfc822;" and the address, where nobody said what it was at first (RFC 3461 5.2.1: an MTA may).
 * An address with 8 bits has another type, which only the first sender can give. */
static void write_own_orcpt(struct smtp_client *client, struct slice address)
{
    struct str orcpt;
    str_init(&orcpt, DSN_ORCPT_MAX);
    str_append_text(&orcpt, "rfc822;");
    if (!slice_has_high(address) && dsn_encode_xtext(address, &orcpt))
        write_parameter(client, " ORCPT=", str_slice(&orcpt));
    str_free(&orcpt);
}

static void write_wishes(struct smtp_client *client, const struct smtp_client_recipient *recipient)
{
    struct str notify;
    str_init(&notify, DSN_NOTIFY_TEXT_MAX);
    if (dsn_format_notify(recipient->notify, &notify))
        write_parameter(client, " NOTIFY=", str_slice(&notify));
    str_free(&notify);
    /* RFC 6533 3: what has 8 bits goes to those that know them. */
    bool is_possible = !slice_has_high(recipient->orcpt) || offers(client, SMTP_CLIENT_SMTPUTF8);
    if (recipient->orcpt.size > 0 && is_possible)
        write_parameter(client, " ORCPT=", recipient->orcpt);
    else if (recipient->orcpt.size == 0 && recipient->notify != 0)
        write_own_orcpt(client, recipient->address);
}

static void write_recipient(struct smtp_client *client,
                            const struct smtp_client_recipient *recipient)
{
    write_path(client, "RCPT TO:<", recipient->address);
    if (offers(client, SMTP_CLIENT_DSN))
        write_wishes(client, recipient);
    stream_write_text(&client->stream, "\r\n");
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
        write_recipient(client, &mail->recipients[transaction->next]);
        transaction->asked[transaction->asked_count++] = transaction->next;
    }
}

static enum smtp_client_result read_recipients(struct transaction *transaction)
{
    struct smtp_client *client = transaction->client;
    for (size_t i = 0; i < transaction->asked_count; i++) {
        struct smtp_client_outcome *outcome = &transaction->outcomes[transaction->asked[i]];
        enum smtp_client_result result = smtp_client_read(client, COMMAND_MS, "RCPT");
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

/* ---- the message ------------------------------------------------------------------------------*/

struct data_writer {
    struct stream *stream;
    struct smtpdata_encoder encoder;
};

static bool write_stuffed(void *owner, struct slice bytes)
{
    struct data_writer *writer = owner;
    while (bytes.size > 0 && writer->stream->broken == STREAM_OK) {
        struct slice run;
        bytes = slice_from(bytes, smtpdata_encode(&writer->encoder, bytes, &run));
        stream_write(writer->stream, run);
    }
    return writer->stream->broken == STREAM_OK;
}

/* With dots, behind DATA. */
static void write_lines(struct transaction *transaction)
{
    struct data_writer writer = {.stream = &transaction->client->stream};
    smtpdata_encoder_init(&writer.encoder, true);
    write_stuffed(&writer, transaction->mail->added);
    if (!outgoing_write(&transaction->content, transaction->form, write_stuffed, &writer) &&
        writer.stream->broken == STREAM_OK) {
        transaction->is_cut_short = true;
        return;
    }
    stream_write(writer.stream, smtpdata_encode_end(&writer.encoder));
}

/* RFC 3030: as one chunk, whose line ends are the message's own. */
static void write_chunk(struct transaction *transaction)
{
    struct stream *stream = &transaction->client->stream;
    struct slice message = transaction->content.message;
    struct slice end =
        is_binary(transaction) || slice_ends(message, SLICE("\r\n")) ? SLICE("") : SLICE("\r\n");
    smtp_client_write(transaction->client, DATA_BLOCK_MS);
    stream_format(stream, "BDAT %" PRIu64 " LAST\r\n", transaction->size + end.size);
    stream_write(stream, transaction->mail->added);
    stream_write(stream, message);
    stream_write(stream, end);
}

static void write_data(struct transaction *transaction)
{
    struct smtp_client *client = transaction->client;
    transaction->data_unread = true;
    if (transaction->by_chunks) {
        write_chunk(transaction);
        return;
    }
    smtp_client_write(client, COMMAND_MS);
    stream_write_text(&client->stream, "DATA\r\n");
}

/* A server that says 354 though it took no recipient wants an end all the same (RFC 2920 3.1). */
static enum smtp_client_result end_nothing(struct smtp_client *client)
{
    smtp_client_write(client, COMMAND_MS);
    stream_write_text(&client->stream, ".\r\n");
    enum smtp_client_result result = smtp_client_read(client, COMMAND_MS, "the end of nothing");
    return result == SMTP_CLIENT_LOST ? result : SMTP_CLIENT_REFUSED;
}

static enum smtp_client_result read_data(struct transaction *transaction)
{
    struct smtp_client *client = transaction->client;
    enum smtp_client_result result = smtp_client_read(client, DATA_COMMAND_MS, "DATA");
    if (result == SMTP_CLIENT_REFUSED)
        decide_rest(transaction, true);
    if (result != SMTP_CLIENT_OK)
        return result;
    if (client->reply.code != 354)
        return smtp_client_lose(client, STREAM_OK, "DATA");
    return transaction->accepted > 0 ? SMTP_CLIENT_OK : end_nothing(client);
}

/* The message may go along with the last RCPT: DATA only asks for leave, and a short one in a
 * chunk asks for none. */
static bool goes_together(const struct transaction *transaction)
{
    return pipelines(transaction->client) &&
           (!transaction->by_chunks || transaction->size <= TOGETHER_MAX);
}

/* MAIL, all RCPT, DATA. OK: the message may follow, or did. */
static enum smtp_client_result send_envelope(struct transaction *transaction)
{
    struct smtp_client *client = transaction->client;
    enum smtp_client_result result = SMTP_CLIENT_OK;
    write_mail(transaction);
    if (!pipelines(client))
        result = read_mail(transaction);
    while (result == SMTP_CLIENT_OK && transaction->next < transaction->mail->recipient_count) {
        write_recipients(transaction);
        if (goes_together(transaction) && transaction->next == transaction->mail->recipient_count)
            write_data(transaction);
        result = read_mail(transaction);
        if (result == SMTP_CLIENT_OK)
            result = read_recipients(transaction);
    }
    if (result == SMTP_CLIENT_LOST && transaction->by_chunks && transaction->data_unread)
        decide_unknown(transaction, false);
    if (result != SMTP_CLIENT_OK)
        return result;
    if (!transaction->data_unread && transaction->accepted == 0)
        return SMTP_CLIENT_REFUSED;
    if (!transaction->data_unread)
        write_data(transaction);
    return transaction->by_chunks ? SMTP_CLIENT_OK : read_data(transaction);
}

/* The server took no more bytes. It may have said why. */
static enum smtp_client_result read_early_reply(struct transaction *transaction)
{
    struct smtp_client *client = transaction->client;
    enum stream_result broken = client->stream.broken;
    client->stream.broken = STREAM_OK;
    str_clear(&client->stream.output);
    enum smtp_client_result result = smtp_client_read(client, EARLY_REPLY_MS, "the message");
    if (result == SMTP_CLIENT_REFUSED)
        decide_rest(transaction, true);
    return result == SMTP_CLIENT_REFUSED ? result : smtp_client_lose(client, broken, "the message");
}

static enum smtp_client_result fail_here(struct transaction *transaction, const char *reason)
{
    struct smtp_client *client = transaction->client;
    snprintf(client->trouble, sizeof client->trouble, "the message in the queue: %s", reason);
    for (size_t i = 0; i < transaction->mail->recipient_count; i++)
        if (!transaction->outcomes[i].is_decided)
            smtp_client_decide(&transaction->outcomes[i], VERDICT_TEMP, "4.3.0", client->trouble);
    return SMTP_CLIENT_LOST;
}

static enum smtp_client_result read_end(struct transaction *transaction)
{
    struct smtp_client *client = transaction->client;
    enum smtp_client_result result =
        smtp_client_read(client, DATA_END_MS, "the end of the message");
    if (result == SMTP_CLIENT_LOST) {
        decide_unknown(transaction, true);
        return result;
    }
    decide_rest(transaction, true);
    /* A chunk that failed leaves the transaction open (RFC 3030 2). */
    bool is_over = !transaction->by_chunks || result == SMTP_CLIENT_OK;
    client->is_clean = is_over && client->reply.code != 421;
    client->messages++;
    return transaction->accepted > 0 ? result : SMTP_CLIENT_REFUSED;
}

static enum smtp_client_result send_message(struct transaction *transaction)
{
    struct smtp_client *client = transaction->client;
    smtp_client_write(client, DATA_BLOCK_MS);
    if (!transaction->by_chunks)
        write_lines(transaction);
    if (transaction->is_cut_short)
        return fail_here(transaction, "no memory to encode it");
    stream_flush(&client->stream);
    if (client->stream.broken != STREAM_OK)
        return read_early_reply(transaction);
    return read_end(transaction);
}

enum smtp_client_result smtp_client_send(struct smtp_client *client,
                                         const struct smtp_client_mail *mail,
                                         struct smtp_client_outcome outcomes[])
{
    struct transaction transaction;
    transaction = (struct transaction){.client = client, .mail = mail, .outcomes = outcomes};
    enum smtp_client_result result = SMTP_CLIENT_REFUSED;
    for (size_t i = 0; i < mail->recipient_count; i++)
        outcomes[i].is_accepted = false;
    if (!outgoing_open(&transaction.content, mail->fd, mail->start, mail->size, client->buffer,
                       SMTP_CLIENT_BUFFER))
        return fail_here(&transaction, strerror(errno));
    choose_form(&transaction);
    if (check_offers(&transaction)) {
        client->is_clean = false;
        result = send_envelope(&transaction);
        if (result == SMTP_CLIENT_OK)
            result = send_message(&transaction);
    }
    outgoing_close(&transaction.content);
    return result;
}
