/* findings - see findings.h */
#include "findings.h"

#include "clock.h"
#include "io.h"
#include "visible.h"

#include <errno.h>
#include <string.h>

void findings_init(struct findings *findings)
{
    *findings = (struct findings){0};
    str_init(&findings->errors, FINDINGS_MAX);
    str_init(&findings->warnings, FINDINGS_MAX);
}

void findings_free(struct findings *findings)
{
    str_free(&findings->errors);
    str_free(&findings->warnings);
}

static void add(struct str *text, const char *path, unsigned line, const char *format, va_list list)
    __attribute__((format(printf, 4, 0)));

/* One line, or nothing when there is no room for it. */
static void add(struct str *text, const char *path, unsigned line, const char *format, va_list list)
{
    size_t start = text->size;
    str_append_text(text, path);
    if (line > 0)
        str_format(text, " line %u", line);
    str_append_text(text, ": ");
    str_format_list(text, format, list);
    /* What stands in a file, and names of files, are quoted. */
    if (!text->failed)
        visible_make(text->data + start, text->size - start, false);
    str_append_byte(text, '\n');
    if (text->failed) {
        str_truncate(text, start);
        text->failed = false;
    }
}

void findings_error(struct findings *findings, const char *path, unsigned line, const char *format,
                    ...)
{
    va_list list;
    findings->error_count++;
    va_start(list, format);
    add(&findings->errors, path, line, format, list);
    va_end(list);
}

void findings_warning(struct findings *findings, const char *path, unsigned line,
                      const char *format, ...)
{
    va_list list;
    if (findings->warning_count++ >= FINDINGS_WARNINGS_MAX)
        return;
    va_start(list, format);
    add(&findings->warnings, path, line, format, list);
    va_end(list);
}

void findings_trouble(struct findings *findings, const char *path, const char *action)
{
    findings->trouble = true;
    findings_error(findings, path, 0, "can't %s: %s", action, strerror(errno));
}

static void print_lines(struct str *out, const char *program, const char *kind, struct slice lines)
{
    while (lines.size > 0) {
        struct slice line = slice_cut(&lines, '\n');
        str_format(out, "%s: %s%.*s\n", program, kind, SLICE_PRINTF(line));
    }
}

void findings_print(const struct findings *findings, const char *program, int fd)
{
    struct str out;
    str_init(&out, 4 * (size_t)FINDINGS_MAX);
    print_lines(&out, program, "warning: ", str_slice(&findings->warnings));
    if (findings->warning_count > FINDINGS_WARNINGS_MAX)
        str_format(&out, "%s: warning: and %zu more of this kind\n", program,
                   findings->warning_count - FINDINGS_WARNINGS_MAX);
    print_lines(&out, program, "", str_slice(&findings->errors));
    /* Standard error is all there is; if it is gone, nobody is left to be told. */
    (void)!io_write_all(fd, str_slice(&out), CLOCK_NEVER);
    str_free(&out);
}
