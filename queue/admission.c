/* admission - see admission.h */
#include "admission.h"

#include "life.h"
#include "mailaddress.h"
#include "wire.h"

static const char *const answers[] = {
    [ADMISSION_OK] = "K",
    [ADMISSION_BAD] = "D5.5.0 not understood",
    [ADMISSION_NO_MEMORY] = "Z4.3.0 the queue has no memory left, try again later",
    [ADMISSION_ORIGIN] = "D5.5.0 the origin is too long or has control characters",
    [ADMISSION_SENDER] = "D5.1.7 the sender address is not one",
    [ADMISSION_RECIPIENT] = "D5.1.3 a recipient address is not one",
    [ADMISSION_RECIPIENT_COUNT] = "D5.5.3 no recipients, or too many",
};

const char *admission_answer(enum admission_result result)
{
    return answers[result];
}

enum admission_trust admission_trust(uid_t uid)
{
    if (uid == life_uid(ROLE_BOUNCE))
        return ADMISSION_BOUNCE;
    if (uid == life_uid(ROLE_SMTPD) || uid == life_uid(ROLE_QUEUE) || life_is_domain_uid(uid))
        return ADMISSION_TRUSTED;
    return ADMISSION_STRANGER;
}

static enum admission_result read_origin(struct slice origin, enum admission_trust trust, uid_t uid,
                                         struct envelope *envelope)
{
    if (trust == ADMISSION_STRANGER)
        return str_format(&envelope->origin, "by=sendmail uid=%lu", (unsigned long)uid)
                   ? ADMISSION_OK
                   : ADMISSION_NO_MEMORY;
    if (origin.size > ENVELOPE_ORIGIN_MAX || slice_has_control(origin))
        return ADMISSION_ORIGIN;
    /* Whose it is, nobody has to believe a domain's program; the word is the last one. */
    bool done =
        str_append(&envelope->origin, origin) &&
        (!life_is_domain_uid(uid) || str_format(&envelope->origin, " uid=%lu", (unsigned long)uid));
    return done ? ADMISSION_OK : ADMISSION_NO_MEMORY;
}

static enum admission_result read_sender(struct slice sender, enum admission_trust trust,
                                         unsigned flags, struct envelope *envelope)
{
    struct mailaddress address;
    bool is_double =
        trust == ADMISSION_BOUNCE && slice_equal(sender, SLICE(ADMISSION_DOUBLE_SENDER));
    if (sender.size > 0 && !is_double &&
        (slice_has_control(sender) || !mailaddress_parse(sender, flags, &address)))
        return ADMISSION_SENDER;
    return str_append(&envelope->sender, sender) ? ADMISSION_OK : ADMISSION_NO_MEMORY;
}

enum { RECIPIENT_ADDRESS, RECIPIENT_NOTIFY, RECIPIENT_ORCPT, RECIPIENT_FIELDS };

/* `canonical` is room for the address's form in the queue file. */
static enum admission_result read_recipient(const struct slice field[RECIPIENT_FIELDS],
                                            unsigned flags, struct str *canonical,
                                            struct envelope *envelope)
{
    struct mailaddress address;
    struct slice recipient = field[RECIPIENT_ADDRESS], orcpt = field[RECIPIENT_ORCPT];
    unsigned notify;
    if (envelope->recipient_count >= ENVELOPE_RECIPIENTS_MAX)
        return ADMISSION_RECIPIENT_COUNT;
    str_clear(canonical);
    if (slice_has_control(recipient) || !mailaddress_parse(recipient, flags, &address) ||
        address.domain.size == 0 || !mailaddress_canonical(&address, canonical))
        return ADMISSION_RECIPIENT;
    if (!dsn_check_recipient(field[RECIPIENT_NOTIFY], orcpt, &notify))
        return ADMISSION_RECIPIENT;
    /* To and Cc that sendmail reads may both name it. */
    return envelope_join_recipient(envelope, str_slice(canonical), notify, orcpt)
               ? ADMISSION_OK
               : ADMISSION_NO_MEMORY;
}

static enum admission_result read_recipients(struct slice rest, unsigned flags,
                                             struct envelope *envelope)
{
    struct str canonical;
    enum admission_result result = ADMISSION_OK;
    str_init(&canonical, ENVELOPE_ADDRESS_MAX);
    while (rest.size > 0 && result == ADMISSION_OK) {
        struct slice field[RECIPIENT_FIELDS];
        for (size_t i = 0; i < RECIPIENT_FIELDS && result == ADMISSION_OK; i++)
            if (wire_cut_netstring(&rest, rest.size, &field[i]) != 1)
                result = ADMISSION_BAD;
        if (result == ADMISSION_OK)
            result = read_recipient(field, flags, &canonical, envelope);
    }
    str_free(&canonical);
    if (result == ADMISSION_OK && envelope->recipient_count == 0)
        return ADMISSION_RECIPIENT_COUNT;
    return result;
}

enum {
    FIELD_PROTOCOL,
    FIELD_ORIGIN,
    FIELD_SENDER,
    FIELD_BODY,
    FIELD_UTF8,
    FIELD_RETURN,
    FIELD_ENVID,
    FIELD_COUNT
};

static bool read_wishes(const struct slice field[FIELD_COUNT], struct envelope *envelope)
{
    return dsn_check_message(field[FIELD_RETURN], field[FIELD_ENVID], &envelope->ret) &&
           str_append(&envelope->envid, field[FIELD_ENVID]);
}

enum admission_result admission_read(struct slice fields, enum admission_trust trust, uid_t uid,
                                     struct envelope *envelope)
{
    struct slice field[FIELD_COUNT];
    for (size_t i = 0; i < FIELD_COUNT; i++)
        if (wire_cut_netstring(&fields, fields.size, &field[i]) != 1)
            return ADMISSION_BAD;
    enum envelope_body body;
    bool is_utf8 = slice_equal(field[FIELD_UTF8], SLICE("1"));
    if (!slice_equal(field[FIELD_PROTOCOL], SLICE("inject/2")) ||
        !envelope_parse_body(field[FIELD_BODY], &body) ||
        (!is_utf8 && !slice_equal(field[FIELD_UTF8], SLICE("0"))))
        return ADMISSION_BAD;
    envelope_clear(envelope);
    if (!read_wishes(field, envelope))
        return ADMISSION_BAD;
    envelope->body = body;
    envelope->utf8 = is_utf8;
    unsigned flags = is_utf8 ? MAILADDRESS_UTF8 : 0;
    enum admission_result result = read_origin(field[FIELD_ORIGIN], trust, uid, envelope);
    if (result == ADMISSION_OK)
        result = read_sender(field[FIELD_SENDER], trust, flags, envelope);
    if (result == ADMISSION_OK)
        result = read_recipients(fields, flags, envelope);
    return result;
}
