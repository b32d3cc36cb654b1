/* night - see night.h */
#include "night.h"

#include "hash.h"

#include <time.h>

enum { MINUTES = 60 };

int64_t night_latest(int64_t now, unsigned hour, unsigned minute)
{
    struct tm local;
    time_t seconds = (time_t)now;
    if (!localtime_r(&seconds, &local))
        return -1;
    local.tm_hour = (int)hour;
    local.tm_min = (int)minute;
    local.tm_sec = 0;
    for (int day = local.tm_mday;; day--) {
        struct tm tried = local;
        tried.tm_mday = day;
        tried.tm_isdst = -1;
        int64_t moment = (int64_t)mktime(&tried);
        if (moment <= now)
            return moment;
    }
}

bool night_is_due(int64_t now, int64_t latest, int64_t done)
{
    if (done > now)
        done = 0;
    return latest >= 0 && latest > done && now - latest < NIGHT_S;
}

unsigned night_minute(struct slice host)
{
    return (unsigned)(hash_fold(hash_add(HASH_START, host)) % MINUTES);
}
