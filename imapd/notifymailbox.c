/* notifymailbox - figures and annotations of a mailbox that is not selected (RFC 5465 5.1 - 5.3, 5.6) */
#include "notifyparts.h"

#include "hash.h"
#include "imapname.h"
#include "imapstatus.h"
#include "metadata.h"
#include "quote.h"

#include <fcntl.h>
#include <stdlib.h>

/* ---- figures ----------------------------------------------------------------------------------- */

static struct notify_figures figures_of(const struct mailbox *mailbox)
{
    return (struct notify_figures){
        .uidvalidity = mailbox->uidvalidity,
        .uidnext = mailbox->uidnext,
        .messages = mailbox->totals.messages,
        .unseen = mailbox->totals.unseen,
        .modseq = mailbox_highest_modseq(mailbox),
    };
}

/* Are they of interest to who wants these events? */
static bool is_news(unsigned events, const struct notify_figures *told,
                    const struct notify_figures *now)
{
    if (told->uidvalidity != now->uidvalidity || told->uidnext != now->uidnext ||
        told->messages != now->messages)
        return events & NOTIFY_MESSAGE_NEW;
    return events & NOTIFY_FLAG_CHANGE && told->modseq != now->modseq;
}

/* UNSEEN may be told; HIGHESTMODSEQ must be to who watches flags, if there is such a thing. */
static void tell_figures(struct imapsession *session, const struct imapfolder *folder,
                         struct mailbox *mailbox, unsigned events)
{
    struct parse parse;
    unsigned items;
    bool modseq = imapsession_has(session, "CONDSTORE") &&
                  (events & NOTIFY_FLAG_CHANGE || session->enabled & ENABLED_CONDSTORE);
    parse_begin(&parse,
                modseq ? SLICE("(MESSAGES UIDNEXT UIDVALIDITY UNSEEN HIGHESTMODSEQ)")
                       : SLICE("(MESSAGES UIDNEXT UIDVALIDITY UNSEEN)"),
                &session->arena);
    if (imapstatus_parse_items(&parse, &items))
        imapstatus_tell_mailbox(session, folder, mailbox, items);
}

/* A mailbox that has gone, or can't be read now, is told when that changes. */
void notifymailbox_tell(struct imapsession *session, struct notify_mailbox *mailbox)
{
    struct imapfolder folder;
    bool is_quiet = mailbox->is_quiet;
    mailbox->messages_changed = mailbox->is_quiet = false;
    if (!(mailbox->events & NOTIFY_ANY_MESSAGE) ||
        !imapfolder_named(slice_text(mailbox->name), &folder))
        return;
    struct mailbox *opened = mailbox_open(AT_FDCWD, folder.path, true);
    if (!opened)
        return;
    struct notify_figures now = figures_of(opened);
    if (!is_quiet && is_news(mailbox->events, &mailbox->told, &now))
        tell_figures(session, &folder, opened, mailbox->events);
    mailbox->told = now;
    mailbox_close(&opened);
}

/* ---- annotations ------------------------------------------------------------------------------- */

/* A line each: the name, a blank, and the sum of the value. */
static bool make_lines(const struct metadata *metadata, struct str *lines)
{
    str_init(lines, METADATA_FILE_MAX);
    for (size_t i = 0; i < metadata->count; i++) {
        const struct metadata_entry *entry = &metadata->entries[i];
        str_append(lines, entry->name);
        str_format(lines, " %llx\n", (unsigned long long)hash_add(HASH_START, entry->value));
    }
    return !lines->failed;
}

static bool has_line(struct slice lines, struct slice wanted)
{
    while (lines.size > 0)
        if (slice_equal(slice_cut(&lines, '\n'), wanted))
            return true;
    return false;
}

static bool has_name(struct slice lines, struct slice wanted)
{
    while (lines.size > 0) {
        struct slice line = slice_cut(&lines, '\n');
        if (slice_equal(slice_cut(&line, ' '), wanted))
            return true;
    }
    return false;
}

/* RFC 5464 4.4.2: the names of entries that changed, or are no more. */
static void append_changes(struct str *out, struct slice before, struct slice now)
{
    for (struct slice rest = now; rest.size > 0;) {
        struct slice line = slice_cut(&rest, '\n');
        if (has_line(before, line))
            continue;
        str_append_byte(out, ' ');
        quote_astring(out, slice_cut(&line, ' '));
    }
    for (struct slice rest = before; rest.size > 0;) {
        struct slice line = slice_cut(&rest, '\n'), name = slice_cut(&line, ' ');
        if (has_name(now, name))
            continue;
        str_append_byte(out, ' ');
        quote_astring(out, name);
    }
}

/* `folder` NULL: of the account. `known` becomes what is there now. */
static void look(struct imapsession *session, const struct imapfolder *folder, struct str *known,
                 bool tells)
{
    struct metadata *metadata = calloc(1, sizeof *metadata);
    struct str lines = {0};
    bool done = metadata && metadata_load(folder, metadata) && make_lines(metadata, &lines);
    if (done && tells && !slice_equal(str_slice(known), str_slice(&lines))) {
        struct str *out = imapsession_line(session);
        str_append_text(out, "METADATA ");
        imapname_append(session, out, folder ? slice_text(folder->name) : SLICE(""));
        size_t empty = out->size;
        append_changes(out, str_slice(known), str_slice(&lines));
        if (out->size > empty)
            imapsession_send(session);
    }
    if (metadata)
        metadata_free(metadata);
    free(metadata);
    str_free(done ? known : &lines);
    if (done)
        *known = lines;
}

/* What all mailboxes hold stays within bounds. */
static void limit(struct notify *notify)
{
    size_t size = notify->annotations.size;
    for (size_t i = 0; i < notify->mailboxes.count; i++)
        size += notify->mailboxes.all[i].annotations.size;
    if (size > NOTIFY_METADATA_MAX)
        notify->overflow = true;
}

void notifymailbox_tell_annotations(struct imapsession *session, struct notify_mailbox *mailbox)
{
    struct imapfolder folder;
    mailbox->metadata_changed = false;
    if (!(mailbox->events & NOTIFY_MAILBOX_METADATA) ||
        !imapfolder_named(slice_text(mailbox->name), &folder))
        return;
    look(session, &folder, &mailbox->annotations,
         !mailbox->is_quiet && !notifynames_is_own(session->notify, mailbox->name));
    if (mailbox->annotations.size > 0)
        limit(session->notify);
}

void notifymailbox_tell_server(struct imapsession *session, bool tells)
{
    struct notify *notify = session->notify;
    notify->server_metadata_changed = false;
    if (!(notify->request.events & NOTIFY_SERVER_METADATA))
        return;
    look(session, NULL, &notify->annotations, tells);
    limit(notify);
}
