/*
 * request - the requests to local, remote and bounce, and what they answer (ARCHITECTURE.md)
 *
 * Pure: a loaded message and indexes of recipients in, a packet out; an answer in, outcomes out.
 */
#ifndef QUEUE_REQUEST_H
#define QUEUE_REQUEST_H

#include "job.h"
#include "state.h"
#include "verdict.h"
#include "wire.h"

enum {
    REQUEST_BOUNCE_MAX = 36, /* recipients of one report: reasons and all fit into a packet */
    REQUEST_STATUS_MAX = 16,
    REQUEST_TEXT_MAX = 500,
    REQUEST_SERVER_MAX = 256,
    REQUEST_FULL_MAX = 321,
    REQUEST_ADDED_MAX = 8192, /* header lines of the scanner */
};

/* How a mailbox gets a message. */
struct request_delivery {
    const char *mailbox;
    struct slice added;   /* header lines of the scanner */
    struct slice forward; /* as forwarding.h makes it */
    struct slice terms;   /* as localterms.h makes it */
    bool is_repeat;       /* it may have been delivered before */
    bool spares_folder;   /* maildir.h */
};
void request_local(struct str *packet, const struct loaded *loaded, size_t recipient,
                   const struct request_delivery *delivery);
void request_remote(struct str *packet, const struct loaded *loaded, const struct job *job,
                    struct slice added);
/* `failures` is the content of queue/failure/ID; of a delay, the reasons are with the message.
 * `until` is when it will be given up. */
void request_bounce(struct str *packet, const struct loaded *loaded, const struct job *job,
                    struct slice failures, int64_t until);

/* Whom a worker sees as the sender: a report's report has none. */
struct slice request_sender(const struct loaded *loaded);

/* How it went for one recipient. */
struct outcome {
    enum verdict verdict;
    char status[REQUEST_STATUS_MAX]; /* RFC 3463, in keeping with the verdict */
    char text[REQUEST_TEXT_MAX];     /* one line */
    bool is_passed_on;               /* with the duty to report: the next server knows DSN */
    char server[REQUEST_SERVER_MAX]; /* which; empty: none, or unknown */
    /* Of local: the mailbox, or "@domain", that has no room any more, and the cause; else empty. */
    char full[REQUEST_FULL_MAX], cause[STATE_CAUSE_MAX];
};

/* The outcome of recipient `index` of `count`. An answer that makes no sense is passing trouble. */
void request_outcome(const struct wire_message *answer, size_t index, size_t count,
                     struct outcome *outcome);
/* The same of local, which has one recipient and belongs to `domain`. */
void request_local_outcome(const struct wire_message *answer, struct slice domain,
                           struct outcome *outcome);
/* An outcome of our own making; what is too long is cut, control bytes become spaces. */
void request_set_outcome(struct outcome *outcome, enum verdict verdict, const char *status,
                         struct slice text);

#endif
