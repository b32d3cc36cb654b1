/* envelope - see envelope.h */
#include "envelope.h"

#include "number.h"

#include <stdlib.h>

void envelope_init(struct envelope *envelope)
{
    *envelope = (struct envelope){.body = ENVELOPE_BODY_7BIT};
    str_init(&envelope->origin, ENVELOPE_ORIGIN_MAX);
    str_init(&envelope->sender, ENVELOPE_ADDRESS_MAX);
}

static void free_recipients(struct envelope *envelope)
{
    for (size_t i = 0; i < envelope->recipient_count; i++)
        str_free(&envelope->recipients[i]);
    envelope->recipient_count = 0;
}

void envelope_free(struct envelope *envelope)
{
    free_recipients(envelope);
    free(envelope->recipients);
    str_free(&envelope->origin);
    str_free(&envelope->sender);
    envelope_init(envelope);
}

void envelope_clear(struct envelope *envelope)
{
    free_recipients(envelope);
    free(envelope->recipients);
    envelope->recipients = NULL;
    str_clear(&envelope->origin);
    str_clear(&envelope->sender);
    envelope->body = ENVELOPE_BODY_7BIT;
    envelope->utf8 = false;
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
    struct str *recipients = realloc(envelope->recipients, bytes);
    if (!recipients)
        return false;
    envelope->recipients = recipients;
    return true;
}

bool envelope_add_recipient(struct envelope *envelope, struct slice recipient)
{
    if (envelope->recipient_count >= ENVELOPE_RECIPIENTS_MAX || !grow(envelope))
        return false;
    struct str *added = &envelope->recipients[envelope->recipient_count];
    str_init(added, ENVELOPE_ADDRESS_MAX);
    if (!str_append(added, recipient)) {
        str_free(added);
        return false;
    }
    envelope->recipient_count++;
    return true;
}
