/*
 * mailaddress - addresses of the envelope (RFC 5321, 6531) and their parts
 */
#ifndef COMMON_MAILADDRESS_H
#define COMMON_MAILADDRESS_H

#include "str.h"

enum {
    MAILADDRESS_UTF8 = 1 << 0,  /* SMTPUTF8 was asked for: UTF-8 in both parts is welcome */
    MAILADDRESS_EMPTY = 1 << 1, /* <> is welcome: MAIL FROM */
    MAILADDRESS_BARE_POSTMASTER = 1
                                  << 2, /* <postmaster> without a domain: RCPT TO, RFC 5321 4.5.1 */
};

struct mailaddress {
    struct slice local;  /* as written, quotes included */
    struct slice domain; /* as written; a literal with its brackets; empty for <> */
    struct slice rest;   /* what follows the closing '>' */
};

/* Parses "<[route:]local@domain>" at the front of `text`. Accepted beyond RFC 5321: the dots of
 * Japanese carriers' addresses (a..b@docomo.ne.jp, c.@ezweb.ne.jp). Lengths: local part and domain 255
 * each, 320 in all. */
bool mailaddress_parse_path(struct slice text, unsigned flags, struct mailaddress *address);
/* Parses a bare "local@domain" that must fill `text`. */
bool mailaddress_parse(struct slice text, unsigned flags, struct mailaddress *address);
/* A host name of letters, digits, hyphens, dots (underscores are let through), labels 1 to 63; with
 * MAILADDRESS_UTF8 also UTF-8 labels. */
bool mailaddress_is_domain(struct slice text, unsigned flags);
/* "local@domain" in the form the suite keeps: local part unquoted where it may be, domain in lower
 * case. */
bool mailaddress_canonical(const struct mailaddress *address, struct str *text);

#endif
