/* foldertree - see foldertree.h */
#include "foldertree.h"

#include "clock.h"
#include "io.h"
#include "maildir.h"
#include "maildirsize.h"
#include "number.h"
#include "subscribe.h"
#include "tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* In front of folders on their way out: an empty level, so never a folder's own name. */
#define FOLDERTREE_REMOVED "..removed-"
enum { FOLDERTREE_UIDS_MAX = 4096, MICROSECONDS = 1000000 };

static bool has_room(struct foldertree *tree)
{
    if (tree->count < tree->capacity)
        return true;
    size_t capacity = tree->capacity ? tree->capacity * 2 : 16;
    if (capacity > 2 * FOLDERTREE_MAX) {
        errno = E2BIG;
        return false;
    }
    struct foldertree_entry *entries = realloc(tree->entries, capacity * sizeof *entries);
    if (!entries)
        return false;
    tree->entries = entries;
    tree->capacity = capacity;
    return true;
}

static bool add(struct foldertree *tree, struct slice name, bool exists)
{
    if (!has_room(tree))
        return false;
    char *copy = strndup(name.data, name.size);
    if (!copy)
        return false;
    tree->entries[tree->count++] = (struct foldertree_entry){.name = copy, .exists = exists};
    return true;
}

static int compare_names(const char *a, const char *b)
{
    bool a_inbox = strcmp(a, IMAPFOLDER_INBOX) == 0, b_inbox = strcmp(b, IMAPFOLDER_INBOX) == 0;
    if (a_inbox != b_inbox)
        return a_inbox ? -1 : 1;
    return strcmp(a, b);
}

/* Those that exist come before those that were only concluded. */
static int compare_entries(const void *a, const void *b)
{
    const struct foldertree_entry *x = a, *y = b;
    int order = compare_names(x->name, y->name);
    return order ? order : (int)y->exists - (int)x->exists;
}

static void sort(struct foldertree *tree)
{
    qsort(tree->entries, tree->count, sizeof *tree->entries, compare_entries);
    size_t kept = 0;
    for (size_t i = 0; i < tree->count; i++) {
        if (kept > 0 && strcmp(tree->entries[kept - 1].name, tree->entries[i].name) == 0)
            free(tree->entries[i].name);
        else
            tree->entries[kept++] = tree->entries[i];
    }
    tree->count = kept;
}

