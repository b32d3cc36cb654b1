/* envelope - see envelope.h */
#include "envelope.h"

#include "number.h"

#include <stdlib.h>

void envelope_init(struct envelope *envelope)
{
    *envelope = (struct envelope){.body = ENVELOPE_BODY_7BIT};
    str_init(&envelope->origin, ENVELOPE_ORIGIN_MAX);
    str_init(&envelope->sender, ENVELOPE_ADDRESS_MAX);
    str_init(&envelope->envid, DSN_ENVID_MAX);
}

static void free_recipient(struct envelope_recipient *recipient)
{
    str_free(&recipient->address);
    str_free(&recipient->orcpt);
}

static void free_recipients(struct envelope *envelope)
{
    for (size_t i = 0; i < envelope->recipient_count; i++)
        free_recipient(&envelope->recipients[i]);
    envelope->recipient_count = 0;
}

void envelope_free(struct envelope *envelope)
{
    free_recipients(envelope);
    free(envelope->recipients);
    str_free(&envelope->origin);
    str_free(&envelope->sender);
    str_free(&envelope->envid);
    envelope_init(envelope);
}

void envelope_clear(struct envelope *envelope)
{
    free_recipients(envelope);
    free(envelope->recipients);
    envelope->recipients = NULL;
    str_clear(&envelope->origin);
    str_clear(&envelope->sender);
    str_clear(&envelope->envid);
    envelope->body = ENVELOPE_BODY_7BIT;
    envelope->utf8 = false;
    envelope->ret = DSN_RETURN_DEFAULT;
}

/* The list's capacity is always the power of two at or above its count. */
static bool grow(struct envelope *envelope)
{
    size_t count = envelope->recipient_count;
    size_t bytes;
    if ((count & (count - 1)) != 0)
        return true;
    if (!number_multiply(count > 0 ? count * 2 : 1, sizeof *envelope->recipients, &bytes))
        return false;
    struct envelope_recipient *recipients = realloc(envelope->recipients, bytes);
    if (!recipients)
        return false;
    envelope->recipients = recipients;
    return true;
}

bool envelope_add_recipient_dsn(struct envelope *envelope, struct slice recipient, unsigned notify,
                                struct slice orcpt)
{
    if (envelope->recipient_count >= ENVELOPE_RECIPIENTS_MAX || !grow(envelope))
        return false;
    struct envelope_recipient *added = &envelope->recipients[envelope->recipient_count];
    added->notify = notify;
    str_init(&added->address, ENVELOPE_ADDRESS_MAX);
    str_init(&added->orcpt, DSN_ORCPT_MAX);
    if (!str_append(&added->address, recipient) || !str_append(&added->orcpt, orcpt)) {
        free_recipient(added);
        return false;
    }
    envelope->recipient_count++;
    return true;
}

bool envelope_add_recipient(struct envelope *envelope, struct slice recipient)
{
    return envelope_add_recipient_dsn(envelope, recipient, 0, SLICE(""));
}

/* Its place; the count when there is none. */
static size_t find_recipient(const struct envelope *envelope, struct slice address)
{
    size_t at = 0;
    while (at < envelope->recipient_count &&
           !slice_equal(str_slice(&envelope->recipients[at].address), address))
        at++;
    return at;
}

/* Who said no NOTIFY wants to hear of a failure, and of a delay. */
static unsigned join_notify(unsigned first, unsigned second)
{
    const unsigned otherwise = DSN_NOTIFY_FAILURE | DSN_NOTIFY_DELAY;
    if (first == second)
        return first;
    return ((first == 0 ? otherwise : first) | (second == 0 ? otherwise : second)) &
           ~(unsigned)DSN_NOTIFY_NEVER;
}

bool envelope_join_recipient(struct envelope *envelope, struct slice recipient, unsigned notify,
                             struct slice orcpt)
{
    size_t at = find_recipient(envelope, recipient);
    if (at == envelope->recipient_count)
        return envelope_add_recipient_dsn(envelope, recipient, notify, orcpt);
    struct envelope_recipient *known = &envelope->recipients[at];
    known->notify = join_notify(known->notify, notify);
    return known->orcpt.size > 0 || str_append(&known->orcpt, orcpt);
}

static const char *const letters[] = {
    [ENVELOPE_BODY_7BIT] = "7",
    [ENVELOPE_BODY_8BIT] = "8",
    [ENVELOPE_BODY_BINARY] = "B",
};

const char *envelope_body_letter(enum envelope_body body)
{
    return letters[body];
}

bool envelope_parse_body(struct slice letter, enum envelope_body *body)
{
    for (unsigned i = 0; i < sizeof letters / sizeof *letters; i++)
        if (slice_equal(letter, slice_text(letters[i]))) {
            *body = (enum envelope_body)i;
            return true;
        }
    return false;
}
