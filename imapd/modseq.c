/* modseq - see modseq.h */
#include "modseq.h"

bool modseq_parse(struct parse *parse, uint64_t *modseq)
{
    return parse_number(parse, INT64_MAX, modseq);
}

bool modseq_enable(struct imapsession *session)
{
    if (!imapsession_has(session, "CONDSTORE"))
        return false;
    session->enabled |= ENABLED_CONDSTORE;
    return true;
}

bool modseq_append(struct str *out, const struct imapsession *session,
                   const struct mailbox_message *message)
{
    str_append_text(out, "MODSEQ (");
    str_append_number(out, mailbox_modseq(session->mailbox, message));
    return str_append_byte(out, ')');
}

void modseq_set_code(struct imapsession *session)
{
    if (!(session->enabled & ENABLED_CONDSTORE) || !session->mailbox || session->code.size > 0)
        return;
    str_append_text(&session->code, "HIGHESTMODSEQ ");
    str_append_number(&session->code, mailbox_highest_modseq(session->mailbox));
}
