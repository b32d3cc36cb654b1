/*
 * session - a POP3 session after login: the TRANSACTION and UPDATE states (RFC 1939 5, 6)
 */
#ifndef POP3D_SESSION_H
#define POP3D_SESSION_H

#include "maildrop.h"
#include "stream.h"

enum {
    SESSION_INPUT_MAX = 8192,
    SESSION_IDLE_MS = 600000, /* RFC 1939 3: at least ten minutes */
    SESSION_ERRORS_MAX = 50,
    SESSION_PENDING_MAX = 65536, /* what the login program may have read too far */
};

/* As spawnd says it. */
struct session_peer {
    const char *account;
    const char *client;
    const char *tls;
};

struct session_counts {
    unsigned errors;
    uint64_t retrieved; /* RETR and TOP */
    uint64_t bytes;
    size_t removed;
    size_t messages; /* when the session began */
};

struct session {
    const struct session_peer *peer;
    struct stream stream;
    struct maildrop maildrop;
    struct session_counts counts;
    int64_t began_ms;
    const char *end; /* why it ended; NULL while it goes on */
};

/* `in` and `out` are the client, and stay the caller's. `pending` is input that was read before.
 * False without memory. */
bool session_init(struct session *session, const struct session_peer *peer, int in, int out,
                  struct slice pending);
void session_free(struct session *session);
/* Opens the Maildir `path` and serves the client; the last line of the log is written. */
void session_run(struct session *session, int directory, const char *path);

#endif
