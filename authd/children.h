/*
 * children - the processes that spawnd has started: how many, whose, how they end
 */
#ifndef AUTHD_CHILDREN_H
#define AUTHD_CHILDREN_H

#include "program.h"

#include <stdbool.h>
#include <sys/types.h>

struct child {
    pid_t pid;
    uid_t uid;
    const struct program *program;
    char *owner; /* "local@domain", "domain" or "": for the log */
};

struct children {
    struct child *all;
    size_t count;
    size_t capacity;
};

void children_free(struct children *children);
/* False without memory. */
bool children_reserve(struct children *children);
/* Never fails after children_reserve. */
void children_add(struct children *children, pid_t pid, uid_t uid,
                  const struct program_request *request);
/* How many sessions, or workers, there are in all, and of one uid. */
size_t children_count(const struct children *children, bool sessions);
size_t children_count_of(const struct children *children, bool sessions, uid_t uid);
/* How many of that very program. */
size_t children_count_program(const struct children *children, const struct program *program,
                              uid_t uid);

/* Takes in what has ended (waitpid); logs what did not end well. */
void children_reap(struct children *children);

#endif
