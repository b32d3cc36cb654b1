/*
 * mailspace - what means nothing between the words of a structured field: blanks, line ends and
 * comments (CFWS, RFC 5322 3.2.2)
 */
#ifndef MESSAGE_MAILSPACE_H
#define MESSAGE_MAILSPACE_H

#include "slice.h"

/* A blank, or a byte of a line end. */
bool mailspace_is_space(char byte);
/* The size of the comment at the front, nested ones included; one that never ends takes all. */
size_t mailspace_comment(struct slice text);
/* Cuts all of it off the front. */
void mailspace_skip(struct slice *text);

#endif
