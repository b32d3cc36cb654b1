/* mailboxcheck - see mailbox.h: comparing index, names, pending changes and cache; making the index anew
 *
 * The index is read as a session would read it, and each file is looked at. Where the times of cur/ and
 * new/ say that the next session lists them anyway, what that will take over is no fault.
 */
#include "clock.h"
#include "io.h"
#include "mailboxindex.h"
#include "mailboxparts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TEXT_MAX = 512, TEXTS_MAX = 1 << 20, LISTINGS_MAX = 5 };

struct check {
    struct mailbox *mailbox;
    mailbox_tell *tell;
    void *owner;
    struct mailbox_checked *checked;
    struct str texts; /* what was found, each with a NUL behind it */
    size_t text_size;
    struct str pending; /* mailbox-pending */
    struct mailbox_pending_line *lines;
    size_t line_count;
    uint8_t *seen; /* a bit for each message that has a file */
    bool has_index, is_known;
    int folder; /* that is listed */
    bool in_new;
};

__attribute__((format(printf, 2, 3))) static void find(struct check *check, const char *format, ...)
{
    char text[TEXT_MAX];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    /* More than has room is counted all the same. */
    if (str_append(&check->texts, slice_of(text, strlen(text) + 1)))
        check->text_size = check->texts.size;
    check->checked->findings++;
}

static void tell_all(struct check *check)
{
    for (size_t at = 0; at < check->text_size; at += strlen(check->texts.data + at) + 1)
        check->tell(check->owner, check->texts.data + at);
}

/* ---- the index itself --------------------------------------------------------------------------
 */

static bool has_file(const struct mailbox *mailbox, const char *name)
{
    struct stat info;
    return fstatat(mailbox->folder, name, &info, AT_SYMLINK_NOFOLLOW) == 0;
}

/* The end of a log that was torn is none: it is passed over, and cut off by who writes next. False:
 * passing trouble. */
static bool load_index(struct check *check)
{
    struct mailbox *mailbox = check->mailbox;
    enum mailbox_index_result result = mailbox_index_load(mailbox);
    if (result == MAILBOX_INDEX_TROUBLE)
        return mailbox_fail(mailbox);
    check->has_index = result == MAILBOX_INDEX_OK;
    if (!check->has_index) {
        if (has_file(mailbox, MAILBOX_INDEX_NAME))
            find(check, "index: damaged, or of another folder");
        return true;
    }
    if (!mailbox_index_is_whole(mailbox))
        find(check, "index: its sum is wrong");
    return true;
}

static void check_order(struct check *check)
{
    struct mailbox *mailbox = check->mailbox;
    uint32_t last = 0;
    for (size_t i = 0; i < mailbox->count; i++) {
        const struct mailbox_message *message = &mailbox->messages[i];
        if (message->uid <= last)
            find(check, "index: UID %u stands behind UID %u", message->uid, last);
        if (!message->gone && message->modseq > mailbox->state.modseq)
            find(check, "index: UID %u has a mod-sequence that was not given out", message->uid);
        last = message->uid;
    }
    if (last >= mailbox->state.uidnext)
        find(check, "index: UIDNEXT is %u, and there is UID %u", mailbox->state.uidnext, last);
}

static void check_totals(struct check *check)
{
    struct mailbox *mailbox = check->mailbox;
    struct mailbox_totals said = mailbox->totals;
    size_t first_unseen = mailbox->count;
    mailbox->totals = (struct mailbox_totals){0};
    for (size_t i = mailbox->count; i > 0; i--) {
        const struct mailbox_message *message = &mailbox->messages[i - 1];
        mailbox_view_count(mailbox, message);
        if (!message->gone && !(message->flags & MAILDIR_SEEN))
            first_unseen = i - 1;
    }
    said.recent = mailbox->totals.recent;
    if (memcmp(&said, &mailbox->totals, sizeof said) != 0)
        find(check, "index: it counts %u messages, %u unseen, %llu bytes; they are %u, %u, %llu",
             said.messages, said.unseen, (unsigned long long)said.bytes, mailbox->totals.messages,
             mailbox->totals.unseen, (unsigned long long)mailbox->totals.bytes);
    if (mailbox_first_unseen(mailbox) != first_unseen)
        find(check, "index: the first unseen message is another one");
}

