/* sequence - see sequence.h */
#include "sequence.h"

#include "number.h"

#include <stdlib.h>

static bool parse_bound(struct slice text, uint32_t *bound)
{
    if (slice_equal(text, SLICE("*"))) {
        *bound = SEQUENCE_STAR;
        return true;
    }
    uint64_t number;
    /* nz-number: no leading zero; 00 would pass for SEQUENCE_STAR otherwise */
    if (text.size == 0 || text.data[0] == '0' || !number_parse(text, UINT32_MAX, &number))
        return false;
    *bound = (uint32_t)number;
    return true;
}

static bool parse_range(struct slice text, struct sequence_range *range)
{
    bool is_pair = slice_has(text, ':');
    struct slice first = slice_cut(&text, ':');
    if (!parse_bound(first, &range->first))
        return false;
    range->last = range->first;
    return !is_pair || parse_bound(text, &range->last);
}

static size_t count_ranges(struct slice text)
{
    size_t count = 1;
    for (size_t i = 0; i < text.size; i++)
        count += text.data[i] == ',';
    return count;
}

bool sequence_parse(struct slice text, struct arena *arena, struct sequence *sequence)
{
    *sequence = (struct sequence){.is_saved = slice_equal(text, SLICE("$"))};
    if (sequence->is_saved)
        return true;
    size_t count = count_ranges(text);
    struct sequence_range *ranges = arena_take_many(arena, count, sizeof *ranges);
    if (!ranges || text.size == 0)
        return false;
    for (size_t i = 0; i < count; i++)
        if (!parse_range(slice_cut(&text, ','), &ranges[i]))
            return false;
    *sequence = (struct sequence){.ranges = ranges, .count = count};
    return true;
}

static int compare(const void *a, const void *b)
{
    const struct sequence_range *x = a, *y = b;
    return (x->first > y->first) - (x->first < y->first);
}

/* False when the range is empty: '*' of an empty mailbox. */
static bool resolve_range(struct sequence_range *range, uint32_t highest)
{
    if (range->first == SEQUENCE_STAR)
        range->first = highest;
    if (range->last == SEQUENCE_STAR)
        range->last = highest;
    if (range->first > range->last)
        *range = (struct sequence_range){range->last, range->first};
    return range->first != 0;
}

/* "n:*" and "*:n" are open; "*" alone is one message. */
static void note_open(struct sequence *sequence, struct sequence_range range)
{
    if ((range.first == SEQUENCE_STAR) == (range.last == SEQUENCE_STAR))
        return;
    uint32_t from = range.first == SEQUENCE_STAR ? range.last : range.first;
    if (sequence->open_from == 0 || from < sequence->open_from)
        sequence->open_from = from;
}

void sequence_resolve(struct sequence *sequence, uint32_t highest)
{
    struct sequence_range *ranges = sequence->ranges;
    size_t kept = 0;
    for (size_t i = 0; i < sequence->count; i++) {
        note_open(sequence, ranges[i]);
        if (resolve_range(&ranges[i], highest))
            ranges[kept++] = ranges[i];
    }
    if (kept > 1)
        qsort(ranges, kept, sizeof *ranges, compare);
    size_t joined = 0;
    for (size_t i = 0; i < kept; i++) {
        struct sequence_range *last = joined > 0 ? &ranges[joined - 1] : NULL;
        if (last && (last->last == UINT32_MAX || ranges[i].first <= last->last + 1)) {
            if (ranges[i].last > last->last)
                last->last = ranges[i].last;
        } else {
            ranges[joined++] = ranges[i];
        }
    }
    sequence->count = joined;
}

uint32_t sequence_highest(const struct sequence *sequence)
{
    return sequence->count > 0 ? sequence->ranges[sequence->count - 1].last : 0;
}

/* The first range that does not end before `number`; NULL: none. */
static const struct sequence_range *find_range(const struct sequence *sequence, uint32_t number)
{
    size_t low = 0, high = sequence->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (sequence->ranges[middle].last < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low < sequence->count ? &sequence->ranges[low] : NULL;
}

bool sequence_has(const struct sequence *sequence, uint32_t number)
{
    const struct sequence_range *range = find_range(sequence, number);
    return range && range->first <= number;
}

uint32_t sequence_next(const struct sequence *sequence, uint32_t from)
{
    const struct sequence_range *range = find_range(sequence, from);
    if (!range)
        return 0;
    return range->first > from ? range->first : from;
}

uint32_t sequence_range_end(const struct sequence *sequence, uint32_t number)
{
    const struct sequence_range *range = find_range(sequence, number);
    return range ? range->last : number;
}
