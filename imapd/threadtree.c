/* threadtree - see threadtree.h; subjects are in threadsubject.c */
#include "hash.h"
#include "number.h"
#include "threadparts.h"

#include <stdlib.h>

bool threadtree_begin(struct threadtree *tree, enum threadtree_algorithm algorithm, size_t most,
                      uint64_t secret)
{
    *tree = (struct threadtree){.algorithm = algorithm, .capacity = most};
    threadlink_init(&tree->link, secret);
    threadmap_init(&tree->subjects, secret);
    tree->messages = calloc(most + 1, sizeof *tree->messages);
    return tree->messages != NULL;
}

void threadtree_end(struct threadtree *tree)
{
    threadlink_free(&tree->link);
    threadmap_free(&tree->subjects);
    free(tree->messages);
    free(tree->vertices);
    free(tree->order);
    free(tree->roots);
    *tree = (struct threadtree){.count = 0};
}

static uint64_t hash_subject(struct slice subject)
{
    uint64_t hash = hash_add(HASH_START, subject);
    return subject.size == 0 ? 0 : hash > 0 ? hash : 1;
}

bool threadtree_add(struct threadtree *tree, uint32_t number, int64_t sent,
                    const struct messagekeys *keys)
{
    if (tree->count == tree->capacity)
        return false;
    struct threadtree_message *message = &tree->messages[tree->count];
    *message = (struct threadtree_message){
        .sent = sent,
        .subject = hash_subject(keys->texts[MESSAGEKEYS_SUBJECT]),
        .number = number,
        .is_reply = keys->is_reply,
    };
    if (tree->algorithm != THREADTREE_ORDEREDSUBJECT &&
        !threadlink_add(&tree->link, (uint32_t)tree->count, keys, &message->node))
        return false;
    tree->count++;
    return true;
}

/* ---- vertices --------------------------------------------------------------------------------- */

uint32_t threadparts_dummy(struct threadtree *tree)
{
    return (uint32_t)tree->vertex_count++;
}

bool threadparts_is_dummy(const struct threadtree *tree, uint32_t vertex)
{
    return vertex >= tree->count;
}

/* Each dummy has at least two messages to itself, or gathers two that stood at the top. */
static bool make_vertices(struct threadtree *tree)
{
    size_t most = 2 * tree->count + 1;
    tree->vertices = calloc(most, sizeof *tree->vertices);
    tree->order = calloc(tree->count + 1, sizeof *tree->order);
    tree->roots = calloc(tree->count + 1, sizeof *tree->roots);
    if (!tree->vertices || !tree->order || !tree->roots)
        return false;
    for (size_t i = 0; i < most; i++)
        tree->vertices[i] =
            (struct threadtree_vertex){THREADTREE_NONE, THREADTREE_NONE, THREADTREE_NONE,
                                       THREADTREE_NONE, THREADTREE_NONE, THREADTREE_NONE};
    tree->vertex_count = tree->count;
    return true;
}

static int compare_dates(const void *one, const void *other, void *context)
{
    const struct threadtree_message *messages = context;
    uint32_t a = *(const uint32_t *)one, b = *(const uint32_t *)other;
    if (messages[a].sent != messages[b].sent)
        return messages[a].sent < messages[b].sent ? -1 : 1;
    return (a > b) - (a < b);
}

static void sort_by_date(struct threadtree *tree)
{
    for (size_t i = 0; i < tree->count; i++)
        tree->order[i] = (uint32_t)i;
    qsort_r(tree->order, tree->count, sizeof *tree->order, compare_dates, tree->messages);
}

/* ---- steps 2 and 3: what the links say, without dummies --------------------------------------- */

/* How many messages hang on each node. */
static uint32_t *count_children(struct threadtree *tree)
{
    uint32_t *children = calloc(tree->link.count + 1, sizeof *children);
    for (size_t i = 0; children && i < tree->count; i++) {
        uint32_t above = threadlink_above(&tree->link, tree->messages[i].node);
        if (above != THREADLINK_NONE)
            children[above]++;
    }
    return children;
}

/* For each node: what the messages hang on that have it above them. A dummy stays where it would be
 * at the top with more than one child. */
static void choose_vertices(struct threadtree *tree, uint32_t *chosen)
{
    for (size_t i = 0; i < tree->link.count; i++) {
        uint32_t children = chosen[i], message = tree->link.nodes[i].message;
        if (message != THREADLINK_NONE)
            chosen[i] = message;
        else
            chosen[i] = children > 1 ? threadparts_dummy(tree) : THREADTREE_NONE;
    }
}

static bool hang_by_links(struct threadtree *tree)
{
    uint32_t *chosen = count_children(tree);
    if (!chosen)
        return false;
    choose_vertices(tree, chosen);
    for (size_t i = 0; i < tree->count; i++) {
        uint32_t above = threadlink_above(&tree->link, tree->messages[i].node);
        tree->vertices[i].parent = above != THREADLINK_NONE ? chosen[above] : THREADTREE_NONE;
    }
    free(chosen);
    return true;
}

/* ---- steps 4 and 6: siblings by date ---------------------------------------------------------- */

/* In the order of dates, each child is the last of its parent so far. */
static void append_child(struct threadtree *tree, uint32_t parent, uint32_t child)
{
    struct threadtree_vertex *above = &tree->vertices[parent];
    if (above->first == THREADTREE_NONE)
        above->first = child;
    else
        tree->vertices[above->last].next = child;
    above->last = child;
}

static uint32_t resolved_parent(const struct threadtree *tree, uint32_t vertex)
{
    uint32_t parent = tree->vertices[vertex].parent;
    bool is_joined = parent != THREADTREE_NONE && tree->vertices[parent].same != THREADTREE_NONE;
    return is_joined ? tree->vertices[parent].same : parent;
}

