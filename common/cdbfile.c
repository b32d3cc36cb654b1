/* cdbfile - see cdbfile.h */
#include "cdbfile.h"

#include "io.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>

bool cdbfile_open(struct cdbfile *file, int directory, const char *path)
{
    struct stat info;
    *file = (struct cdbfile){.fd = openat(directory, path, O_RDONLY | O_CLOEXEC), .opened = 1};
    if (file->fd < 0)
        return false;
    if (fstat(file->fd, &info) < 0 || cdb_init(&file->cdb, file->fd) < 0) {
        io_close(&file->fd);
        return false;
    }
    file->device = info.st_dev;
    file->inode = info.st_ino;
    file->changed = info.st_mtim;
    return true;
}

bool cdbfile_refresh(struct cdbfile *file, int directory, const char *path)
{
    struct stat info;
    if (file->fd < 0)
        return cdbfile_open(file, directory, path);
    if (fstatat(directory, path, &info, 0) < 0)
        return false;
    if (info.st_dev == file->device && info.st_ino == file->inode &&
        info.st_mtim.tv_sec == file->changed.tv_sec &&
        info.st_mtim.tv_nsec == file->changed.tv_nsec)
        return true;
    struct cdbfile fresh;
    if (!cdbfile_open(&fresh, directory, path))
        return false;
    cdbfile_close(file);
    fresh.opened += file->opened;
    *file = fresh;
    return true;
}

enum cdbfile_result cdbfile_find(struct cdbfile *file, struct slice key, struct slice *value)
{
    if (file->fd < 0 || key.size > UINT_MAX)
        return CDBFILE_TROUBLE;
    int found = cdb_find(&file->cdb, key.data, (unsigned)key.size);
    if (found == 0)
        return CDBFILE_MISSING;
    const char *data = found > 0 ? cdb_getdata(&file->cdb) : NULL;
    if (!data)
        return CDBFILE_TROUBLE;
    *value = slice_of(data, cdb_datalen(&file->cdb));
    return CDBFILE_FOUND;
}

enum cdbfile_result cdbfile_next(struct cdbfile *file, unsigned *place, struct slice *key,
                                 struct slice *value)
{
    if (file->fd < 0)
        return CDBFILE_TROUBLE;
    if (*place == 0)
        cdb_seqinit(place, &file->cdb);
    int found = cdb_seqnext(place, &file->cdb);
    if (found == 0)
        return CDBFILE_MISSING;
    const char *name = found > 0 ? cdb_getkey(&file->cdb) : NULL;
    const char *data = found > 0 ? cdb_getdata(&file->cdb) : NULL;
    if (!name || !data)
        return CDBFILE_TROUBLE;
    *key = slice_of(name, cdb_keylen(&file->cdb));
    *value = slice_of(data, cdb_datalen(&file->cdb));
    return CDBFILE_FOUND;
}

void cdbfile_close(struct cdbfile *file)
{
    if (file->fd >= 0)
        cdb_free(&file->cdb);
    io_close(&file->fd);
}
