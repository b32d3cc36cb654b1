/*
 * envelope - where a message came from, from whom, for whom
 *
 * What smtpd, sendmail, bounce and the like give to queue-inject, and what stands in front of the
 * message in its queue file (queuefile.h). Text is owned by the envelope.
 */
#ifndef COMMON_ENVELOPE_H
#define COMMON_ENVELOPE_H

#include "dsn.h"
#include "str.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    ENVELOPE_RECIPIENTS_MAX = 1000, /* of one message; RFC 5321 4.5.3.1.8 asks for at least 100 */
    ENVELOPE_ADDRESS_MAX = 320,     /* local part 64, "@", domain 255; or longer and shorter */
    ENVELOPE_ORIGIN_MAX = 512,
};

enum envelope_body {
    ENVELOPE_BODY_7BIT,
    ENVELOPE_BODY_8BIT,   /* RFC 6152 */
    ENVELOPE_BODY_BINARY, /* RFC 3030: bytes of any kind, lines of any length */
};

struct envelope_recipient {
    struct str address; /* "local@domain", domain in lower case */
    unsigned notify;    /* bits of dsn.h */
    struct str orcpt;   /* "rfc822;x@y" as it stood in SMTP; empty: none was given */
};

struct envelope {
    /* How it came in, one line of words KEY=VALUE for logs and trace, e.g.
     * "by=smtp client=192.0.2.1 helo=mail.example.org tls=TLSv1.2 user=u1@example.jp". */
    struct str origin;
    struct str sender; /* without <>; empty: the null sender */
    struct envelope_recipient *recipients;
    size_t recipient_count;
    enum envelope_body body;
    bool utf8;           /* SMTPUTF8 was asked for (RFC 6531) */
    enum dsn_return ret; /* RFC 3461 4.3 */
    struct str envid;    /* RFC 3461 4.4, in xtext; empty: none was given */
};

void envelope_init(struct envelope *envelope);
void envelope_free(struct envelope *envelope);
/* As new, memory may be kept. */
void envelope_clear(struct envelope *envelope);
/* False when there are ENVELOPE_RECIPIENTS_MAX, the address is too long, or memory is out. */
bool envelope_add_recipient(struct envelope *envelope, struct slice recipient);
/* The same, with what the sender wants to hear about it. */
bool envelope_add_recipient_dsn(struct envelope *envelope, struct slice recipient, unsigned notify,
                                struct slice orcpt);
/* The same, but an address that is there already gets one copy, of which is heard what either asks for. */
bool envelope_join_recipient(struct envelope *envelope, struct slice recipient, unsigned notify,
                             struct slice orcpt);
/* "7", "8", "B": as the protocols between our programs write it. False: none of them. */
const char *envelope_body_letter(enum envelope_body body);
bool envelope_parse_body(struct slice letter, enum envelope_body *body);

#endif
