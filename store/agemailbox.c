/* agemailbox - see agemailbox.h */
#include "agemailbox.h"

#include "foldertree.h"
#include "mailbox.h"

#include <errno.h>
#include <fcntl.h>

enum { DAY_S = 24 * 60 * 60 };

typedef int64_t date_of(const struct mailbox *mailbox, const struct mailbox_message *message);

/* What happens to the messages of one folder. */
struct task {
    const struct agemailbox *work;
    struct mailbox *from;
    struct mailbox *to; /* NULL: they are removed */
    date_of *begin;     /* when a message's days began; 0: nobody knows, and it stays */
    int64_t before;     /* seconds since 1970: what began earlier is due */
    uint64_t *count, *bytes;
};

static bool fail(struct agemailbox *work, const char *trouble)
{
    work->trouble = trouble;
    return false;
}

static int64_t received(const struct mailbox *mailbox, const struct mailbox_message *message)
{
    (void)mailbox;
    return message->date;
}

static bool is_due(const struct task *task, const struct mailbox_message *message)
{
    int64_t begin = message->gone ? 0 : task->begin(task->from, message);
    return begin > 0 && begin < task->before;
}

/* Most nights nothing is due but what came within a day: this is all that is done then. */
static size_t next_due(const struct task *task, size_t at)
{
    while (at < task->from->count && !is_due(task, &task->from->messages[at]))
        at++;
    return at;
}

static void count(const struct task *task, uint64_t size)
{
    ++*task->count;
    *task->bytes += size;
}

/* One that is gone meanwhile is nobody's trouble. */
static bool act(const struct task *task, struct mailbox_message *message)
{
    uint32_t uid;
    uint64_t size = message->size;
    bool done = task->to ? mailbox_copy(task->from, message, task->to, true, &uid)
                         : mailbox_remove(task->from, message);
    if (done)
        count(task, size);
    return done || errno == ENOENT;
}

/* Under the lock: from *at on till the batch is full. */
static bool act_on_batch(const struct task *task, size_t *at)
{
    bool done = mailbox_sync(task->from);
    size_t acted = 0;
    for (*at = next_due(task, *at); done && acted < AGEMAILBOX_BATCH && *at < task->from->count;
         *at = next_due(task, *at + 1), acted++)
        done = act(task, &task->from->messages[*at]);
    return done;
}

static bool act_under_lock(const struct task *task, size_t *at)
{
    if (!(task->to ? mailbox_lock_both(task->from, task->to) : mailbox_lock(task->from)))
        return false;
    bool done = act_on_batch(task, at);
    int error = errno;
    bool unlocked =
        task->to ? mailbox_unlock_both(task->from, task->to) : mailbox_unlock(task->from);
    if (!done)
        errno = error;
    return done && unlocked;
}

static bool act_on_all(const struct task *task, size_t first)
{
    for (size_t at = first; at < task->from->count; at = next_due(task, at)) {
        if (!task->work->goes_on(task->work->owner))
            return true;
        if (!act_under_lock(task, &at))
            return false;
        while (mailbox_settle(task->from, AGEMAILBOX_BATCH))
            ;
    }
    return true;
}

static bool count_all(const struct task *task, size_t first)
{
    for (size_t at = first; at < task->from->count; at = next_due(task, at + 1))
        count(task, task->from->messages[at].size);
    return true;
}

/* ---- INBOX -------------------------------------------------------------------------------------
 */

static bool move_to_archive(struct agemailbox *work, struct task *task, size_t first)
{
    struct imapfolder archive;
    unsigned bits;
    if (!foldertree_provide_use(SPECIALUSE_ARCHIVE, &archive, &bits))
        return fail(work, "the archive folder can't be made");
    if (imapfolder_is_inbox(&archive))
        return true;
    task->to = mailbox_open_to_fill(AT_FDCWD, archive.path);
    bool done =
        task->to ? act_on_all(task, first) : fail(work, "the archive folder can't be opened");
    if (!done && !work->trouble)
        work->trouble = "INBOX can't be archived";
    int error = errno;
    mailbox_close(&task->to);
    errno = error;
    return done;
}

/* To have it open takes nothing from sessions: what is new stays so for who selects INBOX next. */
static struct mailbox *open_folder(const struct agemailbox *work, const char *path)
{
    return work->only_looks ? mailbox_open(AT_FDCWD, path, true)
                            : mailbox_open_to_tend(AT_FDCWD, path);
}

static bool archive(struct agemailbox *work)
{
    struct task task = {.work = work,
                        .from = open_folder(work, IMAPFOLDER_ROOT),
                        .begin = received,
                        .before = work->now - (int64_t)work->days.archive * DAY_S,
                        .count = &work->result.archived,
                        .bytes = &work->result.archived_bytes};
    if (!task.from)
        return errno == ENOENT || fail(work, "INBOX can't be opened");
    size_t first = next_due(&task, 0);
    bool done = true;
    if (work->only_looks)
        done = count_all(&task, first);
    else if (first < task.from->count)
        done = move_to_archive(work, &task, first);
    int error = errno;
    mailbox_close(&task.from);
    errno = error;
    return done;
}

/* ---- the trash ---------------------------------------------------------------------------------
 */

static bool remove_from(struct agemailbox *work, const char *path)
{
    struct task task = {.work = work,
                        .from = open_folder(work, path),
                        .begin = mailbox_save_date,
                        .before = work->now - (int64_t)work->days.trash * DAY_S,
                        .count = &work->result.deleted,
                        .bytes = &work->result.deleted_bytes};
    if (!task.from)
        return errno == ENOENT || fail(work, "the trash folder can't be opened");
    size_t first = next_due(&task, 0);
    bool done = work->only_looks ? count_all(&task, first) : act_on_all(&task, first);
    int error = errno;
    mailbox_close(&task.from);
    errno = error;
    return done || fail(work, "the trash folder can't be emptied");
}

static bool empty_trash(struct agemailbox *work)
{
    struct imapfolder trash;
    unsigned bits;
    if (!foldertree_find_use(SPECIALUSE_TRASH, &trash, &bits))
        return errno == ENOENT || fail(work, "the folders can't be listed");
    if (imapfolder_is_inbox(&trash) || bits & 1u << SPECIALUSE_ARCHIVE)
        return true;
    return remove_from(work, trash.path);
}

bool agemailbox_run(struct agemailbox *work)
{
    work->result = (struct ageing_result){0};
    work->trouble = NULL;
    /* One half that fails does not keep the other from being done. */
    bool archived = work->days.archive == 0 || archive(work);
    int error = errno;
    bool emptied = work->days.trash == 0 || empty_trash(work);
    if (!archived)
        errno = error;
    return archived && emptied;
}
