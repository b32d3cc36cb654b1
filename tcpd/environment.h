/*
 * environment - the environment and nothing else that a connection's program starts with
 */
#ifndef TCPD_ENVIRONMENT_H
#define TCPD_ENVIRONMENT_H

#include "slice.h"

enum { ENVIRONMENT_BYTES = 4096, ENVIRONMENT_COUNT = 32 };

struct environment {
    char bytes[ENVIRONMENT_BYTES];
    size_t used;
    char *variables[ENVIRONMENT_COUNT + 1]; /* NULL-ended, as execve wants it */
    size_t count;
};

void environment_init(struct environment *environment);
/* "NAME=VALUE". False when there is no room, or it holds a NUL. */
bool environment_put(struct environment *environment, struct slice variable);
bool environment_set(struct environment *environment, const char *name, const char *value);
bool environment_set_number(struct environment *environment, const char *name, unsigned value);
/* Words divided by spaces, as the access rules have them. */
bool environment_put_words(struct environment *environment, struct slice words);

#endif
