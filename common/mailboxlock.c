/* mailboxlock - see mailbox.h: the lock, and how a session sees that nothing changed
 *
 * Two witnesses. The times of cur/ and new/ move with every change, by whomever; but two changes in
 * one tick of the kernel's clock (up to 10 ms) leave the same time. The counter in mailbox-lock
 * moves with every change by the suite, and is exact, since it moves under the lock and before the
 * change. A stamp that was taken within the tick of the last change is "young": a program outside
 * the suite may have changed something unseen, so the folder is listed once more when it is not
 * young any longer (new/ at once: it holds next to nothing).
 */
#include "clock.h"
#include "io.h"
#include "mailboxparts.h"
#include "number.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

static const char lock_name[] = "mailbox-lock";
static const char counter_head[] = "changes ";

enum {
    COUNTER_DIGITS = 20,
    COUNTER_SIZE = sizeof counter_head - 1 + COUNTER_DIGITS + 1,
    LOCK_WAIT_FIRST_MS = 1,
    LOCK_WAIT_MOST_MS = 50,
};

#define NANOSECONDS INT64_C(1000000000)
/* How long a stamp is young: more than a tick, or than the seconds of a coarse file system. */
#define YOUNG_NS        (NANOSECONDS / 10)
#define YOUNG_COARSE_NS (2 * NANOSECONDS)

bool mailbox_fail(struct mailbox *mailbox)
{
    mailbox->error = errno ? errno : EIO;
    return false;
}

/* ---- the times of the folders ------------------------------------------------------------------
 */

static int64_t now_ns(void)
{
    return clock_microseconds() * 1000;
}

/* -1: unknown, never equal to a stamp. */
static int64_t folder_time(int folder)
{
    struct stat info;
    if (fstat(folder, &info) < 0 || info.st_nlink == 0)
        return -1;
    return (int64_t)info.st_mtim.tv_sec * NANOSECONDS + info.st_mtim.tv_nsec;
}

static int64_t young_for(int64_t time)
{
    return time % NANOSECONDS == 0 ? YOUNG_COARSE_NS : YOUNG_NS;
}

static bool stamp(int folder, int64_t *time, int64_t *taken)
{
    *taken = now_ns();
    *time = folder_time(folder);
    return *time >= 0;
}

static bool is_young(int64_t time, int64_t taken)
{
    return taken < time + young_for(time);
}

bool mailbox_stamp_cur(struct mailbox *mailbox)
{
    return stamp(mailbox->cur, &mailbox->seen_cur, &mailbox->stamped_cur);
}

bool mailbox_stamp_new(struct mailbox *mailbox)
{
    return stamp(mailbox->new, &mailbox->seen_new, &mailbox->stamped_new);
}

/* ---- the counter -------------------------------------------------------------------------------
 */

/* 0 while nothing was counted, or the file holds something else: the next change mends it. */
static uint64_t read_counter(int lock)
{
    char text[COUNTER_SIZE];
    uint64_t counter;
    struct slice digits = {text + sizeof counter_head - 1, COUNTER_DIGITS};
    if (lock < 0 || pread(lock, text, sizeof text, 0) != (ssize_t)sizeof text ||
        memcmp(text, counter_head, sizeof counter_head - 1) != 0 ||
        !number_parse(digits, UINT64_MAX - 1, &counter))
        return 0;
    return counter;
}

static bool write_counter(int lock, uint64_t counter)
{
    char text[COUNTER_SIZE + 1];
    snprintf(text, sizeof text, "%s%020llu\n", counter_head, (unsigned long long)counter);
    return pwrite(lock, text, COUNTER_SIZE, 0) == COUNTER_SIZE;
}

bool mailbox_begin_change(struct mailbox *mailbox)
{
    if (mailbox->cur_changed)
        return true;
    uint64_t counter = read_counter(mailbox->lock) + 1;
    if (!write_counter(mailbox->lock, counter))
        return mailbox_fail(mailbox);
    /* Another object of this process may share the lock (mailbox_lock_both) and have changed
     * something as well: then the list is not to be believed. */
    if (counter != mailbox->changes_locked + 1)
        mailbox->in_step = false;
    mailbox->changes_locked = counter;
    mailbox->cur_changed = true;
    return true;
}

bool mailbox_cur_is_known(struct mailbox *mailbox)
{
    int64_t time = folder_time(mailbox->cur);
    if (!mailbox->synced || time < 0 || time != mailbox->seen_cur ||
        read_counter(mailbox->lock) != mailbox->changes)
        return false;
    /* Not at once: else each own change would cost a listing at the next look. */
    return !is_young(time, mailbox->stamped_cur) || now_ns() < time + YOUNG_COARSE_NS;
}

