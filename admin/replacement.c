/* replacement - see replacement.h */
#include "replacement.h"

#include "clock.h"
#include "io.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ROOM_FIRST = 16 };

static bool name_beside(const char *name, char beside[NAME_MAX + 1])
{
    int size = snprintf(beside, NAME_MAX + 1, ".%s.new", name);
    if (size >= 0 && size <= NAME_MAX)
        return true;
    errno = ENAMETOOLONG;
    return false;
}

/* ---- collecting ---- */

static bool make_room(struct replacements *replacements)
{
    size_t count = replacements->count;
    if (count > 0 && (count < ROOM_FIRST || (count & (count - 1)) != 0))
        return true;
    struct replacement *more =
        reallocarray(replacements->of, count == 0 ? ROOM_FIRST : count * 2, sizeof *more);
    if (more)
        replacements->of = more;
    return more != NULL;
}

static bool note(struct replacements *replacements, int folder, const char *name,
                 enum replacement_kind kind)
{
    if (!make_room(replacements))
        return false;
    struct replacement one = {.folder = folder, .name = strdup(name), .kind = kind};
    if (!one.name)
        return false;
    replacements->of[replacements->count++] = one;
    replacements->files += kind == REPLACEMENT_FILE;
    return true;
}

static bool fill(int fd, struct slice content, mode_t mode, uid_t owner, gid_t group)
{
    if ((owner != (uid_t)-1 || group != (gid_t)-1) && fchown(fd, owner, group) < 0)
        return false;
    /* After fchown, which clears bits, and whatever the umask was. */
    if (fchmod(fd, mode) < 0 || !io_write_all(fd, content, CLOCK_NEVER))
        return false;
    /* It begins to leave now; the sync below finds most of it done. */
    (void)!sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
    return true;
}

/* What a killed one left under this name may be somebody's descriptor: never written to again. */
static int create(int folder, const char *beside)
{
    const int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
    int fd = openat(folder, beside, flags, 0600);
    if (fd < 0 && errno == EEXIST && unlinkat(folder, beside, 0) == 0)
        fd = openat(folder, beside, flags, 0600);
    return fd;
}

static bool write_beside(int folder, const char *beside, struct slice content, mode_t mode,
                         uid_t owner, gid_t group)
{
    int fd = create(folder, beside);
    bool done = fd >= 0 && fill(fd, content, mode, owner, group);
    io_close(&fd);
    return done;
}

bool replacement_add(struct replacements *replacements, int folder, const char *name,
                     struct slice content, mode_t mode, uid_t owner, gid_t group)
{
    char beside[NAME_MAX + 1];
    if (!name_beside(name, beside))
        return false;
    if (write_beside(folder, beside, content, mode, owner, group) &&
        note(replacements, folder, name, REPLACEMENT_FILE))
        return true;
    int error = errno;
    unlinkat(folder, beside, 0);
    errno = error;
    return false;
}

bool replacement_add_folder(struct replacements *replacements, int folder, const char *name)
{
    return note(replacements, folder, name, REPLACEMENT_FOLDER);
}

bool replacement_add_removal(struct replacements *replacements, int folder, const char *name)
{
    return note(replacements, folder, name, REPLACEMENT_REMOVAL);
}

/* ---- giving up ---- */

static void undo(const struct replacement *one)
{
    char beside[NAME_MAX + 1];
    if (one->kind == REPLACEMENT_FOLDER)
        unlinkat(one->folder, one->name, AT_REMOVEDIR);
    else if (one->kind == REPLACEMENT_FILE && name_beside(one->name, beside))
        unlinkat(one->folder, beside, 0);
}

/* Those from `first` on are undone, the last one first: a folder behind what is in it. */
static void release(struct replacements *replacements, size_t first)
{
    int error = errno;
    for (size_t i = replacements->count; i-- > 0;) {
        if (i >= first)
            undo(&replacements->of[i]);
        free(replacements->of[i].name);
    }
    free(replacements->of);
    *replacements = (struct replacements){0};
    errno = error;
}

void replacement_drop(struct replacements *replacements)
{
    release(replacements, 0);
}

/* ---- all at once ---- */

static bool sync_file(const struct replacement *one)
{
    char beside[NAME_MAX + 1];
    if (!name_beside(one->name, beside))
        return false;
    int fd = openat(one->folder, beside, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    bool done = fd >= 0 && fsync(fd) == 0;
    io_close(&fd);
    return done;
}

/* Nearly always there are a few folders: what was added last is the likeliest. */
static bool is_new_folder(const struct replacements *replacements, size_t at)
{
    for (size_t i = at; i-- > 0;)
        if (replacements->of[i].folder == replacements->of[at].folder &&
            replacements->of[i].kind != REPLACEMENT_FOLDER)
            return false;
    return true;
}

static bool is_new_device(const struct replacements *replacements, size_t at, dev_t device)
{
    struct stat info;
    for (size_t i = 0; i < at; i++)
        if (is_new_folder(replacements, i) && fstat(replacements->of[i].folder, &info) == 0 &&
            info.st_dev == device)
            return false;
    return true;
}

/* One commit of the journal takes thousands of files as well as one. */
static bool sync_devices(const struct replacements *replacements)
{
    struct stat info;
    for (size_t i = 0; i < replacements->count; i++) {
        if (!is_new_folder(replacements, i))
            continue;
        int folder = replacements->of[i].folder;
        if (fstat(folder, &info) < 0 ||
            (is_new_device(replacements, i, info.st_dev) && syncfs(folder) < 0))
            return false;
    }
    return true;
}

static bool sync_files(const struct replacements *replacements)
{
    if (replacements->files > REPLACEMENT_FEW)
        return sync_devices(replacements);
    for (size_t i = 0; i < replacements->count; i++)
        if (replacements->of[i].kind == REPLACEMENT_FILE && !sync_file(&replacements->of[i]))
            return false;
    return true;
}

/* The name of a new folder. */
static bool sync_parent(const struct replacement *one)
{
    char parent[PATH_MAX];
    int size = snprintf(parent, sizeof parent, "%s/..", one->name);
    if (size < 0 || (size_t)size >= sizeof parent)
        return false;
    int fd = openat(one->folder, parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    bool done = fd >= 0 && io_sync_folder(fd);
    io_close(&fd);
    return done;
}

static bool sync_folders(const struct replacements *replacements)
{
    for (size_t i = 0; i < replacements->count; i++) {
        const struct replacement *one = &replacements->of[i];
        if (one->kind == REPLACEMENT_FOLDER
                ? !sync_parent(one)
                : is_new_folder(replacements, i) && !io_sync_folder(one->folder))
            return false;
    }
    return true;
}

static bool give_name(const struct replacement *one)
{
    char beside[NAME_MAX + 1];
    if (one->kind == REPLACEMENT_REMOVAL)
        return unlinkat(one->folder, one->name, 0) == 0 || errno == ENOENT;
    return one->kind == REPLACEMENT_FOLDER ||
           (name_beside(one->name, beside) &&
            renameat(one->folder, beside, one->folder, one->name) == 0);
}

bool replacement_commit(struct replacements *replacements, bool *begun)
{
    size_t named = 0;
    bool done = sync_files(replacements);
    while (done && named < replacements->count && give_name(&replacements->of[named]))
        named++;
    done = done && named == replacements->count && sync_folders(replacements);
    *begun = named > 0;
    release(replacements, named);
    return done;
}
