/* mailboxchange - see mailbox.h: flags, names, removal */
#include "io.h"
#include "mailboxparts.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Changes the name of a message, and where the unique part had to be another one, its stem. */
static bool take_new_name(struct mailbox *mailbox, struct mailbox_message *message,
                          const struct maildir_name *facts, const char *name)
{
    struct maildir_name taken;
    bool was_odd = message->is_odd;
    mailbox_view_uncount(mailbox, message);
    message->name_flags = (uint8_t)facts->flags;
    message->name_keywords = facts->keywords;
    message->in_new = !facts->has_info;
    message->is_odd = false;
    mailbox_view_count(mailbox, message);
    (void)maildir_parse_name(slice_text(name), &taken);
    if (!was_odd && slice_equal(taken.unique, facts->unique)) {
        mailbox_log_flags(mailbox, message);
        return true;
    }
    if (!mailbox_view_keep_name(mailbox, maildir_stem(slice_text(name)), &message->name))
        return false;
    mailbox_log_message(mailbox, message);
    return true;
}

bool mailbox_rename_message(struct mailbox *mailbox, struct mailbox_message *message)
{
    char old_name[MAILBOX_NAME_SIZE], name[MAILBOX_NAME_SIZE], stem[MAILBOX_NAME_SIZE];
    bool stays_new = message->in_new && mailbox->leaves_new;
    struct maildir_name facts = mailbox_facts(mailbox, message);
    facts.has_info = !stays_new;
    /* What the facts point to must not move when a name is kept. */
    if (!slice_copy_text(facts.unique, stem, sizeof stem) ||
        !mailbox_name(mailbox, message, old_name))
        return mailbox_fail(mailbox);
    facts.unique = slice_text(stem);
    mailbox_changes_folder(mailbox, message->in_new);
    mailbox_changes_folder(mailbox, stays_new);
    if (!mailbox_rename(mailbox_folder_of(mailbox, message), old_name,
                        stays_new ? mailbox->new : mailbox->cur, &facts, name))
        return mailbox_fail(mailbox);
    return take_new_name(mailbox, message, &facts, name);
}

bool mailbox_is_eager(struct mailbox *mailbox, const struct mailbox_message *message)
{
    if (message->is_odd)
        return true;
    if (mailbox->eager_left == 0 || mailbox->journal.size > 0 ||
        mailbox->state.bits & MAILBOX_STATE_PENDING)
        return false;
    mailbox->eager_left--;
    return true;
}

/* Finds out what became of a message whose file isn't where it was. False when it is gone. */
static bool follow(struct mailbox *mailbox, struct mailbox_message *message)
{
    if (!mailbox_scan(mailbox, true, true)) {
        errno = mailbox->error;
        return false;
    }
    errno = ENOENT;
    return !message->gone;
}

/* ---- flags -------------------------------------------------------------------------------------
 */

static uint32_t changed_bits(uint32_t old, enum mailbox_change change, uint32_t bits)
{
    switch (change) {
    case MAILBOX_ADD:
        return old | bits;
    case MAILBOX_REMOVE:
        return old & ~bits;
    case MAILBOX_REPLACE:
        break;
    }
    return bits;
}

static void put_flags(struct mailbox *mailbox, struct mailbox_message *message,
                      const struct mailbox_message *as)
{
    mailbox_view_uncount(mailbox, message);
    message->flags = as->flags;
    message->keywords = as->keywords;
    message->modseq = as->modseq;
    mailbox_view_count(mailbox, message);
}

static bool record_flags(struct mailbox *mailbox, struct mailbox_message *message)
{
    bool has_journal =
        mailbox->journal.size > 0 || (mailbox->state.bits & MAILBOX_STATE_PENDING) != 0;
    if (mailbox_is_eager(mailbox, message))
        return mailbox_rename_message(mailbox, message) &&
               (!has_journal || mailbox_pend_flags(mailbox, message));
    if (!mailbox_pend_flags(mailbox, message))
        return false;
    mailbox_log_flags(mailbox, message);
    return true;
}

