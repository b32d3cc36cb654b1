/*
 * launch - from root to a program under its own uid: what happens between fork and exec
 *
 * The only place of the suite where root's rights are used on behalf of others. Root touches only
 * mail/ itself, which is root's: it makes mail/DOMAIN and gives it to the domain's uid. What lies
 * below belongs to a customer, who may have put symbolic links there; it is entered after the drop
 * only, with the customer's rights. A program with an account's folder is started in mail/DOMAIN, as
 * a template (templates.h), whose copies go on from there.
 */
#ifndef AUTHD_LAUNCH_H
#define AUTHD_LAUNCH_H

#include "program.h"

#include <sys/types.h>

struct launch {
    const struct program_request *request;
    uid_t uid;
    int fd;   /* becomes 0; not owned */
    int mail; /* ROOT/mail, not owned */
};

/* What the child said before exec took it away. */
enum launch_state {
    LAUNCH_NOTHING, /* not yet there */
    LAUNCH_READY,   /* all is set; exec is next */
    LAUNCH_FAILED,  /* a step failed */
};
struct launch_report {
    enum launch_state state;
    char step[64]; /* LAUNCH_FAILED: what failed, with errno */
    int error;
};

/* Forks. The child's report comes through *report (to be closed by the caller), which ends when
 * exec succeeded or the child died. -1 with errno. */
pid_t launch_start(const struct launch *launch, int *report);

/* Takes in what has come on the report's descriptor. True when it has ended; the program runs only
 * if the state is LAUNCH_READY then. */
bool launch_read_report(int fd, struct launch_report *report);

#endif
