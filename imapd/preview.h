/*
 * preview - the first words of a message, as a list of messages shows them (RFC 8970 3)
 *
 * Out of the first part that is text: decoded, in UTF-8, HTML taken away, blanks joined to one
 * space, what others wrote before left out. A pure function over the front of a message: work and
 * memory are bounded whatever the message is.
 */
#ifndef IMAPD_PREVIEW_H
#define IMAPD_PREVIEW_H

#include "str.h"

enum {
    PREVIEW_CHARACTERS = 200,                  /* RFC 8970 3.1 */
    PREVIEW_TEXT_MAX = 4 * PREVIEW_CHARACTERS, /* bytes of these */
    PREVIEW_READ_MAX = 65536,                  /* bytes of a message that are looked at */
};

/* `message` is the message or its front. Appends at most PREVIEW_TEXT_MAX bytes; nothing when there
 * is no text. */
void preview_append(struct str *utf8, struct slice message);

#endif
