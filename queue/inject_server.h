/*
 * inject_server - accepts peers and gives each to a child process of its own
 *
 * A child serves one connection at a time. When it is done it may get another one of the same uid,
 * so that a flood of short SMTP sessions costs no fork each; a peer never meets a child that has
 * read another uid's bytes.
 */
#ifndef QUEUE_INJECT_SERVER_H
#define QUEUE_INJECT_SERVER_H

#include "directory.h"
#include "localrate.h"
#include "loop.h"

#include <sys/types.h>

enum {
    INJECT_SERVER_CHILDREN_MAX = 1000, /* further peers wait in the listen queue */
    INJECT_SERVER_STRANGER_MAX = 20,   /* children of one uid that is not ours */
    INJECT_SERVER_STRANGERS_MAX = 200, /* of all such uids */
    INJECT_SERVER_IDLE_MAX = 16,       /* kept for the next peer */
    INJECT_SERVER_IDLE_MS = 60000,
};

struct inject_child;

/* What the operator allows at the time of a connection. */
struct inject_server_limits {
    uint64_t databytes; /* largest message */
    struct localrate rate;
};

/* What a child does with a connection; runs in the child. */
typedef void inject_server_serve(int connection, uid_t uid,
                                 const struct inject_server_limits *limits, void *owner);
/* What it does first: opens what its uid's connections need, enters its sandbox. */
typedef void inject_server_enter(uid_t uid, void *owner);

struct inject_server {
    struct loop loop;
    struct loop_watch listening;
    struct loop_signals signals;
    struct loop_timer tidy;
    int fd;
    bool is_paused;
    struct inject_child *children;
    size_t child_count;
    size_t idle_count;
    size_t stranger_count;
    struct directory directory;
    inject_server_serve *serve;
    inject_server_enter *enter_child;
    void *owner;
};

/* Serves on `fd` till SIGTERM or SIGINT. False: the loop could not run (errno). In a child it does
 * not return. */
bool inject_server_run(struct inject_server *server, int fd, inject_server_enter *enter_child,
                       inject_server_serve *serve, void *owner);

#endif