static void check_uids(struct check *check)
{
    struct mailbox *mailbox = check->mailbox;
    struct mailbox_uids uids;
    bool read = mailbox_read_uids(mailbox, &uids);
    if (!read && errno == ENOENT) {
        if (check->has_index || mailbox->count > 0)
            find(check, "mailbox-uids: missing");
        return;
    }
    if (!read || uids.uidvalidity == 0 || uids.uidnext == 0 || uids.id == 0)
        find(check, "mailbox-uids: damaged");
    else if (check->has_index && mailbox->state.modseq > uids.modseq)
        find(check, "mailbox-uids: mod-sequences beyond %llu were given out",
             (unsigned long long)uids.modseq);
}

/* ---- what is pending ---------------------------------------------------------------------------
 */

static void check_pending(struct check *check)
{
    struct mailbox *mailbox = check->mailbox;
    struct mailbox_pending_line line;
    uint64_t nonsense = 0;
    for (struct slice rest = str_slice(&check->pending); mailbox_pending_next(&rest, &line);)
        nonsense += line.kind == MAILBOX_PENDING_NONE;
    if (nonsense > 0)
        find(check, "mailbox-pending: %llu lines make no sense", (unsigned long long)nonsense);
    if (check->has_index && mailbox->state.pending_size != check->pending.size)
        find(check, "mailbox-pending: the index knows %u bytes of it, it has %zu",
             mailbox->state.pending_size, check->pending.size);
}

static int compare_lines(const void *first, const void *second)
{
    const struct mailbox_pending_line *a = first, *b = second;
    int order = (a->uid > b->uid) - (a->uid < b->uid);
    return order != 0 ? order : (a->rest.data > b->rest.data) - (a->rest.data < b->rest.data);
}

/* By UID, and those of one UID in their order. */
static bool sort_pending(struct check *check)
{
    struct mailbox_pending_line line;
    size_t count = 0;
    for (struct slice rest = str_slice(&check->pending); mailbox_pending_next(&rest, &line);)
        count++;
    check->lines = calloc(count + 1, sizeof *check->lines);
    if (!check->lines)
        return mailbox_fail(check->mailbox);
    for (struct slice rest = str_slice(&check->pending); mailbox_pending_next(&rest, &line);)
        if (line.kind != MAILBOX_PENDING_NONE)
            check->lines[check->line_count++] = line;
    if (check->line_count > 1)
        qsort(check->lines, check->line_count, sizeof *check->lines, compare_lines);
    return true;
}

/* What the last line about a UID says; NULL: there is none. */
static const struct mailbox_pending_line *find_pending(const struct check *check, uint32_t uid)
{
    size_t low = 0, high = check->line_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (check->lines[middle].uid <= uid)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 && check->lines[low - 1].uid == uid ? &check->lines[low - 1] : NULL;
}

/* ---- the files ---------------------------------------------------------------------------------
 */

static bool flags_are(const struct mailbox_message *message, const struct maildir_name *facts)
{
    return message->flags == facts->flags && message->keywords == facts->keywords;
}

/* Flags stand in the name, or wait in mailbox-pending. */
static void check_flags(struct check *check, const struct mailbox_message *message,
                        const struct maildir_name *facts)
{
    struct maildir_name pending = {0};
    if (flags_are(message, facts))
        return;
    const struct mailbox_pending_line *line = find_pending(check, message->uid);
    if (line && line->kind == MAILBOX_PENDING_FLAGS) {
        maildir_parse_flags(line->rest, &pending);
        if (flags_are(message, &pending))
            return;
    }
    find(check, "UID %u: its flags in the index are not those of its file", message->uid);
}

