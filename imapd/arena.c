/* arena - see arena.h */
#include "arena.h"

#include "number.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

enum { ARENA_BLOCK_SIZE = 4096 };

struct arena_block {
    struct arena_block *next;
    size_t used, size;
    alignas(max_align_t) char bytes[];
};

void arena_init(struct arena *arena, size_t max)
{
    *arena = (struct arena){.max = max};
}

void arena_free(struct arena *arena)
{
    while (arena->blocks) {
        struct arena_block *block = arena->blocks;
        arena->blocks = block->next;
        free(block);
    }
    arena->taken = 0;
}

static bool add_block(struct arena *arena, size_t size)
{
    size_t room = size > ARENA_BLOCK_SIZE ? size : ARENA_BLOCK_SIZE;
    struct arena_block *block = malloc(sizeof *block + room);
    if (!block)
        return false;
    block->next = arena->blocks;
    block->used = 0;
    block->size = room;
    arena->blocks = block;
    return true;
}

void *arena_take(struct arena *arena, size_t size)
{
    enum { ALIGN = alignof(max_align_t) };
    size_t rounded;
    if (!number_add(size, ALIGN - 1, &rounded))
        return NULL;
    rounded -= rounded % ALIGN;
    if (rounded > arena->max - arena->taken)
        return NULL;
    struct arena_block *block = arena->blocks;
    if ((!block || block->size - block->used < rounded) && !add_block(arena, rounded))
        return NULL;
    block = arena->blocks;
    void *piece = block->bytes + block->used;
    block->used += rounded;
    arena->taken += rounded;
    return memset(piece, 0, rounded);
}

void *arena_take_many(struct arena *arena, size_t count, size_t size)
{
    size_t total;
    return number_multiply(count, size, &total) ? arena_take(arena, total) : NULL;
}

bool arena_copy(struct arena *arena, struct slice bytes, struct slice *copy)
{
    char *text = arena_take(arena, bytes.size + 1);
    if (!text)
        return false;
    if (bytes.size > 0)
        memcpy(text, bytes.data, bytes.size);
    *copy = slice_of(text, bytes.size);
    return true;
}
