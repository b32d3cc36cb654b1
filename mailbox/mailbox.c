/* mailbox - see mailbox.h: opening, closing, and one message: reading, flags, removal */
#include "mailbox.h"

#include "clock.h"
#include "io.h"
#include "mailboxparts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    READ_SIZE = 65536,
    FOLLOW_ATTEMPTS = 3,
    LOG_MAX = 1 << 30,     /* bytes of anything that waits to be written */
    SETTLE_AT_ONCE = 1000, /* names, at the end: then others get the lock for a moment */
    LISTING_SECONDS =
        24 * 3600, /* after changes of ours a listing shows whether others hid in them */
};

/* ---- opening and closing -----------------------------------------------------------------------
 */

static int open_folder(int directory, const char *path)
{
    return openat(directory, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static bool open_parts(struct mailbox *mailbox)
{
    struct stat info;
    mailbox->cur = open_folder(mailbox->folder, "cur");
    mailbox->new = open_folder(mailbox->folder, "new");
    if (mailbox->cur < 0 || mailbox->new < 0) {
        if (errno != ENOENT || !maildir_create(mailbox->folder, "."))
            return false;
        io_close(&mailbox->cur);
        io_close(&mailbox->new);
        mailbox->cur = open_folder(mailbox->folder, "cur");
        mailbox->new = open_folder(mailbox->folder, "new");
    }
    if (mailbox->cur < 0 || mailbox->new < 0 || fstat(mailbox->folder, &info) < 0)
        return false;
    mailbox->device = info.st_dev;
    mailbox->inode = info.st_ino;
    return true;
}

void mailbox_init(struct mailbox *mailbox)
{
    *mailbox =
        (struct mailbox){.folder = -1, .cur = -1, .new = -1, .lock = -1, .index = -1, .cache = -1};
    str_init(&mailbox->log, LOG_MAX);
    str_init(&mailbox->more_names, INT32_MAX);
    str_init(&mailbox->journal, LOG_MAX);
    str_init(&mailbox->cache_new, LOG_MAX);
    for (size_t i = 0; i < MAILBOX_WINDOWS; i++)
        str_init(&mailbox->cache_windows[i].bytes, LOG_MAX);
}

static void release(struct mailbox **mailbox)
{
    struct mailbox *closed = *mailbox;
    mailbox_cache_close(closed);
    mailbox_index_close(closed);
    mailbox_pending_free(closed);
    mailbox_view_end(closed);
    for (size_t i = 0; i < MAILDIR_KEYWORDS; i++)
        free(closed->keywords[i]);
    str_free(&closed->log);
    io_close(&closed->cur);
    io_close(&closed->new);
    io_close(&closed->lock);
    io_close(&closed->folder);
    free(closed);
    *mailbox = NULL;
}

struct mailbox *mailbox_begin(int directory, const char *path, bool read_only, bool leaves_new)
{
    struct mailbox *mailbox = malloc(sizeof *mailbox);
    if (!mailbox)
        return NULL;
    mailbox_init(mailbox);
    mailbox->read_only = read_only;
    mailbox->leaves_new = leaves_new;
    mailbox->folder = open_folder(directory, path);
    if (mailbox->folder >= 0 && open_parts(mailbox) && mailbox_view_begin(mailbox))
        return mailbox;
    int error = errno;
    release(&mailbox);
    errno = error;
    return NULL;
}

/* NULL stays NULL. */
static struct mailbox *finish_opening(struct mailbox *mailbox)
{
    if (mailbox && !mailbox_sync(mailbox)) {
        errno = mailbox->error;
        mailbox_close(&mailbox);
    }
    if (mailbox)
        mailbox_forget_gone(mailbox);
    return mailbox;
}

struct mailbox *mailbox_open(int directory, const char *path, bool read_only)
{
    return finish_opening(mailbox_begin(directory, path, read_only, read_only));
}

struct mailbox *mailbox_open_to_tend(int directory, const char *path)
{
    return finish_opening(mailbox_begin(directory, path, false, true));
}

struct mailbox *mailbox_open_to_fill(int directory, const char *path)
{
    struct mailbox *mailbox = mailbox_begin(directory, path, false, true);
    if (mailbox)
        mailbox->only_fills = true;
    return finish_opening(mailbox);
}

void mailbox_close(struct mailbox **mailbox)
{
    struct mailbox *closed = *mailbox;
    if (!closed)
        return;
    int error = errno;
    mailbox_cache_flush(closed);
    while (mailbox_settle(closed, SETTLE_AT_ONCE))
        ;
    release(mailbox);
    errno = error;
}

/* ---- what others did ---------------------------------------------------------------------------
 */

/* Marks what no session has seen yet; who selects for change takes it from the others. */
static void mark_recent(struct mailbox *mailbox)
{
    for (size_t i = mailbox_view_position(mailbox, mailbox->state.recent_from); i < mailbox->count;
         i++) {
        struct mailbox_message *message = &mailbox->messages[i];
        if (message->recent)
            continue;
        mailbox_view_uncount(mailbox, message);
        message->recent = true;
        mailbox_view_count(mailbox, message);
    }
}

static bool claims_recent(const struct mailbox *mailbox)
{
    return !mailbox->leaves_new && mailbox->state.recent_from < mailbox->state.uidnext;
}

static bool is_overdue(const struct mailbox *mailbox)
{
    return mailbox->uidnext == 0 && !mailbox->read_only &&
           mailbox->state.bits & MAILBOX_STATE_CHANGED &&
           clock_seconds() > mailbox->state.listed + LISTING_SECONDS;
}

/* Asked once: afterwards the log tells. */
static bool is_behind(const struct mailbox *mailbox)
{
    return mailbox->uidnext == 0 && !mailbox_pending_is_known(mailbox);
}

static bool finish_sync(struct mailbox *mailbox)
{
    if (!mailbox->leaves_new || mailbox->read_only)
        mark_recent(mailbox);
    if ((mailbox->uidnext == 0 || mailbox->keyword_serial != mailbox->state.keyword_serial) &&
        !mailbox_load_keywords(mailbox))
        return false;
    mailbox->uidnext = mailbox->state.uidnext;
    mailbox_view_forget_unknown(mailbox);
    return true;
}

static bool sync_locked(struct mailbox *mailbox)
{
    bool all = mailbox->scan_wanted || mailbox->index_unusable || is_overdue(mailbox) ||
               is_behind(mailbox);
    if ((all || !mailbox->cur_known || !mailbox->new_known) &&
        !mailbox_scan(mailbox, all || !mailbox->cur_known, all || !mailbox->new_known))
        return false;
    if (!finish_sync(mailbox))
        return false;
    if (claims_recent(mailbox)) {
        mailbox->state.recent_from = mailbox->state.uidnext;
        mailbox->state_changed = true;
    }
    return mailbox_empty_new(mailbox);
}

/* Who only puts messages in looks around when he has the lock for that. */
static bool opens_to_fill(const struct mailbox *mailbox)
{
    return mailbox->uidnext == 0 && mailbox->only_fills;
}

static bool wants_lock(const struct mailbox *mailbox)
{
    if (opens_to_fill(mailbox))
        return false;
    return mailbox->scan_wanted || !mailbox_is_known(mailbox) || claims_recent(mailbox) ||
           is_overdue(mailbox) || is_behind(mailbox);
}

bool mailbox_sync(struct mailbox *mailbox)
{
    mailbox->error = 0;
    if (mailbox->lock_depth == 0 && mailbox_index_catch_up(mailbox) == MAILBOX_INDEX_OK &&
        !wants_lock(mailbox))
        return finish_sync(mailbox);
    if (!mailbox_lock(mailbox))
        return false;
    bool done = sync_locked(mailbox);
    int error = mailbox->error;
    if (!mailbox_unlock(mailbox))
        return false;
    errno = mailbox->error = done ? 0 : error;
    return done;
}

/* ---- reading -----------------------------------------------------------------------------------
 */

static int open_file(struct mailbox *mailbox, struct mailbox_message *message)
{
    char name[MAILBOX_NAME_SIZE];
    if (!mailbox_name(mailbox, message, name))
        return -1;
    return openat(mailbox_folder_of(mailbox, message), name,
                  O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
}

/* Finds out what became of a message whose file isn't where it was; the first time it may be enough to
 * hear what other sessions say. False when it is gone. */
static bool follow(struct mailbox *mailbox, struct mailbox_message *message, bool is_first)
{
    struct mailbox_message before = *message;
    if (!mailbox_lock(mailbox)) {
        errno = mailbox->error;
        return false;
    }
    /* Nearly always another session renamed it, and said so in the log. */
    bool was_told = message->gone || message->in_new != before.in_new ||
                    message->name_flags != before.name_flags ||
                    message->name_keywords != before.name_keywords || message->name != before.name;
    bool done = (was_told && is_first) || mailbox_scan(mailbox, true, true);
    done = mailbox_unlock(mailbox) && done;
    errno = done ? ENOENT : mailbox->error;
    return done && !message->gone;
}

/* The list knows the sizes better than the name does; till the name is put right it is an odd one. */
static void correct_sizes(struct mailbox *mailbox, struct mailbox_message *message, uint64_t size,
                          uint64_t crlf_size)
{
    char name[MAILBOX_NAME_SIZE];
    if (!mailbox_lock(mailbox))
        return;
    if (!message->gone && mailbox_name(mailbox, message, name) &&
        mailbox_view_keep_name(mailbox, slice_text(name), &message->name)) {
        mailbox_view_uncount(mailbox, message);
        message->is_odd = true;
        message->size = size;
        message->crlf_size = crlf_size;
        mailbox_view_count(mailbox, message);
        if (!mailbox_rename_message(mailbox, message))
            mailbox_log_message(mailbox, message);
    }
    (void)mailbox_unlock(mailbox);
}

/* A name that lies about the size would make every answer about the message wrong. */
void mailbox_check_size(struct mailbox *mailbox, struct mailbox_message *message, int fd)
{
    struct stat info;
    if (fstat(fd, &info) == 0 && (uint64_t)info.st_size != message->size)
        correct_sizes(mailbox, message, (uint64_t)info.st_size, 0);
}

int mailbox_open_unchecked(struct mailbox *mailbox, struct mailbox_message *message)
{
    int fd = -1;
    errno = ENOENT;
    if (!message->gone)
        fd = open_file(mailbox, message);
    for (int attempt = 0; fd < 0 && errno == ENOENT && !message->gone &&
                          attempt < FOLLOW_ATTEMPTS && follow(mailbox, message, attempt == 0);
         attempt++)
        fd = open_file(mailbox, message);
    return fd;
}

int mailbox_open_message(struct mailbox *mailbox, struct mailbox_message *message)
{
    int fd = mailbox_open_unchecked(mailbox, message);
    if (fd >= 0)
        mailbox_check_size(mailbox, message, fd);
    return fd;
}

/* Appends `size` bytes of the file. */
static bool append_file(int fd, uint64_t size, struct str *text)
{
    if (size == 0)
        return true;
    if (size > text->max) {
        errno = EFBIG;
        return false;
    }
    char *room = str_reserve(text, (size_t)size);
    if (!room) {
        errno = size > text->max - text->size ? EFBIG : ENOMEM;
        return false;
    }
    if (!io_pread_all(fd, room, (size_t)size, 0))
        return false;
    str_added(text, (size_t)size);
    return true;
}

static size_t count_bare_lf(struct slice bytes)
{
    size_t count = 0;
    for (size_t at = slice_find(bytes, '\n'); at < bytes.size;
         at += 1 + slice_find(slice_from(bytes, at + 1), '\n'))
        count += at == 0 || bytes.data[at - 1] != '\r';
    return count;
}

/* Every LF without a CR in front gets one; what has one already stays, also where a file mixes
 * both. Works from the end, so the text needs no second copy. */
static bool add_cr(struct str *text, size_t start)
{
    size_t bare = count_bare_lf(slice_from(str_slice(text), start));
    if (bare == 0)
        return true;
    size_t from = text->size;
    if (!str_reserve(text, bare)) {
        errno = bare > text->max - text->size ? EFBIG : ENOMEM;
        return false;
    }
    str_added(text, bare);
    for (size_t to = text->size; from < to;) {
        char byte = text->data[--from];
        text->data[--to] = byte;
        if (byte == '\n' && (from == start || text->data[from - 1] != '\r'))
            text->data[--to] = '\r';
    }
    return true;
}

bool mailbox_read_message(struct mailbox *mailbox, struct mailbox_message *message,
                          struct str *text)
{
    int fd = mailbox_open_message(mailbox, message);
    if (fd < 0)
        return false;
    size_t start = text->size;
    bool is_wire_form = message->crlf_size == message->size;
    bool done = append_file(fd, message->size, text) && (is_wire_form || add_cr(text, start));
    io_close(&fd);
    if (!done) {
        str_truncate(text, start);
        return false;
    }
    if (message->crlf_size != text->size - start)
        correct_sizes(mailbox, message, message->size, text->size - start);
    return true;
}

/* ---- sizes -------------------------------------------------------------------------------------
 */

static bool measure(int fd, uint64_t *crlf_size)
{
    char bytes[READ_SIZE];
    bool last_was_cr = false;
    *crlf_size = 0;
    for (;;) {
        ssize_t got = io_read(fd, bytes, sizeof bytes, CLOCK_NEVER);
        if (got <= 0)
            return got == 0;
        struct slice part = slice_of(bytes, (size_t)got);
        size_t bare = count_bare_lf(part);
        if (part.data[0] == '\n' && last_was_cr)
            bare--;
        *crlf_size += part.size + bare;
        last_was_cr = part.data[part.size - 1] == '\r';
    }
}

bool mailbox_crlf_size(struct mailbox *mailbox, struct mailbox_message *message, uint64_t *size)
{
    *size = message->crlf_size;
    if (message->crlf_size > 0 || message->size == 0)
        return true;
    int fd = mailbox_open_message(mailbox, message);
    bool done = fd >= 0 && measure(fd, size);
    io_close(&fd);
    if (!done)
        return mailbox_fail(mailbox);
    /* If the name can't be changed now, some later session does it. */
    correct_sizes(mailbox, message, message->size, *size);
    return true;
}
