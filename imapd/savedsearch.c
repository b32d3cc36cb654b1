/* savedsearch - see savedsearch.h */
#include "savedsearch.h"

#include <stdlib.h>

static int compare(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static void sort(uint32_t *uids, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (uids[i - 1] < uids[i])
            continue;
        qsort(uids, count, sizeof *uids, compare);
        return;
    }
}

static size_t count_ranges(const uint32_t *uids, size_t count)
{
    size_t ranges = count > 0;
    for (size_t i = 1; i < count; i++)
        ranges += uids[i] > uids[i - 1] + 1;
    return ranges;
}

bool savedsearch_set(struct savedsearch *saved, uint32_t *uids, size_t count)
{
    savedsearch_clear(saved);
    if (count == 0)
        return true;
    sort(uids, count);
    saved->uids = calloc(count_ranges(uids, count), sizeof *saved->uids);
    if (!saved->uids)
        return false;
    saved->uids[0] = (struct sequence_range){uids[0], uids[0]};
    for (size_t i = 1; i < count; i++) {
        if (uids[i] > uids[i - 1] + 1)
            saved->uids[++saved->count].first = uids[i];
        saved->uids[saved->count].last = uids[i];
    }
    saved->count++;
    return true;
}

void savedsearch_clear(struct savedsearch *saved)
{
    free(saved->uids);
    *saved = (struct savedsearch){0};
}
