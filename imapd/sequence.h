/*
 * sequence - a set of message numbers or UIDs, as "1,3:5,9:*" (RFC 3501 9, sequence-set)
 *
 * Parsed first, resolved when the highest number is known: only then '*' has a value. Resolved
 * ranges are sorted and don't touch, so that looking up is a binary search.
 */
#ifndef IMAPD_SEQUENCE_H
#define IMAPD_SEQUENCE_H

#include "arena.h"

#include <stdint.h>

/* '*' in a range that is not resolved. */
#define SEQUENCE_STAR 0u

struct sequence_range {
    uint32_t first, last;
};

struct sequence {
    struct sequence_range *ranges; /* in the arena */
    size_t count;
    uint32_t
        open_from; /* once resolved, of "n:*": the lowest n, since what is gone may lie above; else 0 */
    bool is_saved; /* "$": pick_resolve fills in what it stands for (RFC 5182) */
};

/* Parses `text`, which must be a set, or "$", and nothing else. */
bool sequence_parse(struct slice text, struct arena *arena, struct sequence *sequence);
/* Gives '*' the value `highest`, turns 5:2 round, sorts and joins. `highest` 0 (an empty mailbox)
 * leaves of a set what does not name '*'. */
void sequence_resolve(struct sequence *sequence, uint32_t highest);
/* The highest number in a resolved set; 0 when it is empty. */
uint32_t sequence_highest(const struct sequence *sequence);
bool sequence_has(const struct sequence *sequence, uint32_t number);
/* The lowest number of the set that is `from` or higher; 0: none. */
uint32_t sequence_next(const struct sequence *sequence, uint32_t from);
/* The last number of the range that `number`, which is in the set, lies in. */
uint32_t sequence_range_end(const struct sequence *sequence, uint32_t number);

#endif
