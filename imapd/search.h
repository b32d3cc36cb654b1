/*
 * search - the keys of SEARCH as a tree, and what they say about a message (RFC 3501 6.4.4)
 */
#ifndef IMAPD_SEARCH_H
#define IMAPD_SEARCH_H

#include "parse.h"
#include "source.h"

enum search_kind {
    SEARCH_ALL,
    SEARCH_AND, /* of `child` and its `next`s */
    SEARCH_OR,  /* of `child` and its one `next` */
    SEARCH_NOT, /* of `child` */
    SEARCH_SET,
    SEARCH_UID,
    SEARCH_FLAG,    /* one of `flags` is set */
    SEARCH_KEYWORD, /* `name` */
    SEARCH_RECENT,
    SEARCH_BEFORE, /* INTERNALDATE */
    SEARCH_ON,
    SEARCH_SINCE,
    SEARCH_LARGER,
    SEARCH_SMALLER,
    SEARCH_SENT_BEFORE, /* Date: */
    SEARCH_SENT_ON,
    SEARCH_SENT_SINCE,
    SEARCH_HEADER, /* `text` in field `name` */
    SEARCH_BODY,
    SEARCH_TEXT,
};

enum { SEARCH_DEPTH_MAX = 50 };

struct search_key {
    enum search_kind kind;
    struct search_key *child, *next;
    unsigned cost; /* of looking: list, file's size, header, body */
    struct sequence set;
    unsigned flags;
    struct slice name, text; /* `text` is folded (casefold.h) */
    int64_t day;             /* since 1970 */
    uint64_t size;
};

enum search_result { SEARCH_OK, SEARCH_SYNTAX, SEARCH_BAD_CHARSET };

/* Parses what follows "SEARCH ": all of it. The tree lives in the parse's arena. */
enum search_result search_parse(struct parse *parse, struct search_key **root);
/* Gives '*' its values in all sets. */
void search_resolve(struct search_key *key, uint32_t exists, uint32_t highest_uid);

/* Does the message fit? `number` is its message number. One that can't be read fits nothing. */
bool search_matches(const struct search_key *key, struct source *source, uint32_t number);

#endif
