/*
 * failures - failed logins, the delays they cost and the locks they lead to
 *
 * Counted are the pair of account and client address, the account, and the address (for IPv6 its
 * /64, since a customer has that many). Within `window` seconds:
 *
 * - `limit` failures lock the pair for `lock` seconds. A stranger who guesses locks out himself;
 *   the customer logs in from elsewhere as ever.
 * - 5 * `limit` failures from 10 or more addresses lock the account, and 5 * `limit` failures for
 *   10 or more accounts lock the address (never loopback: webmail lives there). Both spare pairs
 *   that logged in during the last 30 days: nobody locks a customer out of his usual places.
 *
 * A success forgives the pair only: the account's and the address's counts end with their window,
 * or an attacker who has one good account would wash his address clean. Pure: the time is an
 * argument.
 */
#ifndef AUTHD_FAILURES_H
#define AUTHD_FAILURES_H

#include "str.h"
#include "tally.h"

enum {
    FAILURES_WIDE = 5,          /* times the limit, for an account or an address as a whole */
    FAILURES_WIDE_SOURCES = 10, /* and at least so many of the other kind */
    FAILURES_GOOD_S = 30 * 86400,
    FAILURES_PAIRS_MAX = 32768,
    FAILURES_SINGLES_MAX = 16384, /* accounts, and addresses */
    FAILURES_DELAY_MAX_MS = 8000,
    FAILURES_CLIENT_MAX = 64,
    FAILURES_ACCOUNT_MAX = 320,
};

struct failures_limits {
    unsigned limit;
    int64_t window_s;
    int64_t lock_s;
};

struct failures {
    struct tally_table pairs; /* key: account, NUL, client */
    struct tally_table accounts;
    struct tally_table clients;
};

enum failures_scope { FAILURES_NONE, FAILURES_PAIR, FAILURES_ACCOUNT, FAILURES_CLIENT };

bool failures_init(struct failures *failures, uint64_t seed);
void failures_free(struct failures *failures);

/* The address as it is counted: IPv6 as its /64. What is no address is kept as it is, cut. */
void failures_client(struct slice address, char client[FAILURES_CLIENT_MAX]);

/* Which lock, if any, refuses this client at `now`; `until` is its end. */
enum failures_scope failures_check(const struct failures *failures, struct slice account,
                                   struct slice client, int64_t now, int64_t *until);

struct failures_result {
    int64_t delay_ms;           /* before the client is told */
    enum failures_scope locked; /* what this very failure locked */
    int64_t until;
};
/* `own` are the account's limit and lock, where its plan has some (0: as `limits`); the address as a whole is
 * judged by `limits`. */
struct failures_own {
    unsigned limit;
    int64_t lock_s;
};
struct failures_result failures_note(struct failures *failures,
                                     const struct failures_limits *limits,
                                     const struct failures_own *own, struct slice account,
                                     struct slice client, int64_t now);

/* Forgives the pair and remembers it as good. True when that is worth a record: there were
 * failures, or it is news for today. */
bool failures_success(struct failures *failures, struct slice account, struct slice client,
                      int64_t now);

/* Ends the account's locks and forgets its failures. True when there were any. */
bool failures_forgive(struct failures *failures, struct slice account);

/* Calls `each` for every lock on the account at `now`: the client's address, or "" for all. */
typedef void failures_each_lock(void *owner, struct slice client, const struct tally *tally);
void failures_locks(const struct failures *failures, struct slice account, int64_t now,
                    failures_each_lock *each, void *owner);

/* The clock was set back by `seconds`: windows and locks move along, so that none holds longer for it.
 * False: there are none. */
bool failures_turn_back(struct failures *failures, int64_t seconds);
/* The same of what was read back at `now` and was counted later: the clock was set back meanwhile. */
bool failures_begin_now(struct failures *failures, int64_t now);

/* The two halves of a pair's key. */
void failures_split_pair(const struct tally *pair, struct slice *account, struct slice *client);
/* The pair's tally, for reading back records. NULL without memory. */
struct tally *failures_pair(struct failures *failures, struct slice account, struct slice client,
                            int64_t now);

#endif
