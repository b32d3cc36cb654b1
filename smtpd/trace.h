/*
 * trace - what a message is marked with: its Received field, and the origin in its envelope
 */
#ifndef SMTPD_TRACE_H
#define SMTPD_TRACE_H

#include "str.h"

#include <stdint.h>

enum {
    TRACE_FIELD_MAX = 2000,
    TRACE_HELO_MAX = 255,
    TRACE_ORIGIN_HELO_MAX = 64, /* so that the origin keeps to ENVELOPE_ORIGIN_MAX */
};

/* The facts; texts as they are known, a stranger's helo included. */
struct trace {
    const char *service; /* "smtp", "submission", "submissions", "lmtp" */
    const char *client;  /* address */
    const char *name;    /* its confirmed reverse name, "" without one */
    struct slice helo;
    const char *me;
    const char *id;          /* of the session's message */
    const char *tls_version; /* "" without TLS */
    const char *tls_cipher;  /* as OpenSSL names it */
    const char *account;     /* "" when not authenticated */
    bool is_extended;        /* EHLO */
    bool is_lmtp;
    bool utf8;
    struct slice recipient; /* empty, unless it is the only one: others are nobody's business */
    int64_t seconds;
};

/* A client's HELO name as it may stand in fields and logs: without what could end a comment, a word
 * or a line. */
bool trace_clean_helo(struct slice helo, struct str *clean);
/* RFC 5321 4.4, RFC 3848 and 6531 for the protocol's name. */
bool trace_received(const struct trace *trace, struct str *field);
/* envelope.h: "by=... client=... helo=... name=..." */
bool trace_origin(const struct trace *trace, struct str *origin);

#endif
