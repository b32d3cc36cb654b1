/*
 * allowance - what follows when a domain or an account sends or receives too much (SPEC R5.3, R10)
 *
 * A rule names a counter, its limit and window, and how long the state lasts that follows. The
 * limit is reached by messages that were accepted; the question that finds it reached begins the
 * state, and the counter begins anew, so that the end of the state is an end.
 */
#ifndef AUTHD_ALLOWANCE_H
#define AUTHD_ALLOWANCE_H

#include "ledger.h"
#include "wire.h"

enum {
    ALLOWANCE_RULE_FIELDS = 4, /* name, limit, window, seconds of the state */
    ALLOWANCE_RULES_MAX = 5,
};

struct allowance_rule {
    enum rates_kind kind;
    uint64_t limit; /* 0: none */
    int64_t window_s;
    int64_t lasts_s; /* 0: the state has no end of its own */
};

/* Reads the rule whose first field is `at`, for an action of states.h. False: nonsense. */
bool allowance_read(const struct wire_message *fields, size_t at, unsigned action,
                    struct allowance_rule *rule);

/* A limit that is reached: the state that is to follow, and whose. */
struct allowance_breach {
    enum rates_kind kind;
    enum states_name state;
    struct slice name; /* "user@domain" or "@domain" */
    int64_t until;
    char cause[STATES_CAUSE_MAX + 1];
};
/* Is the rule's limit reached by `account` or its domain? Does not change states. */
bool allowance_check(struct ledger *ledger, struct slice account, const struct allowance_rule *rule,
                     int64_t now, struct allowance_breach *breach);

/* Is the rule, which was checked, below half of its limit, and will its counter tell when it comes
 * there (common/board.h)? */
bool allowance_has_room(struct ledger *ledger, struct slice account,
                        const struct allowance_rule *rule, int64_t now);

/* The state that follows when such a counter's limit is reached. */
enum states_name allowance_state(enum rates_kind kind);

/* Counts an accepted message: for the account and its domain; for a domain that received it. True: a
 * counter that had room has it no more. */
bool allowance_sent(struct ledger *ledger, struct slice account, uint64_t recipients, int64_t now);
bool allowance_rejected(struct ledger *ledger, struct slice account, uint64_t recipients,
                        int64_t now);
bool allowance_received(struct ledger *ledger, struct slice domain, int64_t now);

#endif
