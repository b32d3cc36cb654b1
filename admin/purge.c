/* purge - see purge.h */
#include "purge.h"

#include "folders.h"
#include "mailbox.h"
#include "maildirsize.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BATCH = 64 };

/* A folder, and the UID that none of the messages there had when the purge began. */
struct target {
    char path[NAME_MAX + 1];
    uint32_t end;
};

struct targets {
    struct target *of;
    size_t count, room;
};

static bool add_target(struct targets *targets, const char *path, uint32_t end)
{
    if (targets->count == targets->room) {
        size_t room = targets->room ? targets->room * 2 : 16;
        struct target *grown = reallocarray(targets->of, room, sizeof *grown);
        if (!grown)
            return false;
        targets->of = grown;
        targets->room = room;
    }
    struct target *target = &targets->of[targets->count++];
    snprintf(target->path, sizeof target->path, "%s", path);
    target->end = end;
    return true;
}

/* One that was deleted meanwhile is no folder any more. */
static bool look_at(struct purge *purge, int maildir, const char *path, struct targets *targets)
{
    struct mailbox *mailbox =
        purge->only_looks ? mailbox_open(maildir, path, true) : mailbox_open_to_tend(maildir, path);
    if (!mailbox)
        return errno == ENOENT;
    if (purge->only_looks) {
        purge->messages += mailbox->totals.messages;
        purge->bytes += mailbox->totals.bytes;
    }
    bool done = add_target(targets, path, mailbox->uidnext);
    mailbox_close(&mailbox);
    return done;
}

/* ".Work" is a folder; "..removed-1" is one on its way out. */
static bool is_folder(int maildir, const char *name)
{
    char cur[NAME_MAX + sizeof "/cur"];
    struct stat info;
    snprintf(cur, sizeof cur, "%s/cur", name);
    return name[0] == '.' && name[1] != '\0' && name[1] != '.' &&
           fstatat(maildir, cur, &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(info.st_mode);
}

static bool look_at_all(struct purge *purge, int maildir, struct targets *targets)
{
    int copy = openat(maildir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *open = copy < 0 ? NULL : fdopendir(copy);
    struct dirent *entry;
    if (!open)
        return false;
    bool done = look_at(purge, maildir, ".", targets);
    while (done && (entry = readdir(open)))
        if (is_folder(maildir, entry->d_name))
            done = look_at(purge, maildir, entry->d_name, targets);
    int error = errno;
    closedir(open);
    errno = error;
    return done;
}

/* Under the lock: a batch from *at on. */
static bool remove_batch(struct purge *purge, struct mailbox *mailbox, uint32_t end, size_t *at)
{
    size_t removed = 0;
    for (; removed < BATCH && *at < mailbox->count && mailbox->messages[*at].uid < end; ++*at) {
        struct mailbox_message *message = &mailbox->messages[*at];
        uint64_t size = message->size;
        if (message->gone)
            continue;
        if (!mailbox_remove(mailbox, message))
            return false;
        purge->messages++;
        purge->bytes += size;
        removed++;
    }
    return true;
}

static bool empty(struct purge *purge, struct mailbox *mailbox, uint32_t end)
{
    size_t at = 0;
    while (at < mailbox->count && mailbox->messages[at].uid < end) {
        if (!mailbox_lock(mailbox))
            return false;
        bool done = mailbox_sync(mailbox) && remove_batch(purge, mailbox, end, &at);
        int error = errno;
        bool unlocked = mailbox_unlock(mailbox);
        if (!done)
            errno = error;
        if (!done || !unlocked)
            return false;
        while (mailbox_settle(mailbox, BATCH))
            ;
    }
    return true;
}

static bool empty_target(struct purge *purge, int maildir, const struct target *target)
{
    struct mailbox *mailbox = mailbox_open_to_tend(maildir, target->path);
    if (!mailbox)
        return errno == ENOENT;
    bool done = empty(purge, mailbox, target->end);
    int error = errno;
    mailbox_close(&mailbox);
    errno = error;
    return done;
}

bool purge_maildir(struct purge *purge, int maildir)
{
    struct targets targets = {0};
    purge->messages = purge->bytes = 0;
    bool done = look_at_all(purge, maildir, &targets);
    for (size_t i = 0; done && !purge->only_looks && i < targets.count; i++)
        done = empty_target(purge, maildir, &targets.of[i]);
    /* What is left is counted anew when it is asked for. */
    if (!purge->only_looks)
        maildirsize_forget(maildir);
    int error = errno;
    free(targets.of);
    errno = error;
    return done;
}
