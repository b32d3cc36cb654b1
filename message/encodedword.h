/*
 * encodedword - text that is not ASCII in header fields (RFC 2047)
 */
#ifndef MESSAGE_ENCODEDWORD_H
#define MESSAGE_ENCODEDWORD_H

#include "str.h"

/* Appends UTF-8 as encoded words of at most 75 bytes, folded, each of whole characters; ASCII without
 * controls stays as it is. `used` is how much of the line the field's name takes. False when the str
 * is full. */
bool encodedword_append(struct str *field, struct slice text, size_t used);

#endif
