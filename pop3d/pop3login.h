/*
 * pop3login - a POP3 session before login: the AUTHORIZATION state (RFC 1939 4, 2595, 5034)
 *
 * Ends when authd has taken a user's password and handed the client over to pop3d, or at a limit.
 */
#ifndef POP3D_POP3LOGIN_H
#define POP3D_POP3LOGIN_H

#include "auth.h"
#include "pop3reply.h"
#include "stream.h"
#include "tls.h"

enum {
    POP3LOGIN_INPUT_MAX = 16384, /* what is left of it goes to pop3d through a pipe */
    POP3LOGIN_IDLE_MS = 60000,
    POP3LOGIN_SESSION_MS = 180000,
    POP3LOGIN_FAILURES_MAX = 3,
    POP3LOGIN_ERRORS_MAX = 20,
    POP3LOGIN_ME_MAX = 255,
    POP3LOGIN_BANNER_MAX = 320,
};

/* What tcpd says about the connection. */
struct pop3login_peer {
    const char *service; /* "pop3", "pop3s" */
    const char *client;  /* address */
    const char *server;  /* our address */
    bool implicit_tls;
};

/* The host's settings. */
struct pop3login_host {
    char me[POP3LOGIN_ME_MAX + 1];
    bool plaintext_auth;
    bool apop;
};

struct pop3login {
    const struct pop3login_peer *peer;
    const struct pop3login_host *host;
    struct stream stream;
    struct tls_session tls; /* version is "" without TLS; the fd is the stream's by then */
    char banner[POP3LOGIN_BANNER_MAX]; /* of APOP; "" without */
    char user[AUTH_USER_MAX + 1];      /* "" before USER */
    bool utf8;                         /* RFC 6856 */
    enum pop3language language;
    unsigned failures, errors;
    const char *end; /* why it ended; NULL while it goes on */
};

/* `in` and `out` are the connection, and stay the caller's. False without memory. */
bool pop3login_init(struct pop3login *login, const struct pop3login_peer *peer,
                    const struct pop3login_host *host, int in, int out);
void pop3login_free(struct pop3login *login);
/* The whole session, from TLS or the greeting to the last line of the log. */
void pop3login_run(struct pop3login *login);

#endif
