/*
 * ring - who takes the next turn: a circle with a beginning, through nodes that lie in their owners
 *
 * A node knows whether it is in a ring and leaves it without knowing which. The head is a node
 * that is nobody's.
 */
#ifndef QUEUE_RING_H
#define QUEUE_RING_H

#include <stdbool.h>
#include <stddef.h>

struct ring {
    struct ring *next, *previous; /* of a node that is in no ring: NULL */
    void *owner;
};

static inline void ring_init(struct ring *head)
{
    *head = (struct ring){.next = head, .previous = head};
}

static inline bool ring_is_empty(const struct ring *head)
{
    return head->next == head;
}

static inline void ring_remove(struct ring *node)
{
    if (!node->next)
        return;
    node->next->previous = node->previous;
    node->previous->next = node->next;
    node->next = node->previous = NULL;
}

/* Behind all others, unless it is in a ring already. */
static inline void ring_append(struct ring *head, struct ring *node, void *owner)
{
    if (node->next)
        return;
    *node = (struct ring){.next = head, .previous = head->previous, .owner = owner};
    head->previous->next = node;
    head->previous = node;
}

/* Whose turn it is; NULL: nobody's. It goes behind all others. */
static inline void *ring_turn(struct ring *head)
{
    struct ring *node = head->next;
    if (node == head)
        return NULL;
    void *owner = node->owner;
    ring_remove(node);
    ring_append(head, node, owner);
    return owner;
}

#endif
