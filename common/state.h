/*
 * state - asking stated about what changes: failures, locks, account states, counters (client)
 *
 * Protocol over SOCK_SEQPACKET run/stated/socket; each question has one answer:
 *   "state/1", "login-check", account, client address  -> "ok" | "locked", seconds left, cause
 *   "state/1", "login-failed", account, client address -> "ok", milliseconds to delay the answer
 *   "state/1", "login-ok", account, client address     -> "ok"
 *   "state/1", "get", account                          -> "ok", then per state: name, since, until,
 * cause "state/1", "set", account, name, until (0: open), cause -> "ok" | "no", reason    (root
 * only) "state/1", "clear", account, name                  -> "ok" | "no", reason         (root
 * only) "state/1", "allows", account, "send"|"receive"|"login" -> "ok" | "no", name, text for the
 * client An account that does not exist is counted like one that does, so that guessing names gains
 * nothing.
 */
#ifndef COMMON_STATE_H
#define COMMON_STATE_H

#include "wire.h"

#define STATE_SOCKET "run/stated/socket"
enum { STATE_TIMEOUT_MS = 5000 };

/* Asks with the given fields (NULL ends the list) on `*fd`, connected when -1 and kept. False when
 * stated is down or answers nonsense; `answer` holds the fields otherwise. */
bool state_ask(int *fd, struct wire_message *answer, const char *verb, ...)
    __attribute__((sentinel));

#endif
