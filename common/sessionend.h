/*
 * sessionend - telling an account's open sessions to end: its password is another one, it is locked, or gone
 *
 * mailctl asks spawnd, which signals the sessions of imapd and pop3d that are the account's (SIGHUP, with
 * the reason as its value). The session shuts the way in from its client: what waits for the client, in
 * IDLE or between commands, wakes up and finds an end, and what is at work finds it afterwards. So
 * nobody looks for anything before each command. The session says goodbye with the reason; one that
 * takes longer than SESSIONEND_GRACE_MS is killed. Sessions of smtpd see it on stated's board (board.h).
 *
 * Protocol over SOCK_SEQPACKET run/spawnd/socket, for root:
 *   "end/1", domain, reason, local part... ("": all accounts of the domain) -> "ok", number of sessions | "no", text
 */
#ifndef COMMON_SESSIONEND_H
#define COMMON_SESSIONEND_H

#include "wire.h"

#include <stdbool.h>
#include <sys/types.h>

#define SESSIONEND_PROTOCOL "end/1"

enum { SESSIONEND_GRACE_MS = 10000 };

enum sessionend {
    SESSIONEND_NOT,
    SESSIONEND_CHANGED, /* another password */
    SESSIONEND_FORCED,  /* the password is void */
    SESSIONEND_REMOVED, /* the account is */
    SESSIONEND_LOCKED,  /* by the operator */
    SESSIONEND_COUNT
};

/* For the protocol and logs: "password-changed", "password-forced", "account-removed". */
const char *sessionend_name(enum sessionend why);
/* False: none of these. */
bool sessionend_named(struct slice name, enum sessionend *why);
/* For the client, a sentence in ASCII. */
const char *sessionend_text(enum sessionend why);

/* ---- the session ---- */

/* From here on the signal is taken: reading from `client` comes to an end then. One of a process. */
void sessionend_watch(int client);
/* Has it come, and why? */
enum sessionend sessionend_came(void);

/* ---- spawnd ---- */

/* False with errno. */
bool sessionend_signal(pid_t session, enum sessionend why);

#endif
