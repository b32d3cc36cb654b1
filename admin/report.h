/*
 * report - everything that is wrong with the control files, collected to be said at once
 *
 * Each entry is one line: "control/domains/example.jp/users line 3: ...", and says what to do.
 */
#ifndef ADMIN_REPORT_H
#define ADMIN_REPORT_H

#include "str.h"

enum {
    REPORT_MAX = 1048576, /* bytes of text; later entries are only counted */
    REPORT_WARNINGS_MAX = 50,
};

struct report {
    struct str errors;
    struct str warnings;
    size_t error_count;
    size_t warning_count;
    bool trouble; /* an error that passes by itself: disk, memory */
};

void report_init(struct report *report);
void report_free(struct report *report);

/* `path` is relative to ROOT; line 0 for the file as a whole. */
void report_error(struct report *report, const char *path, unsigned line, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* What works, but not as it reads. */
void report_warning(struct report *report, const char *path, unsigned line, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* An error with errno as the cause, which counts as passing. */
void report_trouble(struct report *report, const char *path, const char *action);

/* Writes warnings and errors to `fd`, each behind "PROGRAM: ". */
void report_print(const struct report *report, const char *program, int fd);

#endif
