/* update - see update.h */
#include "update.h"

#include "flags.h"
#include "modseq.h"
#include "notify.h"
#include "searchcontext.h"
#include "uidlist.h"

#include <errno.h>

static void tell_number(struct imapsession *session, size_t number, const char *what)
{
    struct str *out = imapsession_line(session);
    str_append_number(out, number);
    str_append_byte(out, ' ');
    str_append_text(out, what);
    imapsession_send(session);
}

void update_tell_flags(struct imapsession *session)
{
    struct str *out = imapsession_line(session);
    str_append_text(out, "FLAGS ");
    flags_append_all(out, session->mailbox, false);
    imapsession_send(session);
    out = imapsession_line(session);
    str_append_text(out, "OK [PERMANENTFLAGS ");
    if (session->read_only)
        str_append_text(out, "()");
    else
        flags_append_all(out, session->mailbox, true);
    str_append_text(out, "] Flags that stay");
    imapsession_send(session);
    session->told_keywords = flags_keyword_count(session->mailbox);
}

/* Of no interest to IMAP4rev2, which has no RECENT (RFC 9051 E 5). */
static size_t count_recent(const struct imapsession *session)
{
    const struct mailbox *mailbox = session->mailbox;
    size_t count = 0;
    if (session->enabled & ENABLED_REV2)
        return 0;
    for (size_t i = 0; i < mailbox->count && mailbox->totals.recent > 0; i++)
        count += mailbox->messages[i].recent;
    return count;
}

void update_tell_counts(struct imapsession *session)
{
    session->told_exists = session->mailbox->count;
    session->told_recent = count_recent(session);
    tell_number(session, session->told_exists, "EXISTS");
    if (!(session->enabled & ENABLED_REV2))
        tell_number(session, session->told_recent, "RECENT");
}

/* From the end, so that no number is moved by an EXPUNGE before it. */
static void tell_numbers(struct imapsession *session)
{
    const struct mailbox *mailbox = session->mailbox;
    /* One that came and went unseen is no news. */
    for (size_t i = session->told_exists; i > 0; i--) {
        if (!mailbox->messages[i - 1].gone)
            continue;
        tell_number(session, i, "EXPUNGE");
        session->told_exists--;
    }
}

/* RFC 7162 3.2.10: all in one line. */
static void tell_vanished(struct imapsession *session)
{
    const struct mailbox *mailbox = session->mailbox;
    struct uidlist list;
    size_t count = 0;
    uidlist_init(&list, IMAPSESSION_OUT_MAX);
    for (size_t i = 0; i < session->told_exists; i++) {
        if (!mailbox->messages[i].gone)
            continue;
        uidlist_add(&list, mailbox->messages[i].uid);
        count++;
    }
    session->told_exists -= count;
    if (count > 0) {
        struct str *out = imapsession_line(session);
        str_append_text(out, "VANISHED ");
        str_append(out, uidlist_end(&list));
        imapsession_send(session);
    }
    uidlist_free(&list);
}

static void tell_expunges(struct imapsession *session)
{
    struct mailbox *mailbox = session->mailbox;
    if (mailbox->totals.messages == mailbox->count)
        return;
    if (session->enabled & ENABLED_QRESYNC)
        tell_vanished(session);
    else
        tell_numbers(session);
    mailbox_forget_gone(mailbox);
}

void update_tell_message(struct imapsession *session, size_t index, bool flags)
{
    struct mailbox_message *message = &session->mailbox->messages[index];
    struct str *out = imapsession_line(session);
    str_append_number(out, index + 1);
    str_append_text(out, " FETCH (UID ");
    str_append_number(out, message->uid);
    if (flags) {
        str_append_text(out, " FLAGS ");
        flags_append(out, session->mailbox, message->flags, message->keywords,
                     imapsession_shows_recent(session, message->recent));
    }
    if (session->enabled & ENABLED_CONDSTORE) {
        str_append_byte(out, ' ');
        modseq_append(out, session, message);
    }
    str_append_byte(out, ')');
    imapsession_send(session);
    message->changed = false;
}

static void tell_changes(struct imapsession *session, bool wanted)
{
    struct mailbox *mailbox = session->mailbox;
    for (size_t i = 0; i < mailbox->count; i++) {
        struct mailbox_message *message = &mailbox->messages[i];
        if (!message->changed)
            continue;
        if (wanted && i < session->told_exists && !message->gone)
            update_tell_message(session, i, true);
        message->changed = false;
    }
}

static void tell_new(struct imapsession *session)
{
    size_t recent = count_recent(session), told = session->told_exists;
    if (session->mailbox->count == told && recent == session->told_recent)
        return;
    update_tell_counts(session);
    notify_tell_new(session, told);
}

void update_tell(struct imapsession *session, unsigned tells)
{
    unsigned events = tells & UPDATE_OWN ? NOTIFY_ANY_MESSAGE : notify_selected_events(session);
    if (!(events & NOTIFY_MESSAGE_NEW))
        return;
    if (!mailbox_sync(session->mailbox)) {
        if (errno == ENOENT)
            imapsession_bye(session, "The selected mailbox was deleted", "deleted");
        if (errno == ESTALE)
            imapsession_bye(session, "The selected mailbox has other UIDs now", "uidvalidity");
        return;
    }
    if (tells & UPDATE_EXPUNGES) {
        searchcontext_tell_gone(session);
        tell_expunges(session);
    }
    if (flags_keyword_count(session->mailbox) != session->told_keywords)
        update_tell_flags(session);
    tell_changes(session, events & NOTIFY_FLAG_CHANGE);
    tell_new(session);
    searchcontext_tell_news(session);
    modseq_note_told(session);
}
