/*
 * cache - a short memory of passwords that were right
 *
 * A mail client logs in every minute; without this each login would cost a hash, 26 ms. Kept is an
 * HMAC-SHA-256 of account, stored hash and password under a key that was made at start and never
 * leaves the process: no password can be read out of it, and a new password hash makes the old
 * entry useless. Bounded: 4 entries per set, the oldest goes.
 */
#ifndef AUTHD_CACHE_H
#define AUTHD_CACHE_H

#include <stdbool.h>
#include <stdint.h>

enum {
    CACHE_SETS = 1024, /* a power of two */
    CACHE_WAYS = 4,
    CACHE_MAC_SIZE = 32,
    CACHE_KEY_SIZE = 32,
    CACHE_TTL_MS = 300000,
};

struct cache_entry {
    unsigned char mac[CACHE_MAC_SIZE];
    int64_t ends; /* clock_ms; 0: empty */
};

struct cache {
    unsigned char key[CACHE_KEY_SIZE];
    struct cache_entry sets[CACHE_SETS][CACHE_WAYS];
};

/* Empty, under a fresh key. False: the system gives no random bytes. */
bool cache_init(struct cache *cache);

bool cache_has(const struct cache *cache, const char *account, const char *hash, const char *secret,
               int64_t now_ms);
void cache_add(struct cache *cache, const char *account, const char *hash, const char *secret,
               int64_t now_ms);

#endif
