/*
 * passwordpool - hashes of many passwords, computed on all processors at once
 *
 * A hash costs what it costs (password.h): that is its use. What can be had is that every processor
 * works on it.
 */
#ifndef ADMIN_PASSWORDPOOL_H
#define ADMIN_PASSWORDPOOL_H

#include "password.h"

#include <stdint.h>

/* 16 MB each. */
enum { PASSWORDPOOL_THREADS_MAX = 64 };

struct passwordpool_job {
    struct slice secret;
    struct slice old; /* the hash that the account has, void or not; empty: none */
    char *hash;       /* PASSWORD_HASH_MAX bytes of the caller's */
    unsigned line;    /* the caller's */
    bool
        is_like_old; /* told: the old one was made void, and this one is like it. There is no hash */
};

/* About how long so many at full strength take a machine that has nothing else to do. */
int64_t passwordpool_ms(size_t count);

/* False with errno; then some hashes may be missing. */
bool passwordpool_hash(struct passwordpool_job *jobs, size_t count,
                       enum password_strength strength);

#endif
