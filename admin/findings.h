/*
 * findings - everything that is wrong with the control files, collected to be said at once
 *
 * Each entry is one line: "control/domains/example.jp/users line 3: ...", and says what to do.
 */
#ifndef ADMIN_FINDINGS_H
#define ADMIN_FINDINGS_H

#include "str.h"

enum {
    FINDINGS_MAX = 1048576, /* bytes of text; later entries are only counted */
    FINDINGS_WARNINGS_MAX = 50,
};

struct findings {
    struct str errors;
    struct str warnings;
    size_t error_count;
    size_t warning_count;
    bool trouble; /* an error that passes by itself: disk, memory */
};

void findings_init(struct findings *findings);
void findings_free(struct findings *findings);

/* `path` is relative to ROOT; line 0 for the file as a whole. */
void findings_error(struct findings *findings, const char *path, unsigned line, const char *format,
                    ...) __attribute__((format(printf, 4, 5)));
/* What works, but not as it reads. */
void findings_warning(struct findings *findings, const char *path, unsigned line,
                      const char *format, ...) __attribute__((format(printf, 4, 5)));
/* An error with errno as the cause, which counts as passing. */
void findings_trouble(struct findings *findings, const char *path, const char *action);

/* Writes warnings and errors to `fd`, each behind "PROGRAM: ". */
void findings_print(const struct findings *findings, const char *program, int fd);

#endif
