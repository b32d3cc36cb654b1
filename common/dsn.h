/*
 * dsn - what a sender wants to hear about a delivery (RFC 3461)
 *
 * NOTIFY and ORCPT are a recipient's, RET and ENVID the message's. They travel from smtpd (or
 * sendmail) through the queue file to the reports, and on to other servers, in the form in which
 * they stand in SMTP. Pure.
 */
#ifndef COMMON_DSN_H
#define COMMON_DSN_H

#include "str.h"

#include <stdbool.h>

enum {
    DSN_ENVID_MAX = 100, /* RFC 3461 4.4, in xtext */
    DSN_ORCPT_MAX = 500, /* RFC 3461 4.2, with the type */
    DSN_NOTIFY_TEXT_MAX = 32,
};

/* A set of bits; none: NOTIFY was not said, which means failure, and delay if we like. */
enum dsn_notify {
    DSN_NOTIFY_NEVER = 1 << 0, /* alone */
    DSN_NOTIFY_SUCCESS = 1 << 1,
    DSN_NOTIFY_FAILURE = 1 << 2,
    DSN_NOTIFY_DELAY = 1 << 3,
};

enum dsn_return { DSN_RETURN_DEFAULT, DSN_RETURN_FULL, DSN_RETURN_HEADERS };

/* "SUCCESS,FAILURE", "NEVER", any case; empty: nothing was said. */
bool dsn_parse_notify(struct slice text, unsigned *notify);
/* In capitals, in a fixed order; nothing for 0. */
bool dsn_format_notify(unsigned notify, struct str *text);
/* Does this recipient's sender want to hear of it? */
bool dsn_wants_failure(unsigned notify);
bool dsn_wants_delay(unsigned notify);
bool dsn_wants_success(unsigned notify);

/* "FULL", "HDRS", any case; empty: nothing was said. */
bool dsn_parse_return(struct slice text, enum dsn_return *value);
/* "" for DSN_RETURN_DEFAULT */
const char *dsn_return_name(enum dsn_return value);

/* xtext (RFC 3461 4): printable ASCII but "+" and "=", and "+" with two digits of hexadecimal. */
bool dsn_is_xtext(struct slice text);
/* False when it is not xtext, or out of memory. What is decoded may hold any byte. */
bool dsn_decode_xtext(struct slice text, struct str *decoded);
bool dsn_encode_xtext(struct slice text, struct str *encoded);
/* 1 to DSN_ENVID_MAX bytes of xtext. */
bool dsn_is_envid(struct slice text);
/* "rfc822;user+2Bx@example.jp": an atom, ";", xtext, or for utf-8 what RFC 6533 3 allows too. */
bool dsn_is_orcpt(struct slice text);

/* ---- as our own protocols carry it (inject/2, remote/2) ---- */

/* Three fields: address, notify, orcpt. A failure shows in the str. */
void dsn_put_recipient(struct str *packet, struct slice address, unsigned notify,
                       struct slice orcpt);
/* What stands in the last two. False: neither empty nor well-formed. */
bool dsn_check_recipient(struct slice notify_text, struct slice orcpt, unsigned *notify);
/* The message's: ret and envid. */
bool dsn_check_message(struct slice ret_text, struct slice envid, enum dsn_return *ret);

#endif
