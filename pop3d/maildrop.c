/* maildrop - see maildrop.h */
#include "maildrop.h"

#include "io.h"
#include "number.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { REMOVE_BATCH = 1000, MEASURE_BATCH = 1000, LOCK_ATTEMPTS = 20, LOCK_WAIT_MS = 50 };

/* A client that comes back at once may meet its last session in its last moment, so a lock that is
 * held is tried again for a while. */
static bool try_lock(int fd)
{
    for (int attempt = 0; attempt < LOCK_ATTEMPTS; attempt++) {
        struct timespec wait = {.tv_nsec = LOCK_WAIT_MS * 1000000L};
        if (flock(fd, LOCK_EX | LOCK_NB) == 0)
            return true;
        if (errno != EWOULDBLOCK && errno != EINTR)
            return false;
        nanosleep(&wait, NULL);
    }
    errno = EWOULDBLOCK;
    return false;
}

static int take_lock(int folder)
{
    int fd =
        openat(folder, "pop3-lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    if (fd >= 0 && !try_lock(fd))
        io_close(&fd);
    return fd;
}

/* A file that was never stamped is new, or there was no delay before. */
static bool is_too_soon(int lock, uint64_t delay)
{
    struct stat info;
    struct timespec now;
    if (delay == 0 || fstat(lock, &info) < 0 || info.st_size == 0)
        return false;
    clock_gettime(CLOCK_REALTIME, &now);
    /* A clock that was set back locks nobody out. */
    return info.st_mtim.tv_sec <= now.tv_sec &&
           (uint64_t)(now.tv_sec - info.st_mtim.tv_sec) < delay;
}

/* Its one byte says that the time is of a login. */
static void stamp(int lock, uint64_t delay)
{
    if (delay > 0 && pwrite(lock, "\n", 1, 0) == 1)
        (void)futimens(lock, NULL);
}

static struct mailbox *open_mailbox(int directory, const char *path)
{
    struct mailbox *mailbox = mailbox_open(directory, path, false);
    if (!mailbox && errno == ENOENT && maildir_create(directory, path))
        mailbox = mailbox_open(directory, path, false);
    return mailbox;
}

/* The lock comes first: a client that is refused costs no listing of the mailbox. */
static int lock_maildir(int directory, const char *path)
{
    int folder = openat(directory, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0 && errno == ENOENT && maildir_create(directory, path))
        folder = openat(directory, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return -1;
    int lock = take_lock(folder);
    io_close(&folder);
    return lock;
}

enum maildrop_result maildrop_open(struct maildrop *maildrop, int directory, const char *path,
                                   uint64_t delay)
{
    *maildrop = (struct maildrop){.lock = lock_maildir(directory, path)};
    if (maildrop->lock < 0)
        return errno == EWOULDBLOCK ? MAILDROP_IN_USE : MAILDROP_TROUBLE;
    if (is_too_soon(maildrop->lock, delay)) {
        maildrop_close(maildrop);
        return MAILDROP_TOO_SOON;
    }
    stamp(maildrop->lock, delay);
    uidlnames_init(&maildrop->names);
    maildrop->mailbox = open_mailbox(directory, path);
    if (maildrop->mailbox && uidlnames_load(&maildrop->names, maildrop->mailbox->folder)) {
        maildrop->count = maildrop->mailbox->count;
        maildrop->deleted = calloc(maildrop->count + 1, sizeof *maildrop->deleted);
        maildrop->sizes = calloc(maildrop->count + 1, sizeof *maildrop->sizes);
        if (maildrop->deleted && maildrop->sizes)
            return MAILDROP_OK;
    }
    maildrop_close(maildrop);
    return MAILDROP_TROUBLE;
}

void maildrop_close(struct maildrop *maildrop)
{
    int error = errno;
    mailbox_close(&maildrop->mailbox);
    uidlnames_free(&maildrop->names);
    free(maildrop->deleted);
    free(maildrop->sizes);
    maildrop->deleted = NULL;
    maildrop->sizes = NULL;
    maildrop->count = 0;
    io_close(&maildrop->lock);
    errno = error;
}

/* Nothing adds to the mailbox's list during a session, so positions stay. */
struct mailbox_message *maildrop_message(struct maildrop *maildrop, size_t number)
{
    return &maildrop->mailbox->messages[number - 1];
}

bool maildrop_is_deleted(const struct maildrop *maildrop, size_t number)
{
    return maildrop->deleted[number - 1];
}

void maildrop_delete(struct maildrop *maildrop, size_t number)
{
    maildrop->deleted_count += !maildrop->deleted[number - 1];
    maildrop->deleted[number - 1] = true;
}

void maildrop_reset(struct maildrop *maildrop)
{
    memset(maildrop->deleted, 0, maildrop->count * sizeof *maildrop->deleted);
    maildrop->deleted_count = 0;
}

/* ---- sizes -------------------------------------------------------------------------------------
 */

/* The name tells, or the file is read. One that can't be read is as long as the disk says: the
 * others must not become out of reach because of it. */
static void measure_one(struct maildrop *maildrop, size_t number)
{
    struct mailbox_message *message = maildrop_message(maildrop, number);
    if (!mailbox_crlf_size(maildrop->mailbox, message, &maildrop->sizes[number - 1]))
        maildrop->sizes[number - 1] = message->size;
}

static bool is_known(const struct mailbox_message *message)
{
    return message->crlf_size > 0 || message->size == 0;
}

/* Nearly always all names tell. Else there is one lock for some messages at a time: the names of
 * those that are read change, and other sessions want to get in between. */
static void measure(struct maildrop *maildrop)
{
    size_t number = 1;
    for (; number <= maildrop->count && is_known(maildrop_message(maildrop, number)); number++)
        measure_one(maildrop, number);
    while (number <= maildrop->count) {
        bool locked = mailbox_lock(maildrop->mailbox);
        for (size_t i = 0; i < MEASURE_BATCH && number <= maildrop->count; i++, number++)
            measure_one(maildrop, number);
        if (locked)
            (void)mailbox_unlock(maildrop->mailbox);
    }
    maildrop->is_measured = true;
}

uint64_t maildrop_size(struct maildrop *maildrop, size_t number)
{
    if (!maildrop->is_measured)
        measure(maildrop);
    return maildrop->sizes[number - 1];
}

void maildrop_total(struct maildrop *maildrop, size_t *count, uint64_t *bytes)
{
    *count = 0;
    *bytes = 0;
    for (size_t number = 1; number <= maildrop->count; number++) {
        if (maildrop_is_deleted(maildrop, number))
            continue;
        (*count)++;
        *bytes += maildrop_size(maildrop, number);
    }
}

size_t maildrop_unique(struct maildrop *maildrop, size_t number, char text[MAILDROP_UNIQUE_SIZE])
{
    uint32_t uid = maildrop_message(maildrop, number)->uid;
    struct slice name = uidlnames_find(&maildrop->names, uid);
    if (name.size > 0 && slice_copy_text(name, text, MAILDROP_UNIQUE_SIZE))
        return name.size;
    number_put_hex(uid, text, 8);
    number_put_hex(maildrop->mailbox->uidvalidity, text + 8, 8);
    return 16;
}

/* ---- UPDATE ------------------------------------------------------------------------------------
 */

/* Up to REMOVE_BATCH messages from *number on, under one lock. */
static size_t remove_batch(struct maildrop *maildrop, size_t *number)
{
    size_t failed = 0;
    bool locked = mailbox_lock(maildrop->mailbox);
    for (size_t i = 0; i < REMOVE_BATCH && *number <= maildrop->count; (*number)++) {
        if (!maildrop_is_deleted(maildrop, *number))
            continue;
        i++;
        if (!locked || !mailbox_remove(maildrop->mailbox, maildrop_message(maildrop, *number)))
            failed++;
    }
    if (locked && !mailbox_unlock(maildrop->mailbox))
        failed++;
    return failed;
}

size_t maildrop_update(struct maildrop *maildrop)
{
    size_t failed = 0;
    for (size_t number = 1; number <= maildrop->count && maildrop->deleted_count > 0;)
        failed += remove_batch(maildrop, &number);
    return failed;
}
