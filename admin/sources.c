/* sources - see sources.h */
#include "sources.h"

#include "clock.h"
#include "io.h"
#include "number.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
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
    sources->seen = NULL;
}

static void free_seen(struct sources *sources)
{
    while (sources->seen && *sources->seen) {
        struct sources_seen *seen = *sources->seen;
        *sources->seen = seen->next;
        free(seen);
    }
    free(sources->seen);
    sources->seen = NULL;
}

void sources_free(struct sources *sources)
{
    for (size_t i = 0; i < sources->count; i++) {
        str_free(&sources->changes[i].content);
        io_close(&sources->changes[i].parent);
    }
    sources->count = 0;
    free_seen(sources);
    io_close(&sources->lock);
}

/* For those who wait. The kernel forgets the lock of who dies; what stands here holds nobody up. */
static void sign_lock(int lock)
{
    char text[32];
    int size = snprintf(text, sizeof text, "%ld\n", (long)getpid());
    if (ftruncate(lock, 0) == 0)
        (void)!pwrite(lock, text, (size_t)size, 0);
}

bool sources_lock(struct sources *sources, int64_t ms)
{
    int64_t deadline = clock_deadline(ms);
    if (sources->lock < 0)
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
    sign_lock(sources->lock);
    return true;
}

void sources_unlock(struct sources *sources)
{
    if (sources->lock >= 0)
        (void)flock(sources->lock, LOCK_UN);
}

long sources_lock_holder(const struct sources *sources)
{
    char text[32];
    uint64_t pid;
    ssize_t size = sources->lock < 0 ? -1 : pread(sources->lock, text, sizeof text, 0);
    if (size <= 0 || !number_parse(slice_trim(slice_of(text, (size_t)size)), INT32_MAX, &pid))
        return 0;
    return (long)pid;
}

/* ---- how files were when they were read ---- */

bool sources_watch(struct sources *sources)
{
    if (!sources->seen)
        sources->seen = calloc(1, sizeof(struct sources_seen *));
    return sources->seen != NULL;
}

static struct sources_seen *find_seen(const struct sources *sources, const char *path)
{
    struct sources_seen *seen = sources->seen ? *sources->seen : NULL;
    while (seen && strcmp(seen->path, path) != 0)
        seen = seen->next;
    return seen;
}

static bool note_seen(const struct sources *sources, const char *path)
{
    if (!sources->seen)
        return true;
    struct sources_seen *seen = find_seen(sources, path);
    if (!seen) {
        size_t size = strlen(path) + 1;
        seen = calloc(1, sizeof *seen + size);
        if (!seen)
            return false;
        memcpy(seen->path, path, size);
        seen->next = *sources->seen;
        *sources->seen = seen;
    }
    seen->exists = fstatat(sources->folder, path, &seen->info, 0) == 0;
    return seen->exists || errno == ENOENT || errno == ENOTDIR;
}

/* ---- reading ---- */

static const struct sources_change *find_change(const struct sources *sources, const char *path)
{
    for (size_t i = 0; i < sources->count; i++)
        if (strcmp(sources->changes[i].path, path) == 0)
            return &sources->changes[i];
    return NULL;
}

