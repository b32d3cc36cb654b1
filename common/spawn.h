/*
 * spawn - asking spawnd to start a program under another uid (client side)
 *
 * Protocol: ARCHITECTURE.md, "spawn/1". For authd, queued and nightly only.
 */
#ifndef COMMON_SPAWN_H
#define COMMON_SPAWN_H

#include "str.h"
#include "verdict.h"
#include "wire.h"

#define SPAWN_SOCKET "run/spawnd/socket"
enum { SPAWN_TIMEOUT_MS = 10000, SPAWN_ARGUMENTS_MAX = 8 };

struct spawn_request {
    const char *program;
    struct slice domain;
    struct slice local;
    struct slice arguments[SPAWN_ARGUMENTS_MAX];
    size_t argument_count;
    const int *fds;
    size_t fd_count;
};

/* Asks on *fd, connected when -1 and kept. `reason` is filled unless VERDICT_OK. */
enum verdict spawn_ask(int *fd, const struct spawn_request *request, struct str *reason);

/* The question as a packet and the answer's meaning, for those who send and wait themselves. */
void spawn_put_question(struct str *packet, const struct spawn_request *request);
enum verdict spawn_read_answer(const struct wire_message *answer, struct str *reason);

#endif
