/*
 * hash - FNV-1a, 64 bits: for tables and names where nobody gains by two keys that meet
 *
 * Begin with HASH_START (or that and a secret), add what counts.
 */
#ifndef COMMON_HASH_H
#define COMMON_HASH_H

#include "slice.h"

#include <stdint.h>

#define HASH_START UINT64_C(14695981039346656037)

static inline uint64_t hash_add_byte(uint64_t hash, unsigned char byte)
{
    return (hash ^ byte) * UINT64_C(1099511628211);
}

static inline uint64_t hash_add(uint64_t hash, struct slice bytes)
{
    for (size_t i = 0; i < bytes.size; i++)
        hash = hash_add_byte(hash, (unsigned char)bytes.data[i]);
    return hash;
}

/* So that the low bits depend on all. */
static inline uint64_t hash_fold(uint64_t hash)
{
    return hash ^ hash >> 32;
}

#endif
