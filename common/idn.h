/*
 * idn - domain names as DNS has them and as people write them (libidn2)
 */
#ifndef COMMON_IDN_H
#define COMMON_IDN_H

#include "slice.h"

enum { IDN_NAME_MAX = 253 };

/* The name in lower-case A-labels ("xn--..."). False when it is none: an empty label, a label over
 * 63 or a name over 253 bytes, characters that no host name has, an address. */
bool idn_to_ascii(struct slice name, char ascii[IDN_NAME_MAX + 1]);
/* The name as people read it, in UTF-8; a name of other labels only stays as it is. False when it
 * does not fit. */
bool idn_to_unicode(const char *ascii, char *text, size_t capacity);

#endif
