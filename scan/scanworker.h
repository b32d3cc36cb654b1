/*
 * scanworker - answers questions of one connection after another, in a sandbox
 *
 * A worker serves one connection at a time. When it is idle and others wait to be accepted, or its
 * signatures are out of date (SIGTERM), it lets go: it shuts its receiving side, so that a question
 * which comes later fails at once at the sender and is asked elsewhere; answers what had arrived
 * before; and closes. So no question is ever lost between two generations.
 */
#ifndef SCAN_SCANWORKER_H
#define SCAN_SCANWORKER_H

#include "engine.h"
#include "question.h"

#include <sys/types.h>

enum { SCANWORKER_SCANS_MAX = 10000 }; /* then a fresh process takes over: libraries leak */

/* Seen by the loader, who logs it when the worker dies. */
struct scanworker_note {
    char id[QUESTION_ID_MAX + 1]; /* the message being scanned; empty when none is */
};

struct scanworker {
    int listener;       /* non-blocking, shared by all workers */
    uid_t welcome;      /* who may ask */
    unsigned timeout_s; /* of one scan; SIGALRM ends the process then */
    struct engine *engine;
    struct policy policy;
    struct scanworker_note *note;
    char folder[64]; /* set by worker_prepare */
    /* its own */
    int signals;      /* signalfd */
    int peer;         /* -1: none */
    bool has_asked;   /* the peer */
    int64_t first_by; /* when a peer that has not may be let go */
    unsigned scans;
    bool is_spoilt; /* its folder is gone: a new process makes a new one */
    struct wire_message question;
};

/* Makes the process's folder, confines the process, and proves that it still finds a virus.
 * Ends the process if not. */
void scanworker_confine(struct scanworker *worker);
/* Serves until SIGTERM or SCANWORKER_SCANS_MAX; SIGTERM must be blocked. False when the worker can't go
 * on. */
bool scanworker_serve(struct scanworker *worker);

#endif
