/*
 * history - what happened to the states of accounts, lately
 *
 * A bounded list, oldest first: of one account HISTORY_ACCOUNT_MAX events, of all HISTORY_MAX. Locks by
 * failed logins, which strangers can bring about, take half of it at most. Pure: the time is an
 * argument.
 */
#ifndef AUTHD_HISTORY_H
#define AUTHD_HISTORY_H

#include "states.h"

enum { HISTORY_MAX = 8192, HISTORY_ACCOUNT_MAX = 20 };

enum history_what { HISTORY_SET, HISTORY_CLEARED, HISTORY_ENDED, HISTORY_LOCKED, HISTORY_WHATS };

struct history_event {
    int64_t time;
    int64_t until; /* 0: open, or over */
    enum states_name state;
    enum history_what what;
    char account[STATES_ACCOUNT_MAX + 1];
    char cause[STATES_CAUSE_MAX + 1];
};

struct history {
    struct history_event **of;
    size_t count;
    size_t locked; /* of these, locks by failed logins */
};

/* False without memory. */
bool history_init(struct history *history);
void history_free(struct history *history);
/* Copies the event; false without memory. */
bool history_add(struct history *history, const struct history_event *event);

const char *history_what_name(enum history_what what);
/* False: no such word. */
bool history_what_from(struct slice text, enum history_what *what);

#endif
