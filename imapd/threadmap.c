/* threadmap - see threadmap.h */
#include "threadmap.h"

#include "number.h"

#include <stdlib.h>

enum { FIRST_CAPACITY = 256 };

void threadmap_init(struct threadmap *map, uint64_t secret)
{
    *map = (struct threadmap){.secret = secret};
}

void threadmap_free(struct threadmap *map)
{
    free(map->slots);
    threadmap_init(map, map->secret);
}

/* All bits of the key and the secret reach all bits of the place: the finalizer of SplitMix64. */
static size_t home_of(const struct threadmap *map, uint64_t key)
{
    uint64_t mixed = key ^ map->secret;
    mixed = (mixed ^ mixed >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    mixed = (mixed ^ map->secret >> 32 ^ mixed >> 27) * UINT64_C(0x94D049BB133111EB);
    return (size_t)(mixed ^ mixed >> 31) & (map->capacity - 1);
}

/* The slot that has the key, or the free one where it belongs. */
static struct threadmap_slot *slot_of(const struct threadmap *map, uint64_t key)
{
    size_t place = home_of(map, key);
    while (map->slots[place].key != 0 && map->slots[place].key != key)
        place = (place + 1) & (map->capacity - 1);
    return &map->slots[place];
}

static bool grow(struct threadmap *map)
{
    struct threadmap old = *map;
    size_t capacity;
    if (!number_multiply(old.capacity ? old.capacity : FIRST_CAPACITY, 2, &capacity))
        return false;
    map->slots = calloc(capacity, sizeof *map->slots);
    if (!map->slots) {
        map->slots = old.slots;
        return false;
    }
    map->capacity = capacity;
    for (size_t i = 0; i < old.capacity; i++)
        if (old.slots[i].key != 0)
            *slot_of(map, old.slots[i].key) = old.slots[i];
    free(old.slots);
    return true;
}

uint32_t *threadmap_find(const struct threadmap *map, uint64_t key)
{
    if (map->count == 0)
        return NULL;
    struct threadmap_slot *slot = slot_of(map, key);
    return slot->key != 0 ? &slot->value : NULL;
}

uint32_t *threadmap_at(struct threadmap *map, uint64_t key, uint32_t value)
{
    if (map->count >= map->capacity / 2 && !grow(map))
        return NULL;
    struct threadmap_slot *slot = slot_of(map, key);
    if (slot->key == 0) {
        *slot = (struct threadmap_slot){.key = key, .value = value};
        map->count++;
    }
    return &slot->value;
}
