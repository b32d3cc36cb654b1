/*
 * mutf7 - modified UTF-7, in which IMAP writes mailbox names (RFC 3501 5.1.3)
 *
 * Strict: one name has one form. So two names that differ on the wire differ to the eye.
 */
#ifndef MAILBOX_MUTF7_H
#define MAILBOX_MUTF7_H

#include "str.h"

/* False for bytes that are no modified UTF-7: 8-bit, base64 of printable ASCII, broken or missing
 * ends, half surrogates, control characters. */
bool mutf7_to_utf8(struct slice name, struct str *utf8);
/* False for broken UTF-8 and control characters. */
bool mutf7_from_utf8(struct slice utf8, struct str *name);
bool mutf7_is_valid(struct slice name);

#endif
