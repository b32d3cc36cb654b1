/*
 * nightrun - the work of one night: each domain that has accounts with days to count is aged by a worker
 * of its own (ageing), which spawnd starts; one worker at a time
 */
#ifndef STORE_NIGHTRUN_H
#define STORE_NIGHTRUN_H

#include "ageing.h"
#include "directory.h"

#include <stdbool.h>
#include <stdint.h>

enum nightrun_end {
    NIGHTRUN_DONE,   /* also when some domains failed: they have their next turn tomorrow */
    NIGHTRUN_FAILED, /* nothing could be done at all */
    NIGHTRUN_TOLD,   /* broken off, because we were told to end */
};

struct nightrun {
    struct directory *directory;
    int signals; /* readable: end */
    int spawnd;  /* connection, or -1 */
    struct wire_message message;
    struct ageing_result sum;
    uint64_t domains, accounts, failed; /* failed: accounts, and domains as a whole */
    bool is_told;
};

/* Waits till *fd has something to read. False: the time is up, or (run->is_told) the end was told. */
bool nightrun_wait(struct nightrun *run, int fd, int64_t deadline);

/* Does it, and logs a line for each account where something was done, and one at the end. */
enum nightrun_end nightrun_do(struct nightrun *run);

#endif
