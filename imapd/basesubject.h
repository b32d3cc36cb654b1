/*
 * basesubject - what a subject is without "Re:", "[list]" and their like (RFC 5256 2.1)
 */
#ifndef IMAPD_BASESUBJECT_H
#define IMAPD_BASESUBJECT_H

#include "charset.h"

/* Steps 2 to 6 for a subject in one line: a part of it. *is_reply: a sign of a reply or forward was
 * taken away (RFC 5256 3, REFERENCES). Linear in its size. */
struct slice basesubject_of(struct slice subject, bool *is_reply);

/* The whole of it for a field as it stands in a header: encoded words decoded, blanks collapsed.
 * Appends UTF-8. False when `base` is full or memory is out. `charsets`: converters to keep open, or
 * NULL. */
bool basesubject_append(struct str *base, struct slice field, struct charset_cache *charsets,
                        bool *is_reply);

#endif
