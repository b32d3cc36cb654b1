/*
 * casefold - finding text whatever its case, over all of Unicode
 *
 * Text is compared in NFKD with case folded, so that full-width letters and half-width kana are
 * found by their usual forms (as RFC 5051, i;unicode-casemap, but with full case folding).
 */
#ifndef IMAPD_CASEFOLD_H
#define IMAPD_CASEFOLD_H

#include "str.h"

/* The folded form of UTF-8 text. False when `folded` is full or memory is out. */
bool casefold_fold(struct slice utf8, struct str *folded);
/* Does `utf8` hold the text whose folded form is `folded`? An empty one is in all. */
bool casefold_contains(struct slice utf8, struct slice folded);

#endif
