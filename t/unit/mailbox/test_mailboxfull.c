/* mailbox: any call that changes the disk fails, once or from then on (a full disk, a quota that is used up) - what
 * was answered holds, no message is lost, no number is given out twice
 */
#include "box.h"

#include "io.h"
#include "mailbox.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* More than change their names at once; the first ones are copied and removed, the others move. */
enum { MANY = 80, ALONE = 3, COPIED = 8 };

/* ---- calls that fail ---------------------------------------------------------------------------
 */

static struct {
    bool armed, goes_on; /* all that need room from then on, or one alone */
    long calls, at;
} fault;

static bool fails(bool needs_room)
{
    if (!fault.armed || (fault.goes_on && !needs_room))
        return false;
    fault.calls++;
    errno = ENOSPC;
    return fault.goes_on ? fault.calls >= fault.at : fault.calls == fault.at;
}

#define WRAP(type, name, parameters, arguments, needs_room)                                        \
    type __real_##name parameters;                                                                 \
    type __wrap_##name parameters;                                                                 \
    type __wrap_##name parameters                                                                  \
    {                                                                                              \
        return fails(needs_room) ? (type)-1 : __real_##name arguments;                             \
    }

WRAP(ssize_t, write, (int fd, const void *bytes, size_t size), (fd, bytes, size), true)
WRAP(int, renameat, (int from, const char *name, int to, const char *new_name),
     (from, name, to, new_name), true)
WRAP(int, renameat2, (int from, const char *name, int to, const char *new_name, unsigned flags),
     (from, name, to, new_name, flags), true)
WRAP(int, linkat, (int from, const char *name, int to, const char *new_name, int flags),
     (from, name, to, new_name, flags), true)
WRAP(int, unlinkat, (int folder, const char *name, int flags), (folder, name, flags), false)
WRAP(int, ftruncate, (int fd, off_t size), (fd, size), false)
WRAP(int, futimens, (int fd, const struct timespec times[2]), (fd, times), false)

/* No power goes: nothing need be synced. */
int __wrap_fsync(int fd);
int __wrap_fsync(int fd)
{
    (void)fd;
    return fails(false) ? -1 : 0;
}

int __wrap_fdatasync(int fd);
int __wrap_fdatasync(int fd)
{
    (void)fd;
    return fails(false) ? -1 : 0;
}

/* A part of it is written. */
ssize_t __real_pwrite(int fd, const void *bytes, size_t size, off_t at);
ssize_t __wrap_pwrite(int fd, const void *bytes, size_t size, off_t at);
ssize_t __wrap_pwrite(int fd, const void *bytes, size_t size, off_t at)
{
    if (!fails(true))
        return __real_pwrite(fd, bytes, size, at);
    return size > 1 ? __real_pwrite(fd, bytes, size / 2, at) : -1;
}

int __real_openat(int folder, const char *path, int flags, ...);
int __wrap_openat(int folder, const char *path, int flags, ...);
int __wrap_openat(int folder, const char *path, int flags, ...)
{
    va_list list;
    va_start(list, flags);
    mode_t mode = flags & O_CREAT ? va_arg(list, mode_t) : 0;
    va_end(list);
    return flags & O_CREAT && fails(true) ? -1 : __real_openat(folder, path, flags, mode);
}

/* ---- a session, and what it was answered -------------------------------------------------------
 */

struct answers {
    bool flagged[MANY + 1], removed[MANY + 1], asked[MANY + 1]; /* to leave the folder */
    uint32_t copies[MANY + 1];
    uint32_t appended, highest[2];
    uint64_t modseq[2];
};

static uint32_t append(struct mailbox *mailbox)
{
    struct mailbox_append append = {.flags = MAILDIR_DRAFT};
    uint32_t uid;
    if (!mailbox_append_begin(mailbox, &append))
        return 0;
    (void)mailbox_append_write(&append, SLICE("a: b\r\n\r\nc\r\n"));
    return mailbox_append_commit(mailbox, &append, &uid) ? uid : 0;
}

static void note(struct answers *answers, size_t which, const struct mailbox *mailbox)
{
    for (size_t i = 0; i < mailbox->count; i++)
        if (mailbox->messages[i].uid > answers->highest[which])
            answers->highest[which] = mailbox->messages[i].uid;
    answers->modseq[which] = mailbox_highest_modseq(mailbox);
}

static void set_flags(struct mailbox *mailbox, struct answers *answers, uint32_t first,
                      uint32_t last)
{
    bool locked = mailbox_lock(mailbox);
    for (uint32_t uid = first; locked && uid <= last; uid++)
        answers->flagged[uid] =
            mailbox_set_flags(mailbox, mailbox_find(mailbox, uid), MAILBOX_ADD, MAILDIR_FLAGGED, 0);
    if (locked && !mailbox_unlock(mailbox))
        memset(answers->flagged + first, 0, (last - first + 1) * sizeof *answers->flagged);
}

static void copy(struct mailbox *from, struct mailbox *to, struct answers *answers, uint32_t first,
                 uint32_t last, bool move)
{
    if (!mailbox_lock_both(from, to))
        return;
    for (uint32_t uid = first; uid <= last; uid++) {
        answers->asked[uid] = move;
        if (!mailbox_copy(from, mailbox_find(from, uid), to, move, &answers->copies[uid]))
            answers->copies[uid] = 0;
    }
    if (!mailbox_unlock_both(from, to))
        memset(answers->copies + first, 0, (last - first + 1) * sizeof *answers->copies);
}