static void hang_children(struct threadtree *tree)
{
    for (size_t i = 0; i < tree->count; i++) {
        uint32_t message = tree->order[i], parent = resolved_parent(tree, message);
        tree->vertices[message].parent = parent;
        if (parent != THREADTREE_NONE)
            append_child(tree, parent, message);
    }
}

/* The vertices at the top, by date; a dummy by its first child (RFC 5256 3, steps 4 and 6). */
void threadparts_list_roots(struct threadtree *tree)
{
    tree->root_count = 0;
    for (size_t i = 0; i < tree->count; i++) {
        uint32_t message = tree->order[i], parent = resolved_parent(tree, message);
        if (parent == THREADTREE_NONE) {
            tree->roots[tree->root_count++] = message;
        } else if (threadparts_is_dummy(tree, parent) &&
                   tree->vertices[parent].earliest == THREADTREE_NONE) {
            tree->vertices[parent].earliest = message;
            tree->roots[tree->root_count++] = parent;
        }
    }
}

/* ---- REFS: threads by their latest message ---------------------------------------------------- */

/* The top of each vertex's thread, found with no way gone twice. */
static uint32_t top_of(const struct threadtree *tree, uint32_t *tops, uint32_t vertex)
{
    uint32_t top = vertex;
    while (tops[top] == THREADTREE_NONE && tree->vertices[top].parent != THREADTREE_NONE)
        top = tree->vertices[top].parent;
    top = tops[top] != THREADTREE_NONE ? tops[top] : top;
    for (uint32_t at = vertex; tops[at] == THREADTREE_NONE;) {
        uint32_t next = tree->vertices[at].parent;
        tops[at] = top;
        if (next != THREADTREE_NONE)
            at = next;
    }
    return top;
}

static bool list_roots_by_latest(struct threadtree *tree)
{
    uint32_t *tops = calloc(2 * (tree->vertex_count + 1), sizeof *tops);
    if (!tops)
        return false;
    uint32_t *latest = tops + tree->vertex_count + 1;
    for (size_t i = 0; i < tree->vertex_count; i++)
        tops[i] = THREADTREE_NONE;
    for (size_t i = 0; i < tree->count; i++)
        latest[top_of(tree, tops, tree->order[i])] = tree->order[i];
    tree->root_count = 0;
    for (size_t i = 0; i < tree->count; i++) {
        uint32_t top = tops[tree->order[i]];
        if (latest[top] == tree->order[i])
            tree->roots[tree->root_count++] = top;
    }
    free(tops);
    return true;
}

/* ---- the algorithms --------------------------------------------------------------------------- */

static void forget_roots(struct threadtree *tree)
{
    for (size_t i = tree->count; i < tree->vertex_count; i++)
        tree->vertices[i].earliest = THREADTREE_NONE;
}

static bool hang(struct threadtree *tree)
{
    switch (tree->algorithm) {
    case THREADTREE_ORDEREDSUBJECT:
        return threadparts_hang_by_subject(tree);
    case THREADTREE_REFERENCES:
        if (!hang_by_links(tree))
            return false;
        threadparts_list_roots(tree);
        return threadparts_join_subjects(tree);
    case THREADTREE_REFS:
        return hang_by_links(tree);
    }
    return false;
}

bool threadtree_finish(struct threadtree *tree)
{
    if (!make_vertices(tree))
        return false;
    sort_by_date(tree);
    if (!hang(tree))
        return false;
    hang_children(tree);
    if (tree->algorithm == THREADTREE_REFS)
        return list_roots_by_latest(tree);
    forget_roots(tree);
    threadparts_list_roots(tree);
    return true;
}

/* ---- the answer ------------------------------------------------------------------------------- */

/* Do the children stand in parentheses, each its own? One alone follows its parent behind a blank. */
static bool is_split(const struct threadtree *tree, uint32_t vertex)
{
    const struct threadtree_vertex *at = &tree->vertices[vertex];
    return threadparts_is_dummy(tree, vertex) || at->first != at->last;
}

/* Writes the vertex; returns its first child, or none. */
static uint32_t enter(const struct threadtree *tree, uint32_t vertex, struct str *out)
{
    bool is_dummy = threadparts_is_dummy(tree, vertex);
    uint32_t child = tree->vertices[vertex].first;
    if (!is_dummy)
        str_append_number(out, tree->messages[vertex].number);
    if (child == THREADTREE_NONE)
        return child;
    if (!is_dummy)
        str_append_byte(out, ' ');
    if (is_split(tree, vertex))
        str_append_byte(out, '(');
    return child;
}

/* Goes up from a vertex that is written whole, to the next sibling on the way, or none. */
static uint32_t leave(const struct threadtree *tree, uint32_t vertex, struct str *out)
{
    for (;;) {
        uint32_t parent = tree->vertices[vertex].parent;
        if (parent == THREADTREE_NONE)
            return parent;
        uint32_t next = tree->vertices[vertex].next;
        if (is_split(tree, parent))
            str_append_byte(out, ')');
        if (next != THREADTREE_NONE) {
            str_append_byte(out, '(');
            return next;
        }
        vertex = parent;
    }
}

bool threadtree_append(const struct threadtree *tree, struct str *out)
{
    for (size_t i = 0; i < tree->root_count && !out->failed; i++) {
        uint32_t vertex = tree->roots[i];
        str_append_byte(out, '(');
        while (vertex != THREADTREE_NONE) {
            uint32_t child = enter(tree, vertex, out);
            vertex = child != THREADTREE_NONE ? child : leave(tree, vertex, out);
        }
        str_append_byte(out, ')');
    }
    return !out->failed;
}