/* One that leads nowhere is no missing file: what it points to may be on a disk that is not mounted. */
static bool is_link(const struct sources *sources, const char *path)
{
    struct stat info;
    int error = errno;
    bool is =
        fstatat(sources->folder, path, &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(info.st_mode);
    errno = error;
    return is;
}

enum sources_result sources_read(const struct sources *sources, const char *path,
                                 struct str *content)
{
    const struct sources_change *change = find_change(sources, path);
    if (change && change->is_removal)
        return SOURCES_MISSING;
    if (change)
        return str_append(content, str_slice(&change->content)) ? SOURCES_READ : SOURCES_TROUBLE;
    /* Looked at before: what changes while it is read counts as changed. */
    if (!note_seen(sources, path))
        return SOURCES_TROUBLE;
    if (io_read_file(sources->folder, path, content))
        return SOURCES_READ;
    return errno == ENOENT && !is_link(sources, path) ? SOURCES_MISSING : SOURCES_TROUBLE;
}

static void show_path(const char *path, char shown[PATH_MAX + 16])
{
    snprintf(shown, PATH_MAX + 16, "control/%s", path);
}

/* Which line is that byte in? */
static unsigned line_of(struct slice text, size_t at)
{
    unsigned line = 1;
    struct slice before = slice_part(text, 0, at);
    while (slice_has(before, '\n')) {
        (void)slice_cut(&before, '\n');
        line++;
    }
    return line;
}

/* Bytes that editors of other systems leave, and that nobody sees: what they stand in would read as
 * something else. Returns what is behind a mark. */
static struct slice check_bytes(const char *path, struct slice text, struct findings *findings)
{
    char shown[PATH_MAX + 16];
    const struct slice mark = SLICE(SOURCES_MARK);
    show_path(path, shown);
    if (slice_starts(text, mark)) {
        findings_error(findings, shown, 1,
                       "it begins with a byte order mark: save it as UTF-8 without one");
        text = slice_from(text, mark.size);
    }
    size_t at = slice_find_stray(text);
    if (at < text.size)
        findings_error(findings, shown, line_of(text, at),
                       text.data[at] == '\0' ? "a NUL byte: save it as UTF-8"
                                             : "a CR without LF: lines end in LF or CRLF");
    return text;
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
        char shown[PATH_MAX + 16];
        int error = errno;
        show_path(path, shown);
        control_lines_free(lines);
        errno = error;
        findings_trouble(findings, shown, "read it");
        return false;
    }
    lines->rest = check_bytes(path, str_slice(&lines->content), findings);
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
    change->parent = -1;
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
static int open_parent(const struct sources *sources, const char *path,
                       struct replacements *replacements, const char **name)
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
    bool made = mkdirat(sources->folder, parent, 0700) == 0;
    if (!made && errno != EEXIST)
        return -1;
    if (made && !replacement_add_folder(replacements, sources->folder, parent)) {
        unlinkat(sources->folder, parent, AT_REMOVEDIR);
        return -1;
    }
    return openat(sources->folder, parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
}

static bool write_change(const struct sources *sources, struct sources_change *change,
                         struct replacements *replacements)
{
    /* Below domains/, where hashes are, nobody but root; the host's files are for all to read. */
    struct stat info = {.st_mode = strchr(change->path, '/') ? 0600 : 0644,
                        .st_uid = (uid_t)-1,
                        .st_gid = (gid_t)-1};
    const char *name;
    change->parent = open_parent(sources, change->path, replacements, &name);
    if (change->parent < 0)
        return false;
    if (change->is_removal)
        return replacement_add_removal(replacements, change->parent, name);
    if (fstatat(change->parent, name, &info, AT_SYMLINK_NOFOLLOW) < 0 && errno != ENOENT)
        return false;
    /* What a symbolic link points to has an owner and readers of its own. */
    if (S_ISLNK(info.st_mode)) {
        errno = ELOOP;
        return false;
    }
    return replacement_add(replacements, change->parent, name, str_slice(&change->content),
                           info.st_mode & 0777, info.st_uid, info.st_gid);
}

bool sources_write(struct sources *sources, struct replacements *replacements,
                   struct findings *findings)
{
    for (size_t i = 0; i < sources->count; i++) {
        if (write_change(sources, &sources->changes[i], replacements))
            continue;
        char shown[PATH_MAX + 16];
        int error = errno;
        show_path(sources->changes[i].path, shown);
        errno = error;
        if (error == ELOOP)
            findings_error(
                findings, shown, 0,
                "it is a symbolic link, which is not written to: edit what it points to, "
                "then cdb rebuild");
        else
            findings_trouble(findings, shown, "write it");
        return false;
    }
    return true;
}

static bool is_same_time(struct timespec one, struct timespec other)
{
    return one.tv_sec == other.tv_sec && one.tv_nsec == other.tv_nsec;
}

static bool is_as_seen(const struct sources *sources, const char *path)
{
    struct stat now;
    const struct sources_seen *seen = find_seen(sources, path);
    if (!seen)
        return true;
    if (fstatat(sources->folder, path, &now, 0) < 0)
        return !seen->exists && (errno == ENOENT || errno == ENOTDIR);
    return seen->exists && now.st_dev == seen->info.st_dev && now.st_ino == seen->info.st_ino &&
           now.st_size == seen->info.st_size && is_same_time(now.st_mtim, seen->info.st_mtim) &&
           is_same_time(now.st_ctim, seen->info.st_ctim);
}

bool sources_are_as_seen(const struct sources *sources)
{
    for (const struct sources_seen *seen = sources->seen ? *sources->seen : NULL; seen;
         seen = seen->next)
        if (!is_as_seen(sources, seen->path))
            return false;
    return true;
}

bool sources_are_unchanged(const struct sources *sources, struct findings *findings)
{
    for (size_t i = 0; i < sources->count; i++) {
        if (is_as_seen(sources, sources->changes[i].path))
            continue;
        char shown[PATH_MAX + 16];
        show_path(sources->changes[i].path, shown);
        findings_error(findings, shown, 0,
                       "somebody changed it meanwhile, so nothing was done: try again");
        findings->trouble = true;
        return false;
    }
    return true;
}
