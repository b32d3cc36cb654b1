/*
 * capacity - is there room for a message: in its mailbox, and in all mailboxes of the domain
 *
 * No mailbox grows above its quota by mail that arrives, nor a domain above its own. What a mailbox
 * has is what maildirsize says, counted again before a message is refused. What the domain has is the
 * sum over its mailboxes, remembered for a minute with our own deliveries added, and for a second
 * where the limit is near; so other programs of the domain may bring it above by what they store in
 * that second.
 *
 * Something is full when it has no room for a message of ordinary size: a 64th of the limit, at most
 * 1 MB. A message that is refused because it is larger than what is left says nothing about the next.
 */
#ifndef DELIVER_CAPACITY_H
#define DELIVER_CAPACITY_H

#include "deliveryterms.h"

#define CAPACITY_UNKNOWN UINT64_MAX
enum { CAPACITY_COUNTED_MAX = 64, CAPACITY_ORDINARY_MAX = 1048576 };

struct capacity {
    const char *domain;    /* its name, which is the current folder's */
    uint64_t mailbox_used; /* of the mailbox that was checked last; CAPACITY_UNKNOWN */
    uint64_t domain_bytes;
    int64_t domain_at; /* when it was summed, clock_ms; 0: never */
    struct {
        uint64_t mailbox; /* hash of the path */
        int64_t at;
    } counted[CAPACITY_COUNTED_MAX]; /* mailboxes that were counted because they seem full */
    size_t next;
};

enum capacity_full { CAPACITY_NONE_FULL, CAPACITY_MAILBOX_FULL, CAPACITY_DOMAIN_FULL };
struct capacity_mark {
    enum capacity_full what;
    uint64_t used, limit; /* bytes */
};

enum capacity_answer {
    CAPACITY_FITS,
    CAPACITY_FULL,
    CAPACITY_FULL_FOR_GOOD, /* the domain's senders are to hear so */
    CAPACITY_TOO_LARGE,     /* it would not fit into the empty mailbox */
};

/* May `bytes` come into the mailbox `path` of the current folder? What can't be measured is no reason
 * to refuse. */
enum capacity_answer capacity_check(struct capacity *capacity, const struct delivery_terms *terms,
                                    const char *path, uint64_t bytes, struct capacity_mark *full);
/* They came. */
void capacity_add(struct capacity *capacity, uint64_t bytes);
/* Keeps other workers out of this mailbox from check to add, where it has a limit. A descriptor to be
 * closed; -1: there is nothing to keep, or no mailbox yet. */
int capacity_lock(const struct delivery_terms *terms, const char *path);

/* Has it room for an ordinary message? */
bool capacity_is_full(uint64_t used, uint64_t limit);
/* "12.3" */
void capacity_put_megabytes(struct str *text, uint64_t bytes);
/* Counts the mailbox. False with errno; without one it is empty. */
bool capacity_count_mailbox(const char *path, uint64_t quota, uint64_t *used);
/* The sum over the mailboxes below the current folder. */
bool capacity_sum_domain(uint64_t *used);

#endif
