/* pick - see pick.h */
#include "pick.h"

uint32_t pick_highest_uid(const struct imapsession *session)
{
    size_t count = session->told_exists;
    return count > 0 ? session->mailbox->messages[count - 1].uid : 0;
}

/* The first index from `from` on whose UID is `uid` or higher. */
static size_t find_uid(const struct imapsession *session, size_t from, uint32_t uid)
{
    const struct mailbox_message *messages = session->mailbox->messages;
    size_t low = from, high = session->told_exists;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (messages[middle].uid < uid)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The message numbers of the saved UIDs that are there still, as ranges. */
static size_t number_ranges(const struct imapsession *session, struct sequence_range *ranges)
{
    const struct savedsearch *saved = &session->saved;
    size_t count = 0, at = 0;
    for (size_t i = 0; i < saved->count; i++) {
        size_t first = find_uid(session, at, saved->uids[i].first);
        at = first;
        while (at < session->told_exists &&
               session->mailbox->messages[at].uid <= saved->uids[i].last)
            at++;
        if (at > first)
            ranges[count++] = (struct sequence_range){(uint32_t)first + 1, (uint32_t)at};
    }
    return count;
}

static bool resolve_saved(const struct imapsession *session, struct sequence *set, bool uid,
                          struct arena *arena)
{
    const struct savedsearch *saved = &session->saved;
    set->count = 0;
    set->ranges = arena_take_many(arena, saved->count + 1, sizeof *set->ranges);
    if (!set->ranges)
        return false;
    if (!uid) {
        set->count = number_ranges(session, set->ranges);
        return true;
    }
    for (size_t i = 0; i < saved->count; i++)
        set->ranges[set->count++] = saved->uids[i];
    return true;
}

bool pick_resolve(const struct imapsession *session, struct sequence *set, bool uid,
                  struct arena *arena)
{
    uint32_t highest = uid ? pick_highest_uid(session) : (uint32_t)session->told_exists;
    if (set->is_saved && !resolve_saved(session, set, uid, arena))
        return false;
    sequence_resolve(set, highest);
    return true;
}

enum answer pick_begin(struct pick *pick, struct imapsession *session, struct parse *parse)
{
    *pick = (struct pick){.uid = session->uid};
    if (!parse_sequence(parse, &pick->set) ||
        (pick->set.is_saved && !imapsession_has(session, "SEARCHRES")))
        return ANSWER_SYNTAX;
    if (!pick_resolve(session, &pick->set, pick->uid, &session->arena))
        return ANSWER_TROUBLE;
    /* RFC 5182 2.1: "$" may stand for no message at all. */
    if (pick->uid || pick->set.is_saved)
        return ANSWER_DONE;
    bool fits = pick->set.count > 0 && sequence_highest(&pick->set) <= session->told_exists;
    return fits ? ANSWER_DONE : ANSWER_BAD_SET;
}

/* The index of the next message of the set, at pick->next or behind it. */
static bool advance(struct pick *pick, const struct imapsession *session)
{
    while (pick->next < session->told_exists) {
        uint32_t here =
            pick->uid ? session->mailbox->messages[pick->next].uid : (uint32_t)(pick->next + 1);
        uint32_t wanted = sequence_next(&pick->set, here);
        if (wanted == 0)
            return false;
        if (wanted == here)
            return true;
        pick->next = pick->uid ? find_uid(session, pick->next, wanted) : wanted - 1;
    }
    return false;
}

bool pick_next(struct pick *pick, struct imapsession *session, size_t *index)
{
    while (!(pick->is_page && pick->left == 0) && advance(pick, session)) {
        *index = pick->next++;
        if (!session->mailbox->messages[*index].gone) {
            pick->left -= pick->is_page;
            return true;
        }
        pick->gone = true;
    }
    return false;
}

void pick_page(struct pick *pick, struct imapsession *session, const struct partial *page)
{
    struct pick ahead = *pick;
    size_t index, count = 0, start, size;
    while (pick_next(&ahead, session, &index))
        count++;
    partial_clip(page, count, &start, &size);
    while (start > 0 && pick_next(pick, session, &index))
        start--;
    pick->is_page = true;
    pick->left = size;
}

enum answer pick_end(const struct pick *pick)
{
    return pick->gone && !pick->uid ? ANSWER_MESSAGE_GONE : ANSWER_DONE;
}
