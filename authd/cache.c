/* cache - see cache.h */
#include "cache.h"

#include <bearssl.h>
#include <string.h>
#include <sys/random.h>

_Static_assert((int)CACHE_MAC_SIZE == (int)br_sha256_SIZE, "HMAC-SHA-256");

bool cache_init(struct cache *cache)
{
    *cache = (struct cache){0};
    return getrandom(cache->key, sizeof cache->key, 0) == (ssize_t)sizeof cache->key;
}

/* Each text with its NUL, so that no two triples are the same bytes. */
static void compute(const struct cache *cache, const char *account, const char *hash,
                    const char *secret, unsigned char mac[CACHE_MAC_SIZE])
{
    br_hmac_key_context key;
    br_hmac_context hmac;
    br_hmac_key_init(&key, &br_sha256_vtable, cache->key, sizeof cache->key);
    br_hmac_init(&hmac, &key, 0);
    br_hmac_update(&hmac, account, strlen(account) + 1);
    br_hmac_update(&hmac, hash, strlen(hash) + 1);
    br_hmac_update(&hmac, secret, strlen(secret) + 1);
    br_hmac_out(&hmac, mac);
    explicit_bzero(&key, sizeof key);
    explicit_bzero(&hmac, sizeof hmac);
}

/* The MAC's own bytes choose the set; nobody outside can predict them. */
static size_t set_of(const unsigned char mac[CACHE_MAC_SIZE])
{
    return (mac[0] | (size_t)mac[1] << 8) & (CACHE_SETS - 1);
}

bool cache_has(const struct cache *cache, const char *account, const char *hash, const char *secret,
               int64_t now_ms)
{
    unsigned char mac[CACHE_MAC_SIZE];
    compute(cache, account, hash, secret, mac);
    const struct cache_entry *set = cache->sets[set_of(mac)];
    for (int i = 0; i < CACHE_WAYS; i++)
        if (set[i].ends > now_ms && memcmp(set[i].mac, mac, sizeof mac) == 0)
            return true;
    return false;
}

void cache_add(struct cache *cache, const char *account, const char *hash, const char *secret,
               int64_t now_ms)
{
    unsigned char mac[CACHE_MAC_SIZE];
    compute(cache, account, hash, secret, mac);
    struct cache_entry *set = cache->sets[set_of(mac)];
    struct cache_entry *oldest = set;
    for (int i = 1; i < CACHE_WAYS; i++)
        if (set[i].ends < oldest->ends)
            oldest = &set[i];
    memcpy(oldest->mac, mac, sizeof mac);
    oldest->ends = now_ms + CACHE_TTL_MS;
}
