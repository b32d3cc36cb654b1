/*
 * inject_worker - a process that serves peers of ours, one after the other
 *
 * It accepts them itself. A peer of a uid that is not ours goes to the parent, which gives it a
 * process of its own; when the worker serves and no other one waits, the parent starts another.
 */
#ifndef QUEUE_INJECT_WORKER_H
#define QUEUE_INJECT_WORKER_H

#include "inject_limits.h"
#include "places.h"

#include <sys/types.h>

/* To the parent, over SOCK_SEQPACKET: one of these. */
#define INJECT_WORKER_MORE  "4:more,"  /* nobody waits for the next peer */
#define INJECT_WORKER_OTHER "5:other," /* with the connection of another uid */

enum { INJECT_WORKER_WAIT_MS = 10000 }; /* then one that is not needed goes */

/* What a process does with a connection. */
typedef void inject_worker_serve(int connection, uid_t uid, const struct inject_limits *limits,
                                 void *owner);

struct inject_worker {
    struct places *places;
    struct place *place; /* its own */
    int listener;        /* blocking */
    int parent;
    inject_worker_serve *serve;
    void *owner;
};

/* Serves till it is not needed, its parent has gone, or SIGTERM; the exit code. What it serves then
 * is finished. */
int inject_worker_run(struct inject_worker *worker);

#endif
