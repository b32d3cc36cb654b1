/*
 * places - who of queue-inject's workers does what, in memory that they and their parent share
 *
 * Each worker writes its own place alone; the parent gives places and takes them back. What is
 * counted is a moment's view, which may be one or two behind.
 */
#ifndef QUEUE_PLACES_H
#define QUEUE_PLACES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum {
    PLACES_MAX = 1000,     /* workers; further peers wait in the listen queue */
    PLACES_OF_SMTPD = 875, /* that clients of smtpd may hold: bounce and others go on */
    PLACES_IDLE = 4,       /* workers that wait for a peer however long */
};

enum place_state { PLACE_FREE, PLACE_WAITING, PLACE_BUSY };

struct place {
    _Atomic int state;
    pid_t pid;
};

struct places_memory {
    _Atomic size_t top; /* places from here on are free */
    struct place all[PLACES_MAX];
};

struct places {
    struct places_memory *memory;
};

/* False with errno. */
bool places_open(struct places *places);
void places_close(struct places *places);

/* The parent: a free place, which counts as waiting at once; NULL when all are taken. */
struct place *places_take(struct places *places);
/* The parent: false when no place is this worker's. */
bool places_leave(struct places *places, pid_t pid);

void place_set(struct place *place, enum place_state state);
size_t places_count(const struct places *places, enum place_state state);
/* A worker is about to serve a peer: is nobody left who waits for the next? */
bool places_want_worker(const struct places *places);
/* One that waited in vain for a while: are there others? */
bool places_want_fewer(const struct places *places);
/* May the peer, a client of smtpd or another program of ours, have this (busy) worker? */
bool places_admit(const struct places *places, bool is_smtpd);

#endif
