/*
 * session - one client's SMTP session: what it may say when, and what is answered
 *
 * The state of the dialogue is an enum, and a table of command x state names the handler. What has
 * parts of its own lives beside it: login.c (AUTH), transaction.c (MAIL, RCPT), data.c (DATA).
 */
#ifndef SMTPD_SESSION_H
#define SMTPD_SESSION_H

#include "auth.h"
#include "board.h"
#include "directory.h"
#include "host.h"
#include "incoming.h"
#include "inject.h"
#include "proxied.h"
#include "reply.h"
#include "smtpcommand.h"
#include "stream.h"
#include "tls.h"
#include "trace.h"
#include "vetting.h"

enum {
    SESSION_INPUT_MAX = 32768,
    SESSION_CHUNK_FIRST = 32768, /* room for most messages, made in the template */
    SESSION_ID_MAX = 40,
    SESSION_LOGIN_FAILURES_MAX = 5,
    SESSION_IDLE_COMMANDS_MAX = 100, /* without a message between them */
    SESSION_LINGER_MS = 2000,
    SESSION_BRISK_MS = 1000, /* a client slower than this keeps no connection to our servers */
};

enum session_service { SESSION_SMTP, SESSION_SUBMISSION, SESSION_SUBMISSIONS, SESSION_LMTP };

enum session_state {
    SESSION_START, /* nobody greeted */
    SESSION_READY,
    SESSION_MAIL, /* a sender is known */
    SESSION_RCPT, /* and one recipient at least */
    SESSION_BDAT, /* and a part of the message */
    SESSION_STATE_COUNT,
};

/* What tcpd says about the connection. */
struct session_peer {
    enum session_service service;
    const char *service_name;
    const char *client; /* address */
    const char *client_port;
    const char *server;     /* our address */
    bool speaks_for_others; /* control/xclient has its address */
};

struct session_counts {
    unsigned errors;
    unsigned idle_commands;
    unsigned login_failures;
    unsigned messages;
    unsigned recipients;
};

/* In the order in which they are used: what every session touches stands in front, together, and
 * what is large and mostly left alone behind it. Each page that a copy of the template writes to costs
 * it a copy of the page. */
struct session {
    const struct session_peer *peer;
    struct stream stream;
    enum session_state state;
    int state_fd; /* to ask stated */
    int tell_fd;  /* to tell it what was accepted; of the template, so all its copies have it */
    struct board board;     /* of the template, too */
    uint64_t login_moment;  /* the board's, when the client was asked who he is */
    uint64_t stated;        /* which of them the two are of, board_maker */
    uint64_t declared_size; /* 0: none was declared */
    uint64_t size_base;     /* the limit without recipients: the host's, the login's */
    uint64_t size_limit;    /* with them; UINT64_MAX: none */
    unsigned accepted;      /* RCPT commands of the transaction that were said yes to */
    bool is_extended;
    struct session_counts counts;
    int64_t began_ms;
    const char *end;      /* why it ended, for the log; NULL while it goes on */
    struct str receivers; /* domains of ours that get the message, as allowance.h counts them */
    struct envelope envelope;
    struct inject inject;
    struct incoming incoming;
    struct directory directory;
    char id[SESSION_ID_MAX];
    char helo[TRACE_HELO_MAX + 1];
    struct vetting vetting;
    char account[AUTH_USER_MAX + 1]; /* "" till AUTH succeeded */
    struct directory_account login;  /* the same, as found */
    struct host host;
    struct tls_session tls;         /* version is "" without TLS; fd is the stream's by then */
    struct session_peer other_peer; /* whom it is about after XCLIENT */
    struct proxied proxied;
    struct wire_message answer; /* of stated, one at a time: too large for the stack's pages */
};

/* What is the same for all clients: the host's settings, open databases. */
void session_prepare(struct session *session);
/* In the template, now and then: stated may have come, or been started anew, since. */
void session_renew(void *session);
/* `in` and `out` are the connection (and stay the caller's). False without memory. */
bool session_begin(struct session *session, const struct session_peer *peer, int in, int out);
void session_free(struct session *session);
/* The whole session, from the greeting to the last log line. */
void session_run(struct session *session);

/* A mail client's: it must log in, or its proxy has said who it is. */
bool session_is_submission(const struct session *session);

/* Answers. The replies that close end the session. */
void session_reply(struct session *session, enum reply name);
void session_reply_detail(struct session *session, enum reply name, struct slice detail);
/* An answer with a detail that is refused for `what` is logged with it. */
void session_refuse(struct session *session, enum reply name, const char *what, struct slice value);
void session_log_refused(struct session *session, enum reply name, const char *what,
                         struct slice value);
enum reply session_greeting(const struct session *session);
/* What DATA is answered with while nobody would get the message. */
enum reply session_no_recipients(const struct session *session);
void session_end(struct session *session, const char *why);
/* Gives up places at our servers, which are few: a client that takes its time does not keep them. */
void session_release(struct session *session);
/* Forgets the transaction. */
void session_reset(struct session *session);
/* The next line, with its line end, of at most `max` bytes. False: the session is over, or the line
 * was too long and is answered. */
bool session_line(struct session *session, size_t max, enum reply too_long, struct slice *line);

#endif
