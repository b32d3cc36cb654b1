/*
 * localrate - how many messages a user of this machine may send by the sendmail command (SPEC R18)
 *
 * The uid is all that is known for sure of a program on the host, so each uid is a contract of its
 * own: stated knows it as "@uid=N". The sender it states is not asked for: or any program could
 * make another one's domain pause.
 */
#ifndef QUEUE_LOCALRATE_H
#define QUEUE_LOCALRATE_H

#include "directory.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* The host's settings; what can't be read is as the table of settings says. */
struct localrate {
    uint64_t limit; /* 0: none */
    uint64_t window_s;
    uint64_t pause_s;
};

void localrate_read(struct directory *directory, struct localrate *rate);
/* A connection to stated, for a sandbox that lets nobody connect; -1: none. */
int localrate_connect(void);
/* May it send? When stated can't be asked, yes: mail of the machine's own programs would be lost,
 * for they rarely try again. */
bool localrate_allows(int *state_fd, uid_t uid, const struct localrate *rate);
/* A message of it was accepted. */
void localrate_count(int *state_fd, uid_t uid, const struct localrate *rate);

#endif
