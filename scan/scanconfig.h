/*
 * scanconfig - the host's settings that scand acts on, and the state of the signature folders
 */
#ifndef SCAN_SCANCONFIG_H
#define SCAN_SCANCONFIG_H

#include "directory.h"
#include "judge.h"

#include <limits.h>

#define SCANCONFIG_OWN_SIGNATURES "etc/clamav"

struct scanconfig {
    char clamdb[PATH_MAX]; /* clamdb */
    unsigned workers;      /* scan-workers */
    unsigned timeout_s;    /* scan-timeout */
    struct policy policy;  /* scan-encrypted, scan-limits */
    uint64_t files;        /* fingerprint of the signature files: names, sizes, times */
};

/* Reads the compiled settings and looks at the folders. False: trouble with cdb/host.cdb. */
bool scanconfig_read(struct directory *directory, struct scanconfig *config);
/* Is nothing different that scanning depends on? */
bool scanconfig_is_same(const struct scanconfig *a, const struct scanconfig *b);
/* Adds what the names, sizes and times of a folder's files come to; any order, same result. */
uint64_t scanconfig_fingerprint(const char *folder);

#endif
