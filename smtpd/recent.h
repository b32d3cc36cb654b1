/*
 * recent - a bounded table of what is known of clients, the least recently used go first
 *
 * An entry is a struct of the user's that begins with a struct recent_entry. Keys are a few bytes
 * that strangers have a say in, so the place in the table depends on a seed that they don't know.
 */
#ifndef SMTPD_RECENT_H
#define SMTPD_RECENT_H

#include "ip.h"
#include "slice.h"

enum { RECENT_KEY_SIZE = 18, RECENT_SEED_SIZE = 16 };

struct recent_key {
    unsigned char bytes[RECENT_KEY_SIZE];
};

struct recent_entry {
    struct recent_entry *next, *newer, *older;
    struct recent_key key;
};

typedef void recent_drop(struct recent_entry *entry);

struct recent {
    struct recent_entry **buckets;
    size_t bucket_count; /* a power of two */
    size_t count;
    size_t max;
    size_t entry_size;
    recent_drop *drop; /* releases what an entry owns, before it is freed; may be NULL */
    unsigned char seed[RECENT_SEED_SIZE];
    struct recent_entry *newest, *oldest;
};

/* False without memory. */
bool recent_init(struct recent *table, size_t entry_size, size_t max, recent_drop *drop,
                 const unsigned char seed[RECENT_SEED_SIZE]);
void recent_free(struct recent *table);
/* Forgets all entries. */
void recent_clear(struct recent *table);

/* NULL: none. Does not touch the order of use. */
struct recent_entry *recent_find(const struct recent *table, const struct recent_key *key);
/* Finds or makes it (all zero behind the head) and marks it as used. NULL without memory. */
struct recent_entry *recent_get(struct recent *table, const struct recent_key *key);
void recent_touch(struct recent *table, struct recent_entry *entry);
void recent_remove(struct recent *table, struct recent_entry *entry);

/* The key of an address, or of its network of the first `bits` bits; `kind` tells tables' uses
 * apart. */
struct recent_key recent_key_of_ip(const struct ip *ip, unsigned bits, unsigned char kind);
/* SipHash-2-4 of `bytes`. */
uint64_t recent_hash(const unsigned char seed[RECENT_SEED_SIZE], struct slice bytes);

#endif
