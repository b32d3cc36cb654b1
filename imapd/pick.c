/* pick - see pick.h */
#include "pick.h"

uint32_t pick_highest_uid(const struct imapsession *session)
{
    size_t count = session->told_exists;
    return count > 0 ? session->mailbox->messages[count - 1].uid : 0;
}

enum answer pick_begin(struct pick *pick, struct imapsession *session, struct parse *parse)
{
    *pick = (struct pick){.uid = session->uid};
    if (!parse_sequence(parse, &pick->set))
        return ANSWER_SYNTAX;
    uint32_t exists = (uint32_t)session->told_exists;
    sequence_resolve(&pick->set, pick->uid ? pick_highest_uid(session) : exists);
    if (!pick->uid && (sequence_highest(&pick->set) > exists || pick->set.count == 0))
        return ANSWER_BAD_SET;
    return ANSWER_DONE;
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
    while (advance(pick, session)) {
        *index = pick->next++;
        if (!session->mailbox->messages[*index].gone)
            return true;
        pick->gone = true;
    }
    return false;
}

enum answer pick_end(const struct pick *pick)
{
    return pick->gone && !pick->uid ? ANSWER_MESSAGE_GONE : ANSWER_DONE;
}
