/* purge - see purge.h */
#include "purge.h"

#include "folders.h"
#include "io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* The names are listed first, so that mail which arrives meanwhile stays. */
static bool purge_folder(int maildir, const char *name, size_t *removed)
{
    struct folders_names names;
    if (!folders_list(maildir, name, &names))
        return errno == ENOTDIR;
    int folder = openat(maildir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    bool done = folder >= 0 || names.count == 0;
    for (size_t i = 0; done && i < names.count; i++) {
        bool gone = unlinkat(folder, names.of[i], 0) == 0;
        *removed += gone;
        /* Renamed by a session meanwhile, or a folder that somebody put there: let it be. */
        done = gone || errno == ENOENT || errno == EISDIR;
    }
    if (folder >= 0)
        done = io_sync_folder(folder) && done;
    int error = errno;
    folders_names_free(&names);
    io_close(&folder);
    errno = error;
    return done;
}

static bool purge_one(int maildir, size_t *removed)
{
    return purge_folder(maildir, "new", removed) && purge_folder(maildir, "cur", removed);
}

/* Maildir++: folders are named ".Name" beside cur and new. */
static bool purge_subfolders(int maildir, size_t *removed)
{
    int copy = openat(maildir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *open = copy < 0 ? NULL : fdopendir(copy);
    if (!open) {
        io_close(&copy);
        return false;
    }
    bool done = true;
    struct dirent *entry;
    while (done && (entry = readdir(open))) {
        if (entry->d_name[0] != '.' || strcmp(entry->d_name, ".") == 0 ||
            strcmp(entry->d_name, "..") == 0)
            continue;
        int folder =
            openat(maildir, entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        if (folder < 0)
            continue;
        done = purge_one(folder, removed);
        io_close(&folder);
    }
    int error = errno;
    closedir(open);
    errno = error;
    return done;
}

bool purge_maildir(int directory, const char *path, uid_t uid, size_t *removed)
{
    if (!folders_act_as(uid))
        return folders_act_as_root() && false;
    int maildir = openat(directory, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    bool done = maildir < 0 && errno == ENOENT;
    if (maildir >= 0)
        done = purge_one(maildir, removed) && purge_subfolders(maildir, removed);
    int error = errno;
    io_close(&maildir);
    bool back = folders_act_as_root();
    errno = error;
    return done && back;
}