static void check_sizes(struct check *check, const struct mailbox_message *message,
                        const struct maildir_name *facts, const struct stat *info)
{
    if (message->size != (uint64_t)info->st_size)
        find(check, "UID %u: the index says %llu bytes, the file has %llu", message->uid,
             (unsigned long long)message->size, (unsigned long long)info->st_size);
    else if (facts->has_crlf_size && facts->size == message->size &&
             message->crlf_size != facts->crlf_size)
        find(check, "UID %u: its size with CRLF is another one in the index", message->uid);
}

static void check_known(struct check *check, const struct mailbox_message *message,
                        const char *name, const struct maildir_name *facts)
{
    char ours[MAILBOX_NAME_SIZE];
    size_t position = (size_t)(message - check->mailbox->messages);
    if (check->seen[position / 8] >> position % 8 & 1) {
        find(check, "UID %u: two files have it", message->uid);
        return;
    }
    check->seen[position / 8] |= (uint8_t)(1u << position % 8);
    if (!check->is_known)
        return;
    if (message->in_new != check->in_new || !mailbox_name(check->mailbox, message, ours) ||
        strcmp(ours, name) != 0)
        find(check, "UID %u: the file is not where the index says, or has another name",
             message->uid);
    check_flags(check, message, facts);
}

/* Files that are only waiting to be removed are none any more. */
static bool is_removed(const struct check *check, uint32_t uid)
{
    const struct mailbox_pending_line *line = uid != 0 ? find_pending(check, uid) : NULL;
    return line && line->kind == MAILBOX_PENDING_REMOVAL;
}

static bool has_stem(const struct mailbox *mailbox, const struct mailbox_message *message,
                     const char *name)
{
    struct slice stem = mailbox_stem(mailbox, message);
    return slice_equal(message->is_odd ? maildir_stem(stem) : stem, maildir_stem(slice_text(name)));
}

static bool check_file(void *owner, const char *name)
{
    struct check *check = owner;
    struct maildir_name facts;
    struct stat info;
    if (!maildir_parse_name(slice_text(name), &facts) ||
        fstatat(check->folder, name, &info, AT_SYMLINK_NOFOLLOW) < 0)
        return true;
    check->checked->messages++;
    check->checked->bytes += facts.has_size ? facts.size : (uint64_t)info.st_size;
    if (is_removed(check, facts.uid))
        return true;
    if (facts.has_size && facts.uid != 0 && facts.size != (uint64_t)info.st_size)
        find(check, "UID %u: the name says %llu bytes, the file has %llu", facts.uid,
             (unsigned long long)facts.size, (unsigned long long)info.st_size);
    const struct mailbox_message *message =
        facts.uid != 0 ? mailbox_find(check->mailbox, facts.uid) : NULL;
    if (message && !message->gone && has_stem(check->mailbox, message, name)) {
        check_known(check, message, name, &facts);
        check_sizes(check, message, &facts, &info);
    } else if (check->is_known) {
        find(check, "%s: not in the index", name);
    }
    return true;
}

static bool list_files(struct check *check)
{
    struct mailbox *mailbox = check->mailbox;
    check->folder = mailbox->new;
    check->in_new = true;
    if (!mailbox_list_files(mailbox, mailbox->new, check_file, check))
        return false;
    check->folder = mailbox->cur;
    check->in_new = false;
    if (!mailbox_list_files(mailbox, mailbox->cur, check_file, check))
        return false;
    for (size_t i = 0; check->is_known && i < mailbox->count; i++)
        if (!mailbox->messages[i].gone && !(check->seen[i / 8] >> i % 8 & 1))
            find(check, "UID %u: it has no file", mailbox->messages[i].uid);
    return true;
}

/* Mail that comes meanwhile (which needs no lock) is no finding: then all is looked at again, and where
 * it does not stop coming, as what the next session takes over. */
