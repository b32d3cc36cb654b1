/* message - see message.h */
#include "message.h"

#include "hash.h"
#include "number.h"
#include "tenant.h"

#include <stdlib.h>
#include <string.h>

enum { BUCKETS_FIRST = 256 };

void message_table_init(struct message_table *table)
{
    *table = (struct message_table){0};
}

static void reasons_free(struct message_reasons **reasons)
{
    for (size_t i = 0; *reasons && i < (*reasons)->count; i++)
        message_lines_free(&(*reasons)->of[i].text);
    free(*reasons);
    *reasons = NULL;
}

static void message_free(struct message *message)
{
    loaded_close(&message->loaded);
    message_lines_free(&message->lines);
    reasons_free(&message->reasons);
    tenant_release(&message->tenant);
    free(message);
}

void message_table_free(struct message_table *table)
{
    for (size_t i = 0; i < table->bucket_count; i++)
        while (table->buckets[i]) {
            struct message *message = table->buckets[i];
            table->buckets[i] = message->next_in_table;
            message_free(message);
        }
    free(table->buckets);
    *table = (struct message_table){0};
}

/* Ids are made here, so nobody chooses them. */
static size_t hash(struct slice id)
{
    return (size_t)hash_fold(hash_add(HASH_START, id));
}

static struct message **bucket_of(const struct message_table *table, struct slice id)
{
    return &table->buckets[hash(id) & (table->bucket_count - 1)];
}

struct message *message_table_find(const struct message_table *table, struct slice id)
{
    if (table->bucket_count == 0)
        return NULL;
    struct message *message = *bucket_of(table, id);
    while (message && !slice_equal(slice_text(message->id), id))
        message = message->next_in_table;
    return message;
}

static void put(struct message_table *table, struct message *message)
{
    struct message **bucket = bucket_of(table, slice_text(message->id));
    message->next_in_table = *bucket;
    *bucket = message;
}

/* As many buckets as messages, at least. */
static bool grow(struct message_table *table)
{
    if (table->count < table->bucket_count)
        return true;
    struct message_table bigger = {.count = table->count};
    bigger.bucket_count = table->bucket_count ? table->bucket_count * 2 : BUCKETS_FIRST;
    bigger.buckets = calloc(bigger.bucket_count, sizeof *bigger.buckets);
    if (!bigger.buckets)
        return table->bucket_count > 0; /* longer chains, but none is lost */
    for (size_t i = 0; i < table->bucket_count; i++)
        while (table->buckets[i]) {
            struct message *message = table->buckets[i];
            table->buckets[i] = message->next_in_table;
            put(&bigger, message);
        }
    free(table->buckets);
    *table = bigger;
    return true;
}

struct message *message_table_add(struct message_table *table, struct slice id)
{
    if (!grow(table))
        return NULL;
    struct message *message = calloc(1, sizeof *message);
    if (!message)
        return NULL;
    if (!slice_copy_text(id, message->id, sizeof message->id)) {
        free(message);
        return NULL;
    }
    put(table, message);
    table->count++;
    return message;
}

void message_table_remove(struct message_table *table, struct message *message)
{
    struct message **link = bucket_of(table, slice_text(message->id));
    while (*link != message)
        link = &(*link)->next_in_table;
    *link = message->next_in_table;
    table->count--;
    message_free(message);
}

struct message *message_table_next(const struct message_table *table, const struct message *message)
{
    size_t index = 0;
    if (message) {
        if (message->next_in_table)
            return message->next_in_table;
        index = (size_t)(bucket_of(table, slice_text(message->id)) - table->buckets) + 1;
    }
    while (index < table->bucket_count && !table->buckets[index])
        index++;
    return index < table->bucket_count ? table->buckets[index] : NULL;
}

void message_list_append(struct message_list *list, struct message *message)
{
    message->next = NULL;
    message->previous = list->last;
    if (list->last)
        list->last->next = message;
    else
        list->first = message;
    list->last = message;
    list->count++;
}

void message_list_prepend(struct message_list *list, struct message *message)
{
    message->previous = NULL;
    message->next = list->first;
    if (list->first)
        list->first->previous = message;
    else
        list->last = message;
    list->first = message;
    list->count++;
}

void message_list_remove(struct message_list *list, struct message *message)
{
    if (message->previous)
        message->previous->next = message->next;
    else
        list->first = message->next;
    if (message->next)
        message->next->previous = message->previous;
    else
        list->last = message->previous;
    message->next = message->previous = NULL;
    list->count--;
}

void message_lines_free(struct message_lines **lines)
{
    if (*lines && --(*lines)->users == 0)
        free(*lines);
    *lines = NULL;
}

static struct message_lines *lines_new(struct slice text)
{
    size_t size;
    if (!number_add(sizeof(struct message_lines), text.size, &size))
        return NULL;
    struct message_lines *lines = malloc(size);
    if (!lines)
        return NULL;
    *lines = (struct message_lines){.users = 1, .size = text.size};
    if (text.size > 0)
        memcpy(lines->text, text.data, text.size);
    return lines;
}

struct message_lines *message_lines_share(struct slice text, struct message_lines **last)
{
    if (!*last || !slice_equal(slice_of((*last)->text, (*last)->size), text)) {
        message_lines_free(last);
        *last = lines_new(text);
    }
    if (*last)
        (*last)->users++;
    return *last;
}

bool message_set_lines(struct message *message, struct slice lines, struct message_lines **last)
{
    message_lines_free(&message->lines);
    if (lines.size == 0)
        return true;
    message->lines = message_lines_share(lines, last);
    return message->lines != NULL;
}

static struct message_reason *find_reason(struct message_reasons *reasons, uint16_t recipient)
{
    for (size_t i = 0; reasons && i < reasons->count; i++)
        if (reasons->of[i].recipient == recipient)
            return &reasons->of[i];
    return NULL;
}

/* Room for one more. */
static struct message_reason *add_reason(struct message *message, uint16_t recipient)
{
    struct message_reasons *reasons = message->reasons;
    size_t capacity = reasons ? reasons->capacity : 0;
    if (!reasons || reasons->count == capacity) {
        capacity = capacity ? capacity * 2 : 1;
        if (capacity > MESSAGE_REASONS_MAX)
            return NULL;
        size_t size = sizeof *reasons + capacity * sizeof reasons->of[0];
        reasons = realloc(message->reasons, size);
        if (!reasons)
            return NULL;
        if (!message->reasons)
            reasons->count = 0;
        reasons->capacity = capacity;
        message->reasons = reasons;
    }
    struct message_reason *one = &reasons->of[reasons->count++];
    *one = (struct message_reason){.recipient = recipient};
    return one;
}

void message_set_reason(struct message *message, uint16_t recipient, struct slice text,
                        struct message_lines **last)
{
    struct message_reason *one = find_reason(message->reasons, recipient);
    struct message_lines *shared = message_lines_share(text, last);
    if (shared && !one)
        one = add_reason(message, recipient);
    if (one)
        message_lines_free(&one->text);
    if (one)
        one->text = shared;
    else
        message_lines_free(&shared);
}

struct slice message_reason(const struct message *message, uint16_t recipient)
{
    const struct message_reason *one = find_reason(message->reasons, recipient);
    return one && one->text ? slice_of(one->text->text, one->text->size) : SLICE("");
}

struct slice message_added(const struct message *message)
{
    return message->lines ? slice_of(message->lines->text, message->lines->size) : SLICE("");
}
