/* queueview - see queueview.h */
#include "queueview.h"

#include "clock.h"
#include "folders.h"
#include "io.h"
#include "show.h"
#include "wire.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum {
    READ_FIRST = 4096, /* the block of nearly every message */
    HEADER_MAX = 65536,
    FAILURE_MAX = 1048576,
    FIELD_MAX = 4096,
};

/* Reads at most `size` bytes from the front. */
static bool read_front(int folder, const char *name, size_t size, struct str *front)
{
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    bool good = fd >= 0;
    while (good && front->size < size) {
        char *room = str_reserve(front, size - front->size);
        ssize_t got = room ? io_read(fd, room, size - front->size, CLOCK_NEVER) : -1;
        if (got > 0)
            str_added(front, (size_t)got);
        good = got >= 0;
        if (got <= 0)
            break;
    }
    io_close(&fd);
    return good;
}

/* Parses the message's block; `front` grows until it is whole. 1, -1 (garbage), or -2 with errno.
 */
static int parse(int folder, const char *name, struct str *front, struct queuefile *file)
{
    size_t size = READ_FIRST;
    for (;;) {
        str_clear(front);
        if (!read_front(folder, name, size, front))
            return -2;
        int parsed = queuefile_parse(str_slice(front), file);
        if (parsed != 0)
            return parsed;
        if (front->size < size || size >= QUEUEFILE_BLOCK_MAX)
            return -1;
        size *= 8;
    }
}

static size_t count_status(const struct queuefile *file, char status)
{
    size_t count = 0;
    for (size_t i = 0; i < file->recipient_count; i++)
        count += file->recipients[i].status == status;
    return count;
}

static json_t *first_recipient(const struct queuefile *file)
{
    for (size_t i = 0; i < file->recipient_count; i++)
        if (file->recipients[i].status == QUEUEFILE_TODO)
            return show_text(file->recipients[i].address);
    return file->recipient_count > 0 ? show_text(file->recipients[0].address) : json_null();
}

static json_t *facts(const struct queuefile *file, const char *folder)
{
    return json_pack("{s:o, s:s, s:I, s:o, s:o, s:I, s:I, s:I}", "id", show_text(file->id), "state",
                     strcmp(folder, "message") == 0 ? "queued" : folder, "size",
                     (json_int_t)file->size, "arrived", show_time(file->arrived), "sender",
                     show_text(file->sender), "todo",
                     (json_int_t)count_status(file, QUEUEFILE_TODO), "done",
                     (json_int_t)count_status(file, QUEUEFILE_DONE), "failed",
                     (json_int_t)count_status(file, QUEUEFILE_FAILED));
}

/* An address means itself, a word without '@' its domain; "<>" the null sender. */
static bool matches_address(const char *pattern, struct slice address)
{
    struct slice wanted = slice_text(pattern);
    if (slice_equal(wanted, SLICE("<>")))
        return address.size == 0;
    if (!slice_has(wanted, '@'))
        address = slice_from(address, slice_find_last(address, '@') + 1);
    return wanted.size > 0 && slice_equal_nocase(address, wanted);
}

bool queueview_matches(const struct queueview_filter *filter, const struct queuefile *file)
{
    if (filter->sender && !matches_address(filter->sender, file->sender))
        return false;
    bool found = !filter->recipient;
    for (size_t i = 0; !found && i < file->recipient_count; i++)
        found = queuefile_is_todo(file->recipients[i].status) &&
                matches_address(filter->recipient, file->recipients[i].address);
    return found;
}

static bool has_wishes(const struct queueview_filter *filter)
{
    return filter->sender || filter->recipient;
}

/* One file on the way through a folder; NULL as `file`: it does not parse. */
typedef void visit(json_t *found, const char *where, const char *name,
                   const struct queuefile *file);

static void add_row(json_t *found, const char *where, const char *name,
                    const struct queuefile *file)
{
    if (!file) {
        json_array_append_new(
            found, json_pack("{s:o, s:s}", "id", show_text(slice_text(name)), "state", "damaged"));
        return;
    }
    json_t *row = facts(file, where);
    json_object_set_new(row, "recipient", first_recipient(file));
    json_array_append_new(found, row);
}

static void add_id(json_t *found, const char *where, const char *name, const struct queuefile *file)
{
    (void)where;
    if (file)
        json_array_append_new(found, json_string(name));
}

static void visit_file(int folder, const char *where, const char *name,
                       const struct queueview_filter *filter, visit *visitor, json_t *found)
{
    struct str front;
    struct queuefile file;
    str_init(&front, QUEUEFILE_BLOCK_MAX * 8);
    int parsed = parse(folder, name, &front, &file);
    if (parsed == 1) {
        if (queueview_matches(filter, &file))
            visitor(found, where, name, &file);
        queuefile_free(&file);
    } else if (parsed == -1 && !has_wishes(filter)) {
        visitor(found, where, name, NULL);
    }
    /* Else gone meanwhile: delivered. */
    str_free(&front);
}

