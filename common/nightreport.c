/* nightreport - see nightreport.h */
#include "nightreport.h"

#include "io.h"
#include "number.h"

#include <fcntl.h>
#include <stddef.h>
#include <unistd.h>

static const char *const results[NIGHTREPORT_RESULTS] = {
    [NIGHTREPORT_DONE] = "done",
    [NIGHTREPORT_FAILED] = "failed",
    [NIGHTREPORT_BROKEN_OFF] = "broken-off",
};

static const struct number {
    const char *name;
    size_t place;
} numbers[] = {
    {"began", offsetof(struct nightreport, began)},
    {"ended", offsetof(struct nightreport, ended)},
    {"domains", offsetof(struct nightreport, domains)},
    {"accounts", offsetof(struct nightreport, accounts)},
    {"archived", offsetof(struct nightreport, archived)},
    {"bytes-archived", offsetof(struct nightreport, archived_bytes)},
    {"deleted", offsetof(struct nightreport, deleted)},
    {"bytes-deleted", offsetof(struct nightreport, deleted_bytes)},
    {"failed", offsetof(struct nightreport, failed)},
};
enum { NUMBERS = sizeof numbers / sizeof *numbers };

const char *nightreport_result_name(enum nightreport_result result)
{
    return result < NIGHTREPORT_RESULTS ? results[result] : "";
}

/* ---- writing -----------------------------------------------------------------------------------
 */

static void append_clean(struct str *text, struct slice part)
{
    for (size_t i = 0; i < part.size && text->size < NIGHTREPORT_ERROR_MAX - 1; i++)
        str_append_byte(text, slice_has_control(slice_part(part, i, 1)) ? '?' : part.data[i]);
}

void nightreport_set_error(struct nightreport *report, struct slice where, struct slice reason)
{
    struct str text = str_on(report->error, sizeof report->error);
    if (report->error[0])
        return;
    append_clean(&text, where);
    append_clean(&text, where.size > 0 ? SLICE(": ") : SLICE(""));
    append_clean(&text, reason);
    str_append_byte(&text, '\0');
}

static uint64_t value_of(const struct nightreport *report, const struct number *number)
{
    return *(const uint64_t *)(const void *)((const char *)report + number->place);
}

void nightreport_put(struct str *content, const struct nightreport *report)
{
    for (size_t i = 0; i < NUMBERS; i++) {
        str_append_texts(content, numbers[i].name, " ");
        str_append_number(content, value_of(report, &numbers[i]));
        str_append_byte(content, '\n');
    }
    str_append_texts(content, "result ", nightreport_result_name(report->result), "\n");
    if (report->error[0])
        str_append_texts(content, "error ", report->error, "\n");
}

/* ---- reading -----------------------------------------------------------------------------------
 */

static void read_number(struct nightreport *report, struct slice name, struct slice value)
{
    for (size_t i = 0; i < NUMBERS; i++)
        if (slice_equal(name, slice_text(numbers[i].name)))
            (void)number_parse(value, INT64_MAX,
                               (uint64_t *)(void *)((char *)report + numbers[i].place));
}

static bool read_result(struct nightreport *report, struct slice value)
{
    for (size_t i = 0; i < NIGHTREPORT_RESULTS; i++) {
        if (!slice_equal(value, slice_text(results[i])))
            continue;
        report->result = (enum nightreport_result)i;
        return true;
    }
    return false;
}

bool nightreport_read(struct slice content, struct nightreport *report)
{
    bool has_result = false;
    *report = (struct nightreport){0};
    while (content.size > 0) {
        struct slice value = slice_cut(&content, '\n');
        struct slice name = slice_cut(&value, ' ');
        if (slice_equal(name, SLICE("result")))
            has_result = read_result(report, value);
        else if (slice_equal(name, SLICE("error")))
            nightreport_set_error(report, SLICE(""), value);
        else
            read_number(report, name, value);
    }
    return has_result && report->began > 0;
}

/* ---- the lock ----------------------------------------------------------------------------------
 */

static struct flock whole_file(short type)
{
    return (struct flock){.l_type = type, .l_whence = SEEK_SET};
}

int nightreport_lock(int folder)
{
    struct flock lock = whole_file(F_WRLCK);
    int fd = openat(folder, NIGHTREPORT_LOCK, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd >= 0 && fcntl(fd, F_SETLK, &lock) < 0)
        io_close(&fd);
    return fd;
}

bool nightreport_is_locked(int root)
{
    struct flock lock = whole_file(F_RDLCK);
    int fd =
        openat(root, NIGHTREPORT_FOLDER "/" NIGHTREPORT_LOCK, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    bool locked = fd >= 0 && fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
    io_close(&fd);
    return locked;
}
