/*
 * reply - the one-line answers of pop3-login and pop3d, by name
 *
 * Response codes: RFC 2449 8 (IN-USE), RFC 3206 (SYS/TEMP, SYS/PERM, AUTH). A '$' in a text is
 * where the detail goes.
 */
#ifndef POP3D_REPLY_H
#define POP3D_REPLY_H

#include "stream.h"

enum {
    REPLY_DETAIL_MAX = 400,
    REPLY_LINE_MAX = 512, /* RFC 2449 4 */
};

enum reply {
    REPLY_GREETING,
    REPLY_OK,
    REPLY_BYE,
    REPLY_CAPA,
    REPLY_READY_FOR_TLS,
    REPLY_USER,
    REPLY_CHALLENGE,
    REPLY_MECHANISMS,
    REPLY_WELCOME,

    REPLY_UNKNOWN_COMMAND,
    REPLY_SYNTAX,
    REPLY_LINE_TOO_LONG,
    REPLY_LINE_BAD,
    REPLY_ERRORS_TOO_MANY,

    REPLY_TLS_ALREADY,
    REPLY_TLS_FIRST,
    REPLY_USER_FIRST,
    REPLY_NO_APOP,
    REPLY_TOO_LONG_NAME,
    REPLY_LOGIN_FAILED,
    REPLY_LOGIN_TLS,
    REPLY_LOGIN_OFF,
    REPLY_LOGIN_LATER,
    REPLY_SASL_CANCELLED,
    REPLY_SASL_BAD,
    REPLY_SASL_UNKNOWN,

    REPLY_IN_USE,
    REPLY_MAILBOX_TROUBLE,
    REPLY_NO_SUCH_MESSAGE,
    REPLY_IS_DELETED,
    REPLY_IS_GONE,
    REPLY_READ_TROUBLE,
    REPLY_NOT_ALL_DELETED,
    REPLY_COUNT,
};

/* The whole line, with its CRLF. Bytes of the detail that are not printable become '?'. */
bool reply_format(enum reply name, struct slice detail, struct str *line);
bool reply_is_error(enum reply name);
void reply_send(struct stream *stream, enum reply name, struct slice detail);

#endif
