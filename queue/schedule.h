/*
 * schedule - when a message is tried again, and when it is too old
 *
 * Quadratic in the message's age, as qmail's, between a least and a most wait, as Postfix's: with
 * 300 and 4000 seconds after 5, 10, 18, 28, 40, ... minutes, then ever more rarely, every 67 minutes
 * in the end. It depends on the age alone, so a restart changes nothing but one early attempt.
 */
#ifndef QUEUE_SCHEDULE_H
#define QUEUE_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

enum {
    SCHEDULE_WAIT_MIN = 300,
    SCHEDULE_WAIT_MAX = 4000,
    SCHEDULE_SOON_MIN = 1, /* after trouble of our own */
    SCHEDULE_SOON_MAX = 60,
    SCHEDULE_LIFETIME_DEFAULT = 432000,
    SCHEDULE_WARNING_DEFAULT = 14400,
    SCHEDULE_SCAN_LIFETIME = 86400,
    SCHEDULE_SCAN_WAIT_MIN = 5,
    SCHEDULE_SCAN_WAIT_MAX = 300,
};

struct schedule {
    int64_t least, most; /* seconds between attempts */
    int64_t lifetime;    /* there is an attempt at its very end */
    int64_t warning;     /* and one at the age at which the sender is warned; 0: never */
};

/* Seconds from `now` to the next attempt of a message that arrived at `arrived`. A clock that went
 * back makes it a new one. */
int64_t schedule_wait(const struct schedule *schedule, int64_t arrived, int64_t now);
bool schedule_is_expired(int64_t arrived, int64_t now, int64_t lifetime);
/* The same after trouble of our own, such as a worker that died, at the latest of `attempts`: it may not come
 * again, or be this message that kills. */
int64_t schedule_wait_soon(unsigned attempts);
/* Seconds to the next scan after `failures` that failed in a row: the scanner is ours and comes
 * back soon. Also for peers that are down. */
int64_t schedule_scan_wait(unsigned failures);
/* Milliseconds to the next try of a service of ours that does not answer. */
int64_t schedule_peer_wait_ms(unsigned failures);

#endif
