/*
 * night - when the work of a night is due
 */
#ifndef STORE_NIGHT_H
#define STORE_NIGHT_H

#include "slice.h"

#include <stdbool.h>
#include <stdint.h>

/* How long after its beginning a night's work may still be begun, when the machine was off at the time,
 * or the work had to be broken off. */
enum { NIGHT_S = 6 * 60 * 60 };

/* The latest moment not after `now` at which the machine's own clock shows hour:minute; all in seconds
 * since 1970. -1: the clock can't be read. */
int64_t night_latest(int64_t now, unsigned hour, unsigned minute);

/* Has the night that began at `latest` to be done now, when the last one done began at `done` (0: none
 * was)? A `done` that lies ahead was written before the clock was set back, and counts for nothing. */
bool night_is_due(int64_t now, int64_t latest, int64_t done);

/* The minute of the hour at which this host begins: not all that share a disk begin together. */
unsigned night_minute(struct slice host);

#endif
