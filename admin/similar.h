/*
 * similar - passwords that are like a given one (SPEC R2.3, on a forced change)
 *
 * Of an old password only the hash is there. So the question whether the new one is like it is turned
 * round: these are the passwords that somebody may have had who now comes with the new one, most
 * likely first, and each can be compared with the hash. Like are
 *
 *   - the same one; in lower case, in upper case, with the case of all letters or of one changed
 *   - the same one backwards
 *   - without up to four characters at its end or its front (they were added), or with one digit or
 *     usual sign more at its end (it was taken away)
 *   - with another sign at its end, or another digit in the place of one of its digits
 *
 * Anything else is found by nobody who has no old password: two changes at once, a word in the middle.
 */
#ifndef ADMIN_SIMILAR_H
#define ADMIN_SIMILAR_H

#include "str.h"

enum { SIMILAR_MAX = 192 }; /* at most so many are made, some of them twice */

/* True: go on. */
typedef bool similar_visit(void *owner, struct slice like);
/* Calls `visit` till it says false. What it was given is wiped. */
void similar_each(struct slice password, similar_visit *visit, void *owner);

#endif
