/*
 * report - the text of a delivery status notification (RFC 3462, 3464, 6533)
 *
 * A pure function: facts in, a whole message in wire form out, 7-bit clean (unless the sender's own
 * address is UTF-8, which a header can't say otherwise).
 */
#ifndef DELIVER_REPORT_H
#define DELIVER_REPORT_H

#include "str.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    REPORT_RECIPIENTS_MAX = 128,
    REPORT_HEADER_MAX = 65536, /* of the original: more is cut at a line's end */
    REPORT_MAX = 1048576,
};

struct report_recipient {
    struct slice address, status, text;
};

struct report {
    const char *me;
    struct slice from; /* local part of the From field; the domain is `me` */
    struct slice to;   /* who gets it */
    bool is_double;    /* about a report that could not be delivered */
    struct slice id;   /* of the message in the queue */
    int64_t arrived;   /* seconds since 1970 */
    int64_t now;
    const char *unique;  /* letters and digits that no other text has: boundary, Message-ID */
    struct slice header; /* the original's header */
    const struct report_recipient *recipients;
    size_t recipient_count;
};

/* Writes it. False: `text` is full, or there is no memory. */
bool report_write(const struct report *report, struct str *text);

/* The header at the front of `message`, of at most REPORT_HEADER_MAX bytes of whole lines, without
 * the empty line. */
struct slice report_header(struct slice message);
/* Quoted-printable (RFC 2045 6.7) of text in lines that end in CRLF. */
bool report_quote(struct str *text, struct slice bytes);
/* "rfc822; u1@example.jp", or "utf-8; \x{3042}@example.jp" (RFC 6533 3). */
bool report_address(struct str *text, struct slice address);

#endif
