/* mailboxlock - see mailbox.h: the lock, and how a session sees that nothing but the suite was here
 *
 * Who changes something by the suite's rules says so in the index's log. Whether another program was
 * at work the times of cur/ and new/ tell: the index keeps those that they had when the list was what
 * they hold. Two changes in one tick of the kernel's clock (up to 10 ms) would leave the same time; so
 * after each change of ours, and before each listing, the folder is given a time of its own making,
 * which no tick will have. What came to new/ between a change of ours and that time would hide behind
 * it: a delivery that has no lock marks mailbox-lock by its time when the file has its name, and while
 * new/ is short it is listed, too, for programs that know of no mark.
 */
#include "clock.h"
#include "io.h"
#include "mailboxparts.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum {
    NEW_LISTED_MAX = 50,
    EAGER_MAX = 64, /* names that change before the answer; renaming takes some 5 us */
    PUT_BACK_SECONDS = 60,
};

#define NANOSECONDS INT64_C(1000000000)
/* How long a time may be met again where we can't set it: more than a tick, or than the seconds of a
 * coarse file system. */
#define YOUNG_NS        (NANOSECONDS / 10)
#define YOUNG_COARSE_NS (2 * NANOSECONDS)

bool mailbox_fail(struct mailbox *mailbox)
{
    mailbox->error = errno ? errno : EIO;
    return false;
}

/* ---- the times of the folders ------------------------------------------------------------------
 */

int64_t mailbox_time_of(const struct stat *info)
{
    /* Unsigned: anybody may give a file any time. */
    return (int64_t)((uint64_t)info->st_mtim.tv_sec * (uint64_t)NANOSECONDS +
                     (uint64_t)info->st_mtim.tv_nsec);
}

/* cp -a, rsync and tar set the one time back, and thereby the other to now, which nobody can set. chown and
 * chmod look like that, too. */
bool mailbox_was_put_back(const struct stat *info)
{
    return info->st_mtim.tv_sec < info->st_ctim.tv_sec - PUT_BACK_SECONDS;
}

/* 0: unknown, never equal to a stamp. */
static int64_t stamp_of(const struct stat *info)
{
    return info->st_nlink == 0 || mailbox_was_put_back(info) ? 0 : mailbox_time_of(info);
}

static int64_t folder_time(int folder)
{
    struct stat info;
    return fstat(folder, &info) < 0 ? 0 : stamp_of(&info);
}

static bool is_young(int64_t time)
{
    int64_t young_for = time % NANOSECONDS == 0 ? YOUNG_COARSE_NS : YOUNG_NS;
    return clock_microseconds() * 1000 < time + young_for;
}

int64_t mailbox_stamp(int folder)
{
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}};
    clock_gettime(CLOCK_REALTIME, &times[1]);
    bool is_ours = futimens(folder, times) == 0;
    int64_t time = folder_time(folder);
    /* A file system with coarse times, or a folder that is not ours. */
    if (!is_ours || time % NANOSECONDS == 0)
        return is_young(time) ? 0 : time;
    return time;
}

static bool is_cur_stamp(const struct mailbox *mailbox, int64_t time)
{
    return time != 0 && time == mailbox->state.cur_stamp;
}

static bool cur_is_known(const struct mailbox *mailbox)
{
    return is_cur_stamp(mailbox, folder_time(mailbox->cur));
}

bool mailbox_cur_is_known(const struct mailbox *mailbox)
{
    struct stat info;
    return fstatat(mailbox->folder, "cur", &info, AT_SYMLINK_NOFOLLOW) == 0 &&
           is_cur_stamp(mailbox, stamp_of(&info));
}

uint32_t mailbox_mark(const struct mailbox *mailbox)
{
    struct stat info;
    if (fstatat(mailbox->folder, MAILBOX_LOCK_NAME, &info, AT_SYMLINK_NOFOLLOW) < 0)
        return 0;
    return (uint32_t)mailbox_time_of(&info);
}

