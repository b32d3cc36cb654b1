/*
 * localrate - how many messages a user of this machine may send by the sendmail command (SPEC R18)
 *
 * The uid is all that is known for sure of a program on the host, so each uid is a contract of its
 * own: stated knows it as "@uid=N". Where the sender that it states is at a domain of ours, the
 * message counts for that domain too, as one of an account that logged in would: a customer's web
 * pages send within the limit of the customer. What one uid can use up of others' limits is bounded
 * by its own.
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
    struct directory *directory; /* NULL: domains are not looked for */
};

/* Who sends: a uid, as an account, a domain, or nobody of ours. */
struct localsender {
    uid_t uid;
    char account[DIRECTORY_LOCAL_MAX + DIRECTORY_DOMAIN_MAX + 2]; /* or "@domain"; empty: none */
    char domain[DIRECTORY_DOMAIN_MAX + 2];                        /* "@domain"; empty: none */
    uint64_t limit, window_s, pause_s;                            /* of the domain */
    uint64_t message_size; /* the largest that it may send; UINT64_MAX for nobody of ours */
};

void localrate_read(struct directory *directory, struct localrate *rate);
/* A connection to stated, for a sandbox that lets nobody connect; -1: none. */
int localrate_connect(void);
/* `address` is the envelope sender. A domain that can't be looked up counts as none of ours. */
void localrate_identify(struct localsender *sender, uid_t uid, struct slice address,
                        const struct localrate *rate);
/* May it send? Neither may the uid have sent too much, nor the domain, nor may the account be in a
 * state that stops sending. When stated can't be asked, yes: mail of the machine's own programs would be lost,
 * for they rarely try again. */
bool localrate_allows(int *state_fd, const struct localsender *sender,
                      const struct localrate *rate);
/* A message of it was accepted. */
void localrate_count(int *state_fd, const struct localsender *sender, const struct localrate *rate);

#endif
