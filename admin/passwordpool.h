/*
 * passwordpool - hashes of many passwords, computed on all processors at once
 *
 * A hash costs what it costs (password.h): that is its use. What can be had is that every processor
 * works on it.
 */
#ifndef ADMIN_PASSWORDPOOL_H
#define ADMIN_PASSWORDPOOL_H

#include "password.h"

/* 16 MB each. */
enum { PASSWORDPOOL_THREADS_MAX = 64 };

struct passwordpool_job {
    struct slice secret;
    char *hash; /* PASSWORD_HASH_MAX bytes of the caller's */
};

/* False with errno; then some hashes may be missing. */
bool passwordpool_hash(const struct passwordpool_job *jobs, size_t count);

#endif
