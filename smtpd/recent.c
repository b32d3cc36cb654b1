/* recent - see recent.h */
#include "recent.h"

#include <stdlib.h>
#include <string.h>

enum { WORD_SIZE = 8, ROUNDS_OF_WORD = 2, ROUNDS_AT_END = 4 };

/* ---- SipHash (Aumasson, Bernstein 2012) -------------------------------------------------------*/

struct sip {
    uint64_t v[4];
};

static uint64_t rotate(uint64_t word, unsigned bits)
{
    return word << bits | word >> (64 - bits);
}

static void mix(struct sip *sip, unsigned rounds)
{
    uint64_t *v = sip->v;
    for (unsigned i = 0; i < rounds; i++) {
        v[0] += v[1];
        v[2] += v[3];
        v[1] = rotate(v[1], 13) ^ v[0];
        v[3] = rotate(v[3], 16) ^ v[2];
        v[0] = rotate(v[0], 32);
        v[2] += v[1];
        v[0] += v[3];
        v[1] = rotate(v[1], 17) ^ v[2];
        v[3] = rotate(v[3], 21) ^ v[0];
        v[2] = rotate(v[2], 32);
    }
}

/* Up to 8 bytes, the first the lowest. */
static uint64_t load(const unsigned char *bytes, size_t size)
{
    uint64_t word = 0;
    for (size_t i = 0; i < size; i++)
        word |= (uint64_t)bytes[i] << 8 * i;
    return word;
}

static void take_word(struct sip *sip, uint64_t word)
{
    sip->v[3] ^= word;
    mix(sip, ROUNDS_OF_WORD);
    sip->v[0] ^= word;
}

uint64_t recent_hash(const unsigned char seed[RECENT_SEED_SIZE], struct slice bytes)
{
    uint64_t k0 = load(seed, WORD_SIZE), k1 = load(seed + WORD_SIZE, WORD_SIZE);
    struct sip sip = {{k0 ^ 0x736f6d6570736575u, k1 ^ 0x646f72616e646f6du, k0 ^ 0x6c7967656e657261u,
                       k1 ^ 0x7465646279746573u}};
    const unsigned char *at = (const unsigned char *)bytes.data;
    size_t left = bytes.size;
    for (; left >= WORD_SIZE; left -= WORD_SIZE, at += WORD_SIZE)
        take_word(&sip, load(at, WORD_SIZE));
    take_word(&sip, load(at, left) | (uint64_t)bytes.size << 56);
    sip.v[2] ^= 0xff;
    mix(&sip, ROUNDS_AT_END);
    return sip.v[0] ^ sip.v[1] ^ sip.v[2] ^ sip.v[3];
}

/* ---- the table --------------------------------------------------------------------------------*/

bool recent_init(struct recent *table, size_t entry_size, size_t max, recent_drop *drop,
                 const unsigned char seed[RECENT_SEED_SIZE])
{
    *table = (struct recent){.bucket_count = 1, .max = max, .entry_size = entry_size, .drop = drop};
    memcpy(table->seed, seed, sizeof table->seed);
    while (table->bucket_count < max)
        table->bucket_count *= 2;
    table->buckets = calloc(table->bucket_count, sizeof(struct recent_entry *));
    return table->buckets != NULL;
}

void recent_clear(struct recent *table)
{
    while (table->oldest)
        recent_remove(table, table->oldest); /* NOLINT(clang-analyzer-unix.Malloc): it moves on */
}

void recent_free(struct recent *table)
{
    recent_clear(table);
    free(table->buckets);
    table->buckets = NULL;
}

static struct recent_entry **bucket_of(const struct recent *table, const struct recent_key *key)
{
    uint64_t hash = recent_hash(table->seed, slice_of(key->bytes, sizeof key->bytes));
    return &table->buckets[hash & (table->bucket_count - 1)];
}

static bool is_key(const struct recent_entry *entry, const struct recent_key *key)
{
    return memcmp(entry->key.bytes, key->bytes, sizeof key->bytes) == 0;
}

struct recent_entry *recent_find(const struct recent *table, const struct recent_key *key)
{
    struct recent_entry *entry = *bucket_of(table, key);
    while (entry && !is_key(entry, key))
        entry = entry->next;
    return entry;
}

static void unlink_use(struct recent *table, struct recent_entry *entry)
{
    if (entry->newer)
        entry->newer->older = entry->older;
    else
        table->newest = entry->older;
    if (entry->older)
        entry->older->newer = entry->newer;
    else
        table->oldest = entry->newer;
}

static void link_newest(struct recent *table, struct recent_entry *entry)
{
    entry->newer = NULL;
    entry->older = table->newest;
    if (table->newest)
        table->newest->newer = entry;
    else
        table->oldest = entry;
    table->newest = entry;
}

void recent_touch(struct recent *table, struct recent_entry *entry)
{
    unlink_use(table, entry);
    link_newest(table, entry);
}

void recent_remove(struct recent *table, struct recent_entry *entry)
{
    struct recent_entry **place = bucket_of(table, &entry->key);
    while (*place != entry)
        place = &(*place)->next;
    *place = entry->next;
    unlink_use(table, entry);
    table->count--;
    if (table->drop)
        table->drop(entry);
    free(entry);
}

static struct recent_entry *make(struct recent *table, const struct recent_key *key)
{
    struct recent_entry *entry = calloc(1, table->entry_size);
    if (!entry)
        return NULL;
    if (table->count >= table->max)
        recent_remove(table, table->oldest);
    struct recent_entry **bucket = bucket_of(table, key);
    entry->key = *key;
    entry->next = *bucket;
    *bucket = entry;
    link_newest(table, entry);
    table->count++;
    return entry;
}

struct recent_entry *recent_get(struct recent *table, const struct recent_key *key)
{
    struct recent_entry *entry = recent_find(table, key);
    if (!entry)
        return make(table, key);
    recent_touch(table, entry);
    return entry;
}

struct recent_key recent_key_of_ip(const struct ip *ip, unsigned bits, unsigned char kind)
{
    struct recent_key key = {{kind, (unsigned char)ip->size}};
    struct ip network = ip_network(ip, bits);
    memcpy(key.bytes + 2, network.bytes, network.size);
    return key;
}
