/* transaction - see transaction.h */
#include "transaction.h"

#include "allowance.h"
#include "clock.h"
#include "returned.h"

#include <string.h>

/* ---- MAIL -------------------------------------------------------------------------------------*/

static enum reply reply_of_problem(enum smtpcommand_problem problem, enum reply bad_address)
{
    switch (problem) {
    case SMTPCOMMAND_NEEDS_UTF8:
        return REPLY_UTF8_NOT_ASKED;
    case SMTPCOMMAND_BAD_PARAMETER:
        return REPLY_PARAMETER_BAD;
    case SMTPCOMMAND_UNKNOWN_PARAMETER:
        return REPLY_PARAMETER_UNKNOWN;
    case SMTPCOMMAND_FINE:
    case SMTPCOMMAND_SYNTAX:
    case SMTPCOMMAND_BAD_ADDRESS:
        break;
    }
    return bad_address;
}

static bool is_same_account(const struct directory_account *a, const struct directory_account *b)
{
    return strcmp(a->domain.name, b->domain.name) == 0 && strcmp(a->local, b->local) == 0;
}

/* The null sender is everybody's: a mail client sends read receipts so (RFC 8098 3). */
static bool is_own_sender(struct session *session, struct slice sender)
{
    struct directory_account account;
    if (sender.size == 0)
        return true;
    switch (directory_address(&session->directory, sender, &account)) {
    case DIRECTORY_FOUND:
        if (is_same_account(&account, &session->login))
            return true;
        break;
    case DIRECTORY_TROUBLE:
        session_refuse(session, REPLY_TROUBLE, "sender", sender);
        return false;
    case DIRECTORY_UNKNOWN_DOMAIN:
    case DIRECTORY_UNKNOWN_USER:
        break;
    }
    session_refuse(session, REPLY_SENDER_NOT_YOURS, "sender", sender);
    return false;
}

static bool may_submit(struct session *session, struct slice sender)
{
    return is_own_sender(session, sender) && allowance_sender(session);
}

void transaction_mail(struct session *session, struct slice argument)
{
    struct smtpcommand_mail mail;
    struct envelope *envelope = &session->envelope;
    if (session_is_submission(session) && session->account[0] == '\0') {
        session_refuse(session, REPLY_AUTH_REQUIRED, "sender", argument);
        return;
    }
    enum smtpcommand_problem problem = smtpcommand_parse_mail(argument, &mail);
    if (problem == SMTPCOMMAND_SYNTAX) {
        session_reply_detail(session, REPLY_SYNTAX, SLICE("MAIL FROM:<address> [parameters]"));
        return;
    }
    if (problem != SMTPCOMMAND_FINE) {
        session_refuse(session, reply_of_problem(problem, REPLY_SENDER_BAD), "sender", argument);
        return;
    }
    if (!vetting_sender(session))
        return;
    envelope_clear(envelope);
    directory_hold(&session->directory);
    if (!allowance_set_size(session) || !mailaddress_canonical(&mail.address, &envelope->sender) ||
        !str_append(&envelope->envid, mail.envid)) {
        session_refuse(session, REPLY_TROUBLE, "sender", argument);
        return;
    }
    if (mail.has_size && mail.size > session->size_limit) {
        session_refuse(session, REPLY_TOO_BIG, "sender", str_slice(&envelope->sender));
        return;
    }
    if (session_is_submission(session) && !may_submit(session, str_slice(&envelope->sender)))
        return;
    envelope->body = mail.body;
    envelope->utf8 = mail.utf8;
    envelope->ret = mail.ret;
    session->declared_size = mail.size;
    session->state = SESSION_MAIL;
    session_reply(session, REPLY_SENDER_OK);
}

/* ---- RCPT -------------------------------------------------------------------------------------*/

static void add_recipient(struct session *session, struct slice address,
                          const struct smtpcommand_rcpt *rcpt)
{
    if (!envelope_join_recipient(&session->envelope, address, rcpt->notify, rcpt->orcpt)) {
        session_refuse(session, REPLY_TROUBLE, "recipient", address);
        return;
    }
    session->accepted++;
    session->state = SESSION_RCPT;
    session_reply(session, REPLY_RECIPIENT_OK);
}

/* What comes back of forwarded mail goes to its first sender, whoever brings it: nobody but us can
 * make such an address. False: it is none; look it up as any other. */
static bool take_returned(struct session *session, struct slice address,
                          const struct smtpcommand_rcpt *rcpt)
{
    struct str original;
    str_init(&original, ENVELOPE_ADDRESS_MAX);
    enum srs_result result =
        returned_find(&session->directory, address, clock_seconds(), &original);
    if (result == SRS_OK)
        add_recipient(session, str_slice(&original), rcpt);
    else if (result == SRS_TROUBLE)
        session_refuse(session, REPLY_TROUBLE, "recipient", address);
    str_free(&original);
    return result == SRS_OK || result == SRS_TROUBLE;
}

static void take_recipient(struct session *session, struct slice address,
                           const struct smtpcommand_rcpt *rcpt)
{
    struct directory_account account;
    if (take_returned(session, address, rcpt))
        return;
    switch (directory_address(&session->directory, address, &account)) {
    case DIRECTORY_FOUND:
        if (vetting_recipient(session, address, &account) &&
            allowance_recipient(session, address, &account))
            add_recipient(session, address, rcpt);
        break;
    case DIRECTORY_UNKNOWN_USER:
        allowance_count_rejected(session);
        session_refuse(session, REPLY_RECIPIENT_UNKNOWN, "recipient", address);
        break;
    case DIRECTORY_TROUBLE:
        session_refuse(session, REPLY_TROUBLE, "recipient", address);
        break;
    case DIRECTORY_UNKNOWN_DOMAIN:
        /* From nobody but who has logged in: an address, loopback's included, is no proof. */
        if (session->account[0] != '\0')
            add_recipient(session, address, rcpt);
        else
            session_refuse(session, REPLY_RELAY_REFUSED, "recipient", address);
        break;
    }
}

void transaction_rcpt(struct session *session, struct slice argument)
{
    struct smtpcommand_rcpt rcpt;
    struct str address;
    enum smtpcommand_problem problem =
        smtpcommand_parse_rcpt(argument, session->envelope.utf8, &rcpt);
    if (problem == SMTPCOMMAND_SYNTAX) {
        session_reply_detail(session, REPLY_SYNTAX, SLICE("RCPT TO:<address> [parameters]"));
        return;
    }
    if (problem != SMTPCOMMAND_FINE) {
        session_refuse(session, reply_of_problem(problem, REPLY_RECIPIENT_BAD), "recipient",
                       argument);
        return;
    }
    if (session->envelope.recipient_count >= session->host.recipients_max) {
        session_refuse(session, REPLY_RECIPIENTS_TOO_MANY, "recipient", argument);
        return;
    }
    str_init(&address, ENVELOPE_ADDRESS_MAX);
    bool is_made = rcpt.address.domain.size > 0
                       ? mailaddress_canonical(&rcpt.address, &address)
                       : str_append_text(&address, session->host.postmaster);
    if (is_made)
        take_recipient(session, str_slice(&address), &rcpt);
    else
        session_refuse(session, REPLY_RECIPIENT_BAD, "recipient", argument);
    str_free(&address);
}