/* On failure the list says again what it said. */
static bool change_flags(struct mailbox *mailbox, struct mailbox_message *message,
                         enum mailbox_change change, unsigned flags, uint32_t keywords)
{
    struct mailbox_message old = *message, new = *message;
    new.flags = (uint8_t)changed_bits(old.flags, change, flags);
    new.keywords = changed_bits(old.keywords, change, keywords);
    if (new.flags == old.flags &&new.keywords == old.keywords)
        return true;
    new.modseq = mailbox_give_modseq(mailbox);
    if (new.modseq == 0)
        return false;
    put_flags(mailbox, message, &new);
    if (record_flags(mailbox, message))
        return true;
    put_flags(mailbox, message, &old);
    return false;
}

bool mailbox_set_flags(struct mailbox *mailbox, struct mailbox_message *message,
                       enum mailbox_change change, unsigned flags, uint32_t keywords)
{
    if (mailbox->read_only) {
        errno = EROFS;
        return mailbox_fail(mailbox);
    }
    if (!mailbox_lock(mailbox))
        return false;
    errno = ENOENT;
    mailbox->error = ENOENT;
    bool done = !message->gone && change_flags(mailbox, message, change, flags, keywords);
    if (!done && !message->gone && mailbox->error == ENOENT && follow(mailbox, message))
        done = change_flags(mailbox, message, change, flags, keywords);
    int error = message->gone ? ENOENT : mailbox->error;
    if (!mailbox_unlock(mailbox)) {
        error = mailbox->error;
        done = false;
    }
    errno = mailbox->error = error;
    return done;
}

bool mailbox_empty_new(struct mailbox *mailbox)
{
    if (mailbox->leaves_new || mailbox->read_only || mailbox->totals.in_new == 0)
        return true;
    for (size_t i = mailbox->count; i > 0 && mailbox->totals.in_new > 0; i--) {
        struct mailbox_message *message = &mailbox->messages[i - 1];
        if (!message->in_new || message->gone)
            continue;
        if (mailbox->eager_left == 0) {
            if (!mailbox_pend_move(mailbox, message))
                return false;
            continue;
        }
        mailbox->eager_left--;
        if (!mailbox_rename_message(mailbox, message)) {
            /* Where there is no room for a longer name it stays, and can be read all the same. */
            if (mailbox->error != ENOENT)
                return true;
            mailbox->scan_wanted = true;
        }
    }
    return true;
}

/* ---- removal -----------------------------------------------------------------------------------
 */

static bool remove_file(struct mailbox *mailbox, const struct mailbox_message *message)
{
    char name[MAILBOX_NAME_SIZE];
    mailbox_begin_usage(mailbox);
    if (!mailbox_is_eager(mailbox, message))
        return mailbox_pend_removal(mailbox, message);
    if (!mailbox_name(mailbox, message, name))
        return mailbox_fail(mailbox);
    mailbox_changes_folder(mailbox, message->in_new);
    return unlinkat(mailbox_folder_of(mailbox, message), name, 0) == 0 || mailbox_fail(mailbox);
}

static bool remove_message(struct mailbox *mailbox, struct mailbox_message *message)
{
    uint64_t modseq = mailbox_give_modseq(mailbox);
    if (modseq == 0 || !mailbox_keep_uid_used(mailbox, message->uid) ||
        !remove_file(mailbox, message))
        return false;
    mailbox_note_removal(mailbox, message, modseq);
    return true;
}

void mailbox_note_removal(struct mailbox *mailbox, struct mailbox_message *message, uint64_t modseq)
{
    mailbox->state.cache_gone += message->cached != 0;
    mailbox->used_bytes -= message->size;
    mailbox->used_count--;
    mailbox_log_gone(mailbox, message->uid, modseq);
    mailbox_view_set_gone(mailbox, message);
}

bool mailbox_raise_modseq(struct mailbox *mailbox)
{
    if (!mailbox_lock(mailbox))
        return false;
    bool raised = mailbox_give_modseq(mailbox) != 0;
    return mailbox_unlock(mailbox) && raised;
}

bool mailbox_remove(struct mailbox *mailbox, struct mailbox_message *message)
{
    if (mailbox->read_only) {
        errno = EROFS;
        return mailbox_fail(mailbox);
    }
    if (message->gone)
        return true;
    if (!mailbox_lock(mailbox))
        return false;
    bool done = message->gone || remove_message(mailbox, message);
    if (!done && mailbox->error == ENOENT)
        done = follow(mailbox, message) ? remove_message(mailbox, message) : message->gone;
    int error = mailbox->error;
    if (!mailbox_unlock(mailbox)) {
        error = mailbox->error;
        done = false;
    }
    errno = mailbox->error = error;
    return done;
}
