/*
 * command - what a POP3 client's line says (RFC 1939, 2449, 2595, 5034)
 *
 * Pure: bytes in, struct or problem out. Slices point into the line. A line may end in a bare LF:
 * nothing can be smuggled into POP3 by that, and some scripts send it.
 */
#ifndef POP3D_COMMAND_H
#define POP3D_COMMAND_H

#include "slice.h"

#include <stdint.h>

enum command_verb {
    COMMAND_UNKNOWN,
    COMMAND_APOP,
    COMMAND_AUTH,
    COMMAND_CAPA,
    COMMAND_DELE,
    COMMAND_LIST,
    COMMAND_NOOP,
    COMMAND_PASS,
    COMMAND_QUIT,
    COMMAND_RETR,
    COMMAND_RSET,
    COMMAND_STAT,
    COMMAND_STLS,
    COMMAND_TOP,
    COMMAND_UIDL,
    COMMAND_USER,
    COMMAND_COUNT,
};

enum {
    COMMAND_LINE_MAX = 512,        /* RFC 2449 4 asks for 255; passwords may be long */
    COMMAND_AUTH_LINE_MAX = 12288, /* with an initial response: as SASL_LINE_MAX */
};

struct command {
    enum command_verb verb;
    struct slice argument; /* all behind the one space, blanks at its end included (PASS) */
};

enum command_line {
    COMMAND_LINE_OK,
    COMMAND_LINE_BAD,      /* a NUL, or a CR inside */
    COMMAND_LINE_TOO_LONG, /* for its verb */
};

/* `line` with its line end. */
enum command_line command_parse(struct slice line, struct command *command);

/* The line without its line end. */
struct slice command_without_end(struct slice line);

/* One argument: a word. False when there is none, or more. */
bool command_one(struct slice argument, struct slice *word);
/* Two words. */
bool command_two(struct slice argument, struct slice *first, struct slice *second);
/* A message number from 1 to `count`. */
bool command_number(struct slice word, size_t count, size_t *number);

#endif
