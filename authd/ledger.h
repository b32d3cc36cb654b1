/*
 * ledger - all that stated knows, and the records that its journal is made of
 *
 * Each change is a record, a line of words. A change is made by applying its record, so what is
 * replayed after a crash is what happened. Words are separated by one space; a byte of a word that
 * is not printable, is a space or '%', is written %XX, and an empty word is "%".
 *
 *     failed TIME ACCOUNT CLIENT              a failed login
 *     good TIME ACCOUNT CLIENT                a successful one, where it is news
 *     set ACCOUNT STATE SINCE UNTIL CAUSE     forgive ACCOUNT
 *     clear ACCOUNT STATE
 *     rate KIND NAME WINDOW LIMIT STRETCH COUNT   a stretch of a counter (rates.h) as it is now
 *     restart KIND NAME                       the counter began anew
 *     event TIME ACCOUNT STATE WHAT UNTIL CAUSE   what happened to a state (history.h)
 * and of a compacted journal, whole tallies:
 *     pair ACCOUNT CLIENT START FAILURES LOCKED COUNTED GOOD
 *     account ACCOUNT START FAILURES LOCKED OTHERS
 *     client CLIENT START FAILURES LOCKED OTHERS
 */
#ifndef AUTHD_LEDGER_H
#define AUTHD_LEDGER_H

#include "failures.h"
#include "history.h"
#include "rates.h"
#include "states.h"
#include "str.h"

enum { LEDGER_RECORD_MAX = 2048, LEDGER_WORDS_MAX = 9 };

struct ledger {
    struct failures failures;
    struct states states;
    struct rates rates;
    struct history history;
    struct failures_limits limits;
};

bool ledger_init(struct ledger *ledger, uint64_t seed, const struct failures_limits *limits);
void ledger_free(struct ledger *ledger);

/* Applies one record. False: it is none, or there is no room or memory for it. `result` (may be
 * NULL) is what a "failed" record led to. */
bool ledger_apply(struct ledger *ledger, struct slice record, struct failures_result *result);

/* Makes records; they fail only by their str. */
void ledger_put_failed(struct str *record, int64_t now, struct slice account, struct slice client,
                       const struct failures_own *own);
void ledger_put_good(struct str *record, int64_t now, struct slice account, struct slice client);
void ledger_put_set(struct str *record, struct slice account, enum states_name name, int64_t since,
                    int64_t until, struct slice cause);
void ledger_put_clear(struct str *record, struct slice account, enum states_name name);
void ledger_put_forgive(struct str *record, struct slice account);
void ledger_put_rate(struct str *record, const struct rates_record *rate);
void ledger_put_event(struct str *record, const struct history_event *event);
void ledger_put_restart(struct str *record, enum rates_kind kind, struct slice name);

/* Calls `each` with records that make the ledger anew, least recently used first. What is over
 * (ended windows and states, old successes) is left out. */
typedef void ledger_each(void *owner, struct slice record);
void ledger_walk(const struct ledger *ledger, int64_t now, ledger_each *each, void *owner);

#endif
