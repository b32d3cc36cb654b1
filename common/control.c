/* control - see control.h */
#include "control.h"

#include "io.h"
#include "number.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

int control_open_root(const char *root)
{
    char path[PATH_MAX];
    int size = snprintf(path, sizeof path, "%s%scontrol", root ? root : "", root ? "/" : "");
    if (size < 0 || (size_t)size >= sizeof path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

void control_init(struct control *control, int folder)
{
    control->folder = folder;
    control->error[0] = '\0';
}

bool control_fail(struct control *control, const char *name, unsigned line, const char *format, ...)
{
    int used = line > 0 ? snprintf(control->error, sizeof control->error,
                                   "control/%s line %u: ", name, line)
                        : snprintf(control->error, sizeof control->error, "control/%s: ", name);
    if (used < 0 || (size_t)used >= sizeof control->error)
        return false;
    va_list list;
    va_start(list, format);
    vsnprintf(control->error + used, sizeof control->error - (size_t)used, format, list);
    va_end(list);
    return false;
}

bool control_lines_open(struct control *control, const char *name, struct control_lines *lines)
{
    *lines = (struct control_lines){0};
    str_init(&lines->content, CONTROL_FILE_MAX);
    if (!io_read_file(control->folder, name, &lines->content) && errno != ENOENT) {
        int error = errno;
        str_free(&lines->content);
        if (error == EFBIG)
            return control_fail(control, name, 0, "larger than %d bytes", CONTROL_FILE_MAX);
        return control_fail(control, name, 0, "can't be read: %s", strerror(error));
    }
    lines->rest = str_slice(&lines->content);
    return true;
}

bool control_next_line(struct control_lines *lines, struct slice *line)
{
    while (lines->rest.size > 0) {
        *line = slice_trim(slice_cut(&lines->rest, '\n'));
        lines->number++;
        if (line->size > 0 && line->data[0] != '#')
            return true;
    }
    return false;
}

void control_lines_free(struct control_lines *lines)
{
    str_free(&lines->content);
    *lines = (struct control_lines){0};
}

/* The first line that counts; *number 0 when there is none. */
static bool first_line(struct control *control, const char *name, struct str *value,
                       unsigned *number)
{
    struct control_lines lines;
    struct slice line;
    if (!control_lines_open(control, name, &lines))
        return false;
    bool found = control_next_line(&lines, &line);
    *number = found ? lines.number : 0;
    bool fits = !found || str_append(value, line);
    control_lines_free(&lines);
    return fits || control_fail(control, name, *number, "longer than %zu bytes", value->max);
}

bool control_text(struct control *control, const char *name, const char *otherwise,
                  struct str *value)
{
    unsigned number;
    if (!first_line(control, name, value, &number))
        return false;
    if (number == 0)
        str_append_text(value, otherwise);
    return !value->failed;
}

bool control_number(struct control *control, const char *name, uint64_t least, uint64_t most,
                    uint64_t otherwise, uint64_t *value)
{
    struct str text;
    unsigned number;
    str_init(&text, CONTROL_ERROR_MAX / 2);
    if (!first_line(control, name, &text, &number)) {
        str_free(&text);
        return false;
    }
    bool good = number == 0;
    if (good)
        *value = otherwise;
    else
        good = number_parse(str_slice(&text), most, value) && *value >= least;
    if (!good)
        control_fail(control, name, number, "\"%.*s\" is not a number from %llu to %llu (try %llu)",
                     SLICE_PRINTF(str_slice(&text)), (unsigned long long)least,
                     (unsigned long long)most, (unsigned long long)otherwise);
    str_free(&text);
    return good;
}
