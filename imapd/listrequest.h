/*
 * listrequest - the arguments of LIST (RFC 9051 6.3.9; RFC 5258, 5819, 6154, 9590)
 */
#ifndef IMAPD_LISTREQUEST_H
#define IMAPD_LISTREQUEST_H

#include "metadatarequest.h"
#include "parse.h"

enum { LISTREQUEST_PATTERNS_MAX = 64 };

enum listrequest_option {
    LISTREQUEST_SUBSCRIBED = 1 << 0,
    LISTREQUEST_SPECIAL_USE = 1 << 1,
    LISTREQUEST_REMOTE = 1 << 2,
    LISTREQUEST_RECURSIVE = 1 << 3,
    LISTREQUEST_CHILDREN = 1 << 4,
    LISTREQUEST_STATUS = 1 << 5,
    LISTREQUEST_METADATA = 1 << 6,
};

struct listrequest {
    struct slice reference;
    struct slice patterns[LISTREQUEST_PATTERNS_MAX];
    size_t pattern_count;
    unsigned selects; /* selection options */
    unsigned returns; /* return options */
    unsigned status_items;
    struct metadatarequest metadata;
    bool is_extended; /* there was something that RFC 3501 does not know */
};

/* False: BAD. Options that are not known are that, too (RFC 5258 3). */
bool listrequest_parse(struct parse *parse, struct listrequest *request);

#endif
