/*
 * pool - the workers of one kind (local, remote, bounce), and who gets the next job
 *
 * Tenants with waiting jobs stand in a ring and take turns, and so do the destinations of each, which
 * have limits of their own; the last quarter of the workers is kept for destinations that have none,
 * half of that for tenants that have none.
 * So neither one slow or busy destination nor one busy customer starves the others. A worker answers
 * its jobs in order and stays for a minute. One that can take several at a time gets them as they
 * come, without waiting for answers. Everything happens from the event loop, never inside a caller's
 * call.
 */
#ifndef QUEUE_POOL_H
#define QUEUE_POOL_H

#include "job.h"
#include "spawner.h"

enum {
    POOL_IDLE_MS = 60000,
    POOL_TEXT_MAX = 256,
    POOL_DEPTH_MAX = 16,
};

struct pool;
struct worker;

struct pool_hooks {
    /* Writes the request for the worker, and names the descriptor beside it. False: it can't be
     * asked now; `done` is called next, with the reason left in `reason`. */
    bool (*prepare)(void *owner, struct job *job, struct str *packet, int *fd, struct str *reason);
    /* The job has ended: with the worker's answer, or without (NULL) for a reason that passes. It
     * is in no list any more, and the hook frees it. */
    void (*done)(void *owner, struct job *job, const struct wire_message *answer,
                 struct slice reason);
};

struct pool_kind {
    const char *program;
    enum job_kind job;
    bool is_bound;  /* a worker serves one destination for ever: its uid is the domain's */
    int64_t job_ms; /* a worker that takes longer is let go */
    unsigned depth; /* jobs that one worker has at a time */
    unsigned crew;  /* is_bound: workers of one destination, the next when the others have half */
};

struct pool {
    struct loop *loop;
    struct spawner *spawner;
    struct destination_table *destinations;
    const struct pool_hooks *hooks;
    void *owner; /* of the hooks */
    const struct pool_kind *kind;
    unsigned busy_max;
    unsigned worker_max;          /* busy and idle */
    unsigned per_destination_max; /* busy */
    unsigned busy;
    unsigned busy_old; /* with retries */
    unsigned worker_count;
    struct worker *workers;                /* all, newest first */
    struct worker *idle_first, *idle_last; /* least recently used first */
    struct ring tenants;                   /* with jobs that may go */
    struct loop_timer wake;
    unsigned spawn_failures;
    int64_t paused_until;
    bool is_stopping; /* no new jobs */
    struct wire_message incoming;
    struct str packet, reason;
};

struct pool_limits {
    unsigned busy_max, worker_max, per_destination_max;
};

void pool_init(struct pool *pool, struct loop *loop, struct spawner *spawner,
               struct destination_table *destinations, const struct pool_hooks *hooks, void *owner,
               const struct pool_kind *kind);
void pool_set_limits(struct pool *pool, const struct pool_limits *limits);
void pool_free(struct pool *pool);

/* A job was put in line at `destination`, or it may be tried again. */
void pool_wake(struct pool *pool, struct destination *destination);
/* Jobs were taken out of its line by the caller. */
void pool_forget(struct pool *pool, struct destination *destination);
/* What was put off because spawnd failed is tried at once. */
void pool_hurry(struct pool *pool);

#endif
