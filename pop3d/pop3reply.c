/* pop3reply - see pop3reply.h */
#include "pop3reply.h"

static const char *const texts[POP3REPLY_COUNT] = {
    [POP3REPLY_GREETING] = "+OK POP3 server ready$",
    [POP3REPLY_OK] = "+OK",
    [POP3REPLY_BYE] = "+OK bye",
    [POP3REPLY_CAPA] = "+OK capabilities follow",
    [POP3REPLY_READY_FOR_TLS] = "+OK begin TLS",
    [POP3REPLY_USER] = "+OK now the password",
    [POP3REPLY_CHALLENGE] = "+ $",
    [POP3REPLY_MECHANISMS] = "+OK mechanisms follow",
    [POP3REPLY_WELCOME] = "+OK logged in",

    [POP3REPLY_UNKNOWN_COMMAND] = "-ERR unknown command, or not now",
    [POP3REPLY_SYNTAX] = "-ERR syntax: $",
    [POP3REPLY_LINE_TOO_LONG] = "-ERR line too long",
    [POP3REPLY_LINE_BAD] = "-ERR a NUL or CR stands in that line",
    [POP3REPLY_ERRORS_TOO_MANY] = "-ERR too many errors, bye",

    [POP3REPLY_TLS_ALREADY] = "-ERR TLS is on already",
    [POP3REPLY_TLS_FIRST] = "-ERR no log-in without TLS: say STLS first, or use port 995",
    [POP3REPLY_USER_FIRST] = "-ERR USER first",
    [POP3REPLY_NO_APOP] = "-ERR no APOP here",
    [POP3REPLY_TOO_LONG_NAME] = "-ERR [AUTH] that name or password is too long",
    [POP3REPLY_LOGIN_FAILED] = "-ERR [AUTH] $",
    [POP3REPLY_LOGIN_TLS] = "-ERR $",
    [POP3REPLY_LOGIN_OFF] = "-ERR [SYS/PERM] $",
    [POP3REPLY_LOGIN_LATER] = "-ERR [SYS/TEMP] $",
    [POP3REPLY_SASL_CANCELLED] = "-ERR authentication cancelled",
    [POP3REPLY_SASL_BAD] = "-ERR can't understand that response",
    [POP3REPLY_SASL_UNKNOWN] = "-ERR no such mechanism: PLAIN or LOGIN",

    [POP3REPLY_IN_USE] = "-ERR [IN-USE] another POP3 session has this mailbox",
    [POP3REPLY_MAILBOX_TROUBLE] = "-ERR [SYS/TEMP] the mailbox can't be read at the moment",
    [POP3REPLY_NO_SUCH_MESSAGE] = "-ERR no such message",
    [POP3REPLY_IS_DELETED] = "-ERR that message is marked as deleted",
    [POP3REPLY_IS_GONE] = "-ERR that message was removed by another session",
    [POP3REPLY_READ_TROUBLE] = "-ERR [SYS/TEMP] that message can't be read at the moment",
    [POP3REPLY_NOT_ALL_DELETED] = "-ERR [SYS/TEMP] some deleted messages could not be removed",
};

bool pop3reply_format(enum pop3reply name, struct slice detail, struct str *line)
{
    str_append_filled(line, slice_text(texts[name]), slice_part(detail, 0, POP3REPLY_DETAIL_MAX));
    return str_append(line, SLICE("\r\n"));
}

bool pop3reply_is_error(enum pop3reply name)
{
    return texts[name][0] == '-';
}

void pop3reply_send(struct stream *stream, enum pop3reply name, struct slice detail)
{
    struct str line;
    str_init(&line, POP3REPLY_LINE_MAX);
    if (pop3reply_format(name, detail, &line))
        stream_write(stream, str_slice(&line));
    str_free(&line);
}
