/*
 * job - what is to be asked of a worker, and the destinations where jobs wait for one
 *
 * A job is some recipients of one message that go to one destination: a domain of ours, a remote
 * host or domain, or the reporter. It holds indexes of recipients, no text. At each destination
 * every tenant (tenant.h) has a lane, with two lists of waiting jobs: first attempts go before
 * retries, but every eighth turn is a retry's, so that neither starves.
 */
#ifndef QUEUE_JOB_H
#define QUEUE_JOB_H

#include "ring.h"
#include "tenant.h"

#include <stdint.h>

enum job_kind { JOB_LOCAL, JOB_REMOTE, JOB_BOUNCE };
enum {
    JOB_KINDS = 3,
    JOB_RECIPIENTS_MAX = 60, /* with all that DSN adds they fit into a packet */
    JOB_KEY_MAX = 280,
    JOB_WINDOW_FIRST = 5, /* at a destination that is new to us */
};

/* What a job of JOB_BOUNCE tells the sender. */
enum job_report { JOB_REPORT_FAILED, JOB_REPORT_SUCCESS, JOB_REPORT_DELAYED };

struct destination;
struct lane;

struct job {
    struct message *message;
    struct job *sibling, *previous_sibling; /* of the same message */
    struct destination *destination;
    struct lane *lane;
    struct job *next, *previous; /* in the lane's list */
    int64_t started_ms;
    bool is_fresh;
    bool is_waiting;      /* in that list */
    unsigned char report; /* JOB_BOUNCE: enum job_report */
    uint16_t count;
    uint16_t recipients[]; /* indexes */
};

struct job_list {
    struct job *first, *last;
    size_t count;
};

/* The jobs of one tenant for one destination. */
struct lane {
    struct destination *destination;
    struct tenant *tenant;
    struct lane *next, *previous; /* of the destination: served longest ago first */
    struct job_list fresh, old;
    struct ring node; /* among the tenant's, while a job may go */
    size_t jobs;      /* all that name it: waiting, running, or between */
    unsigned turn;    /* of the lists */
};

struct destination {
    enum job_kind kind;
    bool is_routed; /* JOB_REMOTE: the name is HOST:PORT, else a domain with MX */
    bool is_open;   /* another job may go: its lanes that have one are in rings */
    struct lane *first_lane, *last_lane;
    size_t waiting;               /* jobs */
    size_t jobs;                  /* all that name it: waiting, running, or between */
    unsigned running;             /* jobs that a worker has */
    unsigned workers;             /* that are bound to it */
    struct worker *bound;         /* the same, where that is for ever (pool.h) */
    unsigned window;              /* JOB_REMOTE: jobs that may run, as it showed to bear them */
    unsigned failures;            /* in a row: it could not be reached */
    int64_t dead_until;           /* clock_ms; no job before */
    struct message_lines *reason; /* why it could not be reached: "4.4.1 can't connect" */
    struct destination *next_in_table;
    char name[]; /* domain, or host:port of a route */
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

/* Puts a new job for `count` recipients in line, and with its message, which is loaded. NULL
 * without memory. */
struct job *job_new(struct message *message, struct destination *destination,
                    const uint16_t recipients[], size_t count);
/* Takes it out of all lists and frees it. */
void job_free(struct job *job);
/* The next job of the lane, taken out of its line; NULL when none waits, or only retries that may
 * not go. The lane goes behind the destination's others. */
struct job *job_take(struct lane *lane, bool may_be_old);
/* The next one of the destination, whoever waits. */
struct job *job_take_any(struct destination *destination);
/* Back to the front of the line. */
void job_return(struct job *job);
/* Puts the destination's lanes with jobs into the rings of their tenants, and these into `tenants`;
 * or takes them out. */
void job_open(struct destination *destination, struct ring *tenants, bool is_open);

enum { JOB_UNREACHABLE_MIN = 2 };
/* A destination could not be reached; after the second time nothing is tried for a while. */
void destination_failed(struct destination *destination, int64_t now_ms);
/* Keeps why. */
void destination_set_reason(struct destination *destination, struct slice reason);
/* It answers. */
void destination_worked(struct destination *destination);
/* A job went well while as many ran as might: it may have one more at a time. */
void destination_widen(struct destination *destination, unsigned most);
bool destination_is_dead(const struct destination *destination, int64_t now_ms);

#endif
