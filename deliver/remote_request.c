/* remote_request - see remote_request.h */
#include "remote_request.h"

#include "mailaddress.h"
#include "number.h"

enum {
    FIELD_PROTOCOL,
    FIELD_ID,
    FIELD_START,
    FIELD_SIZE,
    FIELD_SENDER,
    FIELD_BODY,
    FIELD_UTF8,
    FIELD_RETURN,
    FIELD_ENVID,
    FIELD_HOST,
    FIELD_PORT,
    FIELD_ADDED,
    FIELD_RECIPIENTS, /* and all behind it */
};

enum { RECIPIENT_ADDRESS, RECIPIENT_NOTIFY, RECIPIENT_ORCPT, RECIPIENT_FIELDS };

enum { PORT_SMTP = 25, PORT_MAX = 65535, ANSWER_OVERHEAD = SMTP_CLIENT_NAME_MAX + 60 };

/* An address goes into a command line: what could end one, or the path in it, has no place here,
 * whoever let it in. */
static bool is_safe_address(struct slice address, bool may_be_empty)
{
    struct mailaddress parsed;
    unsigned flags = MAILADDRESS_UTF8 | (may_be_empty ? MAILADDRESS_EMPTY : 0u);
    return mailaddress_parse(address, flags, &parsed);
}

static bool read_flag(struct slice field, const char *off, const char *on, bool *value)
{
    *value = slice_equal(field, slice_text(on));
    return *value || slice_equal(field, slice_text(off));
}

static bool read_port(struct slice field, uint16_t *port)
{
    unsigned number = PORT_SMTP;
    if (field.size > 0 && !number_parse_unsigned(field, PORT_MAX, &number))
        return false;
    *port = (uint16_t)number;
    return number > 0;
}

static bool read_message(const struct wire_message *message, struct smtp_client_mail *mail)
{
    uint64_t start;
    if (!wire_number(message, FIELD_START, INT64_MAX / 2, &start) ||
        !wire_number(message, FIELD_SIZE, INT64_MAX / 2, &mail->size))
        return false;
    mail->start = (off_t)start;
    mail->fd = message->fds[0];
    mail->added = wire_field(message, FIELD_ADDED);
    mail->sender = wire_field(message, FIELD_SENDER);
    /* Lines of other programs end as lines do, or they would join with the message's. */
    return (mail->added.size == 0 || slice_ends(mail->added, SLICE("\r\n"))) &&
           is_safe_address(mail->sender, true);
}

static bool read_recipient(const struct wire_message *message, size_t first,
                           struct smtp_client_recipient *recipient)
{
    recipient->address = wire_field(message, first + RECIPIENT_ADDRESS);
    recipient->orcpt = wire_field(message, first + RECIPIENT_ORCPT);
    return is_safe_address(recipient->address, false) &&
           dsn_check_recipient(wire_field(message, first + RECIPIENT_NOTIFY), recipient->orcpt,
                               &recipient->notify);
}

static bool read_wishes(const struct wire_message *message, struct smtp_client_mail *mail)
{
    mail->envid = wire_field(message, FIELD_ENVID);
    return dsn_check_message(wire_field(message, FIELD_RETURN), mail->envid, &mail->ret);
}

static bool read_recipients(const struct wire_message *message, struct remote_request *request)
{
    size_t fields = message->count - FIELD_RECIPIENTS;
    size_t count = fields / RECIPIENT_FIELDS;
    if (count > REMOTE_REQUEST_RECIPIENTS_MAX || fields % RECIPIENT_FIELDS != 0)
        return false;
    for (size_t i = 0; i < count; i++)
        if (!read_recipient(message, FIELD_RECIPIENTS + i * RECIPIENT_FIELDS,
                            &request->recipients[i]))
            return false;
    request->mail.recipients = request->recipients;
    request->mail.recipient_count = count;
    struct slice first = request->recipients[0].address;
    return slice_copy_text(slice_from(first, slice_find_last(first, '@') + 1), request->domain,
                           sizeof request->domain);
}

bool remote_request_read(const struct wire_message *message, struct remote_request *request)
{
    struct smtp_client_mail *mail = &request->mail;
    *request = (struct remote_request){.port = 0};
    return message->count >= FIELD_RECIPIENTS + RECIPIENT_FIELDS && message->fd_count == 1 &&
           slice_equal(wire_field(message, FIELD_PROTOCOL), SLICE("remote/2")) &&
           wire_copy_text(message, FIELD_ID, request->id, sizeof request->id) &&
           read_message(message, mail) &&
           envelope_parse_body(wire_field(message, FIELD_BODY), &mail->body) &&
           read_flag(wire_field(message, FIELD_UTF8), "0", "1", &mail->utf8) &&
           read_wishes(message, mail) &&
           wire_copy_text(message, FIELD_HOST, request->host, sizeof request->host) &&
           read_port(wire_field(message, FIELD_PORT), &request->port) &&
           read_recipients(message, request);
}

void remote_request_answer(const struct remote_request *request,
                           const struct smtp_client_outcome outcomes[], struct str *packet)
{
    size_t count = request->mail.recipient_count;
    size_t text_max = WIRE_MAX_SIZE / (count > 0 ? count : 1) - ANSWER_OVERHEAD;
    for (size_t i = 0; i < count; i++) {
        char letter = verdict_letter(outcomes[i].verdict);
        wire_put(packet, slice_of(&letter, 1));
        wire_put_text(packet, outcomes[i].status);
        wire_put(packet, slice_part(slice_text(outcomes[i].text), 0, text_max));
        wire_put_text(packet, outcomes[i].is_passed_on ? "1" : "0");
        wire_put_text(packet, outcomes[i].server);
    }
}
