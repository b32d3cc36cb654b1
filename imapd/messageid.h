/*
 * messageid - the message ids of a header field, in one form (RFC 5322 3.6.4, RFC 5256 3)
 *
 * "<left@right>", with the quotes of a quoted left side, blanks and comments taken away, so that
 * <"a.b"@c> is <a.b@c>. Case counts. What else stands in old fields ("Your message of Friday") is
 * skipped; an id needs its '@' with something on both sides, and at most 1000 bytes.
 */
#ifndef IMAPD_MESSAGEID_H
#define IMAPD_MESSAGEID_H

#include "str.h"

enum { MESSAGEID_SIZE_MAX = 1000 };

/* The next id, without '<' and '>', into `id` (a str of MESSAGEID_SIZE_MAX, which is cleared).
 * *rest is what follows. False: there is none. */
bool messageid_next(struct slice *rest, struct str *id);
/* A number that stands for an id; never 0, which callers use for "none". */
uint64_t messageid_hash(struct slice id);

#endif
