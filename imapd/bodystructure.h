/*
 * bodystructure - BODY and BODYSTRUCTURE: the tree of a message's parts (RFC 3501 7.4.2, RFC 9051
 * 7.5.2)
 */
#ifndef IMAPD_BODYSTRUCTURE_H
#define IMAPD_BODYSTRUCTURE_H

#include "mime.h"

enum bodystructure_form {
    BODYSTRUCTURE_PLAIN = 0,
    BODYSTRUCTURE_EXTENDED = 1 << 0, /* BODYSTRUCTURE with its extension data, else BODY */
    BODYSTRUCTURE_REV2 = 1 << 1,     /* message/global has an envelope and a body, too (RFC 9051 9,
                                      * media-message); in RFC 3501 only message/rfc822 has */
};

/* `part` is of a tree of mime_parse_global. */
bool bodystructure_append(struct str *out, struct slice message, const struct mime_part *part,
                          unsigned form);
/* Is this answer perhaps another one with IMAP4rev2 than without? */
bool bodystructure_has_forms(struct slice structure);

#endif
