/*
 * headerlex - words, quoted strings, comments and special characters of a structured header field
 * (RFC 5322 3.2); any bytes are accepted
 */
#ifndef IMAPD_HEADERLEX_H
#define IMAPD_HEADERLEX_H

#include "str.h"

enum headerlex_token { HEADERLEX_END, HEADERLEX_WORD, HEADERLEX_SPECIAL };

struct headerlex {
    struct slice rest;
    const char *specials; /* bytes that are tokens of their own */
    char special;         /* HEADERLEX_SPECIAL: which */
    bool spaced;          /* blanks or a comment stood before this token */
    struct str text;      /* HEADERLEX_WORD: without quotes and backslashes */
    struct str comment;   /* the last comment, for "a@b (Name)"; the caller may clear it */
};

void headerlex_begin(struct headerlex *lex, struct slice field, const char *specials);
void headerlex_end(struct headerlex *lex);
enum headerlex_token headerlex_next(struct headerlex *lex);

/* Are there line ends in it? */
bool headerlex_is_folded(struct slice value);
/* A field in one line: each fold one space, no blanks at both ends. */
bool headerlex_unfold(struct slice value, struct str *text);

#endif
