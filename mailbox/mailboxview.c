/* mailboxview - see mailbox.h: the list of messages in memory, their names, and what they come to
 *
 * The records are those of the index file, mapped privately over the beginning of a range of
 * addresses that has room for all that a folder may hold: pages that nobody changes are shared with
 * every other session, and a message never moves. Of a file's name the list keeps the stem, which is
 * what the other fields don't tell.
 */
#include "mailboxparts.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

enum { NAMES_MAX = INT32_MAX };

static const size_t view_size = sizeof(struct mailbox_message) * (size_t)MAILBOX_MESSAGES_MAX;

_Static_assert(sizeof(struct mailbox_message) == 64, "a record of the index");

bool mailbox_view_begin(struct mailbox *mailbox)
{
    void *at = mmap(NULL, view_size, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == MAP_FAILED)
        return false;
    mailbox->messages = at;
    return true;
}

static void forget_names(struct mailbox *mailbox)
{
    if (mailbox->names_map)
        munmap(mailbox->names_map, mailbox->names_map_size);
    mailbox->names_map = NULL;
    mailbox->names = NULL;
    mailbox->names_size = 0;
    str_free(&mailbox->more_names);
}

void mailbox_view_end(struct mailbox *mailbox)
{
    forget_names(mailbox);
    if (mailbox->messages)
        munmap(mailbox->messages, view_size);
    mailbox->messages = NULL;
    mailbox->count = 0;
}

/* ---- names -------------------------------------------------------------------------------------
 *
 * A byte of length, then the name; file names have no more than 255.
 */

bool mailbox_view_keep_name(struct mailbox *mailbox, struct slice name, uint32_t *place)
{
    struct str *names = &mailbox->more_names;
    *place = (uint32_t)(mailbox->names_size + names->size);
    if (name.size > UINT8_MAX || mailbox->names_size + names->size > NAMES_MAX) {
        errno = ENAMETOOLONG;
        return mailbox_fail(mailbox);
    }
    str_append_byte(names, (char)(unsigned char)name.size);
    if (str_append(names, name))
        return true;
    str_truncate(names, *place - mailbox->names_size);
    names->failed = false;
    errno = ENOMEM;
    return mailbox_fail(mailbox);
}

static struct slice name_in(struct slice names, size_t place)
{
    struct slice name = slice_from(names, place);
    if (name.size == 0)
        return name;
    return slice_part(name, 1, (unsigned char)name.data[0]);
}

struct slice mailbox_stem(const struct mailbox *mailbox, const struct mailbox_message *message)
{
    if (message->name < mailbox->names_size)
        return name_in((struct slice){mailbox->names, mailbox->names_size}, message->name);
    return name_in(str_slice(&mailbox->more_names), message->name - mailbox->names_size);
}

struct maildir_name mailbox_facts(const struct mailbox *mailbox,
                                  const struct mailbox_message *message)
{
    struct maildir_name facts;
    /* What is no name has no unique part, and so is the name of no file. */
    (void)maildir_parse_name(mailbox_stem(mailbox, message), &facts);
    facts.uid = message->uid;
    facts.flags = message->flags;
    facts.keywords = message->keywords;
    facts.has_date = true;
    facts.date = message->date;
    facts.has_info = !message->in_new;
    facts.has_size = true;
    facts.size = message->size;
    facts.has_crlf_size = message->crlf_size > 0 || message->size == 0;
    facts.crlf_size = message->crlf_size;
    return facts;
}

bool mailbox_name_by_facts(const struct mailbox *mailbox, const struct mailbox_message *message,
                           const struct maildir_name *facts, char name[MAILBOX_NAME_SIZE])
{
    if (message->is_odd)
        return slice_copy_text(mailbox_stem(mailbox, message), name, MAILBOX_NAME_SIZE);
    struct maildir_name named = *facts;
    named.flags = message->name_flags;
    named.keywords = message->name_keywords;
    struct str text = str_on(name, MAILBOX_NAME_SIZE - 1);
    if (named.unique.size == 0 || !maildir_format_name(&text, &named)) {
        errno = ENOENT;
        return false;
    }
    name[text.size] = '\0';
    return true;
}

bool mailbox_name(const struct mailbox *mailbox, const struct mailbox_message *message,
                  char name[MAILBOX_NAME_SIZE])
{
    struct maildir_name facts = mailbox_facts(mailbox, message);
    return mailbox_name_by_facts(mailbox, message, &facts, name);
}

int mailbox_folder_of(const struct mailbox *mailbox, const struct mailbox_message *message)
{
    return message->in_new ? mailbox->new : mailbox->cur;
}

bool mailbox_is_settled(const struct mailbox *mailbox, const struct mailbox_message *message)
{
    return message->flags == message->name_flags && message->keywords == message->name_keywords &&
           (!message->in_new || mailbox->leaves_new);
}

int64_t mailbox_save_date(const struct mailbox *mailbox, const struct mailbox_message *message)
{
    struct maildir_name facts;
    struct slice stem = mailbox_stem(mailbox, message);
    /* The stem alone: its date is that of the unique part, when the file came here. */
    stem = slice_cut(&stem, ',');
    return maildir_parse_name(stem, &facts) && facts.has_date ? facts.date : 0;
}

