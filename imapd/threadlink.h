/*
 * threadlink - who answers whom, by message ids: step 1 of REFERENCES (RFC 5256 3)
 *
 * Messages are added in the order of the mailbox. An id that is referred to and that no message has
 * is a dummy. There are no loops at any time; each link costs O(log n) at most.
 */
#ifndef IMAPD_THREADLINK_H
#define IMAPD_THREADLINK_H

#include "messagekeys.h"
#include "threadforest.h"
#include "threadmap.h"

#define THREADLINK_NONE UINT32_MAX

/* References to further ids that no message has are passed over. */
enum { THREADLINK_DUMMIES_MAX = 4000000 };

struct threadlink_node {
    uint32_t parent;  /* node, or none */
    uint32_t message; /* or none: a dummy */
    bool has_child;   /* or had one */
};

struct threadlink {
    struct threadmap ids;
    struct threadforest forest; /* the same links, for asking */
    struct threadlink_node *nodes;
    size_t count, capacity;
    size_t dummies; /* that were made */
};

void threadlink_init(struct threadlink *link, uint64_t secret);
void threadlink_free(struct threadlink *link);
/* Adds `message`, a number of the caller's; *node is its node. False without memory. */
bool threadlink_add(struct threadlink *link, uint32_t message, const struct messagekeys *keys,
                    uint32_t *node);

/* When all are added: what the node hangs on once dummies are spliced out (step 3): its nearest
 * ancestor that is a message; failing that the topmost dummy; or none. Linear over all calls. */
uint32_t threadlink_above(struct threadlink *link, uint32_t node);

#endif
