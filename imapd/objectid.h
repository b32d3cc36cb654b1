/*
 * objectid - identifiers of mailboxes, messages and threads (RFC 8474)
 *
 * A letter for the kind, then 16 hexadecimal digits.
 */
#ifndef IMAPD_OBJECTID_H
#define IMAPD_OBJECTID_H

#include "str.h"

#include <stdint.h>

bool objectid_append_mailbox(struct str *out, uint64_t id);
bool objectid_append_email(struct str *out, uint64_t id);
bool objectid_append_thread(struct str *out, uint64_t id);

/* May a client write it (RFC 8474 7, objectid)? That it names something here is another question. */
bool objectid_is_valid(struct slice text);
/* Does it name this message, this thread? */
bool objectid_names_email(struct slice text, uint64_t id);
bool objectid_names_thread(struct slice text, uint64_t id);

#endif
