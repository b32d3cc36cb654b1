/*
 * reply - all that smtpd ever answers, by name (RFC 5321 4.2, RFC 3463)
 *
 * Only the lines of EHLO stand elsewhere (ehlo.h). A '$' in a text is where the detail goes: a
 * queue id, a host's name, a reason given by another program.
 */
#ifndef SMTPD_REPLY_H
#define SMTPD_REPLY_H

#include "str.h"

enum {
    REPLY_DETAIL_MAX = 400, /* so that a reply line keeps to 512 bytes (RFC 5321 4.5.3.1.5) */
    REPLY_LINE_MAX = 512,
};

enum reply {
    REPLY_GREETING,
    REPLY_GREETING_LMTP,
    REPLY_GREETING_TROUBLE,
    REPLY_EARLY,
    REPLY_CONNECTIONS_TOO_MANY,
    REPLY_MAIL_TOO_MUCH,
    REPLY_BLOCKLISTED,
    REPLY_GREYLISTED,
    REPLY_GREYLISTED_MESSAGE,
    REPLY_BYE,
    REPLY_HELO,
    REPLY_OK,
    REPLY_HELP,
    REPLY_VRFY,
    REPLY_READY_FOR_TLS,
    REPLY_TLS_ALREADY,
    REPLY_AUTH_CHALLENGE,
    REPLY_AUTH_DONE,
    REPLY_AUTH_FAILED,
    REPLY_AUTH_EXPIRED,
    REPLY_AUTH_LATER,
    REPLY_AUTH_TLS_REQUIRED,
    REPLY_AUTH_DISABLED,
    REPLY_AUTH_CANCELLED,
    REPLY_AUTH_BAD,
    REPLY_AUTH_TOO_LONG,
    REPLY_AUTH_UNKNOWN_MECHANISM,
    REPLY_AUTH_ALREADY,
    REPLY_AUTH_NOT_HERE,
    REPLY_AUTH_OVER,
    REPLY_AUTH_REQUIRED,
    REPLY_SENDER_OK,
    REPLY_SENDER_BAD,
    REPLY_SENDER_NOT_YOURS,
    REPLY_SENDER_PAUSED,
    REPLY_RECIPIENT_OK,
    REPLY_RECIPIENT_BAD,
    REPLY_RECIPIENT_UNKNOWN,
    REPLY_RECIPIENT_FULL,
    REPLY_RECIPIENT_FULL_FOR_GOOD,
    REPLY_RECIPIENT_PAUSED,
    REPLY_RECIPIENT_APART,
    REPLY_LIMIT_EXCEEDED,
    REPLY_RECIPIENTS_TOO_MANY,
    REPLY_RECIPIENTS_NONE,
    REPLY_RECIPIENTS_NONE_LMTP,
    REPLY_RELAY_REFUSED,
    REPLY_UTF8_NOT_ASKED,
    REPLY_DATA_GO,
    REPLY_BINARY_NEEDS_BDAT,
    REPLY_DATA_WITHIN_CHUNKS,
    REPLY_CHUNK_OK,
    REPLY_CHUNK_BAD,
    REPLY_ACCEPTED,
    REPLY_QUEUE_TROUBLE,
    REPLY_QUEUE_FULL,
    REPLY_QUEUE_REFUSED,
    REPLY_TOO_BIG,
    REPLY_HEADER_TOO_BIG,
    REPLY_LINE_OF_DATA_TOO_LONG,
    REPLY_LOOP,
    REPLY_BARE_LINE_END,
    REPLY_BARE_IN_CHUNK,
    REPLY_TROUBLE,
    REPLY_UNKNOWN_COMMAND,
    REPLY_FORBIDDEN_COMMAND,
    REPLY_COMMAND_TOO_LONG,
    REPLY_COMMAND_LINE_END,
    REPLY_SYNTAX,
    REPLY_HELO_FIRST,
    REPLY_XCLIENT_NOT_YOURS,
    REPLY_XCLIENT_LOGIN_UNKNOWN,
    REPLY_MAIL_FIRST,
    REPLY_MAIL_ALREADY,
    REPLY_MAIL_PENDING,
    REPLY_PARAMETER_BAD,
    REPLY_PARAMETER_UNKNOWN,
    REPLY_ERRORS_TOO_MANY,
    REPLY_COMMANDS_TOO_MANY,
    REPLY_TIMEOUT,
    REPLY_COUNT,
};

struct reply_form {
    const char *code;
    const char *status; /* enhanced; "" where the text is prescribed or there is none */
    const char *text;
    bool closes; /* the connection ends behind it */
};

const struct reply_form *reply_form(enum reply name);
/* Does it count as the client's error? */
bool reply_is_error(enum reply name);
/* Appends the whole line. Bytes of `detail` that are not printable become '?'. */
bool reply_format(enum reply name, struct slice detail, struct str *line);

#endif
