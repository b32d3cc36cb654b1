/* vanished - see vanished.h */
#include "vanished.h"

#include "uidlist.h"

/* Ranges of the history as a set: sorted, joined. */
static bool read_history(struct imapsession *session, const struct mailbox_vanished *history,
                         size_t count, struct sequence *set)
{
    *set = (struct sequence){0};
    set->ranges = arena_take_many(&session->arena, count + 1, sizeof *set->ranges);
    if (!set->ranges)
        return false;
    for (size_t i = 0; i < count; i++)
        set->ranges[i] = (struct sequence_range){history[i].first, history[i].last};
    set->count = count;
    sequence_resolve(set, UINT32_MAX);
    return true;
}

/* All UIDs that were given out and are not in the list any more. */
static bool read_gaps(struct imapsession *session, struct sequence *set)
{
    const struct mailbox *mailbox = session->mailbox;
    uint32_t next = 1;
    *set = (struct sequence){0};
    set->ranges = arena_take_many(&session->arena, mailbox->count + 1, sizeof *set->ranges);
    if (!set->ranges)
        return false;
    for (size_t i = 0; i < mailbox->count; i++) {
        uint32_t uid = mailbox->messages[i].uid;
        if (mailbox->messages[i].gone)
            continue;
        if (uid > next)
            set->ranges[set->count++] = (struct sequence_range){next, uid - 1};
        next = uid + 1;
    }
    if (next < mailbox->uidnext)
        set->ranges[set->count++] = (struct sequence_range){next, mailbox->uidnext - 1};
    return true;
}

static bool is_open(const struct vanished_known *known, uint32_t uid)
{
    return !known->has_uids || (known->uids.open_from != 0 && uid >= known->uids.open_from);
}

/* The lowest UID that the client knows, at `from` or above; 0: none. To a client that asks for 1:* what
 * was the last message is of interest, too, though '*' is below it now. */
static uint32_t next_known(const struct vanished_known *known, uint32_t from)
{
    if (is_open(known, from))
        return from;
    uint32_t next = sequence_next(&known->uids, from);
    bool is_before = known->uids.open_from != 0 && (next == 0 || known->uids.open_from < next);
    return is_before ? known->uids.open_from : next;
}

/* The part of a range that lies in `known`, and behind what is certain. */
static void append_known(struct uidlist *list, struct sequence_range range,
                         const struct vanished_known *known)
{
    if (range.first <= known->certain)
        range.first = known->certain + 1;
    while (range.first <= range.last) {
        uint32_t uid = next_known(known, range.first);
        if (uid == 0 || uid > range.last)
            return;
        uint32_t end = is_open(known, uid) ? range.last : sequence_range_end(&known->uids, uid);
        if (end > range.last)
            end = range.last;
        uidlist_add_range(list, uid, end);
        if (end == UINT32_MAX)
            return;
        range.first = end + 1;
    }
}

enum answer vanished_tell_earlier(struct imapsession *session, const struct vanished_known *known)
{
    struct sequence set;
    struct uidlist list;
    size_t count;
    const struct mailbox_vanished *history =
        mailbox_vanished_since(session->mailbox, known->modseq, &count);
    if (!(history ? read_history(session, history, count, &set) : read_gaps(session, &set)))
        return ANSWER_TROUBLE;
    uidlist_init(&list, IMAPSESSION_OUT_MAX);
    for (size_t i = 0; i < set.count; i++)
        append_known(&list, set.ranges[i], known);
    struct slice uids = uidlist_end(&list);
    if (uids.size > 0) {
        struct str *out = imapsession_line(session);
        str_append_text(out, "VANISHED (EARLIER) ");
        str_append(out, uids);
        imapsession_send(session);
    }
    uidlist_free(&list);
    return ANSWER_DONE;
}
