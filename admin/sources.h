/*
 * sources - the control files as they are, or as they would be after a change
 *
 * A change is collected here first, checked by reading through it as if it were made, and written
 * only when all is right. So a refused change leaves everything as it was.
 */
#ifndef ADMIN_SOURCES_H
#define ADMIN_SOURCES_H

#include "control.h"
#include "findings.h"
#include "folders.h"
#include "str.h"

#include <limits.h>

enum {
    SOURCES_FILE_MAX = 268435456, /* a users file of a million accounts is half of that */
    SOURCES_CHANGES_MAX = 8,
};

struct sources_change {
    char path[PATH_MAX]; /* relative to control/ */
    bool is_removal;
    struct str content;
};

struct sources {
    int folder; /* control/, not owned */
    int lock;
    struct sources_change changes[SOURCES_CHANGES_MAX];
    size_t count;
};

enum sources_result { SOURCES_READ, SOURCES_MISSING, SOURCES_TROUBLE };

void sources_init(struct sources *sources, int folder);
void sources_free(struct sources *sources);
/* Waits at most `ms` for the right to change or compile control files (flock on control/.lock).
 * False with errno. */
bool sources_lock(struct sources *sources, int64_t ms);

/* Appends the file. SOURCES_TROUBLE with errno. */
enum sources_result sources_read(const struct sources *sources, const char *path,
                                 struct str *content);
/* The same for control_next_line. A missing file has no lines; *missing (may be NULL) tells.
 * Trouble is reported. The caller frees by control_lines_free. */
bool sources_lines(const struct sources *sources, const char *path, struct findings *findings,
                   struct control_lines *lines, bool *missing);

/* Is there, or will there be, a folder domains/NAME? */
bool sources_has_domain(const struct sources *sources, const char *name);

/* The names in a folder as they are, or will be, sorted (folders.h). False with errno. */
bool sources_list(const struct sources *sources, const char *path, struct folders_names *names);

/* The file is to have this content. False when memory is out. */
bool sources_change(struct sources *sources, const char *path, struct slice content);
/* The file is to go. False when there are too many changes. */
bool sources_remove(struct sources *sources, const char *path);
/* Writes the changes, each atomically. Folders domains/NAME are made where missing. */
bool sources_write(struct sources *sources, struct findings *findings);

#endif
