/*
 * hasher - password hashes, computed in processes that hold nothing else
 *
 * A hash costs 26 ms of CPU and 16 MB: in the event loop it would stop every other login. The
 * children are forked at start, keep one socket and nothing else, and may do nothing but read and
 * write it. Jobs wait in a queue with a bound, and a bound per client address, so that one
 * attacker does not fill it.
 */
#ifndef AUTHD_HASHER_H
#define AUTHD_HASHER_H

#include "failures.h"
#include "loop.h"
#include "password.h"

#include <sys/types.h>

enum {
    HASHER_COUNT = 2,
    HASHER_QUEUE_MAX = 256,       /* some 3 s of work */
    HASHER_QUEUE_PER_CLIENT = 64, /* of one address, or /64 of IPv6 */
    HASHER_TIMEOUT_MS = 25000,    /* for one hash: a scheme of absurd cost */
};

struct hasher_job;
typedef void hasher_done(struct hasher_job *job, enum password_result result);

/* Sits in its owner's struct; the texts must live till it is done or cancelled. */
struct hasher_job {
    const char *secret;
    const char *hash;
    const char *client;
    hasher_done *done;
    void *owner;
    char network[FAILURES_CLIENT_MAX]; /* the client as it is counted */
    struct hasher_job *next;
    bool waiting;
};

struct hasher {
    struct hashers *all;
    struct loop_watch watch;
    struct loop_timer timer;
    int fd;
    bool busy;
    struct hasher_job *job; /* NULL while busy: was cancelled */
};

struct hashers {
    struct loop *loop;
    struct hasher hashers[HASHER_COUNT];
    struct hasher_job *first, *last;
    size_t waiting;
    /* A child is gone, or hangs. The program can't fork any more and has to be started anew. */
    void (*broken)(void *owner);
    void *owner;
};

/* Forks the children; before anything secret is in memory. False with errno. */
bool hashers_fork(struct hashers *hashers);
/* Joins the loop. */
bool hashers_start(struct hashers *hashers, struct loop *loop, void (*broken)(void *owner),
                   void *owner);
/* The children end when their sockets close. */
void hashers_stop(struct hashers *hashers);

/* False: the queue is full. */
bool hashers_submit(struct hashers *hashers, struct hasher_job *job);
/* `done` will not be called. Does nothing for a job that is not under way. */
void hashers_cancel(struct hashers *hashers, struct hasher_job *job);

/* What a child does with one question. `answer` is "match", "differ" or "trouble". */
struct wire_message;
const char *hasher_answer(const struct wire_message *question);

#endif
