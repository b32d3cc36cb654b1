/*
 * international - was a message sent as SMTPUTF8, with a header that needs it?
 */
#ifndef POP3D_INTERNATIONAL_H
#define POP3D_INTERNATIONAL_H

#include "slice.h"

/* `head` is the beginning of a message, with any line ends. True when the newest trace field says
 * so (RFC 6531 4.3, RFC 3848: "with UTF8SMTP...") and the header has bytes that are not ASCII.
 * Header fields with 8-bit bytes alone, as many a program writes them, are no reason: clients have
 * always been sent these. */
bool international_is(struct slice head);

#endif
