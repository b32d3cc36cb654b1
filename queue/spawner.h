/*
 * spawner - asking spawnd for workers without waiting for it (common/spawn.h)
 *
 * One connection, one question at a time; further ones wait in line.
 */
#ifndef QUEUE_SPAWNER_H
#define QUEUE_SPAWNER_H

#include "loop.h"
#include "spawn.h"
#include "wire.h"

struct spawner;
struct spawner_ask;

/* VERDICT_OK: the program runs. TEMP and PERM: `reason` says why not. */
typedef void spawner_answer(struct spawner_ask *ask, enum verdict verdict, struct slice reason);

/* Belongs to the caller, who may take it back with spawner_cancel. */
struct spawner_ask {
    const char *program;
    struct slice domain; /* and the only argument, unless empty */
    int fd;              /* descriptor 0 of the program; not owned */
    spawner_answer *answer;
    void *owner;
    bool is_waiting;
    struct spawner_ask *next;
};

struct spawner {
    struct loop *loop;
    struct loop_watch watch;
    struct loop_timer timer;
    int fd;
    bool is_asking; /* the answer for `first` is to come (it may be cancelled: `first` is NULL) */
    bool is_cancelled;
    struct spawner_ask *first, *last;
    struct wire_message incoming;
};

void spawner_init(struct spawner *spawner, struct loop *loop);
void spawner_free(struct spawner *spawner);
/* The answer comes later, never from inside this call. */
void spawner_start(struct spawner *spawner, struct spawner_ask *ask);
void spawner_cancel(struct spawner *spawner, struct spawner_ask *ask);

#endif
