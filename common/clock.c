/* clock - see clock.h */
#include "clock.h"

#include <limits.h>
#include <time.h>

static struct timespec now(clockid_t which)
{
    struct timespec time = {0};
    clock_gettime(which, &time);
    return time;
}

int64_t clock_ms(void)
{
    struct timespec time = now(CLOCK_MONOTONIC);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

int64_t clock_seconds(void)
{
    return now(CLOCK_REALTIME).tv_sec;
}

int64_t clock_microseconds(void)
{
    struct timespec time = now(CLOCK_REALTIME);
    return (int64_t)time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

int64_t clock_boot_seconds(void)
{
    return now(CLOCK_REALTIME).tv_sec - now(CLOCK_BOOTTIME).tv_sec;
}

int64_t clock_deadline(int64_t ms)
{
    int64_t at;
    return __builtin_add_overflow(clock_ms(), ms, &at) ? CLOCK_NEVER : at;
}

int clock_left(int64_t deadline)
{
    if (deadline == CLOCK_NEVER)
        return -1;
    int64_t left = deadline - clock_ms();
    if (left < 0)
        return 0;
    return left > INT_MAX ? INT_MAX : (int)left;
}
