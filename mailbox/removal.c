/* removal - see removal.h */
#include "removal.h"

#include "io.h"
#include "slice.h"
#include "tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PREFIX ".removing-"
enum { MARK_MODE = 0400 };

static bool name_of(const char *local, char name[NAME_MAX + 1])
{
    int size = snprintf(name, NAME_MAX + 1, PREFIX "%s", local);
    if (size > 0 && size <= NAME_MAX)
        return true;
    errno = ENAMETOOLONG;
    return false;
}

/* 0: nothing is there. */
static mode_t kind_of(int domain, const char *name)
{
    struct stat info;
    return fstatat(domain, name, &info, AT_SYMLINK_NOFOLLOW) < 0 ? 0 : info.st_mode & S_IFMT;
}

/* Another file in a mailbox's place is somebody's mistake. */
static bool find_mark(int domain, const char *local, int64_t *time)
{
    struct stat info;
    if (fstatat(domain, local, &info, AT_SYMLINK_NOFOLLOW) < 0 ||
        info.st_mode != (S_IFREG | MARK_MODE) || info.st_size > 0)
        return false;
    *time = (int64_t)info.st_mtim.tv_sec;
    return true;
}

static bool make_file(int domain, const char *name)
{
    int fd = openat(domain, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, MARK_MODE);
    bool done = fd >= 0;
    io_close(&fd);
    return done;
}

bool removal_begin(int domain, const char *local)
{
    char name[NAME_MAX + 1];
    return name_of(local, name) && tree_remove(domain, name) && make_file(domain, name) &&
           io_sync_folder(domain);
}

bool removal_give_up(int domain, const char *local)
{
    char name[NAME_MAX + 1];
    return name_of(local, name) && (kind_of(domain, name) != S_IFREG ||
                                    (unlinkat(domain, name, 0) == 0 && io_sync_folder(domain)));
}

bool removal_is_begun(int domain, const char *local)
{
    char name[NAME_MAX + 1];
    return name_of(local, name) && kind_of(domain, name) != 0;
}

/* Where the file system can't exchange: between the two there is no mailbox, and one may be made. */
static bool exchange_in_steps(int domain, const char *name, const char *local)
{
    return unlinkat(domain, name, 0) == 0 && renameat(domain, local, domain, name) == 0 &&
           make_file(domain, local);
}

/* The mark and the mailbox change places; where there is no mailbox, the mark takes its place. */
static bool exchange(int domain, const char *name, const char *local)
{
    (void)utimensat(domain, name, NULL, AT_SYMLINK_NOFOLLOW);
    if (renameat2(domain, name, domain, local, RENAME_EXCHANGE) == 0)
        return true;
    if (errno == ENOENT)
        return renameat2(domain, name, domain, local, RENAME_NOREPLACE) == 0;
    return errno == EINVAL && exchange_in_steps(domain, name, local);
}

bool removal_finish(int domain, const char *local)
{
    char name[NAME_MAX + 1];
    if (!name_of(local, name))
        return false;
    mode_t kind = kind_of(domain, name);
    /* Accounts may come by the thousand, and to sync nothing waits for others' data, too. */
    if (kind == 0 && errno == ENOENT)
        return true;
    /* Only a file says that they have not changed places yet. */
    if (kind == S_IFREG && !(exchange(domain, name, local) && io_sync_folder(domain)))
        return false;
    return tree_remove(domain, name) && io_sync_folder(domain);
}

bool removal_is_marked(int domain, const char *local)
{
    int64_t time;
    return find_mark(domain, local, &time);
}

bool removal_unmark(int domain, const char *local)
{
    return !removal_is_marked(domain, local) || unlinkat(domain, local, 0) == 0 || errno == ENOENT;
}

/* A time that lies ahead was given before the clock was set back. */
static bool is_old(int64_t time, int64_t now)
{
    return now - time >= REMOVAL_MARK_S || time - now >= REMOVAL_MARK_S;
}

bool removal_unmark_old(int domain, const char *local, int64_t now)
{
    int64_t time;
    return find_mark(domain, local, &time) && is_old(time, now) && unlinkat(domain, local, 0) == 0;
}

/* A mark that was begun with and not acted on is left to whoever began. */
static bool sweep_name(int domain, const char *name, int64_t now)
{
    if (slice_starts(slice_text(name), SLICE(PREFIX)))
        return kind_of(domain, name) != S_IFDIR || tree_remove(domain, name);
    if (name[0] != '.')
        (void)removal_unmark_old(domain, name, now);
    return true;
}

bool removal_sweep(int domain, int64_t now)
{
    int copy = openat(domain, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *open = copy < 0 ? NULL : fdopendir(copy);
    if (!open) {
        io_close(&copy);
        return false;
    }
    bool done = true;
    struct dirent *entry;
    while ((entry = readdir(open)))
        done = sweep_name(domain, entry->d_name, now) && done;
    closedir(open);
    return done;
}
