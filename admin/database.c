/* database - see database.h */
#include "database.h"

#include "io.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static void note_failure(struct database *database)
{
    if (!database->error)
        database->error = errno ? errno : EIO;
}

void database_begin(struct database *database)
{
    *database = (struct database){.fd = memfd_create("cdb", MFD_CLOEXEC)};
    if (database->fd < 0 || cdb_make_start(&database->make, database->fd) < 0)
        note_failure(database);
}

void database_add(struct database *database, struct slice key, struct slice value)
{
    if (database->error)
        return;
    if (key.size > UINT_MAX || value.size > UINT_MAX) {
        errno = EFBIG;
        note_failure(database);
        return;
    }
    /* tinycdb refuses to pass 4 GiB: ENOMEM. */
    if (cdb_make_add(&database->make, key.data, (unsigned)key.size, value.data,
                     (unsigned)value.size) < 0)
        note_failure(database);
}

void database_drop(struct database *database)
{
    /* tinycdb frees its tables at the end only. */
    if (database->fd >= 0 && cdb_make_finish(&database->make) < 0)
        note_failure(database);
    io_close(&database->fd);
}

/* The whole file as a map; empty slice when it can't be had. */
static struct slice map(int fd)
{
    struct stat info;
    if (fd < 0 || fstat(fd, &info) < 0 || info.st_size <= 0)
        return slice_of(NULL, 0);
    void *bytes = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_SHARED, fd, 0);
    return bytes == MAP_FAILED ? slice_of(NULL, 0) : slice_of(bytes, (size_t)info.st_size);
}

static void unmap(struct slice bytes)
{
    if (bytes.size > 0)
        munmap((void *)(uintptr_t)bytes.data, bytes.size);
}

static bool is_as_wanted(int fd, mode_t mode, uid_t owner, gid_t group)
{
    struct stat info;
    return fstat(fd, &info) == 0 && (info.st_mode & 07777) == mode &&
           (owner == (uid_t)-1 || info.st_uid == owner) &&
           (group == (gid_t)-1 || info.st_gid == group);
}

static bool is_there(int folder, const char *name, struct slice content, mode_t mode, uid_t owner,
                     gid_t group)
{
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return false;
    struct slice old = map(fd);
    bool same = slice_equal(old, content) && is_as_wanted(fd, mode, owner, group);
    unmap(old);
    io_close(&fd);
    return same;
}

bool database_commit(struct database *database, struct replacements *replacements, int folder,
                     const char *name, mode_t mode, uid_t owner, gid_t group)
{
    errno = 0;
    if (database->fd < 0 || cdb_make_finish(&database->make) < 0)
        note_failure(database);
    struct slice content = database->error ? slice_of(NULL, 0) : map(database->fd);
    if (!database->error && content.size == 0)
        note_failure(database);
    bool same = content.size > 0 && is_there(folder, name, content, mode, owner, group);
    bool done = same || (content.size > 0 &&
                         replacement_add(replacements, folder, name, content, mode, owner, group));
    int error = database->error ? database->error : errno;
    unmap(content);
    io_close(&database->fd);
    errno = error;
    return done;
}
