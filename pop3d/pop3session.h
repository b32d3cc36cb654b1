/*
 * pop3session - a POP3 session after login: the TRANSACTION and UPDATE states (RFC 1939 5, 6)
 */
#ifndef POP3D_POP3SESSION_H
#define POP3D_POP3SESSION_H

#include "maildrop.h"
#include "pop3reply.h"
#include "stream.h"
#include "terms.h"

enum {
    POP3SESSION_INPUT_MAX = 8192,
    POP3SESSION_IDLE_MS = 600000, /* RFC 1939 3: at least ten minutes */
    POP3SESSION_ERRORS_MAX = 50,
    POP3SESSION_PENDING_MAX = 65536, /* what the login program may have read too far */
};

/* As spawnd says it. */
struct pop3session_peer {
    const char *account;
    const char *client;
    const char *tls;
    struct terms terms;
};

struct pop3session_counts {
    unsigned errors;
    uint64_t retrieved; /* RETR and TOP */
    uint64_t bytes;
    size_t removed;
    size_t messages; /* when the session began */
};

struct pop3session {
    const struct pop3session_peer *peer;
    struct stream stream;
    struct maildrop maildrop;
    struct pop3session_counts counts;
    int64_t began_ms;
    enum pop3language language;
    const char *end; /* why it ended; NULL while it goes on */
};

/* `in` and `out` are the client, and stay the caller's. `pending` is input that was read before.
 * False without memory. */
bool pop3session_init(struct pop3session *session, const struct pop3session_peer *peer, int in,
                      int out, struct slice pending);
void pop3session_free(struct pop3session *session);
/* Opens the Maildir `path` and serves the client; the last line of the log is written. */
void pop3session_run(struct pop3session *session, int directory, const char *path);
/* The same where the account's folder can't be used: -ERR, and the line of the log. */
void pop3session_refuse(struct pop3session *session);

#endif
