/*
 * hash - FNV-1a, 64 bits: for tables and names where nobody gains by two keys that meet
 *
 * Begin with HASH_START (or that and a secret), add what counts.
 */
#ifndef COMMON_HASH_H
#define COMMON_HASH_H

#include "slice.h"

#include <stdint.h>
#include <string.h>

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

/* Eight bytes at a time: a sum over what is large, that shows what was torn. Not the same as hash_add. */
static inline uint64_t hash_add_block(uint64_t hash, const void *bytes, size_t size)
{
    const char *at = bytes;
    for (; size >= 8; at += 8, size -= 8) {
        uint64_t word;
        memcpy(&word, at, 8);
        hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
        hash ^= hash >> 29;
    }
    return hash_add(hash, (struct slice){at, size});
}

/* So that the low bits depend on all. */
static inline uint64_t hash_fold(uint64_t hash)
{
    return hash ^ hash >> 32;
}

#endif
