/* resync - see resync.h */
#include "resync.h"

#include "modseq.h"
#include "update.h"

/* "(1,2,5 10,11,20)": what message numbers these UIDs had. */
static bool parse_pairs(struct parse *parse, struct resync *resync)
{
    return parse_sequence(parse, &resync->numbers) && parse_space(parse) &&
           parse_sequence(parse, &resync->uids) && parse_byte(parse, ')');
}

static bool parse_known(struct parse *parse, struct resync *resync)
{
    if (!parse_space(parse))
        return true;
    if (parse_peek(parse) != '(') {
        resync->known.has_uids = parse_sequence(parse, &resync->known.uids);
        if (!resync->known.has_uids)
            return false;
        if (!parse_space(parse))
            return true;
    }
    return parse_byte(parse, '(') && parse_pairs(parse, resync);
}

static bool parse_resync(struct parse *parse, struct resync *resync)
{
    uint64_t uidvalidity;
    resync->is_wanted = true;
    if (!parse_space(parse) || !parse_byte(parse, '(') ||
        !parse_number(parse, UINT32_MAX, &uidvalidity) || uidvalidity == 0 || !parse_space(parse) ||
        !modseq_parse(parse, &resync->known.modseq) || !parse_known(parse, resync))
        return false;
    resync->uidvalidity = (uint32_t)uidvalidity;
    return parse_byte(parse, ')');
}

static bool parse_parameter(struct imapsession *session, struct parse *parse, struct resync *resync)
{
    if (parse_word(parse, "CONDSTORE")) {
        resync->is_condstore = true;
        return imapsession_has(session, "CONDSTORE");
    }
    /* RFC 7162 3.2.5: BAD from who has not enabled it. */
    return parse_word(parse, "QRESYNC") && session->enabled & ENABLED_QRESYNC &&
           !resync->is_wanted && parse_resync(parse, resync);
}

/* "*" has no meaning to a client that tells what it has; "$" neither (RFC 7162 3.2.5.1). */
static bool is_plain(const struct sequence *set)
{
    bool plain = !set->is_saved;
    for (size_t i = 0; i < set->count && plain; i++)
        plain = set->ranges[i].first != SEQUENCE_STAR && set->ranges[i].last != SEQUENCE_STAR;
    return plain;
}

bool resync_parse(struct imapsession *session, struct parse *parse, struct resync *resync)
{
    *resync = (struct resync){0};
    if (parse_at_end(parse))
        return true;
    if (!parse_space(parse) || !parse_byte(parse, '('))
        return false;
    do {
        if (!parse_parameter(session, parse, resync))
            return false;
    } while (parse_space(parse));
    return parse_byte(parse, ')') && is_plain(&resync->known.uids) && is_plain(&resync->numbers) &&
           is_plain(&resync->uids);
}

/* The n-th number of a set; 0 behind its end. */
static uint32_t nth(const struct sequence *set, uint64_t n)
{
    for (size_t i = 0; i < set->count; i++) {
        uint64_t size = (uint64_t)set->ranges[i].last - set->ranges[i].first + 1;
        if (n < size)
            return set->ranges[i].first + (uint32_t)n;
        n -= size;
    }
    return 0;
}

static uint64_t size_of(const struct sequence *set)
{
    uint64_t size = 0;
    for (size_t i = 0; i < set->count; i++)
        size += (uint64_t)set->ranges[i].last - set->ranges[i].first + 1;
    return size;
}

/* The highest UID that still has the number that the client knows: nothing up to it has vanished. The
 * pairs are sorted, and once one doesn't fit none behind it does, so a search by halves finds it. */
static uint32_t find_certain(const struct imapsession *session, struct resync *resync)
{
    const struct mailbox *mailbox = session->mailbox;
    sequence_resolve(&resync->numbers, UINT32_MAX);
    sequence_resolve(&resync->uids, UINT32_MAX);
    uint64_t low = 0, high = size_of(&resync->numbers);
    if (high != size_of(&resync->uids))
        return 0;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        uint32_t number = nth(&resync->numbers, middle);
        if (number <= mailbox->count &&
            mailbox->messages[number - 1].uid == nth(&resync->uids, middle))
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 ? nth(&resync->uids, low - 1) : 0;
}

static void tell_changed(struct imapsession *session, const struct vanished_known *known)
{
    const struct mailbox *mailbox = session->mailbox;
    for (size_t i = 0; i < mailbox->count; i++) {
        const struct mailbox_message *message = &mailbox->messages[i];
        if (mailbox_modseq(mailbox, message) > known->modseq &&
            (!known->has_uids || sequence_has(&known->uids, message->uid)))
            update_tell_message(session, i, true);
    }
}

enum answer resync_tell(struct imapsession *session, struct resync *resync)
{
    struct vanished_known *known = &resync->known;
    /* RFC 7162 3.2.5: another UIDVALIDITY, and there is nothing that both know. */
    if (!resync->is_wanted || resync->uidvalidity != session->mailbox->uidvalidity ||
        known->modseq >= mailbox_highest_modseq(session->mailbox))
        return ANSWER_DONE;
    sequence_resolve(&known->uids, UINT32_MAX);
    known->certain = find_certain(session, resync);
    enum answer answer = vanished_tell_earlier(session, known);
    if (answer == ANSWER_DONE)
        tell_changed(session, known);
    return answer;
}
