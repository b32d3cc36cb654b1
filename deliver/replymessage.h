/*
 * replymessage - an automatic reply as a message (RFC 3834 3, RFC 5322)
 *
 * Pure: what is answered and the text of the account in, a message in wire form out.
 */
#ifndef DELIVER_REPLYMESSAGE_H
#define DELIVER_REPLYMESSAGE_H

#include "str.h"

#include <stdint.h>

enum { REPLYMESSAGE_MAX = 65536 };

struct replymessage {
    struct slice local, domain; /* from whom */
    struct slice to;            /* an address */
    struct slice utf8;          /* the text, lines ended by CRLF */
    struct slice seven;  /* the same in ASCII or ISO-2022-JP; empty: a character is in neither */
    struct slice start;  /* of the message that is answered: its header, and more */
    struct slice header; /* the header alone */
    int64_t now;
    const char *unique; /* in front of the @ of its Message-ID */
};

/* Appends the message. False: no memory. */
bool replymessage_compose(const struct replymessage *reply, struct str *message);

/* Does the sender's mail suggest ISO-2022-JP? */
bool replymessage_is_jis(struct slice start);

#endif
