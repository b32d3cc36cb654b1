/*
 * vault - secrets that a process keeps for a while: in memory only, not in swap, and wiped at the end
 */
#ifndef ADMIN_VAULT_H
#define ADMIN_VAULT_H

#include "slice.h"

struct vault {
    char *bytes; /* a mapping of its own; NULL: empty */
    size_t size, used;
};

/* Room for `size` bytes. False with errno. */
bool vault_open(struct vault *vault, size_t size);
/* A copy, which lies there till vault_close. False: no room. */
bool vault_keep(struct vault *vault, struct slice secret, struct slice *kept);
/* Behind a fork the child has to ask anew that its memory stays out of swap: the kernel forgets. */
void vault_hold(const struct vault *vault);
/* Wipes it. */
void vault_close(struct vault *vault);

#endif
