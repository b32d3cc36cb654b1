/*
 * literal - the announcement of a literal at the end of a line: "{12}" or "{12+}" (RFC 7888), and of
 * a literal8, which may hold a NUL, "~{12}" (RFC 3516)
 */
#ifndef IMAPD_LITERAL_H
#define IMAPD_LITERAL_H

#include "slice.h"

#include <stdint.h>

struct literal {
    uint64_t size;
    bool waits;     /* synchronising: the client sends it after our "+" only */
    bool too_long;  /* more than 64 bits can count */
    bool is_binary; /* a literal8 */
    size_t start;   /* offset of '{', or of the '~' before it, in the line */
};

/* Does the line, with its line end, end in an announcement? */
bool literal_at_end(struct slice line, struct literal *literal);

#endif
