/*
 * scanmaster - watches signatures and settings, and replaces one generation of workers by the next
 *
 * A generation is a loader process with its workers. The next one loads beside the one that serves,
 * and proves that it finds a test virus; only then the old one is told to finish what it is doing
 * and end. All accept on the same socket, so there is no moment without a scanner. There are never
 * three generations at a time: signatures are large.
 */
#ifndef SCAN_SCANMASTER_H
#define SCAN_SCANMASTER_H

#include "loop.h"
#include "scanconfig.h"

enum {
    SCANMASTER_POLL_MS = 2000,      /* how often the folders are looked at */
    SCANMASTER_RETRY_MIN_MS = 1000, /* after a loader failed or died; doubled each time */
    SCANMASTER_RETRY_MAX_MS = 60000,
    SCANMASTER_STOP_MS = 10000, /* for scans to end when scand is told to stop */
};

struct generation {
    pid_t pid; /* 0: none */
    struct scanconfig config;
    int ready; /* pipe from the loader; -1 */
    struct loop_watch watch;
};

struct scanmaster {
    struct loop loop;
    struct loop_signals signals;
    struct loop_timer timer;
    struct directory directory;
    int listener;
    uid_t welcome;
    struct generation serving, loading, ending;
    struct scanconfig seen; /* at the last look: files that still change are not loaded */
    int64_t retry_at, retry_ms;
    bool is_stopping;
};

/* `config` is what was read at the start. False when the loop can't be set up. */
bool scanmaster_start(struct scanmaster *master, int listener, uid_t welcome,
                      const struct scanconfig *config);
/* Runs till SIGTERM or SIGINT. */
bool scanmaster_run(struct scanmaster *master);

#endif
