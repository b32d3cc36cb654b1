/* maildirrepeat - see maildirrepeat.h */
#include "maildirrepeat.h"

#include "io.h"
#include "maildir.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHUNK = 32768 };

/* `size` bytes of two files. What can't be read differs. */
static bool is_equal(int one, off_t one_at, int other, off_t other_at, uint64_t size)
{
    char left[CHUNK], right[CHUNK];
    while (size > 0) {
        size_t part = size < CHUNK ? (size_t)size : CHUNK;
        if (!io_pread_all(one, left, part, one_at) || !io_pread_all(other, right, part, other_at) ||
            memcmp(left, right, part) != 0)
            return false;
        one_at += (off_t)part;
        other_at += (off_t)part;
        size -= part;
    }
    return true;
}

/* What was never written is zeros. */
static bool is_text(int fd, uint64_t from, uint64_t to)
{
    char bytes[CHUNK];
    while (from < to) {
        size_t part = to - from < CHUNK ? (size_t)(to - from) : CHUNK;
        if (!io_pread_all(fd, bytes, part, (off_t)from) || memchr(bytes, '\0', part))
            return false;
        from += part;
    }
    return true;
}

static bool has_head(int fd, struct slice head)
{
    char bytes[CHUNK];
    return head.size <= sizeof bytes && io_pread_all(fd, bytes, head.size, 0) &&
           slice_equal(slice_of(bytes, head.size), head);
}

static bool is_whole(int fd, const struct maildirrepeat_content *content)
{
    struct stat info;
    if (fstat(fd, &info) < 0 || !S_ISREG(info.st_mode) || info.st_size < 0)
        return false;
    uint64_t size = (uint64_t)info.st_size;
    if (size < content->size || size - content->size < content->head.size)
        return false;
    uint64_t start = size - content->size;
    return has_head(fd, content->head) && is_text(fd, content->head.size, start) &&
           is_equal(fd, (off_t)start, content->fd, content->start, content->size);
}

/* What is whole is made to last before anybody relies on it. */
static bool is_durable(int folder, const char *file, const struct maildirrepeat_content *content)
{
    int fd = openat(folder, file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool whole = is_whole(fd, content);
    bool good = whole && io_sync_named_file(fd, folder);
    io_close(&fd);
    if (!whole)
        unlinkat(folder, file, 0);
    return good;
}

static bool is_in(int directory, const char *path, struct slice unique,
                  const struct maildirrepeat_content *content)
{
    bool found = false;
    int folder = openat(directory, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    int copy = folder >= 0 ? fcntl(folder, F_DUPFD_CLOEXEC, 0) : -1;
    DIR *list = copy >= 0 ? fdopendir(copy) : NULL;
    if (!list)
        io_close(&copy);
    for (struct dirent *entry; !found && list && (entry = readdir(list));) {
        struct maildir_name name;
        found = maildir_parse_name(slice_text(entry->d_name), &name) &&
                slice_equal(name.unique, unique) && is_durable(folder, entry->d_name, content);
    }
    if (list)
        closedir(list);
    io_close(&folder);
    return found;
}

bool maildirrepeat_find(int directory, const char *path, const char *id,
                        const struct maildirrepeat_content *content)
{
    static const char *const parts[] = {"new", "cur"};
    struct str unique;
    bool found = false;
    str_init(&unique, NAME_MAX);
    bool has_name = maildir_queue_unique(&unique, id, NULL);
    for (size_t i = 0; has_name && !found && i < sizeof parts / sizeof *parts; i++) {
        char folder[PATH_MAX];
        int size = snprintf(folder, sizeof folder, "%s/%s", path, parts[i]);
        found = size > 0 && (size_t)size < sizeof folder &&
                is_in(directory, folder, str_slice(&unique), content);
    }
    str_free(&unique);
    return found;
}
