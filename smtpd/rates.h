/*
 * rates - how much one client did within a minute
 *
 * A minute begins with the first event and ends what was counted in it, as Postfix's anvil does. A
 * client is an IPv4 address, or the /64 of an IPv6 one.
 */
#ifndef SMTPD_RATES_H
#define SMTPD_RATES_H

#include "recent.h"

enum { RATES_CLIENTS_MAX = 65536, RATES_WINDOW_S = 60 };

enum rates_kind { RATES_CONNECTION, RATES_MESSAGE, RATES_RECIPIENT, RATES_KINDS };

/* False: no such kind. */
bool rates_find_kind(struct slice name, enum rates_kind *kind);
/* The host setting that limits it. */
const char *rates_setting(enum rates_kind kind);

struct rates {
    struct recent table;
};

bool rates_init(struct rates *rates, const unsigned char seed[RECENT_SEED_SIZE]);
void rates_free(struct rates *rates);
/* One more event, `now` in seconds. 0: it is within `limit`; else the seconds till it would be.
 * Without memory nothing is limited. */
unsigned rates_count(struct rates *rates, enum rates_kind kind, const struct ip *client,
                     uint64_t limit, int64_t now);

#endif
