/*
 * cdbfile - reading a constant database that may be replaced at any time
 *
 * tinycdb's files are mapped read-only; a value points into the map and is valid till the next
 * cdbfile_refresh or cdbfile_close. A missing key and a broken file are told apart: a broken one
 * is passing trouble, never "no such user".
 */
#ifndef COMMON_CDBFILE_H
#define COMMON_CDBFILE_H

#include "slice.h"

#include <cdb.h>
#include <sys/stat.h>

struct cdbfile {
    int fd; /* -1 when closed */
    struct cdb cdb;
    dev_t device;
    ino_t inode;
    struct timespec changed;
    unsigned opened; /* how many times */
};

enum cdbfile_result { CDBFILE_FOUND, CDBFILE_MISSING, CDBFILE_TROUBLE };

/* `directory` may be AT_FDCWD. False with errno (ENOENT: no such file). */
bool cdbfile_open(struct cdbfile *file, int directory, const char *path);
/* Opens the file anew if it was replaced since. */
bool cdbfile_refresh(struct cdbfile *file, int directory, const char *path);
enum cdbfile_result cdbfile_find(struct cdbfile *file, struct slice key, struct slice *value);
/* All records in the order of the file: *place is 0 at first. CDBFILE_MISSING: that was the last. Key and
 * value are valid as cdbfile_find's. */
enum cdbfile_result cdbfile_next(struct cdbfile *file, unsigned *place, struct slice *key,
                                 struct slice *value);
void cdbfile_close(struct cdbfile *file);

#endif
