/*
 * pop3command - what a POP3 client's line says (RFC 1939, 2449, 2595, 5034, 6856)
 *
 * Pure: bytes in, struct or problem out. Slices point into the line. A line may end in a bare LF:
 * nothing can be smuggled into POP3 by that, and some scripts send it.
 */
#ifndef POP3D_POP3COMMAND_H
#define POP3D_POP3COMMAND_H

#include "slice.h"

#include <stdint.h>

enum pop3command_verb {
    POP3COMMAND_UNKNOWN,
    POP3COMMAND_APOP,
    POP3COMMAND_AUTH,
    POP3COMMAND_CAPA,
    POP3COMMAND_DELE,
    POP3COMMAND_LANG,
    POP3COMMAND_LIST,
    POP3COMMAND_NOOP,
    POP3COMMAND_PASS,
    POP3COMMAND_QUIT,
    POP3COMMAND_RETR,
    POP3COMMAND_RSET,
    POP3COMMAND_STAT,
    POP3COMMAND_STLS,
    POP3COMMAND_TOP,
    POP3COMMAND_UIDL,
    POP3COMMAND_USER,
    POP3COMMAND_UTF8,
    POP3COMMAND_COUNT,
};

enum {
    POP3COMMAND_LINE_MAX = 512,        /* RFC 2449 4 asks for 255; passwords may be long */
    POP3COMMAND_AUTH_LINE_MAX = 12288, /* with an initial response: as SASL_LINE_MAX */
};

struct pop3command {
    enum pop3command_verb verb;
    struct slice argument; /* all behind the one space, blanks at its end included (PASS) */
};

enum pop3command_line {
    POP3COMMAND_LINE_OK,
    POP3COMMAND_LINE_BAD,      /* a NUL, or a CR inside */
    POP3COMMAND_LINE_TOO_LONG, /* for its verb */
};

/* `line` with its line end. */
enum pop3command_line pop3command_parse(struct slice line, struct pop3command *command);

/* One argument: a word. False when there is none, or more. */
bool pop3command_one(struct slice argument, struct slice *word);
/* Two words. */
bool pop3command_two(struct slice argument, struct slice *first, struct slice *second);
/* A message number from 1 to `count`. */
bool pop3command_number(struct slice word, size_t count, size_t *number);

#endif
