/*
 * stsfetch - gets one MTA-STS policy over HTTPS, in a process of its own (RFC 8461 3.3)
 *
 * libcurl is loaded in that process only: the daemon stays small, and what parses strangers' HTTP
 * and certificates has nothing to lose.
 */
#ifndef DELIVER_STSFETCH_H
#define DELIVER_STSFETCH_H

#include "slice.h"
#include "stspolicy.h"
#include "tlsreport.h"
#include "wire.h"

struct stsfetch_task {
    const char *domain;
    struct slice resolver; /* as mx_open wants it */
    const char *anchors;   /* the file of trusted certificates */
    int answer;            /* SEQPACKET: "policy", text | "none", result, reason */
};

/* Does it all, in the child; enters a sandbox. The exit code. */
int stsfetch_run(const struct stsfetch_task *task);

#endif