void mailbox_set_mark(int folder)
{
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}};
    /* Without the file no session was here yet, or is, and the first one lists all. */
    int fd = openat(folder, MAILBOX_LOCK_NAME, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    clock_gettime(CLOCK_REALTIME, &times[1]);
    if (fd >= 0)
        (void)futimens(fd, times);
    io_close(&fd);
}

static bool new_is_known(const struct mailbox *mailbox)
{
    int64_t time = folder_time(mailbox->new);
    return time != 0 && time == mailbox->state.new_stamp &&
           mailbox_mark(mailbox) == mailbox->state.new_mark;
}

bool mailbox_is_known(const struct mailbox *mailbox)
{
    return !mailbox_index_is_of_another_boot(mailbox) && cur_is_known(mailbox) &&
           new_is_known(mailbox);
}

void mailbox_changes_folder(struct mailbox *mailbox, bool in_new)
{
    if (in_new)
        mailbox->new_changed = true;
    else
        mailbox->cur_changed = true;
}

/* ---- the lock ----------------------------------------------------------------------------------
 */

static void ignore_alarm(int number)
{
    (void)number;
}

/* A signal that interrupts a system call now and then, from the deadline on; 0: no more. */
static bool set_alarm(time_t seconds)
{
    struct itimerval timer = {.it_interval.tv_sec = seconds > 0, .it_value.tv_sec = seconds};
    return setitimer(ITIMER_REAL, &timer, NULL) == 0;
}

/* Sleeps till the holder gives it back: who looked now and then instead would leave it idle between
 * two holders for longer than they hold it. */
static bool sleep_for_lock(int fd)
{
    int64_t deadline = clock_deadline(MAILBOX_LOCK_MS);
    int result;
    while ((result = flock(fd, LOCK_EX)) < 0 && errno == EINTR && clock_left(deadline) > 0)
        ;
    if (result < 0 && errno == EINTR)
        errno = ETIMEDOUT;
    return result == 0;
}

/* False with ETIMEDOUT: some session hangs, or was stopped, with the lock. */
static bool wait_for_lock(int fd)
{
    struct sigaction before, action = {.sa_handler = ignore_alarm};
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        return true;
    if (errno != EWOULDBLOCK || sigaction(SIGALRM, &action, &before) < 0)
        return false;
    bool done = set_alarm(MAILBOX_LOCK_MS / 1000) && sleep_for_lock(fd);
    int error = errno;
    done = set_alarm(0) && done;
    sigaction(SIGALRM, &before, NULL);
    errno = error;
    return done;
}

