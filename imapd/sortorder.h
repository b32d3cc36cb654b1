/*
 * sortorder - messages put in order by the criteria of SORT (RFC 5256 3, RFC 5957 4)
 *
 * Pure: facts in, numbers out. Messages are added in the order of the mailbox, which decides where
 * all criteria say the same.
 */
#ifndef IMAPD_SORTORDER_H
#define IMAPD_SORTORDER_H

#include "messagekeys.h"

enum sortorder_key {
    SORTORDER_ARRIVAL,
    SORTORDER_CC,
    SORTORDER_DATE,
    SORTORDER_DISPLAY_FROM,
    SORTORDER_DISPLAY_TO,
    SORTORDER_FROM,
    SORTORDER_SIZE,
    SORTORDER_SUBJECT,
    SORTORDER_TO,
    SORTORDER_KEYS,
};

struct sortorder_criterion {
    enum sortorder_key key;
    bool reverse;
};

enum {
    SORTORDER_CRITERIA_MAX = SORTORDER_KEYS, /* a key that comes again decides nothing */
    SORTORDER_TEXTS_MAX = 256 * 1048576,     /* bytes of all texts together */
};

/* What is known of a message; only what the criteria need has to be there. */
struct sortorder_facts {
    int64_t arrival; /* INTERNALDATE */
    uint64_t size;   /* RFC822.SIZE */
    const struct messagekeys *keys;
};

struct sortorder_entry {
    uint64_t first;  /* what the first criterion compares, or its beginning */
    uint32_t number; /* the caller's, of the message */
    uint32_t place;  /* in the order of adding */
};

/* A number, or a text in `texts`. */
struct sortorder_value {
    uint64_t number; /* of a text: its first eight bytes */
    uint32_t start, size;
};

struct sortorder {
    struct sortorder_criterion criteria[SORTORDER_CRITERIA_MAX];
    size_t criterion_count;
    struct sortorder_entry *entries;
    size_t count, capacity;
    struct sortorder_value *values; /* criterion_count for each place */
    struct str texts;
};

/* For up to `most` messages. False without memory; nothing is to be freed then. */
bool sortorder_begin(struct sortorder *order, const struct sortorder_criterion *criteria,
                     size_t criterion_count, size_t most);
void sortorder_end(struct sortorder *order);
/* False when it is full. */
bool sortorder_add(struct sortorder *order, uint32_t number, const struct sortorder_facts *facts);
/* Sorts: `entries` are in order then. */
void sortorder_sort(struct sortorder *order);

/* Do the criteria ask for anything of `keys`, or for `size`? */
bool sortorder_needs_keys(const struct sortorder_criterion *criteria, size_t count);
bool sortorder_needs_size(const struct sortorder_criterion *criteria, size_t count);

#endif
