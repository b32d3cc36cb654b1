/* schedule - see schedule.h */
#include "schedule.h"

enum { ROOT_STEP = 8, DOUBLINGS_MAX = 16, PEER_WAIT_MIN_MS = 500, PEER_WAIT_MAX_MS = 30000 };

/* The largest number whose square is at most `number`, by Newton's method. */
static int64_t square_root(int64_t number)
{
    int64_t root = number;
    int64_t next = (number + 1) / 2;
    while (next < root) {
        root = next;
        next = (root + number / root) / 2;
    }
    return root;
}

static int64_t clip(int64_t value, int64_t least, int64_t most)
{
    if (value < least)
        return least;
    return value > most ? most : value;
}

/* `wait`, or less when the message reaches `milestone` before. */
static int64_t stop_at(int64_t wait, int64_t age, int64_t milestone)
{
    return age < milestone && age + wait > milestone ? milestone - age : wait;
}

int64_t schedule_wait(const struct schedule *schedule, int64_t arrived, int64_t now)
{
    /* Beyond ten years the waits are the same, and nothing overflows. */
    int64_t age = clip(now - arrived, 0, INT64_C(315360000));
    int64_t root = square_root(age) + ROOT_STEP;
    int64_t wait = clip(root * root - age, schedule->least, schedule->most);
    return stop_at(stop_at(wait, age, schedule->warning), age, schedule->lifetime);
}

bool schedule_is_expired(int64_t arrived, int64_t now, int64_t lifetime)
{
    return now - arrived >= lifetime;
}

static int64_t doubled(int64_t first, unsigned failures, int64_t most)
{
    unsigned doublings = failures > 0 ? failures - 1 : 0;
    if (doublings > DOUBLINGS_MAX)
        doublings = DOUBLINGS_MAX;
    return clip(first << doublings, first, most);
}

int64_t schedule_wait_soon(unsigned attempts)
{
    return doubled(SCHEDULE_SOON_MIN, attempts, SCHEDULE_SOON_MAX);
}

int64_t schedule_scan_wait(unsigned failures)
{
    return doubled(SCHEDULE_SCAN_WAIT_MIN, failures, SCHEDULE_SCAN_WAIT_MAX);
}

int64_t schedule_peer_wait_ms(unsigned failures)
{
    return doubled(PEER_WAIT_MIN_MS, failures, PEER_WAIT_MAX_MS);
}
