/* transfer - see transfer.h */
#include "transfer.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

bool transfer_is_half_done(int from, const char *name, int to)
{
    struct stat old, new;
    return fstatat(from, name, &old, AT_SYMLINK_NOFOLLOW) == 0 &&
           fstatat(to, name, &new, AT_SYMLINK_NOFOLLOW) == 0 &&
           old.st_dev == new.st_dev &&old.st_ino == new.st_ino;
}

bool transfer_file(int from, const char *name, int to)
{
    bool is_linked = linkat(from, name, to, name, 0) == 0;
    if (!is_linked && (errno != EEXIST || !transfer_is_half_done(from, name, to)))
        return false;
    if (fsync(to) == 0)
        return unlinkat(from, name, 0) == 0 || errno == ENOENT;
    int error = errno;
    unlinkat(to, name, 0);
    errno = error;
    return false;
}
