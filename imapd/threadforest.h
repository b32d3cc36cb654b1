/*
 * threadforest - who is above whom in trees that change: links, cuts and roots in O(log n)
 *
 * A chain of a hundred thousand replies has as many ancestors for each new one; walking up would
 * make threading quadratic. These are the link-cut trees of Sleator and Tarjan (1983): each path of
 * a tree is a splay tree by depth, whose root points to the node that the path hangs on. Costs are
 * amortized over all calls. No recursion.
 */
#ifndef IMAPD_THREADFOREST_H
#define IMAPD_THREADFOREST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define THREADFOREST_NONE UINT32_MAX

struct threadforest_node {
    uint32_t above;    /* in the splay tree; for its root: what the path hangs on */
    uint32_t below[2]; /* nearer to the root of the tree; farther from it */
};

struct threadforest {
    struct threadforest_node *nodes;
    size_t count, capacity;
};

/* A new node, alone; its number is the count before. False without memory. */
bool threadforest_add(struct threadforest *forest);
void threadforest_free(struct threadforest *forest);

uint32_t threadforest_root(struct threadforest *forest, uint32_t node);
/* `child` has to be a root, of another tree than that of `parent`. */
void threadforest_link(struct threadforest *forest, uint32_t child, uint32_t parent);
/* Takes the node and all below it from its parent. */
void threadforest_cut(struct threadforest *forest, uint32_t node);

#endif
