/*
 * states - the states of accounts (SPEC R10): what they stop, since when, why, until when
 *
 * Set and cleared by the operator's tools, and by limits that are reached. An account may be in
 * several at once; "@domain" is the domain, whose states hold for all its accounts. Pure: the time
 * is an argument.
 */
#ifndef AUTHD_STATES_H
#define AUTHD_STATES_H

#include "str.h"

#include <stdint.h>

enum {
    STATES_MAX = 65536, /* records in all; "set" is refused beyond */
    STATES_ACCOUNT_MAX = 320,
    STATES_CAUSE_MAX = 200,    /* = STATE_CAUSE_MAX */
    STATES_PAUSE_MAX_S = 7200, /* SPEC R5.3 */
    STATES_LOCK_MAX_S = 7 * 86400,
    STATES_TEXT_MAX = 250,
};

enum states_action { STATES_SEND = 1 << 0, STATES_RECEIVE = 1 << 1, STATES_LOGIN = 1 << 2 };

enum states_name {
    STATES_MISUSE_DETECTED,
    STATES_ACCOUNT_LOCK,
    STATES_SEND_LOCK,
    STATES_OVER_CAPACITY,
    STATES_PASSWORD_FORCED,
    STATES_SEND_PAUSE,
    STATES_RECEIVE_PAUSE,
    STATES_NAMES,
};

/* One row per state: what it stops, and what a client that runs into it is told. */
struct states_kind {
    const char *name;
    const char *text;
    const char *cure; /* NULL: the text alone is said, as SPEC has it */
    unsigned stops;   /* states_action */
    bool is_pause;    /* never longer than STATES_PAUSE_MAX_S, whatever happens to the clock */
};
const struct states_kind *states_kind(enum states_name name);
/* Appends what a client is told: the text, the cause (if it is ASCII), the end (`until`; 0: none) in
 * local time, the cure. At most STATES_TEXT_MAX bytes. */
void states_explain(enum states_name name, struct slice cause, int64_t until, struct str *text);
/* False: no such state. */
bool states_name_from(struct slice text, enum states_name *name);
/* 0: no such action. */
unsigned states_action_from(struct slice text);

struct states_record {
    struct states_record *next;
    enum states_name name;
    int64_t since;
    int64_t until; /* 0: open */
    char account[STATES_ACCOUNT_MAX + 1];
    char cause[STATES_CAUSE_MAX + 1];
};

struct states {
    struct states_record **buckets;
    size_t count;
};

/* False without memory. */
bool states_init(struct states *states);
void states_free(struct states *states);

/* Sets, or replaces (`since` is kept then). False: too many, too long, or no memory. */
bool states_set(struct states *states, struct slice account, enum states_name name, int64_t since,
                int64_t until, struct slice cause);
/* False: it was not set. */
bool states_clear(struct states *states, struct slice account, enum states_name name);
/* The state, if it is in force at `now`; else NULL. */
const struct states_record *states_find(const struct states *states, struct slice account,
                                        enum states_name name, int64_t now);
/* The first state, the account's or its domain's, that stops `action` at `now`; NULL: allowed. */
const struct states_record *states_stopping(const struct states *states, struct slice account,
                                            unsigned action, int64_t now);

/* Calls `each` for all records; with `ended_at`, only for those that ended by then, which are
 * removed after the call. */
typedef void states_each(void *owner, const struct states_record *record);
void states_walk(const struct states *states, states_each *each, void *owner);
/* The same for a part of them, from *cursor on, which is 0 at first. False: that was the last. */
bool states_walk_part(const struct states *states, size_t *cursor, states_each *each, void *owner);
void states_end(struct states *states, int64_t ended_at, states_each *each, void *owner);
/* The clock was set back by `seconds`: what has an end moves along, so that it ends no later for it. Calls
 * `each` for those. */
void states_turn_back(struct states *states, int64_t seconds, states_each *each, void *owner);
/* The same of records that were read back at `now` and begin later: the clock was set back meanwhile, nobody
 * knows by how much. They begin now; pauses are over, they are short. */
void states_begin_now(struct states *states, int64_t now, states_each *each, void *owner);

#endif
