/*
 * worker - answers questions of one connection after another, in a sandbox
 *
 * A worker serves one connection at a time. When it is idle and others wait to be accepted, or its
 * signatures are out of date (SIGTERM), it lets go: it shuts its receiving side, so that a question
 * which comes later fails at once at the sender and is asked elsewhere; answers what had arrived
 * before; and closes. So no question is ever lost between two generations.
 */
#ifndef SCAN_WORKER_H
#define SCAN_WORKER_H

#include "engine.h"
#include "request.h"

#include <sys/types.h>

enum { WORKER_SCANS_MAX = 10000 }; /* then a fresh process takes over: libraries leak */

/* Seen by the loader, who logs it when the worker dies. */
struct worker_note {
    char id[REQUEST_ID_MAX + 1]; /* the message being scanned; empty when none is */
};

struct worker {
    int listener;       /* non-blocking, shared by all workers */
    uid_t welcome;      /* who may ask */
    unsigned timeout_s; /* of one scan; SIGALRM ends the process then */
    struct engine *engine;
    struct policy policy;
    struct worker_note *note;
    char folder[64]; /* set by worker_prepare */
    /* its own */
    int signals;      /* signalfd */
    int peer;         /* -1: none */
    bool has_asked;   /* the peer */
    int64_t first_by; /* when a peer that has not may be let go */
    unsigned scans;
    struct wire_message question;
};

/* Makes the process's folder, confines the process, and proves that it still finds a virus.
 * Ends the process if not. */
void worker_confine(struct worker *worker);
/* Serves until SIGTERM or WORKER_SCANS_MAX; SIGTERM must be blocked. False when a system call
 * failed that must not. */
bool worker_serve(struct worker *worker);

#endif
