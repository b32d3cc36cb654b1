/* mailboxpending - see mailbox.h: changes that were answered before the names of files follow them
 *
 * To rename or remove ten thousand files takes longer than a client likes to wait. So such changes
 * are answered when they stand in the file mailbox-pending and in the index, and carried out right
 * after. The file is no cache: as long as it is there it counts before the names. Its lines:
 *
 *     flags UID LETTERS         the message has these flags and keywords, whatever its name says
 *     remove UID cur/NAME       the message is gone, though its file may be there
 *
 * A later line takes the place of an earlier one. Whoever has carried out all of it removes the file.
 */
#include "clock.h"
#include "io.h"
#include "mailboxparts.h"
#include "number.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PENDING_NAME "mailbox-pending"

enum { PENDING_FILE_MAX = 512 * 1024 * 1024, CAPACITY_FIRST = 64 };

enum pending_kind { PENDING_NAME_CHANGE, PENDING_REMOVAL };

struct mailbox_pending {
    enum pending_kind kind;
    struct mailbox_message message; /* of a removal: as it was; else only its UID counts */
};

bool mailbox_pending_is_empty(const struct mailbox *mailbox)
{
    return mailbox->pending_done == mailbox->pending_count;
}

static bool add(struct mailbox *mailbox, enum pending_kind kind,
                const struct mailbox_message *message)
{
    if (mailbox->pending_count == mailbox->pending_capacity) {
        size_t capacity =
            mailbox->pending_capacity ? mailbox->pending_capacity * 2 : CAPACITY_FIRST;
        struct mailbox_pending *grown =
            reallocarray(mailbox->pending, capacity, sizeof *mailbox->pending);
        if (!grown)
            return mailbox_fail(mailbox);
        mailbox->pending = grown;
        mailbox->pending_capacity = capacity;
    }
    mailbox->pending[mailbox->pending_count++] = (struct mailbox_pending){kind, *message};
    return true;
}

static bool end_line(struct mailbox *mailbox, size_t before)
{
    if (str_append_byte(&mailbox->journal, '\n'))
        return true;
    str_truncate(&mailbox->journal, before);
    mailbox->journal.failed = false;
    mailbox->pending_count--;
    errno = ENOMEM;
    return mailbox_fail(mailbox);
}

bool mailbox_pend_flags(struct mailbox *mailbox, const struct mailbox_message *message)
{
    struct str *journal = &mailbox->journal;
    size_t before = journal->size;
    if (!add(mailbox, PENDING_NAME_CHANGE, message))
        return false;
    str_append(journal, SLICE("flags "));
    str_append_number(journal, message->uid);
    str_append_byte(journal, ' ');
    maildir_format_flags(journal, message->flags, message->keywords);
    return end_line(mailbox, before);
}

bool mailbox_pend_move(struct mailbox *mailbox, const struct mailbox_message *message)
{
    return add(mailbox, PENDING_NAME_CHANGE, message);
}

bool mailbox_pend_removal(struct mailbox *mailbox, const struct mailbox_message *message)
{
    struct str *journal = &mailbox->journal;
    size_t before = journal->size;
    char name[MAILBOX_NAME_SIZE];
    if (!mailbox_name(mailbox, message, name) || !add(mailbox, PENDING_REMOVAL, message))
        return false;
    str_append(journal, SLICE("remove "));
    str_append_number(journal, message->uid);
    str_append_text(journal, message->in_new ? " new/" : " cur/");
    str_append_text(journal, name);
    return end_line(mailbox, before);
}

/* ---- carrying out ------------------------------------------------------------------------------
 */

static bool remove_file(struct mailbox *mailbox, const struct mailbox_message *message)
{
    char name[MAILBOX_NAME_SIZE];
    if (!mailbox_name(mailbox, message, name))
        return true;
    mailbox_changes_folder(mailbox, message->in_new);
    return unlinkat(mailbox_folder_of(mailbox, message), name, 0) == 0 || errno == ENOENT ||
           mailbox_fail(mailbox);
}

static bool change_name(struct mailbox *mailbox, uint32_t uid)
{
    struct mailbox_message *message = mailbox_find(mailbox, uid);
    if (!message || message->gone || mailbox_is_settled(mailbox, message))
        return true;
    if (mailbox_rename_message(mailbox, message))
        return true;
    if (errno == ENOENT) { /* somebody else renamed or removed it: the next look will tell */
        mailbox->scan_wanted = true;
        return true;
    }
    return mailbox_fail(mailbox);
}

static bool carry_out(struct mailbox *mailbox, const struct mailbox_pending *pending)
{
    return pending->kind == PENDING_REMOVAL ? remove_file(mailbox, &pending->message)
                                            : change_name(mailbox, pending->message.uid);
}

static void forget(struct mailbox *mailbox)
{
    free(mailbox->pending);
    mailbox->pending = NULL;
    mailbox->pending_count = mailbox->pending_done = mailbox->pending_capacity = 0;
}

