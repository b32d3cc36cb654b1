/*
 * casemap - the form of text by which it is sorted: i;unicode-casemap (RFC 5051, I18NLEVEL=1)
 *
 * Each character becomes its title case and is decomposed; two texts collate as the bytes of these
 * forms do, and are equal when those are. Finding text is another matter: casefold.h.
 */
#ifndef IMAPD_CASEMAP_H
#define IMAPD_CASEMAP_H

#include "str.h"

/* Appends the form of UTF-8 text; bytes that are none stay as they are. False when `form` is full
 * or memory is out. */
bool casemap_append(struct str *form, struct slice utf8);

#endif
