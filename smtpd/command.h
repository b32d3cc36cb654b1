/*
 * command - what a client's line says (RFC 5321 4.1; 1870, 2033, 3030, 3461, 4954, 6152, 6531)
 *
 * Pure: bytes in, struct or problem out. Slices point into the line.
 */
#ifndef SMTPD_COMMAND_H
#define SMTPD_COMMAND_H

#include "envelope.h"
#include "mailaddress.h"

enum command_verb {
    COMMAND_UNKNOWN,
    COMMAND_FORBIDDEN, /* of another protocol: a browser was made to speak to us */
    COMMAND_HELO,
    COMMAND_EHLO,
    COMMAND_LHLO, /* RFC 2033 */
    COMMAND_MAIL,
    COMMAND_RCPT,
    COMMAND_DATA,
    COMMAND_BDAT, /* RFC 3030 */
    COMMAND_RSET,
    COMMAND_NOOP,
    COMMAND_QUIT,
    COMMAND_VRFY,
    COMMAND_EXPN,
    COMMAND_HELP,
    COMMAND_STARTTLS,
    COMMAND_AUTH,
    COMMAND_XCLIENT,
    COMMAND_COUNT,
};

enum {
    /* RFC 5321 4.5.3.1.4, and what the extensions add to MAIL: SIZE 26, BODY 17, AUTH 500,
     * SMTPUTF8 10, RET 9, ENVID 107; to RCPT: ORCPT 507, NOTIFY 29; RFC 4954 4: AUTH. With the
     * line end. */
    COMMAND_LINE_MAX = 512,
    COMMAND_MAIL_LINE_MAX = 512 + 26 + 17 + 500 + 10 + 9 + 107,
    COMMAND_RCPT_LINE_MAX = 512 + 507 + 29,
    COMMAND_AUTH_LINE_MAX = 12288,
};

struct command {
    enum command_verb verb;
    struct slice argument; /* without blanks around it */
};

enum command_line {
    COMMAND_LINE_OK,
    COMMAND_LINE_BAD_END,  /* no CRLF at the end, or a CR or NUL inside */
    COMMAND_LINE_TOO_LONG, /* for its verb */
};

/* `line` with its line end. */
enum command_line command_parse(struct slice line, struct command *command);

enum command_problem {
    COMMAND_FINE,
    COMMAND_SYNTAX,            /* no FROM: or TO: */
    COMMAND_BAD_ADDRESS,       /* 501 5.1.7, 5.1.3 */
    COMMAND_NEEDS_UTF8,        /* 553 5.6.7 */
    COMMAND_BAD_PARAMETER,     /* 501 5.5.4 */
    COMMAND_UNKNOWN_PARAMETER, /* 555 5.5.4 */
};

struct command_mail {
    struct mailaddress address;
    bool has_size;
    uint64_t size; /* UINT64_MAX for any number beyond */
    enum envelope_body body;
    bool utf8;
    enum dsn_return ret;
    struct slice envid; /* in xtext; empty: none was given */
};

struct command_rcpt {
    struct mailaddress address;
    unsigned notify;    /* bits of dsn.h */
    struct slice orcpt; /* "rfc822;x@y" in xtext; empty: none was given */
};

struct command_bdat {
    uint64_t size;
    bool is_last;
};

/* "FROM:<a@b> SIZE=1 ..."; each parameter at most once. */
enum command_problem command_parse_mail(struct slice argument, struct command_mail *mail);
/* "TO:<a@b> NOTIFY=NEVER ..."; `utf8` as MAIL said. */
enum command_problem command_parse_rcpt(struct slice argument, bool utf8,
                                        struct command_rcpt *rcpt);
/* "1000", "1000 LAST". False: nobody knows how many bytes follow. */
bool command_parse_bdat(struct slice argument, struct command_bdat *bdat);
/* "PLAIN", "PLAIN dGVzdA==": `initial` is empty when there was no initial response. */
bool command_parse_auth(struct slice argument, struct slice *mechanism, bool *has_initial,
                        struct slice *initial);

#endif
