/*
 * clock - the two clocks: one that never jumps, and the date
 *
 * Waits and limits use clock_ms, in milliseconds since the machine's start. A deadline
 * is a value of that clock; CLOCK_NEVER stands for none.
 */
#ifndef COMMON_CLOCK_H
#define COMMON_CLOCK_H

#include <stdint.h>

#define CLOCK_NEVER INT64_MAX

int64_t clock_ms(void);
/* Seconds and microseconds since 1970. */
int64_t clock_seconds(void);
int64_t clock_microseconds(void);
/* When the machine was started, seconds since 1970: the same till it is started again, but for a
 * second or so when the clock is set right. */
int64_t clock_boot_seconds(void);
/* The deadline `ms` from now. */
int64_t clock_deadline(int64_t ms);
/* What is left of a deadline as poll(2) wants it: -1 for CLOCK_NEVER, else 0 ... INT_MAX. */
int clock_left(int64_t deadline);

#endif
