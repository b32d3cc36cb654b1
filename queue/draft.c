/* draft - see draft.h */
#include "draft.h"

#include "io.h"
#include "loaded.h"
#include "log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum { CHUNK = 65536 };

static bool is_checked(const struct loaded *loaded)
{
    unsigned char bytes[CHUNK];
    uint64_t left = loaded->file.size;
    off_t at = loaded->file.start;
    uLong check = 0;
    while (left > 0) {
        size_t part = left < sizeof bytes ? (size_t)left : sizeof bytes;
        if (!io_pread_all(loaded->fd, bytes, part, at))
            return false;
        check = crc32_z(check, bytes, part);
        at += (off_t)part;
        left -= part;
    }
    return check == loaded->file.check;
}

/* Are both names of the one file there? A rename can be on disk by half. */
static bool has_name(int folder, const char *draft, const char *id)
{
    struct stat one, other;
    return fstatat(folder, draft, &one, AT_SYMLINK_NOFOLLOW) == 0 &&
           fstatat(folder, id, &other, AT_SYMLINK_NOFOLLOW) == 0 && one.st_dev == other.st_dev &&
           one.st_ino == other.st_ino;
}

static void log_draft(const char *event, const char *id)
{
    struct log_line line;
    log_begin(&line, event);
    log_text(&line, "id", id);
    log_end(&line);
}

/* The message is whole: from now on it is in the queue. */
static void adopt(int folder, const char *draft, const char *id, const struct loaded *loaded)
{
    if (has_name(folder, draft, id)) {
        if (unlinkat(folder, draft, 0) < 0)
            log_trouble("remove", draft, errno, "look at queue/message");
        return;
    }
    /* It may be seen before queue-inject has synced it. */
    if (!io_sync_named_file(loaded->fd, folder) ||
        renameat2(folder, draft, folder, id, RENAME_NOREPLACE) < 0)
        log_trouble("take over", draft, errno, "look at the queue's disk; start queued again");
    else
        log_draft("adopted", id);
}

static bool is_abandoned(int folder, const char *draft, int64_t now)
{
    struct stat info;
    return fstatat(folder, draft, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
           now - (int64_t)info.st_mtime > DRAFT_AGE_MAX;
}

static void take(int folder, const char *id, int64_t now)
{
    char draft[QUEUEFILE_ID_SIZE + 2];
    struct loaded *loaded;
    queuefile_draft_name(id, draft);
    enum loaded_result result = loaded_open_draft(folder, id, &loaded);
    if (result == LOADED_OK && is_checked(loaded))
        adopt(folder, draft, id, loaded);
    else if (is_abandoned(folder, draft, now) && unlinkat(folder, draft, 0) == 0)
        log_draft("cleaned", id);
    loaded_close(&loaded);
}

void draft_adopt_all(int folder, int64_t now)
{
    int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = fd >= 0 ? fdopendir(fd) : NULL;
    if (!list) {
        log_trouble("read", "queue/message", errno, NULL);
        io_close(&fd);
        return;
    }
    for (struct dirent *entry; (entry = readdir(list));)
        if (entry->d_name[0] == '.' && queuefile_is_id(slice_text(entry->d_name + 1)))
            take(folder, entry->d_name + 1, now);
    closedir(list);
}
