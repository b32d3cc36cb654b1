/*
 * report - the text of a delivery status notification (RFC 3462, 3464, 6533)
 *
 * A pure function: facts in, a whole message in wire form out, 7-bit clean unless the original that
 * comes back whole is not (or the sender's own address is UTF-8, which a header can't say otherwise).
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

/* What a report says, as a whole. */
enum report_kind {
    REPORT_FAILED,
    REPORT_DOUBLE,  /* about a report that could not be delivered; to postmaster */
    REPORT_DELAYED, /* it is tried on */
    REPORT_SUCCESS, /* somebody asked for it (NOTIFY=SUCCESS) */
};

/* What became of one recipient (RFC 3464 2.3.3). */
enum report_action {
    REPORT_ACTION_FAILED,
    REPORT_ACTION_DELAYED,
    REPORT_ACTION_DELIVERED,
    REPORT_ACTION_RELAYED,  /* to a server that sends no reports */
    REPORT_ACTION_EXPANDED, /* a list: to several */
};
enum { REPORT_ACTIONS = 5 };

struct report_recipient {
    struct slice address, status, text;
    enum report_action action;
    struct slice orcpt;  /* "rfc822;xtext"; empty: none was given */
    struct slice server; /* the other server's name or address; empty: none, or unknown */
};

struct report {
    enum report_kind kind;
    const char *me;
    struct slice from; /* local part of the From field; the domain is `me` */
    struct slice to;   /* who gets it */
    struct slice id;   /* of the message in the queue */
    int64_t arrived;   /* seconds since 1970 */
    int64_t now;
    int64_t until;        /* REPORT_DELAYED: when it is given up */
    struct slice envid;   /* xtext; empty: none was given */
    const char *unique;   /* letters and digits that no other text has: boundary, Message-ID */
    struct slice message; /* the original, or as much of it as is known: its header at least */
    bool is_whole;        /* all of it may go back (RFC 3461 4.3 and a limit allow that) */
    bool is_utf8;         /* the original's header may hold UTF-8 (RFC 6532) */
    const struct report_recipient *recipients;
    size_t recipient_count;
};

/* Writes it. False: `text` is full, or there is no memory. */
bool report_write(const struct report *report, struct str *text);

/* "failed", "delayed", ... */
bool report_parse_action(struct slice name, enum report_action *action);

/* The header at the front of `message`, of at most REPORT_HEADER_MAX bytes of whole lines, without
 * the empty line. */
struct slice report_header(struct slice message);
/* Quoted-printable (RFC 2045 6.7) of text in lines that end in CRLF. */
bool report_quote(struct str *text, struct slice bytes);
/* "rfc822; u1@example.jp", or "utf-8; \x{3042}@example.jp" (RFC 6533 3). */
bool report_address(struct str *text, struct slice address);

#endif
