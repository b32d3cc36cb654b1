/*
 * keymaster - the first process of keyd: watches the files, keeps workers running
 */
#ifndef TCPD_KEYMASTER_H
#define TCPD_KEYMASTER_H

#include "keyset.h"
#include "loop.h"
#include "sessiontable.h"

#include <sys/types.h>

enum {
    KEYMASTER_WORKERS = 2, /* so that a slow signature does not hold up all others */
    KEYMASTER_LOOK_MS = 2000,
    KEYMASTER_SWEEP_LOOKS = 30, /* expired sessions are wiped each minute */
    KEYMASTER_RESTART_MS = 1000,
};

struct keymaster {
    struct loop loop;
    struct loop_signals signals;
    struct loop_timer look;
    struct loop_timer restart;
    struct keyset keyset;
    struct sessiontable *sessions;
    int listener;
    int leash; /* write end: closed, it ends the workers */
    int leash_of_workers;
    uid_t asker;
    pid_t workers[KEYMASTER_WORKERS];
    unsigned looks;
};

/* Serves on `listener` till a signal ends it. Ends the program when it can't start. */
void keymaster_run(struct keymaster *master, int listener, uid_t asker);

#endif
