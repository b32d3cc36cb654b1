/* sortorder - see sortorder.h */
#include "sortorder.h"

#include "number.h"

#include <stdlib.h>
#include <string.h>

enum { PREFIX_SIZE = 8 };

static const int text_of[SORTORDER_KEYS] = {
    [SORTORDER_ARRIVAL] = -1,
    [SORTORDER_CC] = MESSAGEKEYS_CC,
    [SORTORDER_DATE] = -1,
    [SORTORDER_DISPLAY_FROM] = MESSAGEKEYS_DISPLAY_FROM,
    [SORTORDER_DISPLAY_TO] = MESSAGEKEYS_DISPLAY_TO,
    [SORTORDER_FROM] = MESSAGEKEYS_FROM,
    [SORTORDER_SIZE] = -1,
    [SORTORDER_SUBJECT] = MESSAGEKEYS_SUBJECT,
    [SORTORDER_TO] = MESSAGEKEYS_TO,
};

bool sortorder_needs_keys(const struct sortorder_criterion *criteria, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (criteria[i].key == SORTORDER_DATE || text_of[criteria[i].key] >= 0)
            return true;
    return false;
}

bool sortorder_needs_size(const struct sortorder_criterion *criteria, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (criteria[i].key == SORTORDER_SIZE)
            return true;
    return false;
}

bool sortorder_begin(struct sortorder *order, const struct sortorder_criterion *criteria,
                     size_t criterion_count, size_t most)
{
    *order = (struct sortorder){.criterion_count = criterion_count, .capacity = most};
    str_init(&order->texts, SORTORDER_TEXTS_MAX);
    memcpy(order->criteria, criteria, criterion_count * sizeof *criteria);
    size_t values;
    if (!number_multiply(most + 1, criterion_count, &values))
        return false;
    order->entries = calloc(most + 1, sizeof *order->entries);
    order->values = calloc(values, sizeof *order->values);
    if (order->entries && order->values)
        return true;
    sortorder_end(order);
    return false;
}

void sortorder_end(struct sortorder *order)
{
    free(order->entries);
    free(order->values);
    str_free(&order->texts);
    *order = (struct sortorder){0};
}

/* ---- values ----------------------------------------------------------------------------------- */

/* So that the lowest signed number is the lowest unsigned one. */
static uint64_t sortable(int64_t number)
{
    return (uint64_t)number ^ UINT64_C(1) << 63;
}

/* The first bytes as a number that compares as they do. */
static uint64_t prefix_of(struct slice text)
{
    uint64_t prefix = 0;
    for (size_t i = 0; i < PREFIX_SIZE; i++)
        prefix = prefix << 8 | (i < text.size ? (unsigned char)text.data[i] : 0);
    return prefix;
}

static bool set_value(struct sortorder *order, enum sortorder_key key,
                      const struct sortorder_facts *facts, struct sortorder_value *value)
{
    if (key == SORTORDER_ARRIVAL) {
        value->number = sortable(facts->arrival);
        return true;
    }
    if (key == SORTORDER_SIZE) {
        value->number = facts->size;
        return true;
    }
    if (key == SORTORDER_DATE) {
        value->number = sortable(messagekeys_sent(facts->keys, facts->arrival));
        return true;
    }
    struct slice text = facts->keys->texts[text_of[key]];
    value->number = prefix_of(text);
    value->start = (uint32_t)order->texts.size;
    value->size = (uint32_t)text.size;
    return str_append(&order->texts, text);
}

bool sortorder_add(struct sortorder *order, uint32_t number, const struct sortorder_facts *facts)
{
    if (order->count == order->capacity)
        return false;
    size_t place = order->count;
    struct sortorder_value *values = &order->values[place * order->criterion_count];
    for (size_t i = 0; i < order->criterion_count; i++)
        if (!set_value(order, order->criteria[i].key, facts, &values[i]))
            return false;
    uint64_t first = order->criteria[0].reverse ? ~values[0].number : values[0].number;
    order->entries[order->count++] =
        (struct sortorder_entry){.first = first, .number = number, .place = (uint32_t)place};
    return true;
}

/* ---- comparing -------------------------------------------------------------------------------- */

static int compare_numbers(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

/* As bytes; a text is behind its own beginning. */
static int compare_values(const struct sortorder *order, const struct sortorder_value *a,
                          const struct sortorder_value *b)
{
    int result = compare_numbers(a->number, b->number);
    size_t least = a->size < b->size ? a->size : b->size;
    if (result == 0 && least > PREFIX_SIZE)
        result = memcmp(order->texts.data + a->start, order->texts.data + b->start, least);
    return result != 0 ? result : compare_numbers(a->size, b->size);
}

static int compare_entries(const void *one, const void *other, void *context)
{
    const struct sortorder_entry *a = one, *b = other;
    const struct sortorder *order = context;
    if (a->first != b->first)
        return a->first < b->first ? -1 : 1;
    const struct sortorder_value *values_a = &order->values[a->place * order->criterion_count];
    const struct sortorder_value *values_b = &order->values[b->place * order->criterion_count];
    for (size_t i = 0; i < order->criterion_count; i++) {
        int result = compare_values(order, &values_a[i], &values_b[i]);
        if (result != 0)
            return order->criteria[i].reverse ? -result : result;
    }
    return compare_numbers(a->place, b->place);
}

void sortorder_sort(struct sortorder *order)
{
    qsort_r(order->entries, order->count, sizeof *order->entries, compare_entries, order);
}
