/*
 * imapenvelope - ENVELOPE: what a message's header says, as FETCH gives it (RFC 3501 7.4.2)
 */
#ifndef IMAPD_IMAPENVELOPE_H
#define IMAPD_IMAPENVELOPE_H

#include "str.h"

/* Appends "(date subject from sender reply-to to cc bcc in-reply-to message-id)". */
bool imapenvelope_append(struct str *out, struct slice header);
/* A list of addresses, or NIL when there is none in `field`. */
bool imapenvelope_append_addresses(struct str *out, struct slice field);

#endif
