/*
 * sources - the control files as they are, or as they would be after a change
 *
 * A change is collected here first, checked by reading through it as if it were made, and written
 * only when all is right. So a refused change leaves everything as it was. Whoever edits a file by
 * hand meanwhile holds no lock: his change is noticed, and not overwritten.
 */
#ifndef ADMIN_SOURCES_H
#define ADMIN_SOURCES_H

#include "control.h"
#include "findings.h"
#include "folders.h"
#include "replacement.h"
#include "str.h"

#include <limits.h>
#include <sys/stat.h>

enum {
    SOURCES_FILE_MAX = 268435456, /* a users file of a million accounts is half of that */
    SOURCES_CHANGES_MAX = 8,
};

struct sources_change {
    char path[PATH_MAX]; /* relative to control/ */
    bool is_removal;
    struct str content;
    int parent; /* the folder it goes to, once it is being written; else -1 */
};

/* A file as it was when it was last read. */
struct sources_seen {
    struct sources_seen *next;
    bool exists;
    struct stat info;
    char path[];
};

struct sources {
    int folder; /* control/, not owned */
    int lock;
    struct sources_change changes[SOURCES_CHANGES_MAX];
    size_t count;
    struct sources_seen **seen; /* NULL: nobody wants to know */
};

/* The byte order mark of UTF-8: not in control files. */
#define SOURCES_MARK "\xef\xbb\xbf"

enum sources_result { SOURCES_READ, SOURCES_MISSING, SOURCES_TROUBLE };

void sources_init(struct sources *sources, int folder);
void sources_free(struct sources *sources);
/* Waits at most `ms` for the right to change or compile control files (flock on control/.lock).
 * False with errno; with ETIMEDOUT it may be called again, and sources_lock_holder says for which process one waits
 * (0: unknown). */
bool sources_lock(struct sources *sources, int64_t ms);
/* Lets others in for a while, until sources_lock. */
void sources_unlock(struct sources *sources);
/* Everything that was read since sources_watch is as it was. */
bool sources_are_as_seen(const struct sources *sources);
long sources_lock_holder(const struct sources *sources);
/* From now on it is remembered how files were when they were read. False when memory is out. */
bool sources_watch(struct sources *sources);

/* Appends the file. SOURCES_TROUBLE with errno. */
enum sources_result sources_read(const struct sources *sources, const char *path,
                                 struct str *content);
/* The same for control_next_line. A missing file has no lines; *missing (may be NULL) tells.
 * Trouble is reported, and so are bytes that no text has. The caller frees by control_lines_free. */
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
/* Puts the changes to `replacements`, which end before `sources`. Owner and mode stay; folders
 * domains/NAME are made where missing. */
bool sources_write(struct sources *sources, struct replacements *replacements,
                   struct findings *findings);
/* The files that are changed are as they were read. False: reported. */
bool sources_are_unchanged(const struct sources *sources, struct findings *findings);

#endif
