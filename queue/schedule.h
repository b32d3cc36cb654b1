/*
 * schedule - when a message is tried again, and when it is too old
 *
 * Quadratic in the message's age, as qmail's: soon at first (64 s, 4 min, 10 min, 17 min, ...),
 * then ever more rarely, never more than 80 minutes apart. It depends on the age alone, so a
 * restart changes nothing but one early attempt.
 */
#ifndef QUEUE_SCHEDULE_H
#define QUEUE_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

enum {
    SCHEDULE_WAIT_MIN = 60,
    SCHEDULE_WAIT_MAX = 4800,
    SCHEDULE_LIFETIME_DEFAULT = 432000,
    SCHEDULE_SCAN_WAIT_MIN = 5,
    SCHEDULE_SCAN_WAIT_MAX = 300,
};

/* Seconds from `now` to the next attempt of a message that arrived at `arrived`. A clock that went
 * back makes it a new one. */
int64_t schedule_wait(int64_t arrived, int64_t now);
bool schedule_is_expired(int64_t arrived, int64_t now, int64_t lifetime);
/* Seconds to the next scan after `failures` that failed in a row: the scanner is ours and comes
 * back soon. Also for peers that are down. */
int64_t schedule_scan_wait(unsigned failures);
/* Milliseconds to the next try of a service of ours that does not answer. */
int64_t schedule_peer_wait_ms(unsigned failures);

#endif