static int open_folder(int root, const char *folder)
{
    char path[64];
    snprintf(path, sizeof path, "queue/%s", folder);
    return openat(root, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static bool walk(int root, const char *folder, const struct queueview_filter *filter,
                 visit *visitor, json_t *found)
{
    struct folders_names names;
    int fd = open_folder(root, folder);
    if (fd < 0)
        return errno == ENOENT;
    bool listed = folders_list(fd, ".", &names);
    for (size_t i = 0; listed && i < names.count; i++)
        visit_file(fd, folder, names.of[i], filter, visitor, found);
    folders_names_free(&names);
    io_close(&fd);
    return listed;
}

bool queueview_list(int root, const char *folder, const struct queueview_filter *filter,
                    json_t *rows)
{
    return walk(root, folder, filter, add_row, rows);
}

bool queueview_select(int root, const char *folder, const struct queueview_filter *filter,
                      json_t *ids)
{
    char path[64];
    struct folders_names names;
    if (has_wishes(filter))
        return walk(root, folder, filter, add_id, ids);
    snprintf(path, sizeof path, "queue/%s", folder);
    if (!folders_list(root, path, &names))
        return false;
    for (size_t i = 0; i < names.count; i++)
        if (queuefile_is_id(slice_text(names.of[i])))
            json_array_append_new(ids, json_string(names.of[i]));
    folders_names_free(&names);
    return true;
}

bool queueview_count(int root, const char *folder, size_t *count)
{
    char path[64];
    struct folders_names names;
    snprintf(path, sizeof path, "queue/%s", folder);
    if (!folders_list(root, path, &names))
        return false;
    *count = names.count;
    folders_names_free(&names);
    return true;
}

/* ---- one message ---- */

static json_t *show_recipient(const struct queuefile_recipient *recipient)
{
    struct str notify;
    str_init(&notify, DSN_NOTIFY_TEXT_MAX);
    json_t *shown = json_pack("{s:s, s:o}", "status", queuefile_status_word(recipient->status),
                              "recipient", show_text(recipient->address));
    if (dsn_format_notify(recipient->notify, &notify) && notify.size > 0)
        json_object_set_new(shown, "notify", show_text(str_slice(&notify)));
    if (recipient->status == QUEUEFILE_WARNED)
        json_object_set_new(shown, "warned", json_true());
    if (queuefile_is_success(recipient->status))
        json_object_set_new(shown, "report", json_string("owed"));
    str_free(&notify);
    return shown;
}

static void show_recipients(json_t *shown, const struct queuefile *file)
{
    json_t *recipients = json_array();
    for (size_t i = 0; i < file->recipient_count; i++)
        json_array_append_new(recipients, show_recipient(&file->recipients[i]));
    json_object_set_new(shown, "recipients", recipients);
}

/* Lines of netstrings recipient, status, text, server; what is broken ends the list. */
static void show_failures(json_t *shown, int root, const char *id)
{
    char path[64];
    struct str content;
    json_t *failures = json_array();
    str_init(&content, FAILURE_MAX);
    snprintf(path, sizeof path, "queue/failure/%s", id);
    bool read = io_read_file(root, path, &content);
    struct slice rest = str_slice(&content);
    struct slice fields[4];
    while (read && rest.size > 0 && wire_cut_netstring(&rest, FIELD_MAX, &fields[0]) == 1 &&
           wire_cut_netstring(&rest, FIELD_MAX, &fields[1]) == 1 &&
           wire_cut_netstring(&rest, FIELD_MAX, &fields[2]) == 1 &&
           wire_cut_netstring(&rest, FIELD_MAX, &fields[3]) == 1) {
        json_array_append_new(failures,
                              json_pack("{s:o, s:o, s:o, s:o}", "recipient", show_text(fields[0]),
                                        "status", show_text(fields[1]), "text",
                                        show_text(fields[2]), "server", show_text(fields[3])));
        rest = slice_starts(rest, SLICE("\n")) ? slice_from(rest, 1) : rest;
    }
    if (json_array_size(failures) > 0)
        json_object_set(shown, "failures", failures);
    json_decref(failures);
    str_free(&content);
}

/* The message's header lines, without their ends. */
static void show_header(json_t *shown, struct slice message)
{
    json_t *header = json_array();
    while (message.size > 0) {
        struct slice line = slice_cut(&message, '\n');
        if (slice_ends(line, SLICE("\r")))
            line.size--;
        if (line.size == 0)
            break;
        json_array_append_new(header, show_text(line));
    }
    json_object_set_new(shown, "header", header);
}

static json_t *show_message(int root, int folder, const char *where, const char *id)
{
    struct str front, message;
    struct queuefile file;
    json_t *shown = NULL;
    str_init(&front, QUEUEFILE_BLOCK_MAX * 8);
    str_init(&message, QUEUEFILE_BLOCK_MAX + HEADER_MAX);
    int parsed = parse(folder, id, &front, &file);
    if (parsed == 1) {
        shown = facts(&file, where);
        json_object_set_new(shown, "origin", show_text(file.origin));
        show_recipients(shown, &file);
        show_failures(shown, root, id);
        if (read_front(folder, id, (size_t)file.start + HEADER_MAX, &message))
            show_header(shown, slice_from(str_slice(&message), (size_t)file.start));
        queuefile_free(&file);
    } else if (parsed == -1) {
        shown = json_pack("{s:s, s:s}", "id", id, "state", "damaged");
    }
    str_free(&message);
    str_free(&front);
    return shown;
}

json_t *queueview_show(int root, const char *id)
{
    static const char *const folders[] = {"message", "hold", "broken"};
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        int folder = open_folder(root, folders[i]);
        json_t *shown = folder < 0 ? NULL : show_message(root, folder, folders[i], id);
        io_close(&folder);
        if (shown)
            return shown;
        if (errno != ENOENT)
            return NULL;
    }
    return NULL;
}
