/*
 * tlsmaster - tlsd's first process: takes the questions, forks a child for each
 */
#ifndef TCPD_TLSMASTER_H
#define TCPD_TLSMASTER_H

#include "loop.h"
#include "tlsanchors.h"

#include <sys/types.h>

enum { TLSMASTER_ASKERS_MAX = 4 };

/* Who may ask, and for what. */
struct tlsmaster_asker {
    uid_t uid;
    bool as_client; /* connects to servers; else serves clients */
};

struct tlsmaster {
    struct loop loop;
    struct loop_watch watch;
    struct loop_signals signals;
    struct loop_timer pause;
    int listener;
    struct tlsmaster_asker askers[TLSMASTER_ASKERS_MAX];
    size_t asker_count;
    uint64_t sessions_max;
    int64_t handshake_ms;
    const char *keyd; /* path of its socket */
    struct tlsanchors anchors;
    uint64_t sessions;
    bool full_said; /* since there was room last */
};

/* Serves till a signal ends it; sessions go on without it. The caller has filled in what is asked
 * for above. Ends the program when it can't start. */
void tlsmaster_run(struct tlsmaster *master);

#endif
