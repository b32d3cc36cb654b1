/*
 * smtpcommand - what a client's line says (RFC 5321 4.1; 1870, 2033, 3030, 3461, 4954, 6152, 6531)
 *
 * Pure: bytes in, struct or problem out. Slices point into the line.
 */
#ifndef COMMON_SMTPCOMMAND_H
#define COMMON_SMTPCOMMAND_H

#include "envelope.h"
#include "mailaddress.h"

enum smtpcommand_verb {
    SMTPCOMMAND_UNKNOWN,
    SMTPCOMMAND_FORBIDDEN, /* of another protocol: a browser was made to speak to us */
    SMTPCOMMAND_HELO,
    SMTPCOMMAND_EHLO,
    SMTPCOMMAND_LHLO, /* RFC 2033 */
    SMTPCOMMAND_MAIL,
    SMTPCOMMAND_RCPT,
    SMTPCOMMAND_DATA,
    SMTPCOMMAND_BDAT, /* RFC 3030 */
    SMTPCOMMAND_RSET,
    SMTPCOMMAND_NOOP,
    SMTPCOMMAND_QUIT,
    SMTPCOMMAND_VRFY,
    SMTPCOMMAND_EXPN,
    SMTPCOMMAND_HELP,
    SMTPCOMMAND_STARTTLS,
    SMTPCOMMAND_AUTH,
    SMTPCOMMAND_XCLIENT,
    SMTPCOMMAND_COUNT,
};

enum {
    /* RFC 5321 4.5.3.1.4, and what the extensions add to MAIL: SIZE 26, BODY 17, AUTH 500,
     * SMTPUTF8 10, RET 9, ENVID 107; to RCPT: ORCPT 507, NOTIFY 29; RFC 4954 4: AUTH. With the
     * line end. */
    SMTPCOMMAND_LINE_MAX = 512,
    SMTPCOMMAND_MAIL_LINE_MAX = 512 + 26 + 17 + 500 + 10 + 9 + 107,
    SMTPCOMMAND_RCPT_LINE_MAX = 512 + 507 + 29,
    SMTPCOMMAND_AUTH_LINE_MAX = 12288,
};

struct smtpcommand {
    enum smtpcommand_verb verb;
    struct slice argument; /* without blanks around it */
};

enum smtpcommand_line {
    SMTPCOMMAND_LINE_OK,
    SMTPCOMMAND_LINE_BAD_END,  /* no CRLF at the end, or a CR or NUL inside */
    SMTPCOMMAND_LINE_TOO_LONG, /* for its verb */
};

/* `line` with its line end. */
enum smtpcommand_line smtpcommand_parse(struct slice line, struct smtpcommand *command);

enum smtpcommand_problem {
    SMTPCOMMAND_FINE,
    SMTPCOMMAND_SYNTAX,            /* no FROM: or TO: */
    SMTPCOMMAND_BAD_ADDRESS,       /* 501 5.1.7, 5.1.3 */
    SMTPCOMMAND_NEEDS_UTF8,        /* 553 5.6.7 */
    SMTPCOMMAND_BAD_PARAMETER,     /* 501 5.5.4 */
    SMTPCOMMAND_UNKNOWN_PARAMETER, /* 555 5.5.4 */
};

struct smtpcommand_mail {
    struct mailaddress address;
    bool has_size;
    uint64_t size; /* UINT64_MAX for any number beyond */
    enum envelope_body body;
    bool utf8;
    enum dsn_return ret;
    struct slice envid; /* in xtext; empty: none was given */
};

struct smtpcommand_rcpt {
    struct mailaddress address;
    unsigned notify;    /* bits of dsn.h */
    struct slice orcpt; /* "rfc822;x@y" in xtext; empty: none was given */
};

struct smtpcommand_bdat {
    uint64_t size;
    bool is_last;
};

/* "FROM:<a@b> SIZE=1 ..."; each parameter at most once. */
enum smtpcommand_problem smtpcommand_parse_mail(struct slice argument,
                                                struct smtpcommand_mail *mail);
/* "TO:<a@b> NOTIFY=NEVER ..."; `utf8` as MAIL said. */
enum smtpcommand_problem smtpcommand_parse_rcpt(struct slice argument, bool utf8,
                                                struct smtpcommand_rcpt *rcpt);
/* "1000", "1000 LAST". False: nobody knows how many bytes follow. */
bool smtpcommand_parse_bdat(struct slice argument, struct smtpcommand_bdat *bdat);
/* "PLAIN", "PLAIN dGVzdA==": `initial` is empty when there was no initial response. */
bool smtpcommand_parse_auth(struct slice argument, struct slice *mechanism, bool *has_initial,
                            struct slice *initial);

#endif
