/* tally - see tally.h */
#include "tally.h"

#include "hash.h"
#include "number.h"

#include <stdlib.h>
#include <string.h>

/* How many of the oldest are looked at for one that is not locked. */
enum { TALLY_TRIES = 16 };

bool tally_init(struct tally_table *table, size_t max, uint64_t seed)
{
    size_t buckets = 16;
    while (buckets < max)
        buckets *= 2;
    *table = (struct tally_table){.max = max, .seed = seed, .bucket_count = buckets};
    table->buckets = calloc(buckets, sizeof(struct tally *));
    return table->buckets;
}

void tally_free(struct tally_table *table)
{
    while (table->newest)
        tally_remove(table, table->newest);
    free(table->buckets);
    *table = (struct tally_table){0};
}

/* FNV-1a from a secret start, mixed once more so that the low bits depend on all. */
static uint64_t hash_of(const struct tally_table *table, struct slice key)
{
    uint64_t hash = hash_fold(hash_add(table->seed ^ HASH_START, key));
    hash *= table->seed | 1;
    return hash ^ (hash >> 29);
}

struct slice tally_key(const struct tally *tally)
{
    return slice_of(tally->key, tally->key_size);
}

static struct tally **bucket_of(const struct tally_table *table, uint64_t hash)
{
    return &table->buckets[hash & (table->bucket_count - 1)];
}

static struct tally *find(const struct tally_table *table, struct slice key, uint64_t hash)
{
    struct tally *tally = *bucket_of(table, hash);
    while (tally && (tally->hash != hash || !slice_equal(tally_key(tally), key)))
        tally = tally->next;
    return tally;
}

struct tally *tally_find(const struct tally_table *table, struct slice key)
{
    return find(table, key, hash_of(table, key));
}

static void unlink_use(struct tally_table *table, struct tally *tally)
{
    if (tally->newer)
        tally->newer->older = tally->older;
    else
        table->newest = tally->older;
    if (tally->older)
        tally->older->newer = tally->newer;
    else
        table->oldest = tally->newer;
}

static void link_newest(struct tally_table *table, struct tally *tally)
{
    tally->newer = NULL;
    tally->older = table->newest;
    if (table->newest)
        table->newest->newer = tally;
    else
        table->oldest = tally;
    table->newest = tally;
}

void tally_remove(struct tally_table *table, struct tally *tally)
{
    struct tally **at = bucket_of(table, tally->hash);
    while (*at != tally)
        at = &(*at)->next;
    *at = tally->next;
    unlink_use(table, tally);
    table->count--;
    free(tally->more);
    free(tally);
}

static void make_room(struct tally_table *table, int64_t now)
{
    struct tally *victim = table->oldest;
    for (int tries = 0; victim && tries < TALLY_TRIES; tries++) {
        if (victim->locked_until <= now)
            break;
        victim = victim->newer;
    }
    if (!victim || victim->locked_until > now)
        victim = table->oldest;
    if (victim)
        tally_remove(table, victim);
}

static struct tally *make(struct tally_table *table, struct slice key, uint64_t hash)
{
    size_t size;
    if (!number_add(sizeof(struct tally), key.size, &size))
        return NULL;
    struct tally *tally = calloc(1, size);
    if (!tally)
        return NULL;
    tally->hash = hash;
    tally->key_size = key.size;
    if (key.size > 0)
        memcpy(tally->key, key.data, key.size);
    struct tally **bucket = bucket_of(table, hash);
    tally->next = *bucket;
    *bucket = tally;
    link_newest(table, tally);
    table->count++;
    return tally;
}

struct tally *tally_get(struct tally_table *table, struct slice key, int64_t now)
{
    uint64_t hash = hash_of(table, key);
    struct tally *tally = find(table, key, hash);
    if (!tally) {
        if (table->count >= table->max)
            make_room(table, now);
        return make(table, key, hash);
    }
    unlink_use(table, tally);
    link_newest(table, tally);
    return tally;
}