static bool check_files(struct check *check)
{
    size_t texts = check->text_size;
    struct mailbox_checked before = *check->checked;
    for (int listing = 1;; listing++) {
        check->is_known =
            check->has_index && listing < LISTINGS_MAX && mailbox_is_known(check->mailbox);
        bool was_known = check->is_known;
        memset(check->seen, 0, check->mailbox->count / 8 + 1);
        if (!list_files(check))
            return false;
        if (!was_known || mailbox_is_known(check->mailbox))
            return true;
        *check->checked = before;
        check->text_size = texts;
        str_truncate(&check->texts, texts);
    }
}

/* ---- the cache ---------------------------------------------------------------------------------
 */

static void check_cache(struct check *check)
{
    struct mailbox *mailbox = check->mailbox;
    uint64_t torn = 0;
    for (size_t i = 0; i < mailbox->count; i++) {
        const struct mailbox_message *message = &mailbox->messages[i];
        struct slice bytes;
        bool is_there = message->gone || message->cached == 0;
        for (int fact = MAILBOX_ENVELOPE; fact < MAILBOX_FACTS && !is_there; fact++)
            is_there = mailbox_cached(mailbox, message, (enum mailbox_fact)fact, &bytes);
        torn += !is_there;
    }
    /* Without the file that the index speaks of there is nothing to be wrong. */
    if (torn > 0 && mailbox->cache >= 0)
        find(check, "mailbox-cache: what it held of %llu messages is not there",
             (unsigned long long)torn);
}

/* ---- all ---------------------------------------------------------------------------------------
 */

static bool check_all(struct check *check)
{
    struct mailbox *mailbox = check->mailbox;
    if (!mailbox_lock_alone(mailbox) || !load_index(check) ||
        !mailbox_pending_read(mailbox, &check->pending) || !sort_pending(check))
        return false;
    check->seen = calloc(mailbox->count / 8 + 1, 1);
    if (!check->seen)
        return mailbox_fail(mailbox);
    check_uids(check);
    check_pending(check);
    if (check->has_index) {
        check_order(check);
        check_totals(check);
    }
    if (!check_files(check))
        return false;
    check_cache(check);
    return true;
}

bool mailbox_check(int directory, const char *path, mailbox_tell *tell, void *owner,
                   struct mailbox_checked *checked)
{
    struct check check = {.tell = tell, .owner = owner, .checked = checked};
    *checked = (struct mailbox_checked){0};
    str_init(&check.pending, 0);
    str_init(&check.texts, TEXTS_MAX);
    check.mailbox = mailbox_begin(directory, path, true, true);
    if (!check.mailbox)
        return false;
    bool done = check_all(&check);
    int error = check.mailbox->error;
    if (done)
        tell_all(&check);
    str_free(&check.texts);
    free(check.seen);
    free(check.lines);
    str_free(&check.pending);
    mailbox_close(&check.mailbox);
    errno = error;
    return done;
}

/* Sessions that are open read the new index as a whole: it has a number of its own. */
static bool rebuild(struct mailbox *mailbox)
{
    unlinkat(mailbox->folder, "mailbox-cache", 0);
    mailbox->index_unusable = true;
    return mailbox_scan(mailbox, true, true);
}

bool mailbox_rebuild(int directory, const char *path)
{
    struct mailbox *mailbox = mailbox_begin(directory, path, false, true);
    if (!mailbox)
        return false;
    bool done = mailbox_lock_alone(mailbox);
    if (done) {
        mailbox->lock_depth = 1;
        done = rebuild(mailbox);
        int error = mailbox->error;
        done = mailbox_unlock(mailbox) && done;
        if (!mailbox->error)
            mailbox->error = error;
        /* Sessions can do without; but that is not what was asked for. */
        if (done && mailbox->index < 0) {
            mailbox->error = EIO;
            done = false;
        }
    }
    int error = mailbox->error;
    mailbox_close(&mailbox);
    errno = error;
    return done;
}
