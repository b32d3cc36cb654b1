/*
 * greylist - who is told to come again, and who has come again (RFC 6647)
 *
 * A triplet is the client's network (/24, /64), sender and recipient. The first try is refused for
 * `delay_s`; a try behind that, within `window_s` of the first, passes, and so does the triplet from
 * then on till it was not seen for `lifetime_s`. A network of which `passes` triplets have passed
 * is not asked to come again any more. Of senders, numbers and what stands behind a '+' don't
 * count: lists write them anew for each message.
 *
 * Pure: times are given. What is known is a list of records, which the caller keeps; a record says
 * how one thing is now, so applying it twice does no harm:
 *     seed HEX                         by which triplets are hashed
 *     triplet HASH FIRST PASSED        tried first; last time it passed, 0: has not yet
 *     client NETWORK COUNT LAST        triplets that passed; when it was counted or used last
 */
#ifndef SMTPD_GREYLIST_H
#define SMTPD_GREYLIST_H

#include "recent.h"
#include "str.h"

enum {
    GREYLIST_WAITING_MAX = 131072, /* the oldest go; a flood of new ones costs none that passed */
    GREYLIST_PASSED_MAX = 131072,
    GREYLIST_CLIENTS_MAX = 32768,
    GREYLIST_RECORD_MAX = 128,
};

struct greylist_limits {
    int64_t delay_s;
    int64_t window_s;
    int64_t lifetime_s;
    uint64_t passes; /* 0: a network never passes as such */
};

typedef void greylist_keep(void *owner, struct slice record);

struct greylist {
    struct recent waiting;
    struct recent passed;
    struct recent clients;
    unsigned char seed[RECENT_SEED_SIZE];
    bool has_seed;
    greylist_keep *keep; /* is given each record that is news */
    void *owner;
};

/* `seed` is for the tables, of this process only. False without memory. */
bool greylist_init(struct greylist *list, const unsigned char seed[RECENT_SEED_SIZE],
                   greylist_keep *keep, void *owner);
void greylist_free(struct greylist *list);

/* Takes a record of an earlier life, in the order in which they came. False: it is none. */
bool greylist_apply(struct greylist *list, struct slice record);
/* Hashes by `seed` from now on, unless a record brought one; that is news, too. */
void greylist_set_seed(struct greylist *list, const unsigned char seed[RECENT_SEED_SIZE]);

/* 0: let it pass. Else the seconds after which it should come again. */
int64_t greylist_judge(struct greylist *list, const struct greylist_limits *limits, int64_t now,
                       const struct ip *client, struct slice sender, struct slice recipient);

/* Calls `each` with records that make the list anew, least recently used first, without what is
 * over. */
void greylist_walk(const struct greylist *list, const struct greylist_limits *limits, int64_t now,
                   greylist_keep *each, void *owner);

#endif
