/* usage - see usage.h */
#include "usage.h"

#include "capacity.h"
#include "local_delivery.h"

#include <stdio.h>

enum { FIELD_FIRST = 1, FIELDS_EACH = 2 };

bool usage_is_question(const struct wire_message *message)
{
    return slice_equal(wire_field(message, 0), SLICE("usage/1"));
}

/* "": the domain. */
static bool measure(struct slice mailbox, uint64_t limit, uint64_t *used)
{
    char local[LOCAL_DELIVERY_MAILBOX_MAX + 1];
    char path[sizeof local + sizeof "/Maildir"];
    if (mailbox.size == 0)
        return capacity_sum_domain(used);
    if (!slice_copy_text(mailbox, local, sizeof local))
        return false;
    snprintf(path, sizeof path, "%s/Maildir", local);
    return capacity_count_mailbox(path, limit, used);
}

static bool is_mailbox(struct slice name)
{
    return name.size <= LOCAL_DELIVERY_MAILBOX_MAX && !slice_starts(name, SLICE(".")) &&
           !slice_has(name, '/') && !slice_has_control(name);
}

/* What can't be measured stays as it is. */
bool usage_answer(const struct wire_message *message, struct str *packet)
{
    if (message->count % FIELDS_EACH != FIELD_FIRST)
        return false;
    for (size_t i = FIELD_FIRST; i < message->count; i += FIELDS_EACH) {
        struct slice mailbox = wire_field(message, i);
        uint64_t limit, used;
        if (!is_mailbox(mailbox) || !wire_number(message, i + 1, INT64_MAX, &limit))
            return false;
        bool has_room = measure(mailbox, limit, &used) && !capacity_is_full(used, limit);
        wire_put_text(packet, has_room ? "room" : "full");
    }
    return !packet->failed;
}
