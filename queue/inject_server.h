/*
 * inject_server - queue-inject's first process: starts workers, and a process for each stranger
 *
 * The workers (inject_worker.h) accept peers themselves and serve those of ours, each one after the
 * other: all of them have the same uid and the same power over the queue, so that a process per
 * peer would keep nothing apart. There are as many as were needed at once lately. What any user of
 * this machine sends comes back from the worker and has a process of its own: nobody but a program
 * of ours speaks to a process that others' mail will go through.
 */
#ifndef QUEUE_INJECT_SERVER_H
#define QUEUE_INJECT_SERVER_H

#include "inject_worker.h"
#include "loop.h"
#include "wire.h"

enum {
    INJECT_SERVER_STRANGER_MAX = 20,   /* processes of one uid that is not ours */
    INJECT_SERVER_STRANGERS_MAX = 200, /* of all such uids */
    INJECT_SERVER_RETRY_MS = 1000,     /* after a fork that failed */
};

/* What a process does first: opens what it needs for a stranger, enters its sandbox. */
typedef void inject_server_enter(bool for_stranger, uid_t uid, void *owner);

struct inject_stranger {
    pid_t pid; /* 0: free */
    uid_t uid;
};

struct inject_server {
    struct loop loop;
    struct loop_watch watch; /* what workers say */
    struct loop_signals signals;
    struct loop_timer retry;
    int listener;
    int pair[2]; /* ours, and the one end that all workers have */
    struct wire_message message;
    struct places places;
    struct inject_stranger strangers[INJECT_SERVER_STRANGERS_MAX];
    struct directory directory;
    inject_worker_serve *serve;
    inject_server_enter *enter;
    void *owner;
};

/* Has room for one more process for this uid? The place for it, or NULL. */
struct inject_stranger *inject_server_find_room(struct inject_stranger strangers[], uid_t uid);

/* Serves on `fd` till SIGTERM or SIGINT. False: the loop could not run (errno). In a child it does
 * not return. */
bool inject_server_run(struct inject_server *server, int fd, inject_server_enter *enter,
                       inject_worker_serve *serve, void *owner);

#endif
