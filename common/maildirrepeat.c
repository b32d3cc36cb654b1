/* maildirrepeat - see maildirrepeat.h */
#include "maildirrepeat.h"

#include "io.h"
#include "maildir.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* A power cut may have left the name and not the bytes: then it has not the size it names. What is
 * whole is made to last before anybody relies on it. */
static bool is_durable(int folder, const char *file, uint64_t size)
{
    struct stat info;
    int fd = openat(folder, file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    bool good = fd >= 0 && fstat(fd, &info) == 0 && S_ISREG(info.st_mode) &&
                (uint64_t)info.st_size == size && fsync(fd) == 0 && io_sync_folder(folder);
    io_close(&fd);
    return good;
}

static bool is_in(int directory, const char *path, struct slice unique)
{
    bool found = false;
    int folder = openat(directory, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    int copy = folder >= 0 ? fcntl(folder, F_DUPFD_CLOEXEC, 0) : -1;
    DIR *list = copy >= 0 ? fdopendir(copy) : NULL;
    if (!list)
        io_close(&copy);
    for (struct dirent *entry; !found && list && (entry = readdir(list));) {
        struct maildir_name name;
        found = maildir_parse_name(slice_text(entry->d_name), &name) && name.has_size &&
                slice_equal(name.unique, unique) && is_durable(folder, entry->d_name, name.size);
    }
    if (list)
        closedir(list);
    io_close(&folder);
    return found;
}

bool maildirrepeat_find(int directory, const char *path, const char *id)
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
                is_in(directory, folder, str_slice(&unique));
    }
    str_free(&unique);
    return found;
}
