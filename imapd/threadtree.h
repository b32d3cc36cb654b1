/*
 * threadtree - messages gathered into threads (RFC 5256 3): ORDEREDSUBJECT, REFERENCES, REFS
 *
 * Pure: keys of messages in, a tree out. Messages are added in the order of the mailbox; that order
 * decides where dates are the same. Any keys are accepted; each message is in the tree once. Time is
 * O(n log n) in messages and references, recursion there is none, memory about 100 bytes for each
 * message and 50 for each id that is referred to.
 *
 * REFS is REFERENCES without its step 5 (no thread is made of equal subjects), and threads are in
 * the order of their latest messages: so Dovecot does it, and Roundcube asks for it.
 */
#ifndef IMAPD_THREADTREE_H
#define IMAPD_THREADTREE_H

#include "threadlink.h"

enum threadtree_algorithm {
    THREADTREE_ORDEREDSUBJECT,
    THREADTREE_REFERENCES,
    THREADTREE_REFS,
};

#define THREADTREE_NONE UINT32_MAX

struct threadtree_message {
    int64_t sent;
    uint64_t subject; /* hash of the base subject; 0: empty */
    uint32_t number;  /* the caller's */
    uint32_t node;    /* in `link` */
    bool is_reply;
};

/* The first `count` are the messages, behind them dummies. */
struct threadtree_vertex {
    uint32_t parent;      /* vertex, or none: at the top */
    uint32_t first, last; /* of its children */
    uint32_t next;        /* sibling */
    uint32_t same;        /* of a dummy: the one whose children its children are */
    uint32_t earliest;    /* of a dummy: its child of the lowest rank, before step 5 */
};

struct threadtree {
    enum threadtree_algorithm algorithm;
    struct threadlink link;
    struct threadmap subjects;
    struct threadtree_message *messages;
    size_t count, capacity;

    /* when it is finished */
    struct threadtree_vertex *vertices;
    size_t vertex_count;
    uint32_t *order; /* messages by sent date */
    uint32_t *roots; /* vertices at the top */
    size_t root_count;
};

/* For up to `most` messages; `secret`: random bits. False without memory; nothing is to be freed. */
bool threadtree_begin(struct threadtree *tree, enum threadtree_algorithm algorithm, size_t most,
                      uint64_t secret);
void threadtree_end(struct threadtree *tree);
/* `sent`: messagekeys_sent. False when it is full or memory is out. */
bool threadtree_add(struct threadtree *tree, uint32_t number, int64_t sent,
                    const struct messagekeys *keys);
/* Gathers; nothing can be added from here on. False without memory. */
bool threadtree_finish(struct threadtree *tree);
/* Appends the threads as THREAD answers them, "(1 2 (3)(4))(5)" (RFC 5256 4, 5). */
bool threadtree_append(const struct threadtree *tree, struct str *out);

#endif
