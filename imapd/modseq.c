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
    bool is_first = !(session->enabled & ENABLED_CONDSTORE);
    session->enabled |= ENABLED_CONDSTORE;
    if (is_first && session->mailbox)
        modseq_tell_highest(session);
    return true;
}

void modseq_tell_highest(struct imapsession *session)
{
    struct str *out = imapsession_line(session);
    str_append_text(out, "OK [HIGHESTMODSEQ ");
    str_append_number(out, session->told_modseq);
    str_append_text(out, "] Highest");
    imapsession_send(session);
}

void modseq_note_told(struct imapsession *session)
{
    bool holds_back = session->mailbox->totals.messages != session->mailbox->count;
    bool held_back = session->holds_back;
    session->holds_back = holds_back;
    if (!holds_back)
        session->told_modseq = mailbox_highest_modseq(session->mailbox);
    if ((holds_back || held_back) && session->enabled & ENABLED_QRESYNC)
        modseq_tell_highest(session);
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
