/* sendmail_smtp - see sendmail_smtp.h */
#include "sendmail_smtp.h"

#include "io.h"
#include "sendmail_message.h"
#include "smtpcommand.h"
#include "smtpdata.h"
#include "stream.h"

#include <sysexits.h>

enum {
    LINE_MAX_SIZE = SMTPCOMMAND_AUTH_LINE_MAX,
    PIECE_MAX = 32768,
    TIMEOUT_MS = 5 * 60 * 1000, /* RFC 5321 4.5.3.2.7 */
    BAD_MAX = 50,               /* commands in a row that make no sense */
};

struct smtp {
    struct stream stream;
    struct sendmail_message message;
    struct str line; /* the command at work, with CRLF */
    bool has_mail;
    unsigned bad;
    bool ended;
    int code;
};

/* ---- answers ----------------------------------------------------------------------------------- */

enum reply {
    REPLY_OK,
    REPLY_SENDER,
    REPLY_RECIPIENT,
    REPLY_GO_ON,
    REPLY_VRFY,
    REPLY_HELP,
    REPLY_BYE,
    REPLY_TIMEOUT,
    REPLY_MUCH_NONSENSE,
    REPLY_UNKNOWN,
    REPLY_NOT_HERE,
    REPLY_TOO_LONG,
    REPLY_BAD_LINE,
    REPLY_SYNTAX,
    REPLY_BAD_ADDRESS,
    REPLY_NEEDS_UTF8,
    REPLY_BAD_PARAMETER,
    REPLY_UNKNOWN_PARAMETER,
    REPLY_NESTED_MAIL,
    REPLY_NO_MAIL,
    REPLY_NO_RECIPIENTS,
    REPLY_MANY_RECIPIENTS,
};

static const char *const replies[] = {
    [REPLY_OK] = "250 2.0.0 ok",
    [REPLY_SENDER] = "250 2.1.0 sender ok",
    [REPLY_RECIPIENT] = "250 2.1.5 recipient ok",
    [REPLY_GO_ON] = "354 end with a line that is one dot",
    [REPLY_VRFY] = "252 2.1.5 send some mail, it will be seen then",
    [REPLY_HELP] = "214 2.0.0 see sendmail(1)",
    [REPLY_BYE] = "221 2.0.0 bye",
    [REPLY_TIMEOUT] = "421 4.4.2 nothing came for too long",
    [REPLY_MUCH_NONSENSE] = "421 4.7.0 too many commands that make no sense",
    [REPLY_UNKNOWN] = "500 5.5.1 unknown command",
    [REPLY_NOT_HERE] = "502 5.5.1 not on standard input",
    [REPLY_TOO_LONG] = "500 5.5.2 the line is too long",
    [REPLY_BAD_LINE] = "500 5.5.2 a byte that belongs in no line",
    [REPLY_SYNTAX] = "501 5.5.4 not understood",
    [REPLY_BAD_ADDRESS] = "501 5.1.3 that is no address",
    [REPLY_NEEDS_UTF8] = "553 5.6.7 such an address wants SMTPUTF8",
    [REPLY_BAD_PARAMETER] = "501 5.5.4 a parameter is wrong",
    [REPLY_UNKNOWN_PARAMETER] = "555 5.5.4 unknown parameter",
    [REPLY_NESTED_MAIL] = "503 5.5.1 there is a sender already",
    [REPLY_NO_MAIL] = "503 5.5.1 MAIL first",
    [REPLY_NO_RECIPIENTS] = "554 5.5.1 RCPT first",
    [REPLY_MANY_RECIPIENTS] = "452 4.5.3 too many recipients",
};

static void reply(struct smtp *smtp, enum reply what)
{
    stream_format(&smtp->stream, "%s\r\n", replies[what]);
    if (replies[what][0] == '5')
        smtp->bad++;
    else
        smtp->bad = 0;
}

static void end(struct smtp *smtp, int code)
{
    smtp->ended = true;
    smtp->code = code;
}

