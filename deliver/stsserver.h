/*
 * stsserver - what mtastsd does: policies from the cache or fetched, sessions counted
 */
#ifndef DELIVER_STSSERVER_H
#define DELIVER_STSSERVER_H

#include "reporttable.h"
#include "service.h"
#include "stscache.h"
#include "tlsreport.h"

#include <sys/types.h>

enum {
    STSSERVER_PEERS_MAX = 600,       /* as many as there may be remotes, and a few */
    STSSERVER_FETCHES_MAX = 16,      /* at a time; for more domains there is no policy then */
    STSSERVER_FAILURES_MAX = 256,    /* that are remembered */
    STSSERVER_FAILURE_SECONDS = 300, /* RFC 8461 3.3: no new attempt before */
    STSSERVER_REFRESH_SECONDS = 86400,
    STSSERVER_FLUSH_MS = 10000,
    STSSERVER_SWEEP_MS = 6 * 3600 * 1000,
};

/* A policy that is being fetched. */
struct stsserver_fetch {
    struct stsserver *server;
    bool is_busy;
    char domain[STSPOLICY_NAME_MAX + 1];
    char id[STSPOLICY_ID_MAX + 1];
    pid_t pid;
    int fd;
    struct loop_watch watch;
};

struct stsserver_failure {
    char domain[STSPOLICY_NAME_MAX + 1];
    char id[STSPOLICY_ID_MAX + 1];
    enum tlsreport_result result;
    int64_t until; /* seconds since 1970 */
};

struct stsserver {
    struct loop loop;
    struct loop_signals signals;
    struct loop_timer flush, sweep;
    struct service service;
    int listener;
    int cache;   /* folder */
    int reports; /* folder */
    uid_t asker; /* remote's */
    const char *resolver;
    const char *anchors; /* the file of trusted certificates */
    struct reporttable table;
    struct stsserver_fetch fetches[STSSERVER_FETCHES_MAX];
    struct stsserver_failure failures[STSSERVER_FAILURES_MAX];
    size_t failure_next;
    bool lost_said;
};

/* Serves till a signal ends it. The caller has filled in listener, folders, asker, resolver,
 * anchors. */
void stsserver_run(struct stsserver *server);

#endif