static void remove_all(struct mailbox *mailbox, struct answers *answers, uint32_t last)
{
    bool locked = mailbox_lock(mailbox);
    for (uint32_t uid = 1; locked && uid <= last; uid++) {
        answers->asked[uid] = true;
        answers->removed[uid] = mailbox_remove(mailbox, mailbox_find(mailbox, uid));
    }
    if (locked && !mailbox_unlock(mailbox))
        memset(answers->removed, 0, sizeof answers->removed);
}

static void work(struct mailbox *m, struct mailbox *other, struct answers *answers)
{
    answers->appended = append(m);
    (void)mailbox_keyword(m, SLICE("$Forwarded"), true);
    for (uint32_t uid = 1; uid <= ALONE; uid++)
        set_flags(m, answers, uid, uid);
    set_flags(m, answers, ALONE + 1, MANY);
    note(answers, 0, m);
    while (mailbox_settle(m, MANY))
        ;
    copy(m, other, answers, 1, COPIED, false);
    copy(m, other, answers, COPIED + 1, MANY, true);
    note(answers, 0, m);
    note(answers, 1, other);
    remove_all(m, answers, COPIED);
    note(answers, 0, m);
}

/* ---- afterwards, when there is room again ------------------------------------------------------
 */

static void assert_holds(struct mailbox *m, struct mailbox *other, const struct answers *answers)
{
    size_t left = 0, copies = 0;
    for (uint32_t uid = 1; uid <= MANY; uid++) {
        const struct mailbox_message *message = mailbox_find(m, uid);
        const struct mailbox_message *copied =
            answers->copies[uid] ? mailbox_find(other, answers->copies[uid]) : NULL;
        bool has_moved = uid > COPIED && copied;
        assert_true(answers->copies[uid] == 0 || copied);
        assert_true(answers->asked[uid] || message);
        assert_false(message && (answers->removed[uid] || has_moved));
        if (message && answers->flagged[uid])
            assert_true(message->flags & MAILDIR_FLAGGED);
        if (copied && answers->flagged[uid])
            assert_true(copied->flags & MAILDIR_FLAGGED);
        left += uid > COPIED && message;
        copies += uid <= COPIED && copied;
    }
    /* What was not answered is in one of the folders. */
    assert_true(left + other->count >= MANY - COPIED + copies);
    if (answers->appended)
        assert_non_null(mailbox_find(m, answers->appended));
}

static void tell(void *owner, const char *text)
{
    (void)owner;
    print_message("check: %s\n", text);
}

static void look_afterwards(const struct box *box, const struct answers *answers)
{
    struct mailbox_checked checked;
    static const char *const names[] = {"m", "other"};
    struct mailbox *both[2];
    for (size_t i = 0; i < 2; i++) {
        both[i] = mailbox_open(box->fd, names[i], false);
        assert_non_null(both[i]);
        while (mailbox_settle(both[i], MANY))
            ;
        assert_true(mailbox_highest_modseq(both[i]) >= answers->modseq[i]);
    }
    assert_holds(both[0], both[1], answers);
    for (size_t i = 0; i < 2; i++) {
        assert_true(append(both[i]) > answers->highest[i]);
        mailbox_close(&both[i]);
        assert_true(mailbox_check(box->fd, names[i], tell, NULL, &checked));
        assert_int_equal(checked.findings, 0);
    }
}

/* ---- tests -------------------------------------------------------------------------------------
 */

static void empty(const struct box *box)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'/*", box->path);
    assert_int_equal(system(command), 0);
    assert_true(maildir_create(box->fd, "m") && maildir_create(box->fd, "other"));
}

static void fill(const struct box *box)
{
    struct mailbox *mailbox;
    for (int i = 1; i <= MANY; i++) {
        char path[64];
        snprintf(path, sizeof path, "m/cur/%d.M1P1.host:2,", 1700000000 + i);
        int fd = openat(box->fd, path, O_WRONLY | O_CREAT | O_EXCL, 0600);
        assert_true(fd >= 0 && write(fd, "a: b\r\n\r\n", 8) == 8);
        io_close(&fd);
    }
    mailbox = mailbox_open(box->fd, "m", false);
    mailbox_close(&mailbox);
    mailbox = mailbox_open(box->fd, "other", false);
    mailbox_close(&mailbox);
}

/* False: there are fewer calls. */
static bool play(const struct box *box, long at, bool goes_on)
{
    struct answers answers = {0};
    empty(box);
    fill(box);
    fault.calls = 0;
    fault.at = at;
    fault.goes_on = goes_on;
    fault.armed = true;
    struct mailbox *m = mailbox_open(box->fd, "m", false);
    struct mailbox *other = mailbox_open(box->fd, "other", false);
    if (m && other)
        work(m, other, &answers);
    mailbox_close(&m);
    mailbox_close(&other);
    fault.armed = false;
    look_afterwards(box, &answers);
    return fault.calls >= at;
}

static void one_call_fails(void **state)
{
    long at = 1;
    while (play(*state, at, false))
        at++;
    assert_true(at > MANY);
}

static void no_room_from_then_on(void **state)
{
    long at = 1;
    while (play(*state, at, true))
        at++;
    assert_true(at > MANY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_call_fails),
        TEST(no_room_from_then_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
