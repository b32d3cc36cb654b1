/* cleanup - see cleanup.h */
#include "cleanup.h"

#include "draft.h"
#include "io.h"
#include "log.h"
#include "transfer.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

typedef bool is_stale(const struct manager_folders *folders, int folder, const char *name);

static bool is_missing(int folder, const char *name)
{
    struct stat info;
    return fstatat(folder, name, &info, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT;
}

static bool is_orphan(const struct manager_folders *folders, int folder, const char *name)
{
    (void)folder;
    return is_missing(folders->message, name) && is_missing(folders->hold, name) &&
           is_missing(folders->broken, name);
}

/* A transfer that a crash cut short: the message is in line again, and shall not be a second time. */
static bool is_in_line_too(const struct manager_folders *folders, int folder, const char *name)
{
    return transfer_is_half_done(folder, name, folders->message);
}

static void clean(const struct manager_folders *folders, int folder, const char *path,
                  is_stale *stale)
{
    int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = fd >= 0 ? fdopendir(fd) : NULL;
    if (!list) {
        log_trouble("read", path, errno, NULL);
        io_close(&fd);
        return;
    }
    for (struct dirent *entry; (entry = readdir(list));) {
        if (entry->d_name[0] == '.' || !stale(folders, folder, entry->d_name))
            continue;
        if (unlinkat(folder, entry->d_name, 0) < 0)
            log_trouble("remove", entry->d_name, errno, NULL);
        else
            log_event("cleaned", path, entry->d_name);
    }
    closedir(list);
}

void cleanup_run(const struct manager_folders *folders, int64_t now)
{
    draft_adopt_all(folders->message, now);
    clean(folders, folders->hold, "queue/hold", is_in_line_too);
    clean(folders, folders->failure, "queue/failure", is_orphan);
}
