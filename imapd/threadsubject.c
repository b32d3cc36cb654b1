/* threadsubject - threads made of equal base subjects (RFC 5256 3), see threadparts.h */
#include "threadparts.h"

/* ---- ORDEREDSUBJECT ---------------------------------------------------------------------------
 * The first message of a subject is the parent of all others. Those without any are of one. */

enum { EMPTY_SUBJECT = 1 };

bool threadparts_hang_by_subject(struct threadtree *tree)
{
    for (size_t i = 0; i < tree->count; i++) {
        uint32_t message = tree->order[i];
        uint64_t subject = tree->messages[message].subject;
        const uint32_t *first =
            threadmap_at(&tree->subjects, subject ? subject : EMPTY_SUBJECT, message);
        if (!first)
            return false;
        if (*first != message)
            tree->vertices[message].parent = *first;
    }
    return true;
}

/* ---- step 5 of REFERENCES --------------------------------------------------------------------- */

/* 5.B.i: of a dummy the first child speaks. */
static const struct threadtree_message *speaker(const struct threadtree *tree, uint32_t vertex)
{
    bool is_dummy = threadparts_is_dummy(tree, vertex);
    return &tree->messages[is_dummy ? tree->vertices[vertex].earliest : vertex];
}

static bool is_reply(const struct threadtree *tree, uint32_t vertex)
{
    return tree->messages[vertex].is_reply;
}

/* 5.B.iv: a dummy is better than a message, one that is no reply better than one that is. */
static bool is_better(const struct threadtree *tree, uint32_t vertex, uint32_t known)
{
    if (threadparts_is_dummy(tree, known))
        return false;
    return threadparts_is_dummy(tree, vertex) || (is_reply(tree, known) && !is_reply(tree, vertex));
}

/* 5.B: to each subject the thread that others of that subject come to. */
static bool fill_subjects(struct threadtree *tree)
{
    for (size_t i = 0; i < tree->root_count; i++) {
        uint32_t root = tree->roots[i];
        uint64_t subject = speaker(tree, root)->subject;
        if (subject == 0)
            continue;
        uint32_t *known = threadmap_at(&tree->subjects, subject, root);
        if (!known)
            return false;
        if (is_better(tree, root, *known))
            *known = root;
    }
    return true;
}

/* 5.C.iv */
static void join(struct threadtree *tree, uint32_t root, uint32_t *known)
{
    struct threadtree_vertex *vertices = tree->vertices;
    bool root_is_dummy = threadparts_is_dummy(tree, root);
    if (threadparts_is_dummy(tree, *known)) {
        if (root_is_dummy)
            vertices[root].same = *known;
        else
            vertices[root].parent = *known;
    } else if (is_reply(tree, root) && !is_reply(tree, *known)) {
        vertices[root].parent = *known;
    } else {
        uint32_t dummy = threadparts_dummy(tree);
        vertices[root].parent = vertices[*known].parent = dummy;
        *known = dummy;
    }
}

/* 5.C. `known` is never one that was joined: what others came to stays at the top, or became a child
 * of the dummy that took its place. */
bool threadparts_join_subjects(struct threadtree *tree)
{
    if (!fill_subjects(tree))
        return false;
    for (size_t i = 0; i < tree->root_count; i++) {
        uint32_t root = tree->roots[i];
        uint64_t subject = speaker(tree, root)->subject;
        uint32_t *known = subject > 0 ? threadmap_find(&tree->subjects, subject) : NULL;
        if (known && *known != root && tree->vertices[root].parent == THREADTREE_NONE)
            join(tree, root, known);
    }
    return true;
}
