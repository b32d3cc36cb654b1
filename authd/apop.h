/*
 * apop - the digest of POP3's APOP command (RFC 1939 7)
 */
#ifndef AUTHD_APOP_H
#define AUTHD_APOP_H

#include "slice.h"

/* Is `digest` the MD5 of banner's timestamp and secret, in lower-case hex? An empty secret never
 * matches. */
bool apop_matches(struct slice timestamp, struct slice secret, struct slice digest);

#endif
