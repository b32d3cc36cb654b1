/* reply - see reply.h */
#include "reply.h"

static const char *const texts[REPLY_COUNT] = {
    [REPLY_GREETING] = "+OK POP3 server ready$",
    [REPLY_OK] = "+OK",
    [REPLY_BYE] = "+OK bye",
    [REPLY_CAPA] = "+OK capabilities follow",
    [REPLY_READY_FOR_TLS] = "+OK begin TLS",
    [REPLY_USER] = "+OK now the password",
    [REPLY_CHALLENGE] = "+ $",
    [REPLY_MECHANISMS] = "+OK mechanisms follow",
    [REPLY_WELCOME] = "+OK logged in",

    [REPLY_UNKNOWN_COMMAND] = "-ERR unknown command, or not now",
    [REPLY_SYNTAX] = "-ERR syntax: $",
    [REPLY_LINE_TOO_LONG] = "-ERR line too long",
    [REPLY_LINE_BAD] = "-ERR a NUL or CR stands in that line",
    [REPLY_ERRORS_TOO_MANY] = "-ERR too many errors, bye",

    [REPLY_TLS_ALREADY] = "-ERR TLS is on already",
    [REPLY_TLS_FIRST] = "-ERR no log-in without TLS: say STLS first, or use port 995",
    [REPLY_USER_FIRST] = "-ERR USER first",
    [REPLY_NO_APOP] = "-ERR no APOP here",
    [REPLY_TOO_LONG_NAME] = "-ERR [AUTH] that name or password is too long",
    [REPLY_LOGIN_FAILED] = "-ERR [AUTH] $",
    [REPLY_LOGIN_TLS] = "-ERR $",
    [REPLY_LOGIN_OFF] = "-ERR [SYS/PERM] $",
    [REPLY_LOGIN_LATER] = "-ERR [SYS/TEMP] $",
    [REPLY_SASL_CANCELLED] = "-ERR authentication cancelled",
    [REPLY_SASL_BAD] = "-ERR can't understand that response",
    [REPLY_SASL_UNKNOWN] = "-ERR no such mechanism: PLAIN or LOGIN",

    [REPLY_IN_USE] = "-ERR [IN-USE] another POP3 session has this mailbox",
    [REPLY_MAILBOX_TROUBLE] = "-ERR [SYS/TEMP] the mailbox can't be read at the moment",
    [REPLY_NO_SUCH_MESSAGE] = "-ERR no such message",
    [REPLY_IS_DELETED] = "-ERR that message is marked as deleted",
    [REPLY_IS_GONE] = "-ERR that message was removed by another session",
    [REPLY_READ_TROUBLE] = "-ERR [SYS/TEMP] that message can't be read at the moment",
    [REPLY_NOT_ALL_DELETED] = "-ERR [SYS/TEMP] some deleted messages could not be removed",
};

static void append_detail(struct str *line, struct slice detail)
{
    detail = slice_part(detail, 0, REPLY_DETAIL_MAX);
    for (size_t i = 0; i < detail.size; i++) {
        char byte = detail.data[i];
        str_append_byte(line, byte >= ' ' && byte < 0x7f ? byte : '?');
    }
}

bool reply_format(enum reply name, struct slice detail, struct str *line)
{
    struct slice text = slice_text(texts[name]);
    size_t place = slice_find(text, '$');
    str_append(line, slice_part(text, 0, place));
    if (place < text.size)
        append_detail(line, detail);
    str_append(line, slice_from(text, place + 1));
    return str_append(line, SLICE("\r\n"));
}

bool reply_is_error(enum reply name)
{
    return texts[name][0] == '-';
}

void reply_send(struct stream *stream, enum reply name, struct slice detail)
{
    struct str line;
    str_init(&line, REPLY_LINE_MAX);
    if (reply_format(name, detail, &line))
        stream_write(stream, str_slice(&line));
    str_free(&line);
}
