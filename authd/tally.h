/*
 * tally - a bounded table of counts, the least recently used go first
 *
 * Keys are bytes that strangers choose, so the place in the table depends on a seed they don't
 * know.
 */
#ifndef AUTHD_TALLY_H
#define AUTHD_TALLY_H

#include "slice.h"

#include <stdint.h>

struct tally {
    int64_t start;        /* of the window that failures are counted in */
    int64_t locked_until; /* 0: not locked */
    int64_t counted;      /* pairs: when this one was last counted in the two wider tallies */
    int64_t good;         /* pairs: last successful login, 0 for none */
    unsigned failures;    /* within the window */
    unsigned others;      /* accounts: addresses that failed; addresses: accounts that failed */
    void *more;           /* the owner's, from malloc; freed with the tally. NULL at first */
    /* of the table */
    struct tally *next, *newer, *older;
    uint64_t hash;
    size_t key_size;
    char key[];
};

struct tally_table {
    struct tally **buckets;
    size_t bucket_count; /* a power of two */
    size_t count;
    size_t max;
    uint64_t seed;
    struct tally *newest, *oldest;
};

/* False without memory. */
bool tally_init(struct tally_table *table, size_t max, uint64_t seed);
void tally_free(struct tally_table *table);

/* NULL: none. Does not touch the order of use. */
struct tally *tally_find(const struct tally_table *table, struct slice key);
/* Finds or makes it and marks it as used; when the table is full, one of the least recently used
 * makes room, one that is not locked at `now` if there is. NULL without memory. */
struct tally *tally_get(struct tally_table *table, struct slice key, int64_t now);
void tally_remove(struct tally_table *table, struct tally *tally);

struct slice tally_key(const struct tally *tally);

#endif
