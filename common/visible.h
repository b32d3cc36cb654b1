/*
 * visible - what others wrote, before it reaches the operator's terminal or the log
 *
 * Subjects, causes, comments, names of files: strangers and customers may have written them. A terminal
 * acts on control characters, on those of eight bits in UTF-8 as well (U+009B is ESC [), and those that
 * turn the direction of writing make a line read as another one.
 */
#ifndef COMMON_VISIBLE_H
#define COMMON_VISIBLE_H

#include "slice.h"

/* The size of the character at the start of `text`, if it is one of those of several bytes; else 0. */
size_t visible_hidden_size(struct slice text);
/* Each byte of such a character becomes '?', a tab a blank; what is no UTF-8 stays as it is. Line ends stay
 * where the text may have several `lines`. */
void visible_make(char *text, size_t size, bool lines);

#endif
