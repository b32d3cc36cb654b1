/*
 * children - the processes that spawnd has started: how many, whose, how they end
 */
#ifndef AUTHD_CHILDREN_H
#define AUTHD_CHILDREN_H

#include "program.h"
#include "sessionend.h"

#include <stdbool.h>
#include <sys/types.h>

struct child {
    pid_t pid;     /* 0: a session that has not begun */
    uint64_t seat; /* of a session: what templates.h calls it */
    uid_t uid;
    const struct program *program;
    char
        *owner; /* "local@domain", "domain" or "": for the log, and to find an account's sessions */
    enum sessionend ends; /* it was told to end, or will be when it begins */
    int64_t killed_at;    /* clock_ms, if it does not */
};

struct children {
    struct child *all;
    size_t count;
    size_t capacity;
};

/* One has ended: `child` is NULL when it is none of these. */
typedef void children_ended(const struct child *child, pid_t pid, int status, void *owner);

void children_free(struct children *children);
/* False without memory. */
bool children_reserve(struct children *children);
/* Never fails after children_reserve. */
void children_add(struct children *children, pid_t pid, uid_t uid,
                  const struct program_request *request);
/* A session counts from the moment it is asked for; then it begins, or does not. */
void children_add_session(struct children *children, uint64_t seat, uid_t uid,
                          const struct program_request *request);
void children_begin_session(struct children *children, uint64_t seat, pid_t pid);
void children_drop_session(struct children *children, uint64_t seat);
/* How many sessions, or workers, there are in all, and of one uid. */
size_t children_count(const struct children *children, bool sessions);
size_t children_count_of(const struct children *children, bool sessions, uid_t uid);
/* How many of that very program. */
size_t children_count_program(const struct children *children, const struct program *program,
                              uid_t uid);

/* Tells the account's sessions, with an empty `local` the domain's, to end. How many those are. */
size_t children_end_sessions(struct children *children, const char *domain, const char *local,
                             enum sessionend why, int64_t now_ms);
/* Kills those whose time for it is over. When to come again, CLOCK_NEVER: nobody is to end. */
int64_t children_kill_late(const struct children *children, int64_t now_ms);

/* Takes in what has ended (waitpid), tells of it; logs what did not end well. */
void children_reap(struct children *children, children_ended *ended, void *owner);

#endif
