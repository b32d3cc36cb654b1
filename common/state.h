/*
 * state - asking stated about what changes: failed logins, locks, account states (client side)
 *
 * Protocol over SOCK_SEQPACKET run/stated/socket; the first field is "state/1", each question has
 * one answer:
 *
 *   "login-check", account, client     -> "ok" | "locked", seconds left, cause
 *   "login-failed", account, client    -> "ok", milliseconds to wait before the client is told
 *   "login-ok", account, client        -> "ok" | "no", state, text for the client
 *   "allows", account, "send"|"receive"|"login" -> "ok" | "no", state, text for the client
 *   "get", account                     -> "ok", then per state: name, since, until, cause
 *   "set", account, name, until, cause -> "ok" | "no", reason          (root only)
 *   "clear", account, name             -> "ok" | "no", reason          (root only)
 *
 * The login verbs are authd's. `account` is "local@domain" in lower case; one that does not exist
 * is counted like one that does, so that guessing names gains nothing. Times are seconds since
 * 1970, `until` 0 is open-ended. "set" and "clear" are on disk when they are answered.
 *
 * States (SPEC R10) and what they stop:
 *   misuse-detected  sending       account-lock     logins       send-lock  sending
 *   over-capacity    receiving     password-forced  logins
 * Locks that came by failed logins show as account-lock, and clearing account-lock ends them too.
 */
#ifndef COMMON_STATE_H
#define COMMON_STATE_H

#include "wire.h"

#define STATE_SOCKET "run/stated/socket"
enum { STATE_TIMEOUT_MS = 5000, STATE_CAUSE_MAX = 200 };

/* Asks with the given fields (NULL ends the list) on `*fd`, connected when -1 and kept. False when
 * stated is down or answers nonsense; `answer` holds the fields otherwise. */
bool state_ask(int *fd, struct wire_message *answer, const char *verb, ...)
    __attribute__((sentinel));

/* The question as a packet, for those who send it themselves. */
void state_put_question(struct str *packet, const char *verb, struct slice account,
                        struct slice more);

#endif
