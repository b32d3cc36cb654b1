/*
 * completion - what may stand at the cursor of a mailctl command line, from the table of verbs
 *
 * Each word of a verb's synopsis says what stands in its place: USER@DOMAIN, DOMAIN, KEY, STATE...
 */
#ifndef ADMIN_COMPLETION_H
#define ADMIN_COMPLETION_H

#include "str.h"

enum { COMPLETION_BYTES_MAX = 65536, COMPLETION_WORDS_MAX = 1000 };

/* Appends the words that may follow, one a line, each beginning as the last of `words` does. `words`
 * are those behind "mailctl"; the last is the one at the cursor, perhaps empty. `control` is the
 * folder of control files; -1: no names of domains and accounts. What is more than fits stays out. */
void completion_list(int control, const char *const *words, int count, struct str *out);

#endif
