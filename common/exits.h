/*
 * exits - the exit codes of every program of the suite
 *
 * A signal, an unknown code or a failed exec counts as passing trouble, so that no
 * mail bounces over a broken installation.
 */
#ifndef COMMON_EXITS_H
#define COMMON_EXITS_H

enum {
    EXIT_DONE = 0,
    EXIT_REFUSED = 1,     /* operator's commands: refused, the reason is on standard error */
    EXIT_PERMANENT = 100, /* wrong use or configuration: trying again will not help */
    EXIT_PASSING = 111,   /* passing trouble: memory, disk, a peer that is down */
};

#endif
