/*
 * pop3reply - the one-line answers of pop3-login and pop3d, by name
 *
 * Response codes: RFC 2449 8 (IN-USE, LOGIN-DELAY), RFC 6856 5 (UTF8), RFC 3206 (SYS/TEMP, SYS/PERM, AUTH). A '$' in a text is
 * where the detail goes.
 */
#ifndef POP3D_POP3REPLY_H
#define POP3D_POP3REPLY_H

#include "stream.h"

enum {
    POP3REPLY_DETAIL_MAX = 400,
    POP3REPLY_LINE_MAX = 512, /* RFC 2449 4 */
};

enum pop3reply {
    POP3REPLY_GREETING,
    POP3REPLY_OK,
    POP3REPLY_BYE,
    POP3REPLY_CAPA,
    POP3REPLY_READY_FOR_TLS,
    POP3REPLY_USER,
    POP3REPLY_CHALLENGE,
    POP3REPLY_MECHANISMS,
    POP3REPLY_WELCOME,
    POP3REPLY_LANGUAGES,
    POP3REPLY_LANGUAGE,
    POP3REPLY_UTF8,

    POP3REPLY_UNKNOWN_COMMAND,
    POP3REPLY_SYNTAX,
    POP3REPLY_LINE_TOO_LONG,
    POP3REPLY_LINE_BAD,
    POP3REPLY_ERRORS_TOO_MANY,

    POP3REPLY_TLS_ALREADY,
    POP3REPLY_TLS_FIRST,
    POP3REPLY_USER_FIRST,
    POP3REPLY_NO_APOP,
    POP3REPLY_TOO_LONG_NAME,
    POP3REPLY_LOGIN_FAILED,
    POP3REPLY_LOGIN_TLS,
    POP3REPLY_LOGIN_OFF,
    POP3REPLY_LOGIN_LATER,
    POP3REPLY_SASL_CANCELLED,
    POP3REPLY_SASL_BAD,
    POP3REPLY_SASL_UNKNOWN,

    POP3REPLY_LANGUAGE_UNKNOWN,
    POP3REPLY_NOT_UTF8,
    POP3REPLY_NEEDS_UTF8,
    POP3REPLY_TOO_SOON,
    POP3REPLY_IN_USE,
    POP3REPLY_MAILBOX_TROUBLE,
    POP3REPLY_NO_SUCH_MESSAGE,
    POP3REPLY_IS_DELETED,
    POP3REPLY_IS_GONE,
    POP3REPLY_READ_TROUBLE,
    POP3REPLY_NOT_ALL_DELETED,
    POP3REPLY_SESSION_OVER,
    POP3REPLY_COUNT,
};

/* RFC 6856 3: what LANG chooses. */
enum pop3language { POP3LANGUAGE_ENGLISH, POP3LANGUAGE_JAPANESE, POP3LANGUAGE_COUNT };

/* "en", "ja", in any case; also "*" (the default) and longer tags such as ja-JP. False: none. */
bool pop3language_named(struct slice tag, enum pop3language *language);
/* The answer to LANG without an argument, all of it. */
void pop3language_list(struct stream *stream, enum pop3language language);

/* The whole line, with its CRLF. Bytes of the detail that are not printable become '?'. */
bool pop3reply_format(enum pop3language language, enum pop3reply name, struct slice detail,
                      struct str *line);
bool pop3reply_is_error(enum pop3reply name);
void pop3reply_send(struct stream *stream, enum pop3language language, enum pop3reply name,
                    struct slice detail);

#endif