uint64_t mailbox_email_id(const struct mailbox *mailbox, const struct mailbox_message *message)
{
    struct maildir_name facts;
    if (!maildir_parse_name(mailbox_stem(mailbox, message), &facts))
        return 0;
    return maildir_email_id(&facts);
}

/* ---- what they come to -------------------------------------------------------------------------
 */

static bool is_measured(const struct mailbox_message *message)
{
    return message->crlf_size > 0 || message->size == 0;
}

static void add_to_totals(struct mailbox_totals *totals, const struct mailbox_message *message,
                          uint32_t by)
{
    /* Unsigned: adding `by` times is right for -1 as well. */
    uint64_t by_wide = by == 1 ? 1 : UINT64_MAX;
    totals->messages += by;
    totals->bytes += by_wide * message->size;
    totals->crlf_bytes += by_wide * message->crlf_size;
    totals->unmeasured += is_measured(message) ? 0 : by;
    totals->unseen += message->flags & MAILDIR_SEEN ? 0 : by;
    totals->deleted += message->flags & MAILDIR_TRASHED ? by : 0;
    totals->in_new += message->in_new ? by : 0;
    totals->recent += message->recent ? by : 0;
}

void mailbox_view_count(struct mailbox *mailbox, const struct mailbox_message *message)
{
    if (message->gone)
        return;
    add_to_totals(&mailbox->totals, message, 1);
    size_t position = (size_t)(message - mailbox->messages);
    if (!(message->flags & MAILDIR_SEEN) && position < mailbox->first_unseen)
        mailbox->first_unseen = position;
}

void mailbox_view_uncount(struct mailbox *mailbox, const struct mailbox_message *message)
{
    if (!message->gone)
        add_to_totals(&mailbox->totals, message, UINT32_MAX);
}

void mailbox_view_set_gone(struct mailbox *mailbox, struct mailbox_message *message)
{
    mailbox_view_uncount(mailbox, message);
    message->gone = true;
}

struct mailbox_message *mailbox_view_add(struct mailbox *mailbox,
                                         const struct mailbox_message *message)
{
    if (mailbox->count >= MAILBOX_MESSAGES_MAX) {
        errno = EFBIG;
        mailbox_fail(mailbox);
        return NULL;
    }
    struct mailbox_message *added = &mailbox->messages[mailbox->count++];
    *added = *message;
    mailbox_view_count(mailbox, added);
    return added;
}

size_t mailbox_view_position(const struct mailbox *mailbox, uint32_t uid)
{
    size_t low = 0, high = mailbox->count;
    /* Nearly always one of the last ones. */
    if (high > 0 && mailbox->messages[high - 1].uid < uid)
        return high;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (mailbox->messages[middle].uid < uid)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct mailbox_message *mailbox_find(struct mailbox *mailbox, uint32_t uid)
{
    size_t at = mailbox_view_position(mailbox, uid);
    return at < mailbox->count && mailbox->messages[at].uid == uid ? &mailbox->messages[at] : NULL;
}

/* Closes the gaps from position `from` on. */
static void compact(struct mailbox *mailbox, size_t from)
{
    size_t kept = from, known = 0;
    for (size_t i = from; i < mailbox->count; i++) {
        if (mailbox->messages[i].gone)
            continue;
        known += i < mailbox->known_count;
        if (kept != i)
            mailbox->messages[kept] = mailbox->messages[i];
        kept++;
    }
    mailbox->count = kept;
    if (mailbox->known_count > from)
        mailbox->known_count = from + known;
    if (mailbox->first_unseen > from)
        mailbox->first_unseen = from;
}

void mailbox_forget_gone(struct mailbox *mailbox)
{
    size_t from = 0;
    if (mailbox->count == mailbox->totals.messages)
        return;
    while (from < mailbox->count && !mailbox->messages[from].gone)
        from++;
    compact(mailbox, from);
}

void mailbox_view_forget_unknown(struct mailbox *mailbox)
{
    if (mailbox->count != mailbox->totals.messages)
        compact(mailbox, mailbox->known_count);
    mailbox->known_count = mailbox->count;
}

void mailbox_view_forget_cached(struct mailbox *mailbox)
{
    for (size_t i = 0; i < mailbox->count; i++)
        mailbox->messages[i].cached = 0;
}

size_t mailbox_first_unseen(struct mailbox *mailbox)
{
    size_t i = mailbox->first_unseen;
    while (i < mailbox->count &&
           (mailbox->messages[i].gone || mailbox->messages[i].flags & MAILDIR_SEEN))
        i++;
    mailbox->first_unseen = i;
    return i;
}

uint64_t mailbox_modseq(const struct mailbox *mailbox, const struct mailbox_message *message)
{
    uint64_t floor = mailbox->state.modseq_floor;
    return message->modseq > floor ? message->modseq : floor;
}

uint64_t mailbox_highest_modseq(const struct mailbox *mailbox)
{
    return mailbox->state.modseq > 0 ? mailbox->state.modseq : 1;
}
