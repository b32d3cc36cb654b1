/* threadforest - see threadforest.h */
#include "threadforest.h"

#include "number.h"

#include <stdlib.h>

enum { FIRST_CAPACITY = 256 };

bool threadforest_add(struct threadforest *forest)
{
    if (forest->count == forest->capacity) {
        size_t capacity = forest->capacity ? forest->capacity : FIRST_CAPACITY, size;
        if (!number_multiply(capacity, 2, &capacity) ||
            !number_multiply(capacity, sizeof *forest->nodes, &size))
            return false;
        struct threadforest_node *nodes = realloc(forest->nodes, size);
        if (!nodes)
            return false;
        forest->nodes = nodes;
        forest->capacity = capacity;
    }
    forest->nodes[forest->count++] =
        (struct threadforest_node){THREADFOREST_NONE, {THREADFOREST_NONE, THREADFOREST_NONE}};
    return true;
}

void threadforest_free(struct threadforest *forest)
{
    free(forest->nodes);
    *forest = (struct threadforest){0};
}

/* ---- splay trees ------------------------------------------------------------------------------ */

static bool is_splay_root(const struct threadforest *forest, uint32_t node)
{
    uint32_t above = forest->nodes[node].above;
    return above == THREADFOREST_NONE ||
           (forest->nodes[above].below[0] != node && forest->nodes[above].below[1] != node);
}

static int side_of(const struct threadforest *forest, uint32_t node)
{
    return forest->nodes[forest->nodes[node].above].below[1] == node;
}

static void set_below(struct threadforest *forest, uint32_t node, int side, uint32_t below)
{
    forest->nodes[node].below[side] = below;
    if (below != THREADFOREST_NONE)
        forest->nodes[below].above = node;
}

/* Puts the node in the place of the one above it. */
static void rotate(struct threadforest *forest, uint32_t node)
{
    struct threadforest_node *nodes = forest->nodes;
    uint32_t above = nodes[node].above, top = nodes[above].above;
    int side = side_of(forest, node);
    bool was_root = is_splay_root(forest, above);
    int top_side = was_root ? 0 : side_of(forest, above);
    set_below(forest, above, side, nodes[node].below[!side]);
    set_below(forest, node, !side, above);
    nodes[node].above = top;
    if (!was_root)
        nodes[top].below[top_side] = node;
}

static void splay(struct threadforest *forest, uint32_t node)
{
    while (!is_splay_root(forest, node)) {
        uint32_t above = forest->nodes[node].above;
        if (!is_splay_root(forest, above))
            rotate(forest, side_of(forest, node) == side_of(forest, above) ? above : node);
        rotate(forest, node);
    }
}

/* ---- paths ------------------------------------------------------------------------------------ */

/* Makes the way from the root to the node one path, which ends there, and the node its splay root. */
static void expose(struct threadforest *forest, uint32_t node)
{
    uint32_t farther = THREADFOREST_NONE;
    for (uint32_t at = node; at != THREADFOREST_NONE; at = forest->nodes[at].above) {
        splay(forest, at);
        forest->nodes[at].below[1] = farther;
        farther = at;
    }
    splay(forest, node);
}

uint32_t threadforest_root(struct threadforest *forest, uint32_t node)
{
    expose(forest, node);
    while (forest->nodes[node].below[0] != THREADFOREST_NONE)
        node = forest->nodes[node].below[0];
    splay(forest, node);
    return node;
}

void threadforest_link(struct threadforest *forest, uint32_t child, uint32_t parent)
{
    expose(forest, child);
    forest->nodes[child].above = parent;
}

void threadforest_cut(struct threadforest *forest, uint32_t node)
{
    expose(forest, node);
    uint32_t nearer = forest->nodes[node].below[0];
    if (nearer == THREADFOREST_NONE)
        return;
    forest->nodes[nearer].above = THREADFOREST_NONE;
    forest->nodes[node].below[0] = THREADFOREST_NONE;
}
