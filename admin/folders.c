/* folders - see folders.h */
#include "folders.h"

#include "io.h"
#include "tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAMES_FIRST = 64 };

void folders_names_free(struct folders_names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->of[i]);
    free(names->of);
    *names = (struct folders_names){0};
}

static bool add_name(struct folders_names *names, size_t *room, const char *name)
{
    if (names->count == *room) {
        size_t more = *room ? *room * 2 : NAMES_FIRST;
        char **grown = reallocarray(names->of, more, sizeof *grown);
        if (!grown)
            return false;
        names->of = grown;
        *room = more;
    }
    names->of[names->count] = strdup(name);
    return names->of[names->count] && ++names->count > 0;
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Where the name is, or belongs. */
static size_t place_of(const struct folders_names *names, const char *name)
{
    size_t at = 0;
    while (at < names->count && strcmp(names->of[at], name) < 0)
        at++;
    return at;
}

bool folders_names_add(struct folders_names *names, const char *name)
{
    size_t at = place_of(names, name);
    if (at < names->count && strcmp(names->of[at], name) == 0)
        return true;
    size_t room = names->count; /* so that it is grown by any */
    if (!add_name(names, &room, name))
        return false;
    char *added = names->of[names->count - 1];
    memmove(&names->of[at + 1], &names->of[at], (names->count - 1 - at) * sizeof *names->of);
    names->of[at] = added;
    return true;
}

void folders_names_remove(struct folders_names *names, const char *name)
{
    size_t at = place_of(names, name);
    if (at == names->count || strcmp(names->of[at], name) != 0)
        return;
    free(names->of[at]);
    names->count--;
    memmove(&names->of[at], &names->of[at + 1], (names->count - at) * sizeof *names->of);
}

static bool is_hidden(const char *name)
{
    size_t size = strlen(name);
    return name[0] == '.' || name[size - 1] == '~';
}

bool folders_list(int directory, const char *path, struct folders_names *names)
{
    *names = (struct folders_names){0};
    int fd = openat(directory, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT;
    DIR *open = fdopendir(fd);
    if (!open) {
        io_close(&fd);
        return false;
    }
    size_t room = 0;
    bool good = true;
    struct dirent *entry;
    errno = 0;
    while (good && (entry = readdir(open)))
        good = is_hidden(entry->d_name) || add_name(names, &room, entry->d_name);
    good = good && errno == 0;
    int error = errno;
    closedir(open);
    if (!good)
        folders_names_free(names);
    else if (names->count > 0)
        qsort(names->of, names->count, sizeof names->of[0], compare);
    errno = error;
    return good;
}

bool folders_act_as(uid_t uid)
{
    return uid == (uid_t)-1 || geteuid() != 0 || (setegid((gid_t)uid) == 0 && seteuid(uid) == 0);
}

bool folders_act_as_root(void)
{
    return getuid() != 0 || geteuid() == 0 || (seteuid(0) == 0 && setegid(0) == 0);
}

bool folders_make(int directory, const char *name, uid_t uid, bool *made)
{
    bool fresh = mkdirat(directory, name, 0700) == 0;
    if (made)
        *made = fresh;
    if (!fresh)
        return errno == EEXIST;
    if (uid == (uid_t)-1 || geteuid() != 0)
        return true;
    int fd = openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    bool done = fd >= 0 && fchown(fd, uid, (gid_t)uid) == 0;
    io_close(&fd);
    return done;
}

bool folders_remove_content(int folder, uid_t uid)
{
    if (!folders_act_as(uid))
        return folders_act_as_root() && false;
    bool done = tree_remove_content(folder);
    int error = errno;
    bool back = folders_act_as_root();
    errno = error;
    return done && back;
}

bool folders_remove(int directory, const char *name, uid_t uid)
{
    if (!folders_act_as(uid))
        return folders_act_as_root() && false;
    bool done = tree_remove(directory, name);
    int error = errno;
    bool back = folders_act_as_root();
    errno = error;
    return done && back;
}
