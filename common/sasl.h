/*
 * sasl - the mechanisms PLAIN and LOGIN, as SMTP, POP3 and IMAP carry them
 *
 * Bytes in, user and secret out; no I/O. A program begins an exchange with the mechanism's name and
 * the initial response of its command line, if there was one, then feeds the client's lines
 * until the result is no longer SASL_CONTINUE:
 *
 *     struct sasl sasl;
 *     sasl_init(&sasl);
 *     result = sasl_begin(&sasl, mechanism, has_initial ? &initial : NULL);
 *     while (result == SASL_CONTINUE) {
 *         ... send sasl.challenge: SMTP "334 %s", POP3 and IMAP "+ %s" ...
 *         result = sasl_step(&sasl, line without its line end);
 *     }
 *     if (result == SASL_DONE) ... sasl.user, sasl.secret ...
 *     sasl_free(&sasl);
 *
 * RFC 4616 (PLAIN), 4954 (SMTP), 5034 (POP3), 4959 (IMAP: initial responses);
 * LOGIN is an expired draft that every client of Microsoft speaks.
 */
#ifndef COMMON_SASL_H
#define COMMON_SASL_H

#include "str.h"

enum {
    SASL_LINE_MAX = 12288, /* of a response with its line end, RFC 4954 4 */
    SASL_USER_MAX = 320,   /* decoded; = AUTH_USER_MAX */
    SASL_SECRET_MAX = 1024 /* decoded; = AUTH_SECRET_MAX */
};

enum sasl_mechanism { SASL_NONE, SASL_PLAIN, SASL_LOGIN };

enum sasl_result {
    SASL_CONTINUE,  /* send sasl.challenge, read a line, call sasl_step */
    SASL_DONE,      /* sasl.user and sasl.secret are there; still to be checked by authd */
    SASL_CANCELLED, /* the client sent "*": 501, -ERR, BAD */
    SASL_BAD,       /* not base64, or not what the mechanism wants: 501 5.5.2, -ERR, BAD */
    SASL_TOO_LONG,  /* beyond the limits above: 500 5.5.6, -ERR, BAD */
    SASL_DENIED,    /* wants to act for somebody else (authzid): 535, -ERR [AUTH], NO */
    SASL_UNKNOWN,   /* no such mechanism: 504 5.5.4, -ERR, NO */
};

struct sasl {
    enum sasl_mechanism mechanism;
    bool wants_secret;     /* LOGIN: the name has been given */
    const char *challenge; /* in base64, "" where the mechanism has none */
    struct slice user;     /* never empty when SASL_DONE; without NUL */
    struct slice secret;   /* may be empty; without NUL */
    /* owned: what user and secret point into; wiped by sasl_free */
    struct str first;
    struct str second;
};

void sasl_init(struct sasl *sasl);
/* Wipes the secret from memory. `sasl` may be begun again. */
void sasl_free(struct sasl *sasl);

/* The mechanism by its name, in any case. */
enum sasl_mechanism sasl_mechanism_named(struct slice name);

/* Begins. `initial` is NULL when the command had no initial response; "=" stands for an empty one.
 */
enum sasl_result sasl_begin(struct sasl *sasl, struct slice mechanism, const struct slice *initial);
/* The client's next line, without its line end. */
enum sasl_result sasl_step(struct sasl *sasl, struct slice line);

/* What stands in the decoded response of PLAIN: [authzid] NUL authcid NUL password. */
enum sasl_result sasl_split_plain(struct slice response, struct slice *user, struct slice *secret);

#endif
