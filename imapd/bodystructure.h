/*
 * bodystructure - BODY and BODYSTRUCTURE: the tree of a message's parts (RFC 3501 7.4.2)
 */
#ifndef IMAPD_BODYSTRUCTURE_H
#define IMAPD_BODYSTRUCTURE_H

#include "mime.h"

/* `extended`: BODYSTRUCTURE with its extension data, else BODY. */
bool bodystructure_append(struct str *out, struct slice message, const struct mime_part *part,
                          bool extended);

#endif
