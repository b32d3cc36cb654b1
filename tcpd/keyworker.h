/*
 * keyworker - a worker of keyd: answers tlsd's questions with the keys it was forked with
 */
#ifndef TCPD_KEYWORKER_H
#define TCPD_KEYWORKER_H

#include "keyset.h"
#include "sessiontable.h"

#include <sys/types.h>

enum {
    KEYWORKER_PEERS_MAX = 4096, /* TLS handshakes at a time; more wait in the listen queue */
    KEYWORKER_FINISH_MS = 30000,
};

struct keyworker_task {
    int listener;
    int leash; /* its end means: take no more, finish, go */
    uid_t asker;
    struct keyset *keyset;
    struct sessiontable *sessions;
};

/* Serves till the leash ends; the exit code. */
int keyworker_run(const struct keyworker_task *task);

#endif
