/*
 * identity - what client and server say about themselves (ID, RFC 2971)
 */
#ifndef IMAPD_IDENTITY_H
#define IMAPD_IDENTITY_H

#include "log.h"
#include "parse.h"
#include "str.h"

#define IDENTITY_ANSWER "* ID (\"name\" \"mail-suite\")\r\n"

enum {
    IDENTITY_PAIRS_MAX = 30, /* RFC 2971 3.3 */
    IDENTITY_NAME_MAX = 30,
    IDENTITY_VALUE_MAX = 1024,
    IDENTITY_KEPT_MAX = 64, /* what goes to the log of it */
};

/* "" where the client did not say. */
struct identity {
    char name[IDENTITY_KEPT_MAX + 1];
    char version[IDENTITY_KEPT_MAX + 1];
};

/* The whole argument of ID: NIL, or a list within the bounds of RFC 2971. What it says of name and
 * version is kept, cut to what the log takes; the rest nobody has use for. */
bool identity_parse(struct parse *parse, struct identity *identity);
/* Appends agent= and version= to a line of the log, where they are known. */
void identity_describe(struct log_line *line, const struct identity *identity);

#endif
