/*
 * nightreport - what the last night's work came to: state/nightly/last, written by nightly for mailctl status
 *
 * A line "name value" for each number, "result" and, where something failed, "error", which is the rest of
 * its line. A name that is missing, or that is not known, is no error: either program may be the newer one.
 */
#ifndef COMMON_NIGHTREPORT_H
#define COMMON_NIGHTREPORT_H

#include "str.h"

#include <stdint.h>

#define NIGHTREPORT_FOLDER "state/nightly"
#define NIGHTREPORT_FILE   "last"
/* Locked (fcntl) as long as nightly runs: there is no socket to ask. */
#define NIGHTREPORT_LOCK "lock"

enum { NIGHTREPORT_ERROR_MAX = 512, NIGHTREPORT_MAX = 2048 };

enum nightreport_result {
    NIGHTREPORT_DONE,       /* also when some accounts failed */
    NIGHTREPORT_FAILED,     /* nothing could be done at all */
    NIGHTREPORT_BROKEN_OFF, /* nightly was told to end */
    NIGHTREPORT_RESULTS
};

struct nightreport {
    uint64_t began, ended; /* seconds since 1970 */
    enum nightreport_result result;
    uint64_t domains, accounts;
    uint64_t archived, archived_bytes, deleted, deleted_bytes; /* messages */
    uint64_t failed;                   /* accounts, and domains as a whole */
    char error[NIGHTREPORT_ERROR_MAX]; /* the first of these; "": none */
};

const char *nightreport_result_name(enum nightreport_result result);
/* Sets the error if there is none yet: "where: reason", its control characters as '?'; what is too long
 * is cut. */
void nightreport_set_error(struct nightreport *report, struct slice where, struct slice reason);

void nightreport_put(struct str *content, const struct nightreport *report);
/* False when it says neither when the work began nor how it ended. */
bool nightreport_read(struct slice content, struct nightreport *report);

/* The lock, in the folder NIGHTREPORT_FOLDER: a descriptor to be kept, or -1 with errno (EAGAIN, EACCES:
 * another nightly has it). */
int nightreport_lock(int folder);
/* Does a nightly run? `root` is the folder above NIGHTREPORT_FOLDER. */
bool nightreport_is_locked(int root);

#endif
