/*
 * purge - emptying a mailbox: every message that is there at the start, and nothing else
 */
#ifndef ADMIN_PURGE_H
#define ADMIN_PURGE_H

#include <stdbool.h>
#include <stdint.h>

struct purge {
    bool only_looks;
    uint64_t messages, bytes; /* removed, or that would be; also when it failed */
};

/* Removes all messages from the Maildir++ `maildir` (a descriptor) and its folders, as any session would:
 * UIDVALIDITY stays, no UID comes again, and open sessions are told. What came when all folders had been
 * looked at stays. With the rights of the owner. False with errno. */
bool purge_maildir(struct purge *purge, int maildir);

#endif