/* False: there is no problem. */
static bool reply_problem(struct smtp *smtp, enum smtpcommand_problem problem)
{
    static const enum reply answers[] = {
        [SMTPCOMMAND_SYNTAX] = REPLY_SYNTAX,
        [SMTPCOMMAND_BAD_ADDRESS] = REPLY_BAD_ADDRESS,
        [SMTPCOMMAND_NEEDS_UTF8] = REPLY_NEEDS_UTF8,
        [SMTPCOMMAND_BAD_PARAMETER] = REPLY_BAD_PARAMETER,
        [SMTPCOMMAND_UNKNOWN_PARAMETER] = REPLY_UNKNOWN_PARAMETER,
    };
    if (problem != SMTPCOMMAND_FINE)
        reply(smtp, answers[problem]);
    return problem != SMTPCOMMAND_FINE;
}

static void reset(struct smtp *smtp)
{
    sendmail_message_clear(&smtp->message);
    smtp->has_mail = false;
}

/* ---- DATA -------------------------------------------------------------------------------------- */

struct data {
    struct smtpdata_encoder encoder; /* LF becomes CRLF */
    struct smtpdata_decoder decoder; /* dots */
};

static void take_run(struct smtp *smtp, struct data *data, struct slice run)
{
    while (run.size > 0 && !data->decoder.ended) {
        struct slice plain;
        run = slice_from(run, smtpdata_decode(&data->decoder, run, &plain));
        /* What failed is answered at the end. */
        (void)sendmail_message_put(&smtp->message, plain);
    }
}

/* The end can only be at a line's end, so that no byte behind it is taken along. */
static void take_piece(struct smtp *smtp, struct data *data, struct slice piece)
{
    while (piece.size > 0) {
        struct slice run;
        piece = slice_from(piece, smtpdata_encode(&data->encoder, piece, &run));
        take_run(smtp, data, run);
    }
}

static enum stream_result take_data(struct smtp *smtp, struct data *data)
{
    while (!data->decoder.ended) {
        struct slice bytes;
        enum stream_result result = stream_bytes(&smtp->stream, PIECE_MAX, &bytes);
        if (result != STREAM_OK)
            return result;
        while (bytes.size > 0 && !data->decoder.ended) {
            size_t size = slice_find(bytes, '\n') + 1;
            take_piece(smtp, data, slice_part(bytes, 0, size));
            bytes = slice_from(bytes, size);
        }
        stream_unread(&smtp->stream, bytes.size);
    }
    return STREAM_OK;
}

/* The reason begins with an enhanced code where queue-inject gave it. */
static void answer_message(struct smtp *smtp)
{
    struct sendmail_message *message = &smtp->message;
    if (sendmail_message_finish(message)) {
        stream_format(&smtp->stream, "250 2.0.0 queued as %s\r\n", str_text(&message->reply));
        return;
    }
    const char *text = message->detail ? message->detail : message->what;
    stream_format(&smtp->stream, "%s %s\r\n",
                  message->code == EX_TEMPFAIL || message->code == EX_OSERR ? "451" : "554", text);
}

static void lose(struct smtp *smtp, enum stream_result result, int code_at_end);

static void say_data(struct smtp *smtp, struct slice argument)
{
    struct data data;
    (void)argument;
    if (!smtp->has_mail || smtp->message.envelope.recipient_count == 0) {
        reply(smtp, smtp->has_mail ? REPLY_NO_RECIPIENTS : REPLY_NO_MAIL);
        return;
    }
    reply(smtp, REPLY_GO_ON);
    smtpdata_encoder_init(&data.encoder, false);
    smtpdata_decoder_init(&data.decoder);
    enum stream_result result = take_data(smtp, &data);
    if (result == STREAM_OK)
        answer_message(smtp);
    else
        lose(smtp, result, EX_PROTOCOL);
    reset(smtp);
}

/* ---- the other commands ------------------------------------------------------------------------ */

static void say_helo(struct smtp *smtp, struct slice argument)
{
    (void)argument;
    reset(smtp);
    stream_format(&smtp->stream, "250 %s\r\n", str_text(&smtp->message.me));
}

