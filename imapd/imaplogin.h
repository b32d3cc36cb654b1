/*
 * imaplogin - an IMAP session before login: the not-authenticated state (RFC 3501 3.1, 6.2)
 *
 * Ends when authd has taken a user's password and handed the client over to imapd, or at a limit.
 */
#ifndef IMAPD_IMAPLOGIN_H
#define IMAPD_IMAPLOGIN_H

#include "arena.h"
#include "auth.h"
#include "identity.h"
#include "parse.h"
#include "reader.h"
#include "tls.h"

/* Each is answered: BAD, or BYE for those that end the session. */
enum {
    IMAPLOGIN_LINE_MAX = 8192,
    IMAPLOGIN_LITERAL_MAX = 4096, /* RFC 7888 5: LITERAL- */
    IMAPLOGIN_COMMAND_MAX = 16384,
    IMAPLOGIN_ARENA_MAX = 65536,
    IMAPLOGIN_CAPABILITIES_MAX = 512,
    IMAPLOGIN_COMMANDS_MAX = 20,
    IMAPLOGIN_FAILURES_MAX = 3,
    IMAPLOGIN_IDLE_MS = 60000,
    IMAPLOGIN_SESSION_MS = 180000,
};

/* What tcpd says about the connection. */
struct imaplogin_peer {
    const char *service; /* "imap", "imaps" */
    const char *client;  /* address */
    const char *server;  /* our address */
    bool implicit_tls;
    bool plaintext_auth; /* the host's setting: passwords may be taken without TLS */
};

struct imaplogin {
    const struct imaplogin_peer *peer;
    struct stream stream;
    struct reader reader;
    struct arena arena;
    struct tls_session tls; /* version is "" without TLS; the fd is the stream's by then */
    struct slice tag;       /* of the command at work; in the arena */
    struct identity identity;
    unsigned failures, commands;
    const char *end; /* why it ended; NULL while it goes on */
};

/* `in` and `out` are the connection, and stay the caller's. False without memory. */
bool imaplogin_init(struct imaplogin *login, const struct imaplogin_peer *peer, int in, int out);
void imaplogin_free(struct imaplogin *login);
/* The whole session, from TLS or the greeting to the last line of the log. */
void imaplogin_run(struct imaplogin *login);

#endif
