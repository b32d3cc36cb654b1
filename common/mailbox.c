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

enum { READ_SIZE = 65536 };

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

static struct mailbox *open_mailbox(int directory, const char *path, bool read_only,
                                    bool leaves_new)
{
    struct mailbox *mailbox = malloc(sizeof *mailbox);
    if (!mailbox)
        return NULL;
    *mailbox = (struct mailbox){.folder = open_folder(directory, path),
                                .read_only = read_only,
                                .leaves_new = leaves_new,
                                .cur = -1,
                                .new = -1,
                                .lock = -1,
                                .seen_cur = -1,
                                .seen_new = -1};
    if (mailbox->folder >= 0 && open_parts(mailbox)) {
        if (!read_only)
            maildir_clean_tmp(mailbox->folder);
        if (mailbox_sync(mailbox))
            return mailbox;
        errno = mailbox->error;
    }
    mailbox_close(&mailbox);
    return NULL;
}

struct mailbox *mailbox_open(int directory, const char *path, bool read_only)
{
    return open_mailbox(directory, path, read_only, read_only);
}

struct mailbox *mailbox_open_to_fill(int directory, const char *path)
{
    return open_mailbox(directory, path, false, true);
}

void mailbox_close(struct mailbox **mailbox)
{
    struct mailbox *closed = *mailbox;
    if (!closed)
        return;
    int error = errno;
    for (size_t i = 0; i < closed->count; i++)
        free(closed->messages[i].name);
    free(closed->messages);
    for (size_t i = 0; i < MAILDIR_KEYWORDS; i++)
        free(closed->keywords[i]);
    io_close(&closed->cur);
    io_close(&closed->new);
    io_close(&closed->lock);
    io_close(&closed->folder);
    free(closed);
    *mailbox = NULL;
    errno = error;
}

void mailbox_forget_gone(struct mailbox *mailbox)
{
    size_t kept = 0;
    for (size_t i = 0; i < mailbox->count; i++) {
        if (mailbox->messages[i].gone)
            free(mailbox->messages[i].name);
        else
            mailbox->messages[kept++] = mailbox->messages[i];
    }
    mailbox->count = kept;
}

/* ---- reading -----------------------------------------------------------------------------------
 */

static int open_file(struct mailbox *mailbox, struct mailbox_message *message)
{
    return openat(mailbox_folder_of(mailbox, message), message->name,
                  O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
}

/* Finds out what became of a message whose file isn't where it was. False when it is gone. */
static bool follow(struct mailbox *mailbox, struct mailbox_message *message)
{
    if (!mailbox_refresh(mailbox)) {
        errno = mailbox->error;
        return false;
    }
    errno = ENOENT;
    return !message->gone;
}

/* A name that lies about the size would make every answer about the message wrong. */
static void check_size(struct mailbox_message *message, int fd)
{
    struct stat info;
    if (fstat(fd, &info) == 0 && (uint64_t)info.st_size != message->size) {
        message->size = (uint64_t)info.st_size;
        message->crlf_size = 0;
    }
}

int mailbox_open_message(struct mailbox *mailbox, struct mailbox_message *message)
{
    int fd = -1;
    errno = ENOENT;
    if (!message->gone)
        fd = open_file(mailbox, message);
    if (fd < 0 && errno == ENOENT && !message->gone && follow(mailbox, message))
        fd = open_file(mailbox, message);
    if (fd >= 0)
        check_size(message, fd);
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
    message->crlf_size = text->size - start;
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

/* Puts what the list knows about a message into its name. */
static bool rewrite_name(struct mailbox *mailbox, struct mailbox_message *message)
{
    struct maildir_name facts = mailbox_facts(message);
    int folder = mailbox_folder_of(mailbox, message);
    if (!mailbox_begin_change(mailbox))
        return false;
    char *name = mailbox_rename(folder, message->name, folder, &facts);
    if (!name)
        return mailbox_fail(mailbox);
    free(message->name);
    message->name = name;
    return true;
}

bool mailbox_crlf_size(struct mailbox *mailbox, struct mailbox_message *message, uint64_t *size)
{
    if (message->crlf_size == 0 && message->size > 0) {
        int fd = mailbox_open_message(mailbox, message);
        bool done = fd >= 0 && measure(fd, &message->crlf_size);
        io_close(&fd);
        if (!done)
            return mailbox_fail(mailbox);
        /* If the name can't be changed now, some later session does it. */
        if (mailbox_lock(mailbox)) {
            (void)rewrite_name(mailbox, message);
            (void)mailbox_unlock(mailbox);
        }
    }
    *size = message->crlf_size;
    return true;
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

/* On failure the list says again what the name says. */
static bool change_flags(struct mailbox *mailbox, struct mailbox_message *message,
                         enum mailbox_change change, unsigned flags, uint32_t keywords)
{
    unsigned old_flags = message->flags;
    uint32_t old_keywords = message->keywords;
    message->flags = changed_bits(old_flags, change, flags);
    message->keywords = changed_bits(old_keywords, change, keywords);
    if (message->flags == old_flags && message->keywords == old_keywords)
        return true;
    if (rewrite_name(mailbox, message))
        return true;
    message->flags = old_flags;
    message->keywords = old_keywords;
    return false;
}

bool mailbox_set_flags(struct mailbox *mailbox, struct mailbox_message *message,
                       enum mailbox_change change, unsigned flags, uint32_t keywords)
{
    if (mailbox->read_only || message->gone) {
        errno = message->gone ? ENOENT : EROFS;
        return mailbox_fail(mailbox);
    }
    if (!mailbox_lock(mailbox))
        return false;
    bool done = change_flags(mailbox, message, change, flags, keywords);
    if (!done && mailbox->error == ENOENT && follow(mailbox, message))
        done = change_flags(mailbox, message, change, flags, keywords);
    int error = mailbox->error;
    done = mailbox_unlock(mailbox) && done;
    errno = error;
    return done;
}

/* ---- removal -----------------------------------------------------------------------------------
 */

static bool unlink_message(struct mailbox *mailbox, struct mailbox_message *message)
{
    if (!mailbox_keep_uid_used(mailbox, message->uid) || !mailbox_begin_change(mailbox))
        return false;
    if (unlinkat(mailbox_folder_of(mailbox, message), message->name, 0) < 0)
        return mailbox_fail(mailbox);
    message->gone = true;
    return true;
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
    bool done = unlink_message(mailbox, message);
    if (!done && mailbox->error == ENOENT)
        done = follow(mailbox, message) ? unlink_message(mailbox, message) : message->gone;
    int error = mailbox->error;
    done = mailbox_unlock(mailbox) && done;
    errno = error;
    return done;
}
