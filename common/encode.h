/*
 * encode - base64 and hexadecimal (RFC 4648)
 */
#ifndef COMMON_ENCODE_H
#define COMMON_ENCODE_H

#include "str.h"

/* One line without breaks. */
bool encode_base64(struct slice bytes, struct str *text);
/* Strict: whole groups, right padding, nothing else. False for anything else (SASL). */
bool encode_from_base64(struct slice text, struct str *bytes);
bool encode_hex(struct slice bytes, struct str *text); /* lower case */
bool encode_from_hex(struct slice text, struct str *bytes);

/* What a digit stands for; -1 for any other byte. */
int encode_base64_value(char digit);
int encode_hex_value(char digit);
/* The byte that two hexadecimal digits at the front of `text` stand for; -1 when there are none. */
int encode_hex_byte(struct slice text);

#endif
