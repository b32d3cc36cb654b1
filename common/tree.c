/* tree - see tree.h */
#include "tree.h"

#include "io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { DEPTH_MAX = 64, TRIES_MAX = 100 };

static bool remove_name(int directory, const char *name, int depth);

static bool remove_content(int fd, int depth)
{
    int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *open = copy < 0 ? NULL : fdopendir(copy);
    if (!open) {
        io_close(&copy);
        return false;
    }
    bool good = true;
    struct dirent *entry;
    while (good && (entry = readdir(open)))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            good = remove_name(fd, entry->d_name, depth);
    int error = errno;
    closedir(open);
    errno = error;
    return good;
}

/* Somebody may be writing there still. */
static bool remove_folder(int directory, const char *name, int fd, int depth)
{
    for (int tries = 0; tries < TRIES_MAX; tries++) {
        if (!remove_content(fd, depth))
            return false;
        if (unlinkat(directory, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
            return true;
        if (errno != ENOTEMPTY && errno != EEXIST)
            return false;
    }
    return false;
}

static bool remove_name(int directory, const char *name, int depth)
{
    if (unlinkat(directory, name, 0) == 0 || errno == ENOENT)
        return true;
    if (errno != EISDIR && errno != EPERM)
        return false;
    if (depth == DEPTH_MAX) {
        errno = ELOOP;
        return false;
    }
    int fd = openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT;
    bool done = remove_folder(directory, name, fd, depth + 1);
    io_close(&fd);
    return done;
}

bool tree_remove(int directory, const char *name)
{
    return remove_name(directory, name, 0);
}

bool tree_remove_content(int folder)
{
    return remove_content(folder, 0);
}
