/*
 * metadatarequest - the options and entries of GETMETADATA (RFC 5464 4.2), and of LIST with METADATA
 * (RFC 9590)
 */
#ifndef IMAPD_METADATAREQUEST_H
#define IMAPD_METADATAREQUEST_H

#include "parse.h"

enum { METADATAREQUEST_ENTRIES_MAX = 128, METADATAREQUEST_NAME_MAX = 255 };

struct metadatarequest {
    struct slice *names; /* in the parse's arena, lower case */
    size_t count;
    bool has_max_size;
    uint64_t max_size; /* longer values are left out */
    unsigned depth;    /* 0, 1, or METADATAREQUEST_ENDLESS */
};
enum { METADATAREQUEST_ENDLESS = 2 };

/* [options SP] entries. False: BAD. */
bool metadatarequest_parse(struct parse *parse, struct metadatarequest *request);
/* The options alone, "(MAXSIZE 1024 DEPTH 1)". */
bool metadatarequest_parse_options(struct parse *parse, struct metadatarequest *request);
/* One name or a list of them. */
bool metadatarequest_parse_entries(struct parse *parse, struct metadatarequest *request);
/* The name of an entry: "/private/..." or "/shared/...", no empty component, no wildcard, 7 bits
 * (RFC 5464 3.2). Comes back in lower case, in the arena: names don't mind case. */
bool metadatarequest_parse_name(struct parse *parse, struct slice *name);
/* Does the request ask for the entry? */
bool metadatarequest_has(const struct metadatarequest *request, struct slice name);

#endif
