/* report - see report.h */
#include "report.h"

#include "clock.h"
#include "io.h"

#include <errno.h>
#include <string.h>

void report_init(struct report *report)
{
    *report = (struct report){0};
    str_init(&report->errors, REPORT_MAX);
    str_init(&report->warnings, REPORT_MAX);
}

void report_free(struct report *report)
{
    str_free(&report->errors);
    str_free(&report->warnings);
}

/* One line, or nothing when there is no room for it. */
static void add(struct str *text, const char *path, unsigned line, const char *format, va_list list)
{
    size_t start = text->size;
    str_append_text(text, path);
    if (line > 0)
        str_format(text, " line %u", line);
    str_append_text(text, ": ");
    str_format_list(text, format, list);
    str_append_byte(text, '\n');
    if (text->failed) {
        str_truncate(text, start);
        text->failed = false;
    }
}

void report_error(struct report *report, const char *path, unsigned line, const char *format, ...)
{
    va_list list;
    report->error_count++;
    va_start(list, format);
    add(&report->errors, path, line, format, list);
    va_end(list);
}

void report_warning(struct report *report, const char *path, unsigned line, const char *format, ...)
{
    va_list list;
    if (report->warning_count++ >= REPORT_WARNINGS_MAX)
        return;
    va_start(list, format);
    add(&report->warnings, path, line, format, list);
    va_end(list);
}

void report_trouble(struct report *report, const char *path, const char *action)
{
    report->trouble = true;
    report_error(report, path, 0, "can't %s: %s", action, strerror(errno));
}

static void print_lines(struct str *out, const char *program, const char *kind, struct slice lines)
{
    while (lines.size > 0) {
        struct slice line = slice_cut(&lines, '\n');
        str_format(out, "%s: %s%.*s\n", program, kind, SLICE_PRINTF(line));
    }
}

void report_print(const struct report *report, const char *program, int fd)
{
    struct str out;
    str_init(&out, 4 * (size_t)REPORT_MAX);
    print_lines(&out, program, "warning: ", str_slice(&report->warnings));
    if (report->warning_count > REPORT_WARNINGS_MAX)
        str_format(&out, "%s: warning: and %zu more of this kind\n", program,
                   report->warning_count - REPORT_WARNINGS_MAX);
    print_lines(&out, program, "", str_slice(&report->errors));
    /* Standard error is all there is; if it is gone, nobody is left to be told. */
    (void)!io_write_all(fd, str_slice(&out), CLOCK_NEVER);
    str_free(&out);
}
