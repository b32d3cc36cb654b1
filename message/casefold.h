/*
 * casefold - text whose case does not matter, over all of Unicode
 *
 * Text is compared in NFKD with case folded: full-width letters, half-width kana and ligatures are
 * found by their usual forms. That is i;unicode-casemap (RFC 5051) with full instead of simple case
 * mapping: sharp s is "ss", too; and with it, a dotless i is an i.
 */
#ifndef MESSAGE_CASEFOLD_H
#define MESSAGE_CASEFOLD_H

#include "str.h"

/* Appends the folded form of UTF-8 text. False when `folded` is full or memory is out. */
bool casefold_fold(struct slice utf8, struct str *folded);

/* The same, quickly, for much text: the forms of characters are remembered. A table of zeroes is
 * empty; it grows to half a megabyte at most. */
struct casefold_page;
enum { CASEFOLD_PAGES = 256 }; /* of 256 characters: U+0000 to U+FFFF */
struct casefold {
    struct casefold_page *pages[CASEFOLD_PAGES];
};
bool casefold_append(struct casefold *table, struct slice utf8, struct str *folded);
void casefold_free(struct casefold *table);

#endif
