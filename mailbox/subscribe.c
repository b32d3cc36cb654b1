/* subscribe - see subscribe.h */
#include "subscribe.h"

#include "imapfolder.h"
#include "io.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#define SUBSCRIBE_FILE   "subscriptions"
#define SUBSCRIBE_HEADER "V\t2\n\n"
#define COURIER_FILE     "courierimapsubscribed"
#define COURIER_PREFIX   "INBOX."

bool subscribe_next(struct slice *rest, struct slice *name)
{
    while (rest->size > 0) {
        *name = slice_cut(rest, '\n');
        if (name->size > 0)
            return true;
    }
    return false;
}

bool subscribe_has(const struct subscriptions *list, struct slice name)
{
    struct slice rest = str_slice(&list->names), found;
    while (subscribe_next(&rest, &found))
        if (slice_equal(found, name))
            return true;
    return false;
}

static void append_name(struct subscriptions *list, struct slice name)
{
    struct imapfolder folder;
    if (!imapfolder_named(name, &folder))
        return;
    str_append_text(&list->names, folder.name);
    str_append_byte(&list->names, '\n');
}

/* A line of the second form. */
static void take_line(struct subscriptions *list, struct slice line)
{
    struct str name;
    str_init(&name, IMAPFOLDER_NAME_MAX);
    for (size_t i = 0; i < line.size; i++)
        str_append_byte(&name, line.data[i] == '\t' ? IMAPFOLDER_SEPARATOR : line.data[i]);
    if (!name.failed)
        append_name(list, str_slice(&name));
    str_free(&name);
}

/* A line of the first form: "INBOX" or a name as on disk. Old files have names twice; ours, which
 * may be long, don't. */
static void take_old_line(struct subscriptions *list, struct slice line)
{
    struct str disk;
    struct imapfolder folder;
    str_init(&disk, IMAPFOLDER_DISK_MAX);
    str_append_byte(&disk, '.');
    str_append(&disk, line);
    if (slice_equal_nocase(line, SLICE(IMAPFOLDER_INBOX)))
        append_name(list, line);
    else if (!disk.failed && imapfolder_from_disk(str_slice(&disk), &folder) &&
             !subscribe_has(list, slice_text(folder.name)))
        append_name(list, slice_text(folder.name));
    str_free(&disk);
}

static void take_content(struct subscriptions *list, struct slice content)
{
    bool is_new = slice_starts(content, SLICE(SUBSCRIBE_HEADER));
    if (is_new)
        content = slice_from(content, sizeof SUBSCRIBE_HEADER - 1);
    struct slice line;
    while (subscribe_next(&content, &line)) {
        if (is_new)
            take_line(list, line);
        else
            take_old_line(list, line);
    }
}

/* Courier's list has "INBOX." in front of all names. */
static void take_courier_content(struct subscriptions *list, struct slice content)
{
    struct slice line;
    while (subscribe_next(&content, &line)) {
        line = slice_trim(line);
        if (slice_starts_nocase(line, SLICE(COURIER_PREFIX)))
            line = slice_from(line, sizeof COURIER_PREFIX - 1);
        take_old_line(list, line);
    }
}

bool subscribe_load(struct subscriptions *list)
{
    struct str content;
    str_init(&list->names, SUBSCRIBE_FILE_MAX);
    str_init(&content, SUBSCRIBE_FILE_MAX);
    bool read = io_read_file(AT_FDCWD, IMAPFOLDER_ROOT "/" SUBSCRIBE_FILE, &content);
    if (read) {
        take_content(list, str_slice(&content));
    } else if (errno == ENOENT) {
        read = io_read_file(AT_FDCWD, IMAPFOLDER_ROOT "/" COURIER_FILE, &content);
        take_courier_content(list, str_slice(&content));
    }
    bool done = read || errno == ENOENT;
    str_free(&content);
    return done;
}

void subscribe_free(struct subscriptions *list)
{
    str_free(&list->names);
}

static bool write_list(int root, const struct subscriptions *list, struct slice without)
{
    struct str content;
    str_init(&content, SUBSCRIBE_FILE_MAX);
    str_append_text(&content, SUBSCRIBE_HEADER);
    struct slice rest = str_slice(&list->names), name;
    while (subscribe_next(&rest, &name)) {
        if (slice_equal(name, without))
            continue;
        for (size_t i = 0; i < name.size; i++)
            str_append_byte(&content, name.data[i] == IMAPFOLDER_SEPARATOR ? '\t' : name.data[i]);
        str_append_byte(&content, '\n');
    }
    bool done = !content.failed && !list->names.failed;
    if (!done)
        errno = EFBIG;
    done = done &&
           io_replace_file(root, SUBSCRIBE_FILE, str_slice(&content), 0600, (uid_t)-1, (gid_t)-1);
    str_free(&content);
    return done;
}

/* What is to be done to the list, under the lock. */
struct change {
    struct slice added;   /* names, a line each */
    struct slice removed; /* one name */
};

static bool change_locked(int root, const struct change *change)
{
    struct subscriptions list;
    struct slice rest = change->added, name;
    bool done = subscribe_load(&list);
    bool changes = done && change->removed.size > 0 && subscribe_has(&list, change->removed);
    size_t size = list.names.size;
    while (subscribe_next(&rest, &name))
        if (!subscribe_has(&list, name))
            append_name(&list, name);
    if (done && (changes || list.names.size > size || list.names.failed))
        done = write_list(root, &list, change->removed);
    subscribe_free(&list);
    return done;
}

static bool change_list(const struct change *change)
{
    int root = open(IMAPFOLDER_ROOT, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (root < 0)
        return false;
    bool done = flock(root, LOCK_EX) == 0 && change_locked(root, change);
    io_close(&root);
    return done;
}

bool subscribe_change(struct slice name, bool subscribed)
{
    struct change change = {.added = subscribed ? name : SLICE(""),
                            .removed = subscribed ? SLICE("") : name};
    return change_list(&change);
}

bool subscribe_add(struct slice names)
{
    return change_list(&(struct change){.added = names});
}

bool subscribe_exists(void)
{
    return access(IMAPFOLDER_ROOT "/" SUBSCRIBE_FILE, F_OK) == 0 ||
           access(IMAPFOLDER_ROOT "/" COURIER_FILE, F_OK) == 0;
}
