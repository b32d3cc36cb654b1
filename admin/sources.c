/* sources - see sources.h */
#include "sources.h"

#include "clock.h"
#include "io.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LOCK_POLL_MS = 50 };

void sources_init(struct sources *sources, int folder)
{
    sources->folder = folder;
    sources->lock = -1;
    sources->count = 0;
}

void sources_free(struct sources *sources)
{
    for (size_t i = 0; i < sources->count; i++)
        str_free(&sources->changes[i].content);
    sources->count = 0;
    io_close(&sources->lock);
}

bool sources_lock(struct sources *sources, int64_t ms)
{
    int64_t deadline = clock_deadline(ms);
    sources->lock =
        openat(sources->folder, ".lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (sources->lock < 0)
        return false;
    while (flock(sources->lock, LOCK_EX | LOCK_NB) < 0) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return false;
        if (clock_left(deadline) == 0) {
            errno = ETIMEDOUT;
            return false;
        }
        poll(NULL, 0, LOCK_POLL_MS);
    }
    return true;
}

static const struct sources_change *find_change(const struct sources *sources, const char *path)
{
    for (size_t i = 0; i < sources->count; i++)
        if (strcmp(sources->changes[i].path, path) == 0)
            return &sources->changes[i];
    return NULL;
}

enum sources_result sources_read(const struct sources *sources, const char *path,
                                 struct str *content)
{
    const struct sources_change *change = find_change(sources, path);
    if (change && change->is_removal)
        return SOURCES_MISSING;
    if (change)
        return str_append(content, str_slice(&change->content)) ? SOURCES_READ : SOURCES_TROUBLE;
    if (io_read_file(sources->folder, path, content))
        return SOURCES_READ;
    return errno == ENOENT ? SOURCES_MISSING : SOURCES_TROUBLE;
}

bool sources_lines(const struct sources *sources, const char *path, struct findings *findings,
                   struct control_lines *lines, bool *missing)
{
    *lines = (struct control_lines){0};
    str_init(&lines->content, SOURCES_FILE_MAX);
    enum sources_result result = sources_read(sources, path, &lines->content);
    if (missing)
        *missing = result == SOURCES_MISSING;
    if (result == SOURCES_TROUBLE) {
        char name[PATH_MAX + 16];
        int error = errno;
        snprintf(name, sizeof name, "control/%s", path);
        control_lines_free(lines);
        errno = error;
        findings_trouble(findings, name, "read it");
        return false;
    }
    lines->rest = str_slice(&lines->content);
    return true;
}

bool sources_has_domain(const struct sources *sources, const char *name)
{
    char path[PATH_MAX];
    struct stat info;
    snprintf(path, sizeof path, "domains/%s", name);
    if (fstatat(sources->folder, path, &info, 0) == 0)
        return S_ISDIR(info.st_mode);
    snprintf(path, sizeof path, "domains/%s/uid", name);
    return find_change(sources, path) != NULL;
}

/* The name in the folder `path` of a file that is about to change; NULL: it is elsewhere. */
static const char *name_in(const char *path, const char *changed)
{
    size_t size = strlen(path);
    if (strncmp(changed, path, size) != 0 || changed[size] != '/' ||
        strchr(changed + size + 1, '/'))
        return NULL;
    return changed + size + 1;
}

bool sources_list(const struct sources *sources, const char *path, struct folders_names *names)
{
    if (!folders_list(sources->folder, path, names))
        return false;
    for (size_t i = 0; i < sources->count; i++) {
        const char *name = name_in(path, sources->changes[i].path);
        if (name && sources->changes[i].is_removal)
            folders_names_remove(names, name);
        else if (name && !folders_names_add(names, name))
            return false;
    }
    return true;
}

/* The change of that file, new or made before. NULL: there are too many. */
static struct sources_change *make_change(struct sources *sources, const char *path)
{
    for (size_t i = 0; i < sources->count; i++)
        if (strcmp(sources->changes[i].path, path) == 0)
            return &sources->changes[i];
    struct sources_change *change = &sources->changes[sources->count];
    if (sources->count == SOURCES_CHANGES_MAX ||
        !slice_copy_text(slice_text(path), change->path, sizeof change->path))
        return NULL;
    str_init(&change->content, SOURCES_FILE_MAX);
    sources->count++;
    return change;
}

bool sources_change(struct sources *sources, const char *path, struct slice content)
{
    struct sources_change *change = make_change(sources, path);
    if (!change)
        return false;
    change->is_removal = false;
    str_clear(&change->content);
    return str_append(&change->content, content);
}

bool sources_remove(struct sources *sources, const char *path)
{
    struct sources_change *change = make_change(sources, path);
    if (change)
        change->is_removal = true;
    return change != NULL;
}

/* Opens the folder that `path` is in, and makes it if it is a new domain's. */
static int open_parent(const struct sources *sources, const char *path, const char **name)
{
    const char *slash = strrchr(path, '/');
    if (!slash) {
        *name = path;
        return fcntl(sources->folder, F_DUPFD_CLOEXEC, 0);
    }
    char parent[PATH_MAX];
    if (!slice_copy_text(slice_of(path, (size_t)(slash - path)), parent, sizeof parent)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    *name = slash + 1;
    if (mkdirat(sources->folder, parent, 0700) < 0 && errno != EEXIST)
        return -1;
    return openat(sources->folder, parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
}

static bool write_change(const struct sources *sources, const struct sources_change *change)
{
    struct stat info;
    const char *name;
    int parent = open_parent(sources, change->path, &name);
    if (parent < 0)
        return false;
    /* Below domains/, where hashes are, nobody but root; the host's files are for all to read. */
    mode_t mode = strchr(change->path, '/') ? 0600 : 0644;
    if (fstatat(parent, name, &info, AT_SYMLINK_NOFOLLOW) == 0)
        mode = info.st_mode & 0777;
    bool done = change->is_removal
                    ? (unlinkat(parent, name, 0) == 0 || errno == ENOENT) && io_sync_folder(parent)
                    : io_replace_file(parent, name, str_slice(&change->content), mode, (uid_t)-1,
                                      (gid_t)-1);
    io_close(&parent);
    return done;
}

bool sources_write(struct sources *sources, struct findings *findings)
{
    for (size_t i = 0; i < sources->count; i++) {
        if (write_change(sources, &sources->changes[i]))
            continue;
        char name[PATH_MAX + 16];
        snprintf(name, sizeof name, "control/%s", sources->changes[i].path);
        findings_trouble(findings, name, "write it");
        return false;
    }
    return true;
}
