/*
 * threadmap - a table from 64-bit hashes (of message ids, of subjects) to places in arrays
 *
 * Keys come from strangers' mail: a secret of the caller's keeps them from choosing ones that meet
 * in the table. Two texts of one hash are one to it.
 */
#ifndef IMAPD_THREADMAP_H
#define IMAPD_THREADMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct threadmap_slot {
    uint64_t key; /* 0: free */
    uint32_t value;
};

struct threadmap {
    struct threadmap_slot *slots;
    size_t count, capacity; /* capacity: a power of two, or 0 */
    uint64_t secret;
};

void threadmap_init(struct threadmap *map, uint64_t secret);
void threadmap_free(struct threadmap *map);
/* The value at `key` (not 0), which is `value` from now on if there was none; the caller may change
 * it, till the next call. NULL without memory. */
uint32_t *threadmap_at(struct threadmap *map, uint64_t key, uint32_t value);
/* NULL: there is none. */
uint32_t *threadmap_find(const struct threadmap *map, uint64_t key);

#endif
