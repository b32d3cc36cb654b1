/*
 * partial - "PARTIAL 1:500", "PARTIAL -1:-100": a page of a list (RFC 9394, RFC 5267 4.4)
 */
#ifndef IMAPD_PARTIAL_H
#define IMAPD_PARTIAL_H

#include "parse.h"
#include "str.h"

/* Positions in the list from 1 on; from its end (-1 is the last) where `from_end`. */
struct partial {
    uint32_t first, last; /* first <= last */
    bool from_end;
    struct slice text; /* as the client wrote it; in its command */
};

/* "1:500" */
bool partial_parse(struct parse *parse, struct partial *partial);
/* What of a list with `count` entries lies in it: entries from *start on, *size of them. */
void partial_clip(const struct partial *partial, size_t count, size_t *start, size_t *size);

#endif
