/* tenant - see tenant.h */
#include "tenant.h"

#include "hash.h"
#include "origin.h"

#include <stdlib.h>

enum { BUCKETS_FIRST = 64 };

/* ---- names --------------------------------------------------------------------------------------
 */

static struct slice domain_of(struct slice address)
{
    return slice_from(address, slice_find_last(address, '@') + 1);
}

struct slice tenant_name(const struct queuefile *file)
{
    struct slice user = origin_word(file->origin, SLICE("user="));
    if (slice_has(user, '@'))
        return domain_of(user);
    struct slice by = origin_word(file->origin, SLICE("by="));
    bool is_from_outside = slice_equal(by, SLICE("smtp")) || slice_equal(by, SLICE("lmtp"));
    if (is_from_outside || !slice_has(file->sender, '@'))
        return domain_of(file->recipients[0].address);
    return domain_of(file->sender);
}

/* Two tenants that meet in one key share their turns, no more. */
static uint64_t key_of(struct slice name)
{
    uint64_t key = HASH_START;
    for (size_t i = 0; i < name.size; i++)
        key = hash_add_byte(key, (unsigned char)slice_lower(name.data[i]));
    return hash_fold(key);
}

/* ---- the table ----------------------------------------------------------------------------------
 */

void tenant_table_init(struct tenant_table *table)
{
    *table = (struct tenant_table){0};
}

void tenant_table_free(struct tenant_table *table)
{
    free(table->buckets);
    *table = (struct tenant_table){0};
}

static struct tenant **bucket_of(const struct tenant_table *table, uint64_t key)
{
    return &table->buckets[(size_t)key & (table->bucket_count - 1)];
}

static void put(struct tenant_table *table, struct tenant *tenant)
{
    struct tenant **bucket = bucket_of(table, tenant->key);
    tenant->next_in_table = *bucket;
    *bucket = tenant;
}

static bool grow(struct tenant_table *table)
{
    if (table->count < table->bucket_count)
        return true;
    struct tenant_table bigger = {.count = table->count};
    bigger.bucket_count = table->bucket_count ? table->bucket_count * 2 : BUCKETS_FIRST;
    bigger.buckets = calloc(bigger.bucket_count, sizeof(struct tenant *));
    if (!bigger.buckets)
        return table->bucket_count > 0;
    for (size_t i = 0; i < table->bucket_count; i++)
        while (table->buckets[i]) {
            struct tenant *tenant = table->buckets[i];
            table->buckets[i] = tenant->next_in_table;
            put(&bigger, tenant);
        }
    free(table->buckets);
    *table = bigger;
    return true;
}

static struct tenant *tenant_new(struct tenant_table *table, uint64_t key)
{
    struct tenant *tenant = calloc(1, sizeof *tenant);
    if (!tenant)
        return NULL;
    tenant->table = table;
    tenant->key = key;
    for (size_t i = 0; i < TENANT_POOLS; i++)
        ring_init(&tenant->turns[i].lanes);
    put(table, tenant);
    table->count++;
    return tenant;
}

struct tenant *tenant_get(struct tenant_table *table, struct slice name)
{
    uint64_t key = key_of(name);
    if (!grow(table))
        return NULL;
    struct tenant *found = *bucket_of(table, key);
    while (found && found->key != key)
        found = found->next_in_table;
    if (!found)
        found = tenant_new(table, key);
    return found ? tenant_share(found) : NULL;
}

struct tenant *tenant_share(struct tenant *tenant)
{
    tenant->users++;
    return tenant;
}

void tenant_release(struct tenant **tenant)
{
    struct tenant *last = *tenant;
    *tenant = NULL;
    if (!last || --last->users > 0)
        return;
    struct tenant **link = bucket_of(last->table, last->key);
    while (*link != last)
        link = &(*link)->next_in_table;
    *link = last->next_in_table;
    last->table->count--;
    free(last);
}
