/*
 * nightrun - the work of one night: each domain that has accounts with days to count is aged by a worker
 * of its own (ageing), which spawnd starts; one worker at a time
 */
#ifndef STORE_NIGHTRUN_H
#define STORE_NIGHTRUN_H

#include "ageing.h"
#include "directory.h"
#include "nightreport.h"

#include <stdbool.h>
#include <stdint.h>

struct nightrun {
    struct directory *directory;
    int signals; /* readable: end */
    int spawnd;  /* connection, or -1 */
    struct wire_message message;
    struct nightreport report; /* of the night at work, or the last */
    bool is_told;
};

/* Waits till *fd has something to read. False: the time is up, or (run->is_told) the end was told. */
bool nightrun_wait(struct nightrun *run, int fd, int64_t deadline);

/* Does it, and logs a line for each account where something was done, and one at the end. What failed in
 * a night that was done has its next turn tomorrow. */
enum nightreport_result nightrun_do(struct nightrun *run);

#endif