static void say_ehlo(struct smtp *smtp, struct slice argument)
{
    (void)argument;
    reset(smtp);
    stream_format(&smtp->stream,
                  "250-%s\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-ENHANCEDSTATUSCODES\r\n"
                  "250-DSN\r\n250 SMTPUTF8\r\n",
                  str_text(&smtp->message.me));
}

static bool take_mail(struct smtp *smtp, const struct smtpcommand_mail *mail)
{
    struct envelope *envelope = &smtp->message.envelope;
    struct str address;
    str_init(&address, ENVELOPE_ADDRESS_MAX);
    bool done =
        (mail->address.domain.size == 0 || mailaddress_canonical(&mail->address, &address)) &&
        sendmail_message_set_sender(&smtp->message, str_slice(&address)) &&
        str_append(&envelope->envid, mail->envid);
    str_free(&address);
    envelope->utf8 = mail->utf8;
    envelope->ret = mail->ret;
    return done;
}

static void say_mail(struct smtp *smtp, struct slice argument)
{
    struct smtpcommand_mail mail;
    if (smtp->has_mail) {
        reply(smtp, REPLY_NESTED_MAIL);
        return;
    }
    if (reply_problem(smtp, smtpcommand_parse_mail(argument, &mail)))
        return;
    reset(smtp);
    if (mail.body == ENVELOPE_BODY_BINARY) {
        reply(smtp, REPLY_BAD_PARAMETER);
    } else if (take_mail(smtp, &mail)) {
        smtp->has_mail = true;
        reply(smtp, REPLY_SENDER);
    } else {
        reply(smtp, REPLY_BAD_ADDRESS);
    }
}

/* RFC 5321 4.5.1: a bare postmaster is ours. */
static bool put_recipient(const struct mailaddress *address, const char *me, struct str *full)
{
    if (address->domain.size == 0)
        return submission_qualify(address->local, me, full);
    return mailaddress_canonical(address, full);
}

static void say_rcpt(struct smtp *smtp, struct slice argument)
{
    struct envelope *envelope = &smtp->message.envelope;
    struct smtpcommand_rcpt rcpt;
    struct str full;
    if (!smtp->has_mail) {
        reply(smtp, REPLY_NO_MAIL);
        return;
    }
    if (reply_problem(smtp, smtpcommand_parse_rcpt(argument, envelope->utf8, &rcpt)))
        return;
    str_init(&full, ENVELOPE_ADDRESS_MAX);
    if (!put_recipient(&rcpt.address, str_text(&smtp->message.me), &full))
        reply(smtp, REPLY_BAD_ADDRESS);
    else if (!envelope_add_recipient_dsn(envelope, str_slice(&full), rcpt.notify, rcpt.orcpt))
        reply(smtp, REPLY_MANY_RECIPIENTS);
    else
        reply(smtp, REPLY_RECIPIENT);
    str_free(&full);
}

static void say_rset(struct smtp *smtp, struct slice argument)
{
    (void)argument;
    reset(smtp);
    reply(smtp, REPLY_OK);
}

static void say_noop(struct smtp *smtp, struct slice argument)
{
    (void)argument;
    reply(smtp, REPLY_OK);
}

static void say_vrfy(struct smtp *smtp, struct slice argument)
{
    (void)argument;
    reply(smtp, REPLY_VRFY);
}

static void say_help(struct smtp *smtp, struct slice argument)
{
    (void)argument;
    reply(smtp, REPLY_HELP);
}

static void say_quit(struct smtp *smtp, struct slice argument)
{
    (void)argument;
    reply(smtp, REPLY_BYE);
    end(smtp, EX_OK);
}

static void say_not_here(struct smtp *smtp, struct slice argument)
{
    (void)argument;
    reply(smtp, REPLY_NOT_HERE);
}

