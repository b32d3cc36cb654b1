/*
 * tenant - for whom a message is in the queue, so that customers take turns
 *
 * Mail that an account sends is its domain's, mail from outside is that of the domain it came for
 * (who sends it may call itself what it likes), other mail that of its sender's domain. Whoever has
 * fifty thousand messages in the queue so holds up nobody's one message: scanner and workers take
 * one of each tenant in turn.
 */
#ifndef QUEUE_TENANT_H
#define QUEUE_TENANT_H

#include "message.h"
#include "ring.h"

enum { TENANT_POOLS = 3 }; /* one per kind of job, job.h */

struct tenant_table;

struct tenant {
    struct tenant_table *table;
    uint64_t key;
    size_t users; /* messages and lanes */
    struct tenant *next_in_table;
    struct message_list scans; /* the scanner's line of this tenant */
    struct ring scan_node;     /* in the scanner's ring, while somebody waits */
    struct {
        struct ring lanes; /* those with a job that may go now */
        struct ring node;  /* in the pool's ring, while there is one */
        unsigned running;  /* jobs that a worker has */
    } turns[TENANT_POOLS];
};

struct tenant_table {
    struct tenant **buckets;
    size_t bucket_count; /* a power of two, or 0 */
    size_t count;
};

void tenant_table_init(struct tenant_table *table);
/* Nobody uses any any more. */
void tenant_table_free(struct tenant_table *table);

/* The name of the tenant of a message: a domain, not folded. Pure. */
struct slice tenant_name(const struct queuefile *file);
/* Finds or makes it, with one user more. NULL without memory. */
struct tenant *tenant_get(struct tenant_table *table, struct slice name);
struct tenant *tenant_share(struct tenant *tenant);
/* Clears *tenant, which may be NULL; the last user frees it. */
void tenant_release(struct tenant **tenant);

#endif
