/*
 * state - asking stated about what changes: failed logins, locks, account states, rates (client
 * side)
 *
 * Protocol over SOCK_SEQPACKET run/stated/socket; the first field is "state/1", each question has
 * one answer, but for "sent", "received" and "rejected", which have none:
 *
 *   "login-check", account, client     -> "ok" | "locked", seconds left, cause
 *   "login-failed", account, client, failures, seconds
 *                                      -> "ok", milliseconds to wait before the client is told; the numbers
 *                                         are lock-failures and lock-time of the account's plan (0, or none
 *                                         of both: the host's)
 *   "login-ok", account, client        -> "ok" | "no", state, text for the client, until
 *   "allows", account, "send"|"receive"|"login", rule... -> "ok" | "no", state, text for the client, until
 *   "sent", account, recipients        (a message of the account was accepted)
 *   "received", "@domain"...           (a message was accepted for these, each named once)
 *   "rejected", account, recipients    (the account named these, and they do not exist)
 *   "rates", account                   -> "ok", then per counter: kind, count, limit, window
 *   "get", account                     -> "ok", then per state: name, since, until, cause
 *   "set", account, name, until, cause -> "ok" | "no", reason          (root; queued, see below)
 *   "clear", account, name             -> "ok" | "no", reason          (root; queued)
 *   "list", name, skip                 -> "ok", then accounts that are in this state, after `skip`
 *                                         of them, at most STATE_LIST_MAX   (root; queued)
 *   "history", account                 -> "ok", then per event: time, state, "set"|"cleared"|"ended"|
 *                                         "locked" (by failed logins), until, cause     (root only)
 *   "end-sessions", account...         -> "ok": smtpd ends those that are logged in as these; "" is none  (root only)
 *   "states-of", "@domain", cursor (0) -> "ok", next cursor (0: that was all), then per state of its
 *                                         accounts: account, name, since, until, cause  (root only)
 *
 * The login verbs are authd's. `account` is "local@domain" in lower case, or "@domain" for the
 * domain as a whole: its states hold for all its accounts. One that does not exist is counted like
 * one that does, so that guessing names gains nothing. Times are seconds since 1970, `until` 0 is
 * open-ended. "set" and "clear" are on disk when they are answered.
 *
 * queued sets and clears over-capacity alone, with a cause that begins with STATE_FULL_CAUSE; a state
 * with another cause is an operator's, is not listed to queued, and stays as it is.
 *
 * States (SPEC R10, R5.3) and what they stop:
 *   misuse-detected  sending       account-lock     logins       send-lock      sending
 *   over-capacity    receiving     password-forced  logins
 *   send-pause       sending       receive-pause    receiving    (two hours at most)
 * Locks that came by failed logins show as account-lock, and clearing account-lock ends them too.
 *
 * A rule is four fields: name, limit (0: none), window in seconds, seconds of the state that
 * follows. "domain" is about the messages of the account's domain and leads to its send-pause or
 * receive-pause; "messages" and "recipients" are about what the account sends and lead to its
 * send-lock; "misuse-recipients" and "misuse-rejected" lead to misuse-detected. The question that finds a limit reached is the first to be refused; the state is on
 * disk by then. Messages count when they were accepted, so several connections at once can go
 * beyond a limit by as many messages as are on their way.
 * Counters are "sent" and "received" of "@domain", "messages", "recipients", "misuse-recipients" and
 * "misuse-rejected" of an account.
 */
#ifndef COMMON_STATE_H
#define COMMON_STATE_H

#include "wire.h"

#define STATE_SOCKET          "run/stated/socket"
#define STATE_SEND_PAUSE      "send-pause"
#define STATE_RECEIVE_PAUSE   "receive-pause"
#define STATE_OVER_CAPACITY   "over-capacity"
#define STATE_SEND_LOCK       "send-lock"
#define STATE_MISUSE_DETECTED "misuse-detected"
#define STATE_ACCOUNT_LOCK    "account-lock"
#define STATE_PASSWORD_FORCED "password-forced"
#define STATE_FULL_CAUSE      "full: "
enum { STATE_TIMEOUT_MS = 5000, STATE_CAUSE_MAX = 200, STATE_RULES_MAX = 5, STATE_LIST_MAX = 100 };
/* Bytes of the answer to "allows" are fewer. */
enum { STATE_ANSWER_MAX = 2048 };

struct state_rule {
    const char
        *name;      /* "domain", "messages", "recipients", "misuse-recipients", "misuse-rejected" */
    uint64_t limit; /* 0: none; the rule is not sent */
    uint64_t window_s;
    uint64_t lasts_s; /* misuse: 0, without end */
};

/* The domain of an account as a whole, "@domain"; of such a name, itself. */
struct slice state_domain(struct slice account);

/* A connection for later. -1 with errno. */
int state_connect(void);
/* Asks with the given fields (NULL ends the list) on `*fd`, connected when -1 and kept. False when
 * stated is down or answers nonsense; `answer` holds the fields otherwise. */
bool state_ask(int *fd, struct wire_message *answer, const char *verb, ...)
    __attribute__((sentinel));
/* "allows", the same way, waited for at most so long. */
bool state_ask_allows(int *fd, struct wire_message *answer, const char *account, const char *action,
                      const struct state_rule rules[], size_t count, int64_t timeout_ms);

/* Counts an accepted message; nobody waits for stated. False when it is down: the message is not
 * counted. Several processes may tell over one connection, as long as nobody asks over it. `domains`
 * are names with '@' in front, each with a NUL behind it. */
bool state_sent(int *fd, const char *account, size_t recipients);
bool state_rejected(int *fd, const char *account, size_t recipients);
bool state_received(int *fd, struct slice domains);

/* The question as a packet, for those who send it themselves. */
void state_put_question(struct str *packet, const char *verb, struct slice account,
                        struct slice more);

#endif
