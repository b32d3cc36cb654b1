/* threadlink - see threadlink.h */
#include "threadlink.h"

#include "number.h"

#include <stdlib.h>

enum { FIRST_CAPACITY = 256 };

void threadlink_init(struct threadlink *link, uint64_t secret)
{
    *link = (struct threadlink){.count = 0};
    threadmap_init(&link->ids, secret);
}

void threadlink_free(struct threadlink *link)
{
    threadmap_free(&link->ids);
    threadforest_free(&link->forest);
    free(link->nodes);
    *link = (struct threadlink){.count = 0};
}

/* ---- nodes ------------------------------------------------------------------------------------ */

static bool grow(struct threadlink *link)
{
    size_t capacity = link->capacity ? link->capacity : FIRST_CAPACITY, size;
    if (!number_multiply(capacity, 2, &capacity) || capacity > THREADLINK_NONE ||
        !number_multiply(capacity, sizeof *link->nodes, &size))
        return false;
    struct threadlink_node *nodes = realloc(link->nodes, size);
    if (!nodes)
        return false;
    link->nodes = nodes;
    link->capacity = capacity;
    return true;
}

static bool add_node(struct threadlink *link, uint32_t message, uint32_t *node)
{
    if ((link->count == link->capacity && !grow(link)) || !threadforest_add(&link->forest))
        return false;
    *node = (uint32_t)link->count++;
    link->nodes[*node] = (struct threadlink_node){.parent = THREADLINK_NONE, .message = message};
    return true;
}

/* The node of the id; a new one is the message's, or a dummy. */
static bool node_of_id(struct threadlink *link, uint64_t id, uint32_t message, uint32_t *node)
{
    uint32_t *known = threadmap_at(&link->ids, id, THREADLINK_NONE);
    if (!known)
        return false;
    if (*known == THREADLINK_NONE && !add_node(link, message, known))
        return false;
    *node = *known;
    return true;
}

/* Of several messages with one id the first has it; the others are as if they had an id of their
 * own, like those without any (step 1). */
static bool node_of_message(struct threadlink *link, uint32_t message, uint64_t id, uint32_t *node)
{
    if (id == 0)
        return add_node(link, message, node);
    if (!node_of_id(link, id, message, node))
        return false;
    struct threadlink_node *found = &link->nodes[*node];
    if (found->message == THREADLINK_NONE)
        found->message = message;
    return found->message == message || add_node(link, message, node);
}

/* ---- links ------------------------------------------------------------------------------------ */

/* Is `child`, which has no parent, above `parent` or the same? */
static bool would_loop(struct threadlink *link, uint32_t parent, uint32_t child)
{
    if (parent == child)
        return true;
    if (!link->nodes[child].has_child || link->nodes[parent].parent == THREADLINK_NONE)
        return false;
    return threadforest_root(&link->forest, parent) == child;
}

static void put_below(struct threadlink *link, uint32_t parent, uint32_t child)
{
    if (would_loop(link, parent, child))
        return;
    link->nodes[child].parent = parent;
    link->nodes[parent].has_child = true;
    threadforest_link(&link->forest, child, parent);
}

static void take_away(struct threadlink *link, uint32_t child)
{
    if (link->nodes[child].parent == THREADLINK_NONE)
        return;
    link->nodes[child].parent = THREADLINK_NONE;
    threadforest_cut(&link->forest, child);
}

/* Step 1.A: each reference is the parent of the next, unless that has one. *last: the last. */
static bool link_references(struct threadlink *link, const struct messagekeys *keys, uint32_t *last)
{
    size_t count = messagekeys_reference_count(keys);
    *last = THREADLINK_NONE;
    for (size_t i = 0; i < count; i++) {
        uint64_t id = messagekeys_reference(keys, i);
        uint32_t node;
        size_t before = link->count;
        if (link->dummies >= THREADLINK_DUMMIES_MAX && !threadmap_find(&link->ids, id))
            continue;
        if (!node_of_id(link, id, THREADLINK_NONE, &node))
            return false;
        link->dummies += link->count - before;
        if (*last != THREADLINK_NONE && link->nodes[node].parent == THREADLINK_NONE)
            put_below(link, *last, node);
        *last = node;
    }
    return true;
}

bool threadlink_add(struct threadlink *link, uint32_t message, const struct messagekeys *keys,
                    uint32_t *node)
{
    uint32_t last;
    if (!node_of_message(link, message, keys->id, node) || !link_references(link, keys, &last))
        return false;
    /* Step 1.B: the message's own word counts more than what others' references said of it. */
    if (last != THREADLINK_NONE && link->nodes[*node].parent == last)
        return true;
    take_away(link, *node);
    if (last != THREADLINK_NONE)
        put_below(link, last, *node);
    return true;
}

/* ---- dummies ---------------------------------------------------------------------------------- */

static bool is_passed(const struct threadlink *link, uint32_t node)
{
    return link->nodes[node].message == THREADLINK_NONE &&
           link->nodes[node].parent != THREADLINK_NONE;
}

uint32_t threadlink_above(struct threadlink *link, uint32_t node)
{
    uint32_t first = link->nodes[node].parent, end = first;
    if (first == THREADLINK_NONE)
        return first;
    while (is_passed(link, end))
        end = link->nodes[end].parent;
    /* All dummies on the way hang on it now, so that no way is gone twice. */
    for (uint32_t at = first; is_passed(link, at);) {
        uint32_t next = link->nodes[at].parent;
        link->nodes[at].parent = end;
        at = next;
    }
    return end;
}
