/*
 * auth - asking authd about a password (client side)
 *
 * Protocol over SOCK_SEQPACKET run/authd/socket, one question at a time:
 *   ask     "auth/1", service "smtp"|"imap"|"pop3", mechanism "plain"|"apop", client address,
 *           tls "1"|"0", user as typed, secret (password; APOP: digest), challenge (APOP: banner),
 *           tag (IMAP: of the LOGIN; POP3: what the client chose, as terms.h writes it; else empty),
 *           listening address
 *           + for imap and pop3: the client's descriptor, and the read end of a pipe that
 *             holds the input that was read too far (may be missing)
 *   answer  "ok", account "local@domain"
 *           "no", code (auth_code_name), milliseconds to wait before saying so, text for the client
 * With "ok" the client's connection already belongs to imapd or pop3d: the login program says
 * nothing more and exits. authd answers within AUTH_TIMEOUT_MS or counts as down.
 */
#ifndef COMMON_AUTH_H
#define COMMON_AUTH_H

#include "str.h"

#include <stdint.h>

#define AUTH_SOCKET "run/authd/socket"
enum {
    AUTH_TIMEOUT_MS = 30000,
    AUTH_WAIT_MAX_MS = 60000,
    AUTH_USER_MAX = 320,
    AUTH_SECRET_MAX = 1024,
    AUTH_TEXT_MAX = 256
};

enum auth_code {
    AUTH_OK,
    AUTH_FAILED,       /* wrong name or password: which of both is not said */
    AUTH_LOCKED,       /* too many failures, or a state of SPEC R10: for a time */
    AUTH_TLS_REQUIRED, /* password not even looked at */
    AUTH_DISABLED,     /* the service is off for this account (SPEC R1.5), or a lock without end */
    AUTH_LIMIT,        /* too many sessions */
    AUTH_EXPIRED,      /* right, but void: a new password has to be set */
    AUTH_TROUBLE,      /* passing */
};

struct auth_request {
    const char *service;
    const char *mechanism;
    const char *client;    /* address as text */
    const char *listening; /* address as text: maps a bare local part to a domain */
    bool tls;
    struct slice user;
    struct slice secret;
    struct slice challenge;
    struct slice tag; /* of IMAP; for POP3 what the client chose */
    int client_fd;    /* -1: no hand-over */
    int input_fd;     /* -1: nothing was read too far */
};

struct auth_answer {
    enum auth_code code;
    char account[AUTH_USER_MAX + 1]; /* AUTH_OK: canonical "local@domain" */
    char text[AUTH_TEXT_MAX];        /* else: for the client, one line */
    int64_t wait_ms; /* wait this long before the answer goes out; AUTH_WAIT_MAX_MS at most */
};

/* Asks on a connection of its own, closed when the answer is there. The caller closes client_fd and
 * input_fd. */
void auth_ask(const struct auth_request *request, struct auth_answer *answer);
/* How long a wrong password waits for its answer is authd's to say; the waiting is the asking
 * process's part, and never goes past its own deadline (CLOCK_NEVER: there is none). */
void auth_wait(const struct auth_answer *answer, int64_t deadline);
const char *auth_code_name(enum auth_code code);
/* An unknown name is AUTH_TROUBLE. */
enum auth_code auth_code_named(struct slice name);

#endif
