/*
 * fetch - what FETCH asks for (RFC 3501 6.4.5)
 */
#ifndef IMAPD_FETCH_H
#define IMAPD_FETCH_H

#include "section.h"

enum fetch_kind {
    FETCH_BODY, /* BODY[section] */
    FETCH_BODYSTRUCTURE,
    FETCH_BODY_PLAIN, /* BODY: BODYSTRUCTURE without extension data */
    FETCH_ENVELOPE,
    FETCH_FLAGS,
    FETCH_INTERNALDATE,
    FETCH_SIZE,
    FETCH_UID,
};

struct fetch_item {
    enum fetch_kind kind;
    const char *label;      /* name in the answer; of FETCH_BODY where it is not BODY[...] */
    struct section section; /* FETCH_BODY */
    bool peeks;             /* \Seen is not set */
    bool is_partial;
    uint32_t offset, length;
};

struct fetch_request {
    struct fetch_item *items; /* in the arena */
    size_t count;
};

/* The items behind the message set. */
bool fetch_parse(struct parse *parse, struct fetch_request *request);
/* Appends an item that was not asked for. False without memory. */
bool fetch_add(struct arena *arena, struct fetch_request *request, enum fetch_kind kind);
bool fetch_has(const struct fetch_request *request, enum fetch_kind kind);

#endif