struct foldertree_entry *foldertree_find(const struct foldertree *tree, struct slice name)
{
    char text[IMAPFOLDER_NAME_MAX + 1];
    if (!slice_copy_text(name, text, sizeof text))
        return NULL;
    size_t low = 0, high = tree->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare_names(tree->entries[middle].name, text);
        if (order == 0)
            return &tree->entries[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static bool add_parents(struct foldertree *tree)
{
    size_t count = tree->count;
    for (size_t i = 0; i < count; i++) {
        struct slice parent = slice_text(tree->entries[i].name);
        while (imapfolder_parent(parent, &parent))
            if (!add(tree, parent, false))
                return false;
    }
    return true;
}

static struct foldertree_entry *parent_of(const struct foldertree *tree,
                                          const struct foldertree_entry *entry)
{
    struct slice parent;
    return imapfolder_parent(slice_text(entry->name), &parent) ? foldertree_find(tree, parent)
                                                               : NULL;
}

/* From the end, so that a name comes before the one above it. */
static void mark_parents(struct foldertree *tree)
{
    for (size_t i = tree->count; i > 0; i--) {
        const struct foldertree_entry *entry = &tree->entries[i - 1];
        struct foldertree_entry *parent = parent_of(tree, entry);
        if (parent && (entry->exists || entry->has_children))
            parent->has_children = true;
    }
}

void foldertree_spread(struct foldertree *tree)
{
    for (size_t i = tree->count; i > 0; i--) {
        const struct foldertree_entry *entry = &tree->entries[i - 1];
        struct foldertree_entry *parent = parent_of(tree, entry);
        if (parent && (entry->meets || entry->below_meets))
            parent->below_meets = true;
    }
}

static bool add_names(struct foldertree *tree, struct slice names)
{
    while (names.size > 0) {
        struct slice name = slice_cut(&names, '\n');
        if (name.size > 0 && !add(tree, name, false))
            return false;
    }
    return true;
}

static bool read_names(struct foldertree *tree, DIR *root)
{
    for (;;) {
        errno = 0;
        struct dirent *file = readdir(root);
        if (!file)
            return errno == 0;
        struct imapfolder folder;
        if (imapfolder_from_disk(slice_text(file->d_name), &folder) && foldertree_exists(&folder) &&
            !add(tree, slice_text(folder.name), true))
            return false;
    }
}

bool foldertree_read(struct foldertree *tree)
{
    return foldertree_read_with(tree, SLICE(""));
}

bool foldertree_read_with(struct foldertree *tree, struct slice names)
{
    *tree = (struct foldertree){0};
    DIR *root = opendir(IMAPFOLDER_ROOT);
    bool done = root && add(tree, SLICE(IMAPFOLDER_INBOX), true) && read_names(tree, root) &&
                add_names(tree, names) && add_parents(tree);
    if (root)
        closedir(root);
    if (!done) {
        foldertree_free(tree);
        return false;
    }
    sort(tree);
    mark_parents(tree);
    return true;
}

void foldertree_free(struct foldertree *tree)
{
    for (size_t i = 0; i < tree->count; i++)
        free(tree->entries[i].name);
    free(tree->entries);
    *tree = (struct foldertree){0};
}

bool foldertree_exists(const struct imapfolder *folder)
{
    char path[IMAPFOLDER_PATH_MAX + 8];
    struct stat info;
    int size = snprintf(path, sizeof path, "%s/cur", folder->path);
    return size > 0 && (size_t)size < sizeof path && stat(path, &info) == 0 &&
           S_ISDIR(info.st_mode);
}

static bool sync_root(void)
{
    int root = open(IMAPFOLDER_ROOT, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool done = root >= 0 && io_sync_folder(root);
    io_close(&root);
    return done;
}

bool foldertree_create(const struct imapfolder *folder)
{
    if (foldertree_exists(folder)) {
        errno = EEXIST;
        return false;
    }
    return maildir_create(AT_FDCWD, folder->path) && sync_root();
}

/* Best effort: what stays is swept at the next removal. */
static void sweep(int root)
{
    int again = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = again >= 0 ? fdopendir(again) : NULL;
    if (!folder) {
        io_close(&again);
        return;
    }
    for (struct dirent *file = readdir(folder); file; file = readdir(folder))
        if (slice_starts(slice_text(file->d_name), SLICE(FOLDERTREE_REMOVED)))
            (void)tree_remove(root, file->d_name);
    closedir(folder);
}

bool foldertree_remove(const struct imapfolder *folder)
{
    char gone[sizeof FOLDERTREE_REMOVED + 2 * NUMBER_TEXT_SIZE + 4];
    snprintf(gone, sizeof gone, FOLDERTREE_REMOVED "%lld-%ld", (long long)clock_microseconds(),
             (long)getpid());
    struct maildirsize_change usage;
    int root = open(IMAPFOLDER_ROOT, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (root < 0)
        return false;
    maildirsize_begin(root, &usage);
    bool done = renameat(AT_FDCWD, folder->path, root, gone) == 0;
    if (done) {
        done = io_sync_folder(root);
        sweep(root);
        maildirsize_end_uncounted(root, &usage);
    } else {
        maildirsize_end(root, &usage, 0, 0);
    }
    io_close(&root);
    return done;
}

/* The folder that `name`, one within `from`, becomes when `from` becomes `to`. */
static bool renamed(const char *name, const struct imapfolder *from, const struct imapfolder *to,
                    struct imapfolder *target)
{
    struct str joined;
    str_init(&joined, IMAPFOLDER_NAME_MAX);
    str_append_text(&joined, to->name);
    str_append(&joined, slice_from(slice_text(name), slice_text(from->name).size));
    bool done = !joined.failed && imapfolder_named(str_slice(&joined), target);
    if (!done)
        errno = ENAMETOOLONG;
    str_free(&joined);
    return done;
}

/* Calls `step` for each folder within `from` and what it becomes: a folder behind what is below it. */
typedef bool rename_step(const struct imapfolder *from, const struct imapfolder *to);

static bool for_each_within(const struct foldertree *tree, const struct imapfolder *from,
                            const struct imapfolder *to, rename_step *step, size_t *count)
{
    *count = 0;
    for (size_t i = tree->count; i > 0; i--) {
        const struct foldertree_entry *entry = &tree->entries[i - 1];
        struct imapfolder source, target;
        if (!entry->exists ||
            !imapfolder_is_within(slice_text(entry->name), slice_text(from->name)))
            continue;
        if (!imapfolder_named(slice_text(entry->name), &source) ||
            !renamed(entry->name, from, to, &target) || !step(&source, &target))
            return false;
        ++*count;
    }
    return true;
}

static bool target_is_free(const struct imapfolder *from, const struct imapfolder *to)
{
    (void)from;
    if (!foldertree_exists(to))
        return true;
    errno = EEXIST;
    return false;
}

static bool rename_one(const struct imapfolder *from, const struct imapfolder *to)
{
    return rename(from->path, to->path) == 0;
}

bool foldertree_rename(const struct imapfolder *from, const struct imapfolder *to)
{
    struct foldertree tree;
    size_t count = 0;
    if (!foldertree_read(&tree))
        return false;
    bool done = for_each_within(&tree, from, to, target_is_free, &count);
    if (done && count == 0) {
        errno = ENOENT;
        done = false;
    }
    done = done && for_each_within(&tree, from, to, rename_one, &count) && sync_root();
    int error = errno;
    foldertree_free(&tree);
    errno = error;
    return done;
}

/* The folder that is likeliest meant for a use, as the tree has it; NULL: none is. */
static const char *customary_folder(const struct foldertree *tree, size_t use)
{
    const char *found = NULL;
    size_t best = SIZE_MAX;
    for (size_t i = 0; i < tree->count; i++) {
        if (!tree->entries[i].exists)
            continue;
        size_t rank = specialuse_rank(use, slice_text(tree->entries[i].name));
        if (rank >= best)
            continue;
        best = rank;
        found = tree->entries[i].name;
    }
    return found;
}

/* Gives each use a folder, a new one where none is there. */
static bool provide_folders(const struct foldertree *tree, struct specialuses *uses)
{
    for (size_t i = 0; i < SPECIALUSE_COUNT; i++) {
        struct imapfolder folder;
        const char *name = customary_folder(tree, i);
        if (!name) {
            name = specialuse_standard(i);
            if (!imapfolder_named(slice_text(name), &folder) ||
                !maildir_create(AT_FDCWD, folder.path))
                return false;
        }
        (void)slice_copy_text(slice_text(name), uses->names[i], sizeof uses->names[i]);
    }
    return true;
}

/* New folders are subscribed; where there is no list, as in a Maildir that no IMAP server has seen,
 * all are, so that no client hides them. */
static bool subscribe_folders(const struct foldertree *tree, const struct specialuses *uses)
{
    struct str names;
    bool has_list = subscribe_exists();
    str_init(&names, SUBSCRIBE_FILE_MAX);
    for (size_t i = 0; i < SPECIALUSE_COUNT; i++)
        if (!foldertree_find(tree, slice_text(uses->names[i])) || !has_list)
            str_append_texts(&names, uses->names[i], "\n");
    for (size_t i = 0; i < tree->count && !has_list; i++)
        if (tree->entries[i].exists && strcmp(tree->entries[i].name, IMAPFOLDER_INBOX) != 0)
            str_append_texts(&names, tree->entries[i].name, "\n");
    bool done = subscribe_add(str_slice(&names));
    str_free(&names);
    return done;
}

bool foldertree_prepare(void)
{
    struct specialuses uses = {0};
    struct foldertree tree;
    if (specialuse_exists())
        return true;
    if (!maildir_create(AT_FDCWD, IMAPFOLDER_ROOT) || !foldertree_read(&tree))
        return false;
    bool done = provide_folders(&tree, &uses) && subscribe_folders(&tree, &uses);
    foldertree_free(&tree);
    if (!done)
        return false;
    /* Last, because it marks that all this was done. Two first logins at once do the same. */
    int lock = specialuse_lock(&(struct specialuses){0});
    done = lock >= 0 && (specialuse_exists() || specialuse_store(lock, &uses));
    specialuse_unlock(&lock);
    return done;
}

static bool is_open_one(const struct foldertree_entry *entry, const struct stat *open,
                        struct imapfolder *folder)
{
    struct imapfolder named;
    struct stat info;
    if (!entry->exists || !imapfolder_named(slice_text(entry->name), &named) ||
        stat(named.path, &info) < 0 || info.st_dev != open->st_dev || info.st_ino != open->st_ino)
        return false;
    *folder = named;
    return true;
}

bool foldertree_find_open(int open, struct imapfolder *folder)
{
    struct foldertree tree;
    struct stat info;
    int hold = foldertree_hold();
    bool found = false;
    if (hold >= 0 && fstat(open, &info) == 0 && foldertree_read(&tree)) {
        for (size_t i = 0; i < tree.count && !found; i++)
            found = is_open_one(&tree.entries[i], &info, folder);
        foldertree_free(&tree);
        errno = ENOENT;
    }
    int error = errno;
    foldertree_release(&hold);
    errno = error;
    return found;
}

int foldertree_hold(void)
{
    int root = open(IMAPFOLDER_ROOT, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (root >= 0 && flock(root, LOCK_SH) < 0)
        io_close(&root);
    return root;
}

void foldertree_release(int *hold)
{
    io_close(hold);
}

/* ---- folders for a use ----------------------------------------------------------------------- */

static bool has_folder(const struct specialuses *uses, enum specialuse use,
                       struct imapfolder *folder)
{
    return uses->names[use][0] && imapfolder_named(slice_text(uses->names[use]), folder) &&
           foldertree_exists(folder);
}

/* By the names alone; ENOENT: none is called so. */
static bool find_customary(enum specialuse use, struct imapfolder *folder)
{
    struct foldertree tree;
    if (!foldertree_read(&tree))
        return false;
    const char *name = customary_folder(&tree, use);
    bool found = name && imapfolder_named(slice_text(name), folder);
    foldertree_free(&tree);
    errno = found ? 0 : ENOENT;
    return found;
}

bool foldertree_find_use(enum specialuse use, struct imapfolder *folder, unsigned *bits)
{
    struct specialuses uses;
    if (!specialuse_load(&uses))
        return false;
    bool found = has_folder(&uses, use, folder);
    /* Where there is a list, a folder that is not in it has no use, whatever it is called. */
    if (!found && !specialuse_exists())
        found = find_customary(use, folder);
    else if (!found)
        errno = ENOENT;
    *bits = found ? specialuse_of(&uses, slice_text(folder->name)) | 1u << use : 0;
    return found;
}

/* Under the lock. The use is written first, as CREATE does. */
static bool give_use(int lock, struct specialuses *uses, enum specialuse use,
                     struct imapfolder *folder, bool *made)
{
    if (has_folder(uses, use, folder))
        return true;
    *made = !find_customary(use, folder);
    if (*made &&
        (errno != ENOENT || !imapfolder_named(slice_text(specialuse_standard(use)), folder)))
        return false;
    struct slice name = slice_text(folder->name);
    specialuse_set(uses, name, specialuse_of(uses, name) | 1u << use);
    return specialuse_store(lock, uses) && (!*made || foldertree_create(folder));
}

bool foldertree_provide_use(enum specialuse use, struct imapfolder *folder, unsigned *bits)
{
    struct specialuses uses;
    bool made = false;
    if (!foldertree_prepare())
        return false;
    int lock = specialuse_lock(&uses);
    if (lock < 0)
        return false;
    bool done = give_use(lock, &uses, use, folder, &made);
    *bits = done ? specialuse_of(&uses, slice_text(folder->name)) : 0;
    specialuse_unlock(&lock);
    return done && (!made || subscribe_change(slice_text(folder->name), true));
}
