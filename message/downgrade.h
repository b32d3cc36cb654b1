/*
 * downgrade - a message made fit for those who take no binary, or no 8-bit content (RFC 6152 3)
 *
 * Bodies that the target can't take are encoded: text as quoted-printable, all else as base64. The
 * structure stays, and each part decodes to what it was. Header fields keep their bytes, whatever
 * these are; lines of more than 998 bytes are folded. Text between the parts, which nobody reads,
 * loses what the target can't take. A signature over a changed part does not survive: signed mail
 * is 7-bit by its own rules (RFC 1847 2.1), and DKIM advises the same (RFC 6376 5.3).
 *
 * Pure; in linear time; the memory is that of mime.h's tree, whatever the size of the message.
 */
#ifndef MESSAGE_DOWNGRADE_H
#define MESSAGE_DOWNGRADE_H

#include "contentwriter.h"

enum { DOWNGRADE_LINE_MAX = 998 }; /* RFC 5322 2.1.1, without CRLF */

/* What a text has that not everybody takes. */
enum downgrade_trait {
    DOWNGRADE_HIGH = 1 << 0,   /* bytes above 127 */
    DOWNGRADE_BINARY = 1 << 1, /* NUL, CR or LF alone, a line that is too long */
};

enum downgrade_target { DOWNGRADE_TO_7BIT, DOWNGRADE_TO_8BIT };

unsigned downgrade_traits(struct slice text);
/* Does a message with these traits have to be changed for the target? */
bool downgrade_is_needed(unsigned traits, enum downgrade_target target);
/* Writes the message as the target takes it. False: without memory, or `take` said no. */
bool downgrade_write(struct slice message, enum downgrade_target target, contentwriter_take *take,
                     void *owner);

#endif