typedef void handler(struct smtp *smtp, struct slice argument);
static handler *const handlers[SMTPCOMMAND_COUNT] = {
    [SMTPCOMMAND_HELO] = say_helo,     [SMTPCOMMAND_EHLO] = say_ehlo,
    [SMTPCOMMAND_MAIL] = say_mail,     [SMTPCOMMAND_RCPT] = say_rcpt,
    [SMTPCOMMAND_DATA] = say_data,     [SMTPCOMMAND_RSET] = say_rset,
    [SMTPCOMMAND_NOOP] = say_noop,     [SMTPCOMMAND_QUIT] = say_quit,
    [SMTPCOMMAND_VRFY] = say_vrfy,     [SMTPCOMMAND_HELP] = say_help,
    [SMTPCOMMAND_LHLO] = say_not_here, [SMTPCOMMAND_BDAT] = say_not_here,
    [SMTPCOMMAND_EXPN] = say_not_here, [SMTPCOMMAND_STARTTLS] = say_not_here,
    [SMTPCOMMAND_AUTH] = say_not_here,
};

/* ---- the session ------------------------------------------------------------------------------- */

/* The program that started us is gone, or says nothing more. */
static void lose(struct smtp *smtp, enum stream_result result, int code_at_end)
{
    if (result == STREAM_TIMEOUT)
        reply(smtp, REPLY_TIMEOUT);
    end(smtp, result == STREAM_END       ? code_at_end
              : result == STREAM_TIMEOUT ? EX_TEMPFAIL
                                         : EX_IOERR);
}

static void dispatch(struct smtp *smtp, struct slice line)
{
    struct smtpcommand command;
    str_clear(&smtp->line);
    str_append(&smtp->line, slice_without_line_end(line));
    str_append_text(&smtp->line, "\r\n");
    switch (smtpcommand_parse(str_slice(&smtp->line), &command)) {
    case SMTPCOMMAND_LINE_TOO_LONG:
        reply(smtp, REPLY_TOO_LONG);
        return;
    case SMTPCOMMAND_LINE_BAD_END:
        reply(smtp, REPLY_BAD_LINE);
        return;
    case SMTPCOMMAND_LINE_OK:
        break;
    }
    if (handlers[command.verb])
        handlers[command.verb](smtp, command.argument);
    else
        reply(smtp, REPLY_UNKNOWN);
}

static void serve_line(struct smtp *smtp)
{
    struct slice line;
    enum stream_result result = stream_line(&smtp->stream, LINE_MAX_SIZE, &line);
    if (result == STREAM_TOO_LONG) {
        result = stream_skip_line(&smtp->stream);
        if (result == STREAM_OK)
            reply(smtp, REPLY_TOO_LONG);
    } else if (result == STREAM_OK) {
        dispatch(smtp, line);
    }
    if (result != STREAM_OK)
        lose(smtp, result, EX_OK);
    if (smtp->bad > BAD_MAX && !smtp->ended) {
        reply(smtp, REPLY_MUCH_NONSENSE);
        end(smtp, EX_PROTOCOL);
    }
}

static void serve(struct smtp *smtp)
{
    stream_format(&smtp->stream, "220 %s ESMTP\r\n", str_text(&smtp->message.me));
    while (!smtp->ended)
        serve_line(smtp);
    if (stream_flush(&smtp->stream) != STREAM_OK)
        smtp->code = EX_IOERR;
}

int sendmail_smtp(const struct sendmail_options *options, int input, int output, const char *root)
{
    struct sendmail_options plain = *options;
    struct smtp smtp = {.code = EX_OK};
    plain.reads_recipients = false;
    if (!stream_init(&smtp.stream, input, output, LINE_MAX_SIZE, TIMEOUT_MS))
        return EX_OSERR;
    str_init(&smtp.line, LINE_MAX_SIZE + 2);
    sendmail_message_init(&smtp.message, &plain, root);
    serve(&smtp);
    sendmail_message_free(&smtp.message);
    str_free(&smtp.line);
    stream_free(&smtp.stream);
    /* They may be a terminal's, which others go on with. */
    (void)io_set_nonblocking(input, false);
    (void)io_set_nonblocking(output, false);
    return smtp.code;
}
