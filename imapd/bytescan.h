/*
 * bytescan - finding bytes whatever the case of their ASCII letters, and what kinds of bytes there
 * are, fast
 */
#ifndef IMAPD_BYTESCAN_H
#define IMAPD_BYTESCAN_H

#include "slice.h"

/* Chooses the places in `wanted` (lower case, not empty) of the two bytes that are the rarest in
 * mail; the same one twice when it has but one. */
void bytescan_choose(struct slice wanted, size_t *first, size_t *second);
/* Is `wanted` (lower case) in `text`, compared without the case of ASCII letters? The places as
 * chosen for it. */
bool bytescan_has(struct slice text, struct slice wanted, size_t first, size_t second);
/* Is any byte 0x80 or higher? */
bool bytescan_has_high(struct slice text);
/* Are all bytes printable ASCII, and none a quote or a backslash? */
bool bytescan_is_plain(struct slice text);

#endif
