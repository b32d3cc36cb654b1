/*
 * quote - text of any bytes as IMAP wants it on the wire: quoted, or as a literal (RFC 3501 4.3)
 */
#ifndef IMAPD_QUOTE_H
#define IMAPD_QUOTE_H

#include "str.h"

/* Quoted where that can be; a literal for 8-bit bytes, line ends and long text. A NUL, which no
 * string may hold, becomes 0x80. */
bool quote_string(struct str *out, struct slice text);
/* The same for a client that reads UTF-8 in quoted strings (RFC 6855 3). `text` is valid UTF-8. */
bool quote_utf8(struct str *out, struct slice text);
/* A header field's value in one line: each fold one space, no blanks at both ends. */
bool quote_field(struct str *out, struct slice value);
/* NIL when `text` has no data (NULL). */
bool quote_nstring(struct str *out, struct slice text);
/* As an atom where it is one, else as quote_string does. */
bool quote_astring(struct str *out, struct slice text);
/* "{size}" and its line end. */
bool quote_literal_head(struct str *out, uint64_t size);

#endif