void mailbox_pending_free(struct mailbox *mailbox)
{
    forget(mailbox);
    str_free(&mailbox->journal);
    free(mailbox->removed);
    mailbox->removed = NULL;
}

/* ---- the file ----------------------------------------------------------------------------------
 */

static bool append_journal(struct mailbox *mailbox)
{
    struct stat info;
    struct slice lines = str_slice(&mailbox->journal);
    int fd = openat(mailbox->folder, PENDING_NAME,
                    O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    bool done = fd >= 0 && fstat(fd, &info) == 0 && info.st_size < PENDING_FILE_MAX;
    if (done && !io_write_all(fd, lines, CLOCK_NEVER)) {
        int error = errno;
        /* A line that is not whole says nothing, but the next one would go on in it. */
        (void)!ftruncate(fd, info.st_size);
        errno = error;
        done = false;
    }
    io_close(&fd);
    if (!done)
        return mailbox_fail(mailbox);
    mailbox->state.pending_size = (uint32_t)((size_t)info.st_size + lines.size);
    return true;
}

/* At once, since there is no other way to make it last. */
static bool carry_out_all(struct mailbox *mailbox)
{
    bool done = true;
    for (; mailbox->pending_done < mailbox->pending_count; mailbox->pending_done++)
        done = carry_out(mailbox, &mailbox->pending[mailbox->pending_done]) && done;
    /* What stands in the file, and could not be done, must not count as this session's that is done. */
    if (!done)
        mailbox->journal_bytes = 0;
    forget(mailbox);
    return done;
}

bool mailbox_pending_write(struct mailbox *mailbox)
{
    if (mailbox->journal.size == 0)
        return true;
    bool done = append_journal(mailbox);
    if (done) {
        mailbox->journal_bytes += mailbox->journal.size;
        mailbox->state.bits |= MAILBOX_STATE_PENDING;
        mailbox->state_changed = true;
    }
    str_free(&mailbox->journal);
    return done || carry_out_all(mailbox);
}

static enum mailbox_pending_kind kind_of(struct slice word)
{
    if (slice_equal(word, SLICE("flags")))
        return MAILBOX_PENDING_FLAGS;
    return slice_equal(word, SLICE("remove")) ? MAILBOX_PENDING_REMOVAL : MAILBOX_PENDING_NONE;
}

bool mailbox_pending_next(struct slice *rest, struct mailbox_pending_line *line)
{
    uint64_t uid;
    *line = (struct mailbox_pending_line){0};
    if (rest->size == 0)
        return false;
    /* A line that is not whole is the tail that a power cut left. */
    bool is_whole = slice_has(*rest, '\n');
    struct slice text = slice_cut(rest, '\n');
    enum mailbox_pending_kind kind = kind_of(slice_cut(&text, ' '));
    if (!is_whole || !number_parse(slice_cut(&text, ' '), MAILDIR_UID_MAX, &uid) || uid == 0)
        return true;
    line->kind = kind;
    line->uid = (uint32_t)uid;
    line->rest = text;
    return true;
}

bool mailbox_pending_read(struct mailbox *mailbox, struct str *content)
{
    str_init(content, PENDING_FILE_MAX);
    if (io_read_file(mailbox->folder, PENDING_NAME, content))
        return true;
    str_clear(content);
    return errno == ENOENT || mailbox_fail(mailbox);
}

/* The next line that makes sense. */
static bool next_line(struct slice *rest, struct mailbox_pending_line *line)
{
    while (mailbox_pending_next(rest, line))
        if (line->kind != MAILBOX_PENDING_NONE)
            return true;
    return false;
}

/* The file of a removal, which is in cur/ or new/ and nowhere else. */
static bool remove_named(struct mailbox *mailbox, struct slice path)
{
    char name[MAILBOX_NAME_SIZE];
    bool in_new = slice_starts(path, SLICE("new/"));
    if ((!in_new && !slice_starts(path, SLICE("cur/"))) ||
        !slice_copy_text(slice_from(path, 4), name, sizeof name) || strchr(name, '/'))
        return true;
    mailbox_changes_folder(mailbox, in_new);
    return unlinkat(in_new ? mailbox->new : mailbox->cur, name, 0) == 0 || errno == ENOENT ||
           mailbox_fail(mailbox);
}

/* All that stands in the file and is not done yet, whoever wrote it. */
static bool carry_out_file(struct mailbox *mailbox)
{
    struct str content;
    struct mailbox_pending_line line;
    bool done = mailbox_pending_read(mailbox, &content);
    for (struct slice rest = str_slice(&content); done && next_line(&rest, &line);)
        done = line.kind == MAILBOX_PENDING_REMOVAL ? remove_named(mailbox, line.rest)
                                                    : change_name(mailbox, line.uid);
    str_free(&content);
    return done;
}

/* What this session wrote is done. If that is all, or the rest is done as well, the file goes. */
static bool finish(struct mailbox *mailbox)
{
    struct stat info;
    bool is_ours = fstatat(mailbox->folder, PENDING_NAME, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
                   (uint64_t)info.st_size == mailbox->journal_bytes;
    if (!is_ours && !carry_out_file(mailbox))
        return false;
    if (unlinkat(mailbox->folder, PENDING_NAME, 0) < 0 && errno != ENOENT)
        return mailbox_fail(mailbox);
    mailbox->journal_bytes = 0;
    mailbox->state.bits &= ~(uint32_t)MAILBOX_STATE_PENDING;
    mailbox->state.pending_size = 0;
    mailbox->state_changed = true;
    return true;
}

static bool settle_some(struct mailbox *mailbox, size_t most)
{
    for (; most > 0 && !mailbox_pending_is_empty(mailbox); most--, mailbox->pending_done++)
        if (!carry_out(mailbox, &mailbox->pending[mailbox->pending_done]))
            return false;
    if (!mailbox_pending_is_empty(mailbox))
        return true;
    forget(mailbox);
    return !(mailbox->state.bits & MAILBOX_STATE_PENDING) || finish(mailbox);
}

bool mailbox_settle(struct mailbox *mailbox, size_t most)
{
    if (mailbox->read_only ||
        (mailbox_pending_is_empty(mailbox) && !(mailbox->state.bits & MAILBOX_STATE_PENDING)))
        return false;
    if (!mailbox_lock(mailbox))
        return false;
    bool done = settle_some(mailbox, most);
    /* With trouble (a full disk, say) the file stays, and a later session tries again. */
    return mailbox_unlock(mailbox) && done && !mailbox_pending_is_empty(mailbox);
}

/* ---- when the list is made from the names ------------------------------------------------------
 */

static int compare_uids(const void *first, const void *second)
{
    const uint32_t *a = first, *b = second;
    return (*a > *b) - (*a < *b);
}

bool mailbox_pending_removes(const struct mailbox *mailbox, uint32_t uid)
{
    return mailbox->removed_count > 0 &&
           bsearch(&uid, mailbox->removed, mailbox->removed_count, sizeof uid, compare_uids);
}

static bool note_removed(struct mailbox *mailbox, struct slice rest)
{
    struct mailbox_pending_line line;
    size_t count = 0;
    for (struct slice lines = rest; next_line(&lines, &line);)
        count += line.kind == MAILBOX_PENDING_REMOVAL;
    free(mailbox->removed);
    mailbox->removed_count = 0;
    mailbox->removed = calloc(count + 1, sizeof *mailbox->removed);
    if (!mailbox->removed)
        return mailbox_fail(mailbox);
    for (struct slice lines = rest; next_line(&lines, &line);)
        if (line.kind == MAILBOX_PENDING_REMOVAL)
            mailbox->removed[mailbox->removed_count++] = line.uid;
    if (count > 1)
        qsort(mailbox->removed, count, sizeof *mailbox->removed, compare_uids);
    return true;
}

bool mailbox_pending_is_known(const struct mailbox *mailbox)
{
    struct stat info;
    if (fstatat(mailbox->folder, PENDING_NAME, &info, AT_SYMLINK_NOFOLLOW) < 0)
        info.st_size = 0;
    return (uint64_t)info.st_size == mailbox->state.pending_size;
}

static void note_pending(struct mailbox *mailbox, size_t size)
{
    if (mailbox->state.pending_size == size)
        return;
    mailbox->state.pending_size = (uint32_t)size;
    if (size > 0)
        mailbox->state.bits |= MAILBOX_STATE_PENDING;
    else
        mailbox->state.bits &= ~(uint32_t)MAILBOX_STATE_PENDING;
    mailbox->state_changed = true;
}

bool mailbox_pending_load(struct mailbox *mailbox)
{
    struct str content;
    bool done =
        mailbox_pending_read(mailbox, &content) && note_removed(mailbox, str_slice(&content));
    if (done)
        note_pending(mailbox, content.size);
    str_free(&content);
    return done;
}

static bool apply_flags(struct mailbox *mailbox, struct mailbox_message *message,
                        struct slice letters)
{
    struct maildir_name facts = {0};
    maildir_parse_flags(letters, &facts);
    if (message->flags == facts.flags && message->keywords == facts.keywords)
        return true;
    uint64_t modseq = mailbox_give_modseq(mailbox);
    if (modseq == 0)
        return false;
    mailbox_view_uncount(mailbox, message);
    message->flags = (uint8_t)facts.flags;
    message->keywords = facts.keywords;
    message->changed = mailbox->uidnext != 0;
    message->modseq = modseq;
    mailbox_view_count(mailbox, message);
    mailbox_log_flags(mailbox, message);
    return true;
}

bool mailbox_pending_apply(struct mailbox *mailbox)
{
    struct str content;
    struct mailbox_pending_line line;
    bool done = mailbox_pending_read(mailbox, &content);
    for (struct slice rest = str_slice(&content); done && next_line(&rest, &line);) {
        struct mailbox_message *message =
            line.kind == MAILBOX_PENDING_FLAGS ? mailbox_find(mailbox, line.uid) : NULL;
        done = !message || message->gone || apply_flags(mailbox, message, line.rest);
    }
    str_free(&content);
    return done;
}
