/* imapstatus - see imapstatus.h */
#include "imapstatus.h"

#include "imapcommand.h"
#include "imapname.h"

#include <errno.h>

/* What the figures are taken from. */
struct status {
    const struct imapsession *session;
    struct mailbox *mailbox;
    uint64_t messages, recent, unseen, deleted, deleted_storage, size;
};

struct status_item {
    const char *name;
    bool reads_messages; /* the list of messages has to be gone through */
    uint64_t (*value)(const struct status *status);
};

static uint64_t append_limit(const struct status *status)
{
    return imapsession_message_max(status->session);
}

static uint64_t deleted(const struct status *status)
{
    return status->deleted;
}

static uint64_t deleted_storage(const struct status *status)
{
    return status->deleted_storage;
}

static uint64_t messages(const struct status *status)
{
    return status->messages;
}

static uint64_t recent(const struct status *status)
{
    return status->recent;
}

static uint64_t size(const struct status *status)
{
    return status->size;
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
    return status->unseen;
}

/* In the order in which they are told. */
static const struct status_item status_items[] = {
    {"MESSAGES", true, messages},
    {"RECENT", true, recent},
    {"UIDNEXT", false, uidnext},
    {"UIDVALIDITY", false, uidvalidity},
    {"UNSEEN", true, unseen},
    {"APPENDLIMIT", false, append_limit},       /* RFC 7889 */
    {"DELETED", true, deleted},                 /* RFC 9051 6.3.11 */
    {"DELETED-STORAGE", true, deleted_storage}, /* RFC 9208 4.1.4 */
    {"SIZE", true, size},                       /* RFC 8438 */
};
enum { STATUS_ITEM_COUNT = sizeof status_items / sizeof *status_items };
#define STATUS_SIZE (1u << (STATUS_ITEM_COUNT - 1)) /* the last: it may have to read files */

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

static void count_message(struct status *status, struct mailbox_message *message, bool with_size)
{
    uint64_t bytes = 0;
    status->messages++;
    status->recent += message->recent;
    status->unseen += !(message->flags & MAILDIR_SEEN);
    if (message->flags & MAILDIR_TRASHED) {
        status->deleted++;
        status->deleted_storage += message->size;
    }
    /* One that can't be read counts with what lies on the disk: RFC 8438 2 allows an estimate. */
    if (with_size)
        status->size += mailbox_crlf_size(status->mailbox, message, &bytes) ? bytes : message->size;
}

static bool reads_messages(unsigned items)
{
    for (size_t i = 0; i < STATUS_ITEM_COUNT; i++)
        if ((items & (1u << i)) && status_items[i].reads_messages)
            return true;
    return false;
}

static void count_messages(struct status *status, unsigned items)
{
    struct mailbox *mailbox = status->mailbox;
    if (!reads_messages(items))
        return;
    for (size_t i = 0; i < mailbox->count; i++)
        if (!mailbox->messages[i].gone)
            count_message(status, &mailbox->messages[i], items & STATUS_SIZE);
}

static void append_items(struct str *out, struct status *status, unsigned items)
{
    const char *before = "";
    count_messages(status, items);
    for (size_t i = 0; i < STATUS_ITEM_COUNT; i++) {
        if (!(items & (1u << i)))
            continue;
        str_append_texts(out, before, status_items[i].name, " ");
        str_append_number(out, status_items[i].value(status));
        before = " ";
    }
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
    struct status status = {.session = session, .mailbox = mailbox};
    struct str *out = imapsession_line(session);
    str_append_text(out, "STATUS ");
    imapname_append(session, out, slice_text(folder->name));
    str_append_text(out, " (");
    append_items(out, &status, items);
    str_append_byte(out, ')');
    imapsession_send(session);
    imapsession_close_other(session, mailbox);
    return ANSWER_DONE;
}

enum answer imapstatus_status(struct imapsession *session, struct parse *arguments)
{
    struct slice name;
    struct imapfolder folder;
    unsigned items;
    if (!parse_astring(arguments, &name) || !parse_space(arguments) ||
        !imapstatus_parse_items(arguments, &items) || !parse_at_end(arguments))
        return ANSWER_SYNTAX;
    if (imapname_take(session, name, &folder) != ANSWER_DONE)
        return ANSWER_NO_MAILBOX;
    return imapstatus_tell(session, &folder, items);
}
