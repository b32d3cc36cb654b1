/* tempfolder - see tempfolder.h */
#include "tempfolder.h"

#include "clock.h"
#include "io.h"
#include "log.h"
#include "number.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { WALK_FDS = 16, PROBE_BYTES = 4096 };

void tempfolder_name(pid_t pid, char path[TEMPFOLDER_PATH_MAX])
{
    snprintf(path, TEMPFOLDER_PATH_MAX, TEMPFOLDER_BASE "/%d", (int)pid);
}

bool tempfolder_make_base(uid_t owner)
{
    if (mkdir(TEMPFOLDER_BASE, 0700) < 0 && errno != EEXIST)
        return false;
    return geteuid() != 0 || lchown(TEMPFOLDER_BASE, owner, owner) == 0;
}

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *where)
{
    (void)info;
    (void)type;
    (void)where;
    return remove(path);
}

bool tempfolder_remove(const char *path)
{
    return nftw(path, remove_entry, WALK_FDS, FTW_DEPTH | FTW_PHYS) == 0 || errno == ENOENT;
}

bool tempfolder_make(const char *path)
{
    return tempfolder_remove(path) && mkdir(path, 0700) == 0;
}

static bool is_alive(struct slice name)
{
    unsigned pid;
    /* What is named otherwise is not ours to remove. */
    return !number_parse_unsigned(name, INT32_MAX, &pid) || kill((pid_t)pid, 0) == 0 ||
           errno != ESRCH;
}

void tempfolder_remove_stale(void)
{
    DIR *base = opendir(TEMPFOLDER_BASE);
    struct dirent *entry;
    while (base && (entry = readdir(base))) {
        char path[sizeof TEMPFOLDER_BASE + sizeof entry->d_name];
        if (is_alive(slice_text(entry->d_name)))
            continue;
        snprintf(path, sizeof path, TEMPFOLDER_BASE "/%s", entry->d_name);
        if (!tempfolder_remove(path))
            log_trouble("remove", path, errno, "remove it by hand");
    }
    if (base)
        closedir(base);
}

/* statvfs knows nothing of quotas, and a mount may have become read-only: try. */
static bool can_write(const char *path)
{
    static const char page[PROBE_BYTES];
    char probe[TEMPFOLDER_PATH_MAX + sizeof "/probe"];
    snprintf(probe, sizeof probe, "%s/probe", path);
    int fd = open(probe, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return false;
    bool written = io_write_all(fd, slice_of(page, sizeof page), CLOCK_NEVER);
    int error = errno;
    io_close(&fd);
    unlink(probe);
    errno = error;
    return written;
}

bool tempfolder_is_usable(const char *path, uint64_t message_size)
{
    struct statvfs info;
    if (statvfs(path, &info) < 0)
        return false;
    uint64_t need =
        message_size > UINT64_MAX / 4 ? UINT64_MAX : message_size * 2 + TEMPFOLDER_SPARE_BYTES;
    /* File systems without a fixed number of files tell 0 of 0. */
    bool has_files = info.f_files == 0 || info.f_favail >= TEMPFOLDER_SPARE_FILES;
    if (info.f_bavail < need / (info.f_frsize ? info.f_frsize : 1) + 1 || !has_files) {
        errno = ENOSPC;
        return false;
    }
    return can_write(path);
}
