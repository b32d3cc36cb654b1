/*
 * charset - any character set that mail names, into UTF-8 (by glibc's iconv)
 */
#ifndef COMMON_CHARSET_H
#define COMMON_CHARSET_H

#include "str.h"

/* Converts; bytes that make no sense become U+FFFD. An unknown label is taken as Latin-1, and
 * *known (may be NULL) is false then. False when `utf8` is full or memory is out. */
bool charset_to_utf8(struct slice charset, struct slice text, struct str *utf8, bool *known);
/* Is there a converter for this label? */
bool charset_is_known(struct slice charset);
bool charset_is_utf8(struct slice text);

#endif
