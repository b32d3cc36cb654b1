/*
 * smtp_client - one connection to another mail server (RFC 5321; 1870, 2920, 3030, 3207, 3461, 4954,
 * 6152, 6531)
 *
 * The caller connects and hands the descriptor in; here is the dialogue. A message goes in one
 * transaction for all its recipients, pipelined where the server can, and each recipient has an
 * outcome of its own. The server is a stranger: its lines are bounded and parsed strictly.
 */
#ifndef DELIVER_SMTP_CLIENT_H
#define DELIVER_SMTP_CLIENT_H

#include "envelope.h"
#include "ip.h"
#include "smtp_reply.h"
#include "stream.h"
#include "tls.h"

#include <sys/types.h>

enum {
    SMTP_CLIENT_TEXT_MAX = 500,
    SMTP_CLIENT_NAME_MAX = 255,
    SMTP_CLIENT_BUFFER = 32768, /* messages up to here are read, others are mapped */
    SMTP_CLIENT_WINDOW = 100,   /* commands under way: their replies fit into any socket buffer */
};

enum smtp_client_extension {
    SMTP_CLIENT_PIPELINING = 1 << 0,
    SMTP_CLIENT_SIZE = 1 << 1,
    SMTP_CLIENT_8BITMIME = 1 << 2,
    SMTP_CLIENT_SMTPUTF8 = 1 << 3,
    SMTP_CLIENT_STARTTLS = 1 << 4,
    SMTP_CLIENT_DSN = 1 << 5,
    SMTP_CLIENT_CHUNKING = 1 << 6,
    SMTP_CLIENT_BINARYMIME = 1 << 7,
    SMTP_CLIENT_AUTH = 1 << 8,
};

enum smtp_client_mechanism { SMTP_CLIENT_PLAIN = 1 << 0, SMTP_CLIENT_LOGIN = 1 << 1 };

enum smtp_client_result {
    SMTP_CLIENT_OK,
    SMTP_CLIENT_REFUSED,    /* the server said 4xx or 5xx: client->reply */
    SMTP_CLIENT_LOST,       /* the connection: client->trouble */
    SMTP_CLIENT_TLS_FAILED, /* try again without, if that may be: client->trouble */
};

/* What is wanted of TLS. */
struct smtp_client_tls {
    enum {
        SMTP_CLIENT_TLS_NEVER,
        SMTP_CLIENT_TLS_MAY,  /* where STARTTLS is offered and not refused */
        SMTP_CLIENT_TLS_MUST, /* or TLS_FAILED: nothing is said in the clear */
    } level;
    struct tls_check check; /* of the server's certificate */
};

struct smtp_client {
    struct stream stream; /* its descriptor is owned */
    bool is_open;
    bool is_clean;             /* between transactions: another MAIL may be said */
    char address[IP_TEXT_MAX]; /* the server's, for reports */
    unsigned extensions;
    unsigned mechanisms;                 /* of AUTH, those that we know */
    uint64_t size_max;                   /* of SIZE; 0: unknown or none */
    char name[SMTP_CLIENT_NAME_MAX + 1]; /* as the server calls itself in its answer to EHLO */
    unsigned messages;                   /* that this connection took */
    struct smtp_reply reply;
    char trouble[SMTP_CLIENT_TEXT_MAX];
    char tls_version[TLS_TEXT_MAX];   /* "" without TLS */
    enum tlsreport_result tls_result; /* what was wrong with TLS, if anything */
    char tls_trouble[TLS_TEXT_MAX];   /* the same in words, for reports */
    char *buffer;                     /* for the message's bytes */
    int64_t deadline;                 /* of everything, CLOCK_NEVER for none */
};

/* How it went for one recipient. */
struct smtp_client_outcome {
    bool is_decided;
    bool is_accepted;  /* RCPT was, so that what becomes of DATA counts for it */
    bool is_passed_on; /* with the duty to report: the server knows DSN */
    enum verdict verdict;
    char status[SMTP_REPLY_STATUS_MAX];
    char text[SMTP_CLIENT_TEXT_MAX];
    char server[SMTP_CLIENT_NAME_MAX + 1]; /* that decided; "" when none did */
};

struct smtp_client_recipient {
    struct slice address;
    unsigned notify;    /* bits of dsn.h */
    struct slice orcpt; /* empty: none was given */
};

struct smtp_client_mail {
    struct slice sender;
    const struct smtp_client_recipient *recipients;
    size_t recipient_count;
    enum envelope_body body;
    bool utf8;
    enum dsn_return ret;
    struct slice envid; /* xtext; empty: none was given */
    struct slice added; /* whole header lines to put in front */
    int fd;             /* the message: `size` bytes from `start` on */
    off_t start;
    uint64_t size;
};

void smtp_client_init(struct smtp_client *client);
/* Takes the connected descriptor over. False, with it closed, without memory. */
bool smtp_client_open(struct smtp_client *client, int fd, const char *address);
/* A server may be slow at every step within the limits of RFC 5321, and so hold us for days: at
 * `deadline` whatever goes on is LOST. */
void smtp_client_limit(struct smtp_client *client, int64_t deadline);
/* From the greeting to the state in which MAIL may be said. After anything but OK: close. */
enum smtp_client_result smtp_client_greet(struct smtp_client *client, const char *helo,
                                          const struct smtp_client_tls *tls);
/* One transaction (smtp_transaction.c). What the server does not take as it is, is encoded for it
 * (downgrade.h). Decides outcomes that are not decided yet; those that are left undecided (with
 * LOST and REFUSED) may be tried at another server: nothing was handed over for them.
 * Whether the connection is good for another one, client->is_clean says. */
enum smtp_client_result smtp_client_send(struct smtp_client *client,
                                         const struct smtp_client_mail *mail,
                                         struct smtp_client_outcome outcomes[]);
/* AUTH PLAIN or LOGIN, whichever is offered (RFC 4954): only to be called behind checked TLS. OK,
 * REFUSED (client->reply; also when neither is offered), LOST. */
enum smtp_client_result smtp_client_login(struct smtp_client *client, struct slice user,
                                          struct slice password);
/* Nothing came while the connection rested: no goodbye, no end. */
bool smtp_client_is_alive(struct smtp_client *client);
/* QUIT without waiting for its answer, and close. */
void smtp_client_quit(struct smtp_client *client);
void smtp_client_close(struct smtp_client *client);

/* ---- for smtp_transaction.c -------------------------------------------------------------------*/

/* Reads one whole reply. OK: 2xx or 3xx. */
enum smtp_client_result smtp_client_read(struct smtp_client *client, int64_t wait_ms,
                                         const char *phase);
/* What is written to client->stream from now on may take so long. */
void smtp_client_write(struct smtp_client *client, int64_t wait_ms);
/* LOST, with the reason in client->trouble; STREAM_OK: the answer was no SMTP. */
enum smtp_client_result smtp_client_lose(struct smtp_client *client, enum stream_result why,
                                         const char *phase);

/* Fills an outcome of our own making. */
void smtp_client_decide(struct smtp_client_outcome *outcome, enum verdict verdict,
                        const char *status, const char *text);
/* The same from the server's last reply: "192.0.2.1 said: 550 ..." */
void smtp_client_decide_by_reply(const struct smtp_client *client,
                                 struct smtp_client_outcome *outcome);

#endif
