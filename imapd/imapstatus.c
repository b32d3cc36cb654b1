/* imapstatus - STATUS: the figures of a mailbox that is not selected */
#include "imapcommand.h"
#include "quote.h"

#include <errno.h>

enum status_item {
    STATUS_MESSAGES = 1 << 0,
    STATUS_RECENT = 1 << 1,
    STATUS_UIDNEXT = 1 << 2,
    STATUS_UIDVALIDITY = 1 << 3,
    STATUS_UNSEEN = 1 << 4,
};

static const struct status_name {
    const char *name;
    enum status_item item;
} status_names[] = {
    {"MESSAGES", STATUS_MESSAGES},       {"RECENT", STATUS_RECENT}, {"UIDNEXT", STATUS_UIDNEXT},
    {"UIDVALIDITY", STATUS_UIDVALIDITY}, {"UNSEEN", STATUS_UNSEEN},
};
enum { STATUS_ITEM_COUNT = sizeof status_names / sizeof *status_names };

static bool parse_status_items(struct parse *parse, unsigned *items)
{
    *items = 0;
    if (!parse_byte(parse, '('))
        return false;
    while (!parse_byte(parse, ')')) {
        size_t i = 0;
        while (i < STATUS_ITEM_COUNT && !parse_word(parse, status_names[i].name))
            i++;
        if (i == STATUS_ITEM_COUNT)
            return false;
        *items |= status_names[i].item;
        parse_space(parse);
    }
    return *items != 0;
}

static uint64_t status_value(const struct mailbox *mailbox, enum status_item item)
{
    uint64_t count = 0;
    if (item == STATUS_UIDNEXT)
        return mailbox->uidnext;
    if (item == STATUS_UIDVALIDITY)
        return mailbox->uidvalidity;
    for (size_t i = 0; i < mailbox->count; i++) {
        const struct mailbox_message *message = &mailbox->messages[i];
        if (message->gone)
            continue;
        count += item == STATUS_MESSAGES || (item == STATUS_RECENT && message->recent) ||
                 (item == STATUS_UNSEEN && !(message->flags & MAILDIR_SEEN));
    }
    return count;
}

static void append_space(struct str *out)
{
    if (out->data[out->size - 1] != '(')
        str_append_byte(out, ' ');
}

static void tell_status(struct imapsession *session, const struct imapfolder *folder,
                        const struct mailbox *mailbox, unsigned items)
{
    struct str *out = imapsession_line(session);
    str_append_text(out, "STATUS ");
    quote_string(out, slice_text(folder->name));
    str_append_text(out, " (");
    for (size_t i = 0; i < STATUS_ITEM_COUNT; i++) {
        if (!(items & status_names[i].item))
            continue;
        append_space(out);
        str_append_text(out, status_names[i].name);
        str_append_byte(out, ' ');
        str_append_number(out, status_value(mailbox, status_names[i].item));
    }
    str_append_byte(out, ')');
    imapsession_send(session);
}

enum answer imapstatus_status(struct imapsession *session, struct parse *arguments)
{
    struct slice name;
    struct imapfolder folder;
    unsigned items;
    if (!parse_astring(arguments, &name) || !parse_space(arguments) ||
        !parse_status_items(arguments, &items) || !parse_at_end(arguments))
        return ANSWER_SYNTAX;
    if (!imapfolder_named(name, &folder))
        return ANSWER_NO_MAILBOX;
    enum answer answer = ANSWER_DONE;
    struct mailbox *mailbox = imapsession_open_to_read(session, &folder, &answer);
    if (!mailbox)
        return answer;
    /* The selected mailbox may be asked for too (RFC 9051 6.3.11). */
    if (mailbox_sync(mailbox))
        tell_status(session, &folder, mailbox, items);
    else
        answer = answer_from_errno(errno);
    imapsession_close_other(session, mailbox);
    return answer;
}
