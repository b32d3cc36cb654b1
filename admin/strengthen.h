/*
 * strengthen - hashes at full strength for passwords that got quick ones first (password.h)
 *
 * Many accounts at once can log in within a second or two by their quick hashes. Then a process of
 * its own, which nobody waits for, computes the others without holding the lock of the control
 * files, and puts them in the places of the quick ones in one change. If it is killed, or anything
 * fails, the quick hashes stay and work; "mailctl user list" shows them.
 *
 * It is the child of who calls strengthen_start, in a session of its own, without the caller's
 * descriptors, of less priority while it computes. It writes to ROOT/log/mailctl/current.
 */
#ifndef ADMIN_STRENGTHEN_H
#define ADMIN_STRENGTHEN_H

#include "commandline.h"
#include "vault.h"

#include <sys/types.h>

struct strengthen_account {
    char local[USERLINE_LOCAL_MAX + 1]; /* in lower case */
    struct slice secret, quick;         /* in the vault */
};

struct strengthen {
    char domain[IDN_NAME_MAX + 1];
    struct vault vault;
    struct strengthen_account *of;
    size_t count, room;
};

/* Room for `room` accounts with `size` bytes of secrets and hashes together. False with errno. The
 * caller calls strengthen_end in any case; zeros are an empty one. */
bool strengthen_begin(struct strengthen *work, const char *domain, size_t room, size_t size);
/* False: no room. */
bool strengthen_add(struct strengthen *work, const char *local, struct slice secret,
                    struct slice quick);
/* Starts the process; the caller holds no lock of the control files any more, and no other secrets
 * than these. Its id; or 0: there can't be one, and the work has been done here. */
pid_t strengthen_start(struct strengthen *work);
/* Wipes the caller's copy. */
void strengthen_end(struct strengthen *work);

#endif
