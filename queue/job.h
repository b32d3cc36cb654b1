/*
 * job - what is to be asked of a worker, and the destinations where jobs wait for one
 *
 * A job is some recipients of one message that go to one destination: a domain of ours, a remote
 * host or domain, or the reporter of failures. It holds indexes of recipients, no text. Each
 * destination has two lists of waiting jobs: first attempts go before retries, but every eighth
 * turn is a retry's, so that neither starves.
 */
#ifndef QUEUE_JOB_H
#define QUEUE_JOB_H

#include "message.h"
#include "route.h"

#include <stdint.h>

enum job_kind { JOB_LOCAL, JOB_REMOTE, JOB_BOUNCE };
enum {
    JOB_KINDS = 3,
    JOB_RECIPIENTS_MAX = 60, /* with all that DSN adds they fit into a packet */
    JOB_KEY_MAX = 280
};

/* What a job of JOB_BOUNCE tells the sender. */
enum job_report { JOB_REPORT_FAILED, JOB_REPORT_SUCCESS, JOB_REPORT_DELAYED };

struct destination;

struct job {
    struct message *message;
    struct job *sibling, *previous_sibling; /* of the same message */
    struct destination *destination;
    struct job *next, *previous; /* in the destination's list */
    bool is_fresh;
    bool is_waiting;      /* in that list */
    unsigned char report; /* JOB_BOUNCE: enum job_report */
    int64_t started_ms;
    size_t count;
    uint16_t recipients[]; /* indexes */
};

struct job_list {
    struct job *first, *last;
    size_t count;
};

struct destination {
    enum job_kind kind;
    char name[JOB_KEY_MAX]; /* domain, or host:port of a route */
    struct route route;     /* JOB_REMOTE */
    struct job_list fresh, old;
    size_t jobs;                  /* all that name it: waiting, running, or between */
    unsigned turn;                /* of the lists */
    unsigned running;             /* jobs that a worker has */
    unsigned workers;             /* that are bound to it */
    unsigned failures;            /* in a row: it could not be reached */
    int64_t dead_until;           /* clock_ms; no job before */
    struct message_lines *reason; /* why it could not be reached: "4.4.1 can't connect" */
    bool is_in_ring;
    struct destination *ring_next, *ring_previous;
    struct destination *next_in_table;
};

struct destination_table {
    struct destination **buckets;
    size_t bucket_count;
    size_t count;
};

void destination_table_init(struct destination_table *table);
void destination_table_free(struct destination_table *table);
/* Finds or makes one. NULL without memory, or when the name is too long. */
struct destination *destination_get(struct destination_table *table, enum job_kind kind,
                                    struct slice name);
/* Frees it if nothing waits, runs, or is remembered. */
void destination_release(struct destination_table *table, struct destination *destination);
/* The same for all of them whose failures are forgotten by now. */
void destination_sweep(struct destination_table *table, int64_t now_ms);

/* Puts a new job for `count` recipients in line, and with its message. NULL without memory. */
struct job *job_new(struct message *message, struct destination *destination,
                    const uint16_t recipients[], size_t count);
/* Takes it out of all lists and frees it. */
void job_free(struct job *job);
/* The next job in line, taken out of it; NULL when none waits. */
struct job *job_take(struct destination *destination);
/* Back to the front of the line. */
void job_return(struct job *job);
size_t job_waiting(const struct destination *destination);

enum { JOB_UNREACHABLE_MIN = 2 };
/* A destination could not be reached; after the second time nothing is tried for a while. */
void destination_failed(struct destination *destination, int64_t now_ms);
/* Keeps why. */
void destination_set_reason(struct destination *destination, struct slice reason);
void destination_worked(struct destination *destination);
bool destination_is_dead(const struct destination *destination, int64_t now_ms);

#endif
