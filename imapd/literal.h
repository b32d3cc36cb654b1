/*
 * literal - the announcement of a literal at the end of a line: "{12}" or "{12+}" (RFC 7888)
 */
#ifndef IMAPD_LITERAL_H
#define IMAPD_LITERAL_H

#include "slice.h"

#include <stdint.h>

struct literal {
    uint64_t size;
    bool waits;    /* synchronising: the client sends it after our "+" only */
    bool too_long; /* more than 64 bits can count */
    size_t start;  /* offset of '{' in the line */
};

/* Does the line, with its line end, end in an announcement? */
bool literal_at_end(struct slice line, struct literal *literal);

#endif
