/*
 * arena - memory that a command takes piece by piece and gives back at once
 *
 * Everything that is parsed out of one command (strings, sets, search keys) lives in the session's
 * arena until the command is answered.
 */
#ifndef IMAPD_ARENA_H
#define IMAPD_ARENA_H

#include "slice.h"

struct arena_block;

struct arena {
    struct arena_block *blocks; /* the newest first */
    size_t taken;               /* bytes of all pieces */
    size_t max;
};

void arena_init(struct arena *arena, size_t max);
/* Frees all pieces; the arena may be used again. */
void arena_free(struct arena *arena);
/* `size` zero bytes, aligned for any type. NULL beyond the maximum or without memory. */
void *arena_take(struct arena *arena, size_t size);
/* The same for an array. */
void *arena_take_many(struct arena *arena, size_t count, size_t size);
/* A copy of `bytes`, with a NUL behind it. */
bool arena_copy(struct arena *arena, struct slice bytes, struct slice *copy);

#endif