static bool open_lock(struct mailbox *mailbox)
{
    if (mailbox->lock < 0)
        mailbox->lock = openat(mailbox->folder, MAILBOX_LOCK_NAME,
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

bool mailbox_lock_alone(struct mailbox *mailbox)
{
    return take_lock(mailbox) || mailbox_fail(mailbox);
}

static bool is_later(struct timespec a, struct timespec b)
{
    return a.tv_sec != b.tv_sec ? a.tv_sec > b.tv_sec : a.tv_nsec > b.tv_nsec;
}

/* Was the index written after cur/ was changed, and knows nothing of that? Then it is an older one that was
 * put back, or its log was cut. */
static bool is_behind_cur(const struct mailbox *mailbox)
{
    struct stat index, cur;
    if (mailbox->cur_known)
        return false;
    return fstat(mailbox->index, &index) < 0 || fstat(mailbox->cur, &cur) < 0 ||
           mailbox_was_put_back(&cur) || is_later(index.st_ctim, cur.st_ctim);
}

/* Is it unknown what was given out, and changed, after the index was as it is? */
static bool is_in_doubt(struct mailbox *mailbox)
{
    bool was_read = mailbox->index_was_read;
    mailbox->index_was_read = false;
    if (mailbox->index < 0)
        return false;
    return mailbox_index_is_of_another_boot(mailbox) ||
           (was_read && (is_behind_cur(mailbox) || !mailbox_pending_is_known(mailbox)));
}

/* After a power cut it is not known which of the last changes are undone; nor what is missing in an index
 * that is not the last one. All messages count as changed, with a mod-sequence that none had before, and
 * the next UID is one that nobody had; names may tell UIDs that were given out to messages that are not
 * in the list. */
static bool begin_anew(struct mailbox *mailbox)
{
    mailbox_leave_gap(mailbox);
    mailbox->state.modseq = mailbox->modseq_reserved;
    uint64_t modseq = mailbox_give_modseq(mailbox);
    if (modseq == 0)
        return false;
    mailbox->state.modseq_floor = modseq;
    mailbox->state.vanished_floor = modseq;
    mailbox->state.boot = clock_boot_seconds();
    mailbox->state_changed = true;
    mailbox->doubted_from = mailbox->state.uidnext;
    if (mailbox->state.uidnext < mailbox->uids_on_disk)
        mailbox->state.uidnext = mailbox->uids_on_disk;
    /* A mark in new/ may be undone as well. */
    return mailbox_scan(mailbox, !mailbox->cur_known, true);
}

/* What others did since the last look is taken over, so that ours comes behind it. */
static bool look_around(struct mailbox *mailbox)
{
    mailbox->cur_changed = mailbox->new_changed = false;
    mailbox->eager_left = EAGER_MAX;
    mailbox->lock_modseq = 0;
    mailbox->copying.from = NULL;
    switch (mailbox_index_catch_up(mailbox)) {
    case MAILBOX_INDEX_OK:
        if (mailbox->keyword_serial != mailbox->state.keyword_serial &&
            !mailbox_load_keywords(mailbox))
            return false;
        mailbox->cur_known = cur_is_known(mailbox);
        mailbox->new_known = new_is_known(mailbox);
        return !is_in_doubt(mailbox) || begin_anew(mailbox);
    case MAILBOX_INDEX_NONE:
        io_close(&mailbox->index);
        mailbox->index_unusable = true;
        mailbox->cur_known = mailbox->new_known = false;
        return true;
    case MAILBOX_INDEX_TROUBLE:
        break;
    }
    return false;
}

bool mailbox_lock(struct mailbox *mailbox)
{
    if (mailbox->lock_depth > 0) {
        mailbox->lock_depth++;
        return true;
    }
    if (!take_lock(mailbox))
        return mailbox_fail(mailbox);
    mailbox->lock_depth = 1;
    if (look_around(mailbox))
        return true;
    mailbox->lock_depth = 0;
    int error = mailbox->error;
    flock(mailbox->lock, LOCK_UN);
    errno = error;
    return false;
}

/* The names, then the files that got them: in this order one commit of the journal takes both. It
 * is done when others have the lock again, so that they can share that commit. */
static bool sync_all(struct mailbox *mailbox)
{
    bool done = (!mailbox->cur_unsynced || io_sync_folder(mailbox->cur)) &&
                (!mailbox->new_unsynced || io_sync_folder(mailbox->new));
    for (size_t i = 0; i < mailbox->unsynced_count; i++) {
        done = done && fsync(mailbox->unsynced[i]) == 0;
        io_close(&mailbox->unsynced[i]);
    }
    mailbox->unsynced_count = 0;
    mailbox->cur_unsynced = mailbox->new_unsynced = false;
    return done || mailbox_fail(mailbox);
}

bool mailbox_sync_file(struct mailbox *mailbox, int *fd)
{
    if (mailbox->lock_depth == 0 || mailbox->unsynced_count == MAILBOX_UNSYNCED_MAX) {
        bool done = fsync(*fd) == 0;
        io_close(fd);
        return done || mailbox_fail(mailbox);
    }
    mailbox->unsynced[mailbox->unsynced_count++] = *fd;
    *fd = -1;
    return true;
}

/* A file that has no UID, or one that was not given out or is another file's, came meanwhile. */
static bool is_ours(void *owner, const char *name)
{
    struct mailbox *mailbox = owner;
    struct maildir_name facts;
    if (!maildir_parse_name(slice_text(name), &facts))
        return true;
    if (facts.uid == 0 || facts.uid >= mailbox->state.uidnext)
        return false;
    const struct mailbox_message *message = mailbox_find(mailbox, facts.uid);
    return !message || mailbox_has_stem(mailbox, message, name);
}

/* A file that another program brought has moved the time of new/ just as we have. So after the stamp
 * it is listed once more, where that is short. */
static int64_t stamp_new(struct mailbox *mailbox)
{
    int64_t stamp = mailbox->new_known ? mailbox_stamp(mailbox->new) : 0;
    if (stamp == 0 || mailbox->totals.in_new > NEW_LISTED_MAX)
        return stamp;
    return mailbox_list_files(mailbox, mailbox->new, is_ours, mailbox) ? stamp : 0;
}

/* What we changed ourselves is in the list, and if nothing else was unknown, all is. */
static void take_stamps(struct mailbox *mailbox)
{
    if (mailbox->cur_changed)
        mailbox->state.cur_stamp = mailbox->cur_known ? mailbox_stamp(mailbox->cur) : 0;
    if (mailbox->new_changed)
        mailbox->state.new_stamp = stamp_new(mailbox);
    if (!mailbox->cur_changed && !mailbox->new_changed)
        return;
    mailbox->state.bits |= MAILBOX_STATE_CHANGED;
    mailbox->state_changed = true;
}

/* With a twin the log may have grown meanwhile. */
static void settle_with_twin(struct mailbox *mailbox)
{
    if (mailbox->has_twin && mailbox_index_catch_up(mailbox) != MAILBOX_INDEX_OK)
        mailbox->index_unusable = true;
    mailbox->has_twin = false;
}

bool mailbox_unlock(struct mailbox *mailbox)
{
    if (mailbox->lock_depth > 1) {
        mailbox->lock_depth--;
        return true;
    }
    settle_with_twin(mailbox);
    bool done = mailbox_pending_write(mailbox);
    mailbox_cache_write(mailbox);
    mailbox_end_usage(mailbox);
    take_stamps(mailbox);
    mailbox_index_flush(mailbox);
    mailbox->uidnext = mailbox->state.uidnext;
    mailbox->lock_depth = 0;
    flock(mailbox->lock, LOCK_UN);
    done = sync_all(mailbox) && done;
    errno = mailbox->error;
    return done;
}

/* `b` is the folder of `a` again: the lock of `a` covers it. What one of them does, the other learns
 * from the log (mailbox_pass_to_twin). */
static bool share_lock(struct mailbox *a, struct mailbox *b)
{
    if (b->lock_depth > 0) {
        b->lock_depth++;
        return true;
    }
    mailbox_pass_to_twin(a, NULL);
    if (!open_lock(b))
        return mailbox_fail(b);
    b->lock_depth = 1;
    if (!look_around(b)) {
        b->lock_depth = 0;
        return false;
    }
    a->has_twin = b->has_twin = true;
    return true;
}

void mailbox_pass_to_twin(struct mailbox *from, struct mailbox *to)
{
    take_stamps(from);
    from->cur_changed = from->new_changed = false;
    mailbox_index_flush(from);
    if (to && mailbox_index_catch_up(to) != MAILBOX_INDEX_OK)
        to->index_unusable = true;
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
    bool locked = first != second && is_same_folder(first, second) ? share_lock(first, second)
                                                                   : mailbox_lock(second);
    if (!locked)
        mailbox_unlock(first);
    return locked;
}

/* What is about to be removed from the one is safe in the other before. */
static bool is_unlocked_last(const struct mailbox *a, const struct mailbox *b)
{
    return a->has_twin ? !comes_first(b, a) : b->journal.size == 0;
}

bool mailbox_unlock_both(struct mailbox *a, struct mailbox *b)
{
    bool swap = !is_unlocked_last(a, b);
    struct mailbox *last = swap ? b : a, *first = swap ? a : b;
    bool done = mailbox_unlock(first);
    return mailbox_unlock(last) && done;
}
