/* imapselect - SELECT, EXAMINE, CLOSE, UNSELECT, CHECK, EXPUNGE */
#include "imapcommand.h"
#include "imaplist.h"
#include "imapname.h"
#include "modseq.h"
#include "objectid.h"
#include "pick.h"
#include "resync.h"
#include "update.h"

#include <errno.h>
#include <fcntl.h>

static void tell_code(struct imapsession *session, const char *code, uint64_t number,
                      const char *text)
{
    struct str *out = imapsession_line(session);
    str_format(out, "OK [%s %llu] %s", code, (unsigned long long)number, text);
    imapsession_send(session);
}

/* RFC 9051 E 24: IMAP4rev2 has no UNSEEN. */
static void tell_first_unseen(struct imapsession *session)
{
    if (session->enabled & ENABLED_REV2)
        return;
    size_t first = mailbox_first_unseen(session->mailbox);
    if (first < session->mailbox->count)
        tell_code(session, "UNSEEN", first + 1, "First unseen");
}

/* RFC 9051 6.3.2: the name as it is written here. */
static void tell_name(struct imapsession *session, struct slice given)
{
    if (session->enabled & ENABLED_REV2)
        imaplist_tell_name(session, &session->folder, given);
}

/* RFC 3501 6.3.1: a SELECT that fails leaves no mailbox selected. What comes behind CLOSED is of the
 * other mailbox (RFC 9051 7.1); who announces CONDSTORE or QRESYNC says so to every client (RFC 7162
 * 3.2.11). */
static void leave_mailbox(struct imapsession *session)
{
    bool tells = session->mailbox &&
                 (session->enabled & ENABLED_REV2 || imapsession_has(session, "CONDSTORE") ||
                  imapsession_has(session, "QRESYNC"));
    imapsession_unselect(session);
    if (!tells)
        return;
    struct str *out = imapsession_line(session);
    str_append_text(out, "OK [CLOSED] The mailbox before is closed");
    imapsession_send(session);
}

/* RFC 8474 4.2 */
static void tell_id(struct imapsession *session)
{
    if (!imapsession_has(session, "OBJECTID"))
        return;
    struct str *out = imapsession_line(session);
    str_append_text(out, "OK [MAILBOXID (");
    objectid_append_mailbox(out, session->mailbox->id);
    str_append_text(out, ")] Ok");
    imapsession_send(session);
}

static void tell_mailbox(struct imapsession *session, struct slice name)
{
    mailbox_forget_gone(session->mailbox);
    update_tell_flags(session);
    update_tell_counts(session);
    tell_first_unseen(session);
    tell_code(session, "UIDVALIDITY", session->mailbox->uidvalidity, "UIDs valid");
    tell_code(session, "UIDNEXT", session->mailbox->uidnext, "Next UID");
    session->told_modseq = mailbox_highest_modseq(session->mailbox);
    if (imapsession_has(session, "CONDSTORE"))
        modseq_tell_highest(session);
    tell_id(session);
    tell_name(session, name);
}

static enum answer open_mailbox(struct imapsession *session, struct parse *arguments,
                                bool read_only)
{
    struct slice name;
    struct imapfolder folder;
    struct resync resync;
    if (!parse_astring(arguments, &name) || !resync_parse(session, arguments, &resync) ||
        !parse_at_end(arguments))
        return ANSWER_SYNTAX;
    leave_mailbox(session);
    if (resync.is_condstore)
        modseq_enable(session);
    if (imapname_take(session, name, &folder) != ANSWER_DONE)
        return ANSWER_NO_MAILBOX;
    session->mailbox = mailbox_open(AT_FDCWD, folder.path, read_only);
    if (!session->mailbox)
        return answer_from_errno(errno);
    session->folder = folder;
    session->read_only = read_only;
    tell_mailbox(session, name);
    enum answer answer = resync_tell(session, &resync);
    if (answer != ANSWER_DONE)
        return answer;
    return read_only ? ANSWER_READ_ONLY : ANSWER_READ_WRITE;
}

enum answer imapselect_select(struct imapsession *session, struct parse *arguments)
{
    return open_mailbox(session, arguments, false);
}

enum answer imapselect_examine(struct imapsession *session, struct parse *arguments)
{
    return open_mailbox(session, arguments, true);
}

/* Removes what has \Deleted, within `uids` where given. */
static enum answer expunge(struct imapsession *session, const struct sequence *uids)
{
    struct mailbox *mailbox = session->mailbox;
    enum answer answer = ANSWER_DONE;
    if (!mailbox_lock(mailbox))
        return answer_from_errno(errno);
    for (size_t i = 0; i < mailbox->count; i++) {
        struct mailbox_message *message = &mailbox->messages[i];
        if (message->gone || !(message->flags & MAILDIR_TRASHED) ||
            (uids && !sequence_has(uids, message->uid)))
            continue;
        if (!mailbox_remove(mailbox, message))
            answer = answer_from_errno(errno);
    }
    return mailbox_unlock(mailbox) ? answer : answer_from_errno(errno);
}

enum answer imapselect_expunge(struct imapsession *session, struct parse *arguments)
{
    struct sequence uids;
    if (session->uid && !imapsession_has(session, "UIDPLUS"))
        return ANSWER_UNKNOWN;
    if (session->uid && (!parse_sequence(arguments, &uids) || !parse_at_end(arguments) ||
                         (uids.is_saved && !imapsession_has(session, "SEARCHRES"))))
        return ANSWER_SYNTAX;
    if (session->read_only)
        return ANSWER_REFUSED_READ_ONLY;
    if (!mailbox_sync(session->mailbox))
        return answer_from_errno(errno);
    if (session->uid && !pick_resolve(session, &uids, true, &session->arena))
        return ANSWER_TROUBLE;
    enum answer answer = expunge(session, session->uid ? &uids : NULL);
    if (answer == ANSWER_DONE)
        modseq_set_code(session);
    return answer;
}

enum answer imapselect_close(struct imapsession *session, struct parse *arguments)
{
    (void)arguments;
    enum answer answer = ANSWER_DONE;
    if (!session->read_only)
        answer = mailbox_sync(session->mailbox) ? expunge(session, NULL) : answer_from_errno(errno);
    /* No HIGHESTMODSEQ: the client was not told what is gone (RFC 7162 3.2.8). */
    imapsession_unselect(session);
    return answer;
}

enum answer imapselect_unselect(struct imapsession *session, struct parse *arguments)
{
    (void)arguments;
    imapsession_unselect(session);
    return ANSWER_DONE;
}

/* Every change was durable when it was answered: there is nothing to check. */
enum answer imapselect_check(struct imapsession *session, struct parse *arguments)
{
    (void)session;
    (void)arguments;
    return ANSWER_DONE;
}
