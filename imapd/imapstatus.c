/* imapstatus - see imapstatus.h */
#include "imapstatus.h"

#include "imapcommand.h"
#include "imapname.h"
#include "modseq.h"
#include "objectid.h"

#include <errno.h>

/* What the figures are taken from. */
struct status {
    const struct imapsession *session;
    struct mailbox *mailbox;
};

struct status_item {
    const char *name;
    uint64_t (*value)(const struct status *status);
    const char *capability; /* without which there is no such item; NULL: none */
};

static uint64_t append_limit(const struct status *status)
{
    return imapsession_message_max(status->session);
}

static uint64_t deleted(const struct status *status)
{
    return status->mailbox->totals.deleted;
}

static uint64_t deleted_storage(const struct status *status)
{
    const struct mailbox *mailbox = status->mailbox;
    uint64_t bytes = 0;
    for (size_t i = 0; i < mailbox->count && mailbox->totals.deleted > 0; i++)
        if (!mailbox->messages[i].gone && (mailbox->messages[i].flags & MAILDIR_TRASHED))
            bytes += mailbox->messages[i].size;
    return bytes;
}

static uint64_t highest_modseq(const struct status *status)
{
    return mailbox_highest_modseq(status->mailbox);
}

static uint64_t messages(const struct status *status)
{
    return status->mailbox->totals.messages;
}

static uint64_t recent(const struct status *status)
{
    return status->mailbox->totals.recent;
}

/* Files whose names don't tell are measured. One that can't be read counts with what lies on the
 * disk: RFC 8438 2 allows an estimate. */
static uint64_t size(const struct status *status)
{
    struct mailbox *mailbox = status->mailbox;
    uint64_t all = 0, bytes;
    if (mailbox->totals.unmeasured == 0)
        return mailbox->totals.crlf_bytes;
    for (size_t i = 0; i < mailbox->count; i++) {
        struct mailbox_message *message = &mailbox->messages[i];
        if (!message->gone)
            all += mailbox_crlf_size(mailbox, message, &bytes) ? bytes : message->size;
    }
    return all;
}

static uint64_t uidnext(const struct status *status)
{
    return status->mailbox->uidnext;
}

static uint64_t uidvalidity(const struct status *status)
{
    return status->mailbox->uidvalidity;
}

static uint64_t unseen(const struct status *status)
{
    return status->mailbox->totals.unseen;
}

/* In the order in which they are told. */
static const struct status_item status_items[] = {
    {"MESSAGES", messages, NULL},
    {"RECENT", recent, NULL},
    {"UIDNEXT", uidnext, NULL},
    {"UIDVALIDITY", uidvalidity, NULL},
    {"UNSEEN", unseen, NULL},
    {"APPENDLIMIT", append_limit, "APPENDLIMIT"},              /* RFC 7889 */
    {"DELETED", deleted, NULL},                                /* RFC 9051 6.3.11 */
    {"DELETED-STORAGE", deleted_storage, "QUOTA=RES-STORAGE"}, /* RFC 9208 4.1.4 */
    {"SIZE", size, "STATUS=SIZE"},                             /* RFC 8438 */
    {"HIGHESTMODSEQ", highest_modseq, "CONDSTORE"},            /* RFC 7162 3.1.7 */
    {"MAILBOXID", NULL, "OBJECTID"},                           /* RFC 8474 4.3; "(F...)" */
};
enum { STATUS_ITEM_COUNT = sizeof status_items / sizeof *status_items };

static bool parse_item(struct parse *parse, unsigned *items)
{
    for (size_t i = 0; i < STATUS_ITEM_COUNT; i++) {
        if (!parse_word(parse, status_items[i].name))
            continue;
        *items |= 1u << i;
        return true;
    }
    return false;
}

bool imapstatus_parse_items(struct parse *parse, unsigned *items)
{
    *items = 0;
    if (!parse_byte(parse, '('))
        return false;
    do {
        if (!parse_item(parse, items))
            return false;
    } while (parse_space(parse));
    return parse_byte(parse, ')');
}

bool imapstatus_may_tell(struct imapsession *session, unsigned items)
{
    for (size_t i = 0; i < STATUS_ITEM_COUNT; i++) {
        const char *capability = status_items[i].capability;
        if (!(items & (1u << i)) || !capability)
            continue;
        if (!imapsession_has(session, capability))
            return false;
        if (status_items[i].value == highest_modseq)
            (void)modseq_enable(session);
    }
    return true;
}

static void append_items(struct str *out, const struct status *status, unsigned items)
{
    const char *before = "";
    for (size_t i = 0; i < STATUS_ITEM_COUNT; i++) {
        const struct status_item *item = &status_items[i];
        if (!(items & (1u << i)))
            continue;
        str_append_texts(out, before, item->name, " ");
        before = " ";
        if (item->value) {
            str_append_number(out, item->value(status));
            continue;
        }
        str_append_byte(out, '(');
        objectid_append_mailbox(out, status->mailbox->id);
        str_append_byte(out, ')');
    }
}

void imapstatus_tell_mailbox(struct imapsession *session, const struct imapfolder *folder,
                             struct mailbox *mailbox, unsigned items)
{
    struct status status = {.session = session, .mailbox = mailbox};
    struct str *out = imapsession_line(session);
    str_append_text(out, "STATUS ");
    imapname_append(session, out, slice_text(folder->name));
    str_append_text(out, " (");
    append_items(out, &status, items);
    str_append_byte(out, ')');
    imapsession_send(session);
}

enum answer imapstatus_tell(struct imapsession *session, const struct imapfolder *folder,
                            unsigned items)
{
    enum answer answer = ANSWER_DONE;
    struct mailbox *mailbox = imapsession_open_to_read(session, folder, &answer);
    if (!mailbox)
        return answer;
    /* The selected mailbox may be asked for too (RFC 9051 6.3.11). */
    if (mailbox == session->mailbox && !mailbox_sync(mailbox))
        return answer_from_errno(errno);
    imapstatus_tell_mailbox(session, folder, mailbox, items);
    imapsession_close_other(session, mailbox);
    return ANSWER_DONE;
}

enum answer imapstatus_status(struct imapsession *session, struct parse *arguments)
{
    struct slice name;
    struct imapfolder folder;
    unsigned items;
    if (!parse_astring(arguments, &name) || !parse_space(arguments) ||
        !imapstatus_parse_items(arguments, &items) || !parse_at_end(arguments) ||
        !imapstatus_may_tell(session, items))
        return ANSWER_SYNTAX;
    if (imapname_take(session, name, &folder) != ANSWER_DONE)
        return ANSWER_NO_MAILBOX;
    return imapstatus_tell(session, &folder, items);
}