bool mailbox_new_is_known(struct mailbox *mailbox)
{
    int64_t time = folder_time(mailbox->new);
    return mailbox->synced && time >= 0 && time == mailbox->seen_new &&
           !is_young(time, mailbox->stamped_new);
}

/* ---- the lock ----------------------------------------------------------------------------------
 */

/* False with ETIMEDOUT: some session hangs, or was stopped, with the lock. */
static bool wait_for_lock(int fd)
{
    int64_t deadline = clock_deadline(MAILBOX_LOCK_MS);
    long wait_ms = LOCK_WAIT_FIRST_MS;
    while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return false;
        if (clock_left(deadline) == 0) {
            errno = ETIMEDOUT;
            return false;
        }
        struct timespec wait = {.tv_nsec = wait_ms * 1000000};
        nanosleep(&wait, NULL);
        wait_ms = wait_ms * 2 < LOCK_WAIT_MOST_MS ? wait_ms * 2 : LOCK_WAIT_MOST_MS;
    }
    return true;
}

static bool open_lock(struct mailbox *mailbox)
{
    if (mailbox->lock < 0)
        mailbox->lock = openat(mailbox->folder, lock_name,
                               O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    return mailbox->lock >= 0;
}

/* Takes the lock on the file that bears the name now: one that was deleted locks nobody out. */
static bool take_lock(struct mailbox *mailbox)
{
    for (;;) {
        struct stat info;
        if (!open_lock(mailbox) || !wait_for_lock(mailbox->lock) || fstat(mailbox->lock, &info) < 0)
            return false;
        if (info.st_nlink > 0)
            return true;
        io_close(&mailbox->lock);
    }
}

static void look_around(struct mailbox *mailbox)
{
    mailbox->changes_locked = read_counter(mailbox->lock);
    mailbox->cur_changed = false;
    mailbox->new_changed = false;
    mailbox->cur_unsynced = false;
    mailbox->new_unsynced = false;
    mailbox->in_step = mailbox->synced && mailbox->changes_locked == mailbox->changes &&
                       folder_time(mailbox->cur) == mailbox->seen_cur;
}

bool mailbox_lock(struct mailbox *mailbox)
{
    if (mailbox->lock_depth == 0) {
        if (!take_lock(mailbox))
            return mailbox_fail(mailbox);
        look_around(mailbox);
    }
    mailbox->lock_depth++;
    return true;
}

static bool sync_folders(struct mailbox *mailbox)
{
    bool done = (!mailbox->cur_unsynced || io_sync_folder(mailbox->cur)) &&
                (!mailbox->new_unsynced || io_sync_folder(mailbox->new));
    mailbox->cur_unsynced = false;
    mailbox->new_unsynced = false;
    return done || mailbox_fail(mailbox);
}

bool mailbox_unlock(struct mailbox *mailbox)
{
    if (mailbox->lock_depth > 1) {
        mailbox->lock_depth--;
        return true;
    }
    bool done = sync_folders(mailbox);
    /* What was changed under this lock is in the list already: no need to list cur/ for it. */
    if (mailbox->cur_changed && mailbox->in_step && mailbox_stamp_cur(mailbox))
        mailbox->changes = mailbox->changes_locked;
    mailbox->cur_changed = false;
    mailbox->new_changed = false;
    mailbox->lock_depth = 0;
    flock(mailbox->lock, LOCK_UN);
    return done;
}

/* `b` is the folder of `a` again: the lock of `a` covers it. */
static bool share_lock(struct mailbox *b)
{
    if (b->lock_depth == 0) {
        if (!open_lock(b))
            return mailbox_fail(b);
        look_around(b);
    }
    b->lock_depth++;
    return true;
}

static bool is_same_folder(const struct mailbox *a, const struct mailbox *b)
{
    return a->device == b->device && a->inode == b->inode;
}

static bool comes_first(const struct mailbox *a, const struct mailbox *b)
{
    return a->device != b->device ? a->device < b->device : a->inode < b->inode;
}

bool mailbox_lock_both(struct mailbox *a, struct mailbox *b)
{
    bool swap = comes_first(b, a);
    struct mailbox *first = swap ? b : a, *second = swap ? a : b;
    if (!mailbox_lock(first))
        return false;
    bool locked = first != second && is_same_folder(first, second) ? share_lock(second)
                                                                   : mailbox_lock(second);
    if (!locked)
        mailbox_unlock(first);
    return locked;
}

bool mailbox_unlock_both(struct mailbox *a, struct mailbox *b)
{
    bool swap = comes_first(b, a);
    struct mailbox *first = swap ? b : a, *second = swap ? a : b;
    bool done = mailbox_unlock(second);
    return mailbox_unlock(first) && done;
}
