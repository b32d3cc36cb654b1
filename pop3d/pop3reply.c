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
    [POP3REPLY_LANGUAGES] = "+OK languages follow",
    [POP3REPLY_LANGUAGE] = "+OK en English it is",
    [POP3REPLY_UTF8] = "+OK UTF8 is on",

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

    [POP3REPLY_LANGUAGE_UNKNOWN] = "-ERR no such language",
    [POP3REPLY_NOT_UTF8] = "-ERR [UTF8] that name or password is not UTF-8",
    [POP3REPLY_NEEDS_UTF8] =
        "-ERR [UTF8] a message with international addresses: use UTF8, or IMAP",
    [POP3REPLY_TOO_SOON] = "-ERR [LOGIN-DELAY] less than $ seconds since the log-in before",
    [POP3REPLY_IN_USE] = "-ERR [IN-USE] another POP3 session has this mailbox",
    [POP3REPLY_MAILBOX_TROUBLE] = "-ERR [SYS/TEMP] the mailbox can't be read at the moment",
    [POP3REPLY_NO_SUCH_MESSAGE] = "-ERR no such message",
    [POP3REPLY_IS_DELETED] = "-ERR that message is marked as deleted",
    [POP3REPLY_IS_GONE] = "-ERR that message was removed by another session",
    [POP3REPLY_READ_TROUBLE] = "-ERR [SYS/TEMP] that message can't be read at the moment",
    [POP3REPLY_SESSION_OVER] = "-ERR $",
    [POP3REPLY_NOT_ALL_DELETED] = "-ERR [SYS/TEMP] some deleted messages could not be removed",
};

/* What is not said here is said in English. */
static const char *const japanese[POP3REPLY_COUNT] = {
    [POP3REPLY_BYE] = "+OK 接続を終了します",
    [POP3REPLY_CAPA] = "+OK 機能の一覧です",
    [POP3REPLY_READY_FOR_TLS] = "+OK TLS を開始してください",
    [POP3REPLY_USER] = "+OK パスワードを送信してください",
    [POP3REPLY_MECHANISMS] = "+OK 認証方式の一覧です",
    [POP3REPLY_WELCOME] = "+OK ログインしました",
    [POP3REPLY_LANGUAGES] = "+OK 言語の一覧です",
    [POP3REPLY_LANGUAGE] = "+OK ja 日本語に切り替えました",
    [POP3REPLY_UTF8] = "+OK UTF-8 を有効にしました",
    [POP3REPLY_UNKNOWN_COMMAND] = "-ERR 不明なコマンドか、現在は使用できないコマンドです",
    [POP3REPLY_SYNTAX] = "-ERR 書式: $",
    [POP3REPLY_LINE_TOO_LONG] = "-ERR 行が長すぎます",
    [POP3REPLY_LINE_BAD] = "-ERR 行に NUL か CR が含まれています",
    [POP3REPLY_ERRORS_TOO_MANY] = "-ERR エラーが多すぎるため切断します",
    [POP3REPLY_TLS_ALREADY] = "-ERR TLS はすでに有効です",
    [POP3REPLY_TLS_FIRST] =
        "-ERR TLS なしではログインできません。STLS を使用するか、ポート 995 に接続してください",
    [POP3REPLY_USER_FIRST] = "-ERR 先に USER を送ってください",
    [POP3REPLY_NO_APOP] = "-ERR APOP は使用できません",
    [POP3REPLY_TOO_LONG_NAME] = "-ERR [AUTH] ユーザー名またはパスワードが長すぎます",
    [POP3REPLY_LOGIN_FAILED] = "-ERR [AUTH] ログインできません: $",
    [POP3REPLY_LOGIN_TLS] = "-ERR ログインできません: $",
    [POP3REPLY_LOGIN_OFF] = "-ERR [SYS/PERM] ログインできません: $",
    [POP3REPLY_LOGIN_LATER] = "-ERR [SYS/TEMP] しばらくしてからもう一度お試しください: $",
    [POP3REPLY_SASL_CANCELLED] = "-ERR 認証を中止しました",
    [POP3REPLY_SASL_BAD] = "-ERR 応答が正しくありません",
    [POP3REPLY_SASL_UNKNOWN] =
        "-ERR その認証方式には対応していません。PLAIN または LOGIN を使用してください",
    [POP3REPLY_LANGUAGE_UNKNOWN] = "-ERR その言語には対応していません",
    [POP3REPLY_NOT_UTF8] = "-ERR [UTF8] ユーザー名またはパスワードが UTF-8 ではありません",
    [POP3REPLY_NEEDS_UTF8] =
        "-ERR [UTF8] 国際化されたアドレスのメールです。UTF8 コマンドか IMAP が必要です",
    [POP3REPLY_TOO_SOON] = "-ERR [LOGIN-DELAY] 前回のログインから $ 秒経過していません",
    [POP3REPLY_IN_USE] = "-ERR [IN-USE] ほかの POP3 接続がこのメールボックスを使用中です",
    [POP3REPLY_MAILBOX_TROUBLE] = "-ERR [SYS/TEMP] 現在メールボックスを読み込めません",
    [POP3REPLY_NO_SUCH_MESSAGE] = "-ERR そのメールはありません",
    [POP3REPLY_IS_DELETED] = "-ERR そのメールには削除の印が付いています",
    [POP3REPLY_IS_GONE] = "-ERR そのメールはほかの接続で削除されました",
    [POP3REPLY_READ_TROUBLE] = "-ERR [SYS/TEMP] 現在そのメールを読み込めません",
    [POP3REPLY_NOT_ALL_DELETED] = "-ERR [SYS/TEMP] 削除できなかったメールがあります",
};

