/* uidbatches - UIDBATCHES: the mailbox cut into pieces of as many messages each (RFC 10022) */
#include "imapcommand.h"

enum { BATCH_LEAST = 500 }; /* the least that a server has to take */

struct batches {
    uint64_t size;
    uint64_t first, last; /* batches wanted, 1 the one of the newest messages */
};

static bool parse_range(struct parse *parse, struct batches *batches)
{
    batches->first = 1;
    batches->last = UINT32_MAX;
    if (!parse_space(parse))
        return true;
    return parse_number(parse, UINT32_MAX, &batches->first) && batches->first > 0 &&
           parse_byte(parse, ':') && parse_number(parse, UINT32_MAX, &batches->last) &&
           batches->last >= batches->first;
}

static void append_batch(struct str *out, uint32_t high, uint32_t low)
{
    str_append_byte(out, str_slice(out).data[out->size - 1] == ')' ? ' ' : ',');
    str_append_number(out, high);
    str_append_byte(out, ':');
    str_append_number(out, low);
}

/* From the newest on. Batches touch, and the last goes down to 1: a UID that is in none of them is a
 * new message's. */
static void append_batches(struct str *out, const struct imapsession *session,
                           const struct batches *batches)
{
    const struct mailbox *mailbox = session->mailbox;
    uint64_t count = 0, batch = 1;
    uint32_t high = 0, low = 0;
    for (size_t i = session->told_exists; i > 0 && batch <= batches->last; i--) {
        if (mailbox->messages[i - 1].gone)
            continue;
        if (count == batches->size) {
            if (batch >= batches->first)
                append_batch(out, high, low);
            high = low - 1;
            count = 0;
            batch++;
        }
        low = mailbox->messages[i - 1].uid;
        high = high == 0 ? low : high;
        count++;
    }
    if (count > 0 && batch >= batches->first && batch <= batches->last)
        append_batch(out, high, 1);
}

enum answer uidbatches_uidbatches(struct imapsession *session, struct parse *arguments)
{
    struct batches batches;
    if (!parse_number(arguments, UINT32_MAX, &batches.size) || batches.size == 0 ||
        !parse_range(arguments, &batches) || !parse_at_end(arguments))
        return ANSWER_SYNTAX;
    if (batches.size < BATCH_LEAST)
        return ANSWER_TOO_FEW;
    struct str *out = imapsession_line(session);
    str_append_text(out, "UIDBATCHES (TAG \"");
    str_append(out, session->tag);
    str_append_text(out, "\")");
    append_batches(out, session, &batches);
    imapsession_send(session);
    return ANSWER_DONE;
}