static const struct language {
    const char *tag, *name;
    const char *const *texts;
} languages[POP3LANGUAGE_COUNT] = {
    [POP3LANGUAGE_ENGLISH] = {"en", "English", texts},
    [POP3LANGUAGE_JAPANESE] = {"ja", "日本語", japanese},
};

/* RFC 4647 3.4: the range's first subtag is what there is. */
bool pop3language_named(struct slice tag, enum pop3language *language)
{
    struct slice rest = tag, first = slice_cut(&rest, '-');
    if (slice_equal(tag, SLICE("*")))
        first = slice_text(languages[POP3LANGUAGE_ENGLISH].tag);
    for (size_t i = 0; i < POP3LANGUAGE_COUNT; i++) {
        if (!slice_equal_nocase(first, slice_text(languages[i].tag)))
            continue;
        *language = (enum pop3language)i;
        return true;
    }
    return false;
}

void pop3language_list(struct stream *stream, enum pop3language language)
{
    pop3reply_send(stream, language, POP3REPLY_LANGUAGES, SLICE(""));
    for (size_t i = 0; i < POP3LANGUAGE_COUNT; i++)
        stream_format(stream, "%s %s\r\n", languages[i].tag, languages[i].name);
    stream_write(stream, SLICE(".\r\n"));
}

static const char *text_of(enum pop3language language, enum pop3reply name)
{
    const char *text = languages[language].texts[name];
    return text ? text : texts[name];
}

bool pop3reply_format(enum pop3language language, enum pop3reply name, struct slice detail,
                      struct str *line)
{
    str_append_filled(line, slice_text(text_of(language, name)),
                      slice_part(detail, 0, POP3REPLY_DETAIL_MAX));
    return str_append(line, SLICE("\r\n"));
}

bool pop3reply_is_error(enum pop3reply name)
{
    return texts[name][0] == '-';
}

void pop3reply_send(struct stream *stream, enum pop3language language, enum pop3reply name,
                    struct slice detail)
{
    struct str line;
    str_init(&line, POP3REPLY_LINE_MAX);
    if (pop3reply_format(language, name, detail, &line))
        stream_write(stream, str_slice(&line));
    str_free(&line);
}
