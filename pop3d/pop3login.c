/* pop3login - see pop3login.h */
#include "pop3login.h"

#include "charset.h"
#include "clock.h"
#include "handover.h"
#include "io.h"
#include "log.h"
#include "pop3command.h"
#include "pop3reply.h"
#include "sasl.h"
#include "terms.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool pop3login_init(struct pop3login *login, const struct pop3login_peer *peer,
                    const struct pop3login_host *host, int in, int out)
{
    *login = (struct pop3login){.peer = peer, .host = host};
    if (!stream_init(&login->stream, in, out, POP3LOGIN_INPUT_MAX, POP3LOGIN_IDLE_MS))
        return false;
    login->stream.deadline = clock_deadline(POP3LOGIN_SESSION_MS);
    return true;
}

void pop3login_free(struct pop3login *login)
{
    explicit_bzero(login->user, sizeof login->user);
    stream_free(&login->stream);
}

static void end(struct pop3login *login, const char *why)
{
    if (!login->end)
        login->end = why;
}

static void reply_detail(struct pop3login *login, enum pop3reply name, struct slice detail)
{
    pop3reply_send(&login->stream, login->language, name, detail);
    if (!pop3reply_is_error(name))
        return;
    if (++login->errors == POP3LOGIN_ERRORS_MAX) {
        pop3reply_send(&login->stream, login->language, POP3REPLY_ERRORS_TOO_MANY, SLICE(""));
        end(login, "errors");
    }
}

static void reply(struct pop3login *login, enum pop3reply name)
{
    reply_detail(login, name, SLICE(""));
}

/* May passwords be sent as they are? authd decides for the account; this decides what is offered,
 * and keeps clients from sending a password that will be refused. */
static bool takes_passwords(const struct pop3login *login)
{
    return tls_is_on(&login->tls) || login->host->plaintext_auth;
}

/* ---- the log -----------------------------------------------------------------------------------
 */

static void log_login(struct pop3login *login, struct slice user, const char *mechanism,
                      const struct auth_answer *answer)
{
    struct log_line line;
    log_begin(&line, "login");
    handover_describe(&line, user, mechanism, login->peer->client, &login->tls, answer);
    log_end(&line);
}

static void log_tls_failure(const struct pop3login *login)
{
    struct log_line line;
    log_begin(&line, "tls-failed");
    log_text(&line, "client", login->peer->client);
    log_text(&line, "reason", login->tls.reason);
    log_end(&line);
}

static void log_end_of_session(const struct pop3login *login)
{
    struct log_line line;
    log_begin(&line, "closed");
    log_text(&line, "service", login->peer->service);
    log_text(&line, "client", login->peer->client);
    log_text(&line, "tls", tls_name(&login->tls));
    log_number(&line, "failures", login->failures);
    log_text(&line, "end", login->end);
    log_end(&line);
}

/* ---- passwords ---------------------------------------------------------------------------------
 */

static enum pop3reply reply_of_code(enum auth_code code)
{
    static const enum pop3reply replies[] = {
        [AUTH_OK] = POP3REPLY_OK,
        [AUTH_FAILED] = POP3REPLY_LOGIN_FAILED,
        [AUTH_LOCKED] = POP3REPLY_LOGIN_LATER,
        [AUTH_TLS_REQUIRED] = POP3REPLY_LOGIN_TLS,
        [AUTH_DISABLED] = POP3REPLY_LOGIN_OFF,
        [AUTH_LIMIT] = POP3REPLY_LOGIN_LATER,
        [AUTH_EXPIRED] = POP3REPLY_LOGIN_FAILED,
        [AUTH_TROUBLE] = POP3REPLY_LOGIN_LATER,
    };
    return replies[code];
}

static void take_answer(struct pop3login *login, const struct auth_answer *answer)
{
    if (answer->code == AUTH_OK) {
        end(login, "login");
        return;
    }
    auth_wait(answer, login->stream.deadline);
    reply_detail(login, reply_of_code(answer->code), slice_text(answer->text));
    if (++login->failures == POP3LOGIN_FAILURES_MAX)
        end(login, "failures");
}

/* With AUTH_OK the client belongs to pop3d, which gives the answer. So all answers of ours must be
 * out before. */
static void ask(struct pop3login *login, const char *mechanism, struct slice user,
                struct slice secret)
{
    struct auth_answer answer = {.code = AUTH_TROUBLE, .text = "try again later"};
    enum stream_result flushed = stream_flush(&login->stream);
    if (flushed != STREAM_OK) {
        end(login, "disconnected");
        return;
    }
    /* RFC 6856 2.2: what is to be UTF-8 has to be. */
    if (login->utf8 && (!charset_is_utf8(user) || !charset_is_utf8(secret))) {
        reply(login, POP3REPLY_NOT_UTF8);
        return;
    }
    char bytes[TERMS_MAX];
    struct str chosen = str_on(bytes, sizeof bytes);
    terms_append_chosen(
        &chosen,
        &(struct terms){.utf8 = login->utf8, .japanese = login->language == POP3LANGUAGE_JAPANESE});
    struct auth_request request = {
        .service = "pop3",
        .mechanism = mechanism,
        .client = login->peer->client,
        .listening = login->peer->server,
        .tls = tls_is_on(&login->tls),
        .user = user,
        .secret = secret,
        .challenge = slice_text(login->banner),
        .tag = str_slice(&chosen),
        .client_fd = login->stream.in,
    };
    (void)handover_ask(&request, stream_pending(&login->stream), &answer);
    log_login(login, user, mechanism, &answer);
    take_answer(login, &answer);
}

/* ---- the commands ------------------------------------------------------------------------------
 */

static void say_user(struct pop3login *login, struct slice argument)
{
    struct slice name = slice_trim(argument);
    login->user[0] = '\0';
    if (!takes_passwords(login))
        reply(login, POP3REPLY_TLS_FIRST);
    else if (name.size == 0)
        reply_detail(login, POP3REPLY_SYNTAX, SLICE("USER name"));
    else if (!slice_copy_text(name, login->user, sizeof login->user))
        reply(login, POP3REPLY_TOO_LONG_NAME);
    else
        reply(login, POP3REPLY_USER);
}

/* All behind the one space is the password, blanks too (RFC 1939 7). */
static void say_pass(struct pop3login *login, struct slice argument)
{
    if (!takes_passwords(login)) {
        reply(login, POP3REPLY_TLS_FIRST);
    } else if (login->user[0] == '\0') {
        reply(login, POP3REPLY_USER_FIRST);
    } else {
        ask(login, "plain", slice_text(login->user), argument);
        login->user[0] = '\0';
    }
}

static void say_apop(struct pop3login *login, struct slice argument)
{
    struct slice user, digest;
    if (login->banner[0] == '\0')
        reply(login, POP3REPLY_NO_APOP);
    else if (!pop3command_two(argument, &user, &digest))
        reply_detail(login, POP3REPLY_SYNTAX, SLICE("APOP name digest"));
    else if (user.size > AUTH_USER_MAX || digest.size > AUTH_SECRET_MAX)
        reply(login, POP3REPLY_TOO_LONG_NAME);
    else
        ask(login, "apop", user, digest);
}

static enum pop3reply reply_of_sasl(enum sasl_result result)
{
    static const enum pop3reply replies[] = {
        [SASL_CONTINUE] = POP3REPLY_CHALLENGE,       [SASL_DONE] = POP3REPLY_OK,
        [SASL_CANCELLED] = POP3REPLY_SASL_CANCELLED, [SASL_BAD] = POP3REPLY_SASL_BAD,
        [SASL_TOO_LONG] = POP3REPLY_TOO_LONG_NAME,   [SASL_DENIED] = POP3REPLY_LOGIN_FAILED,
        [SASL_UNKNOWN] = POP3REPLY_SASL_UNKNOWN,
    };
    return replies[result];
}

static bool end_by_stream(struct pop3login *login, enum stream_result result)
{
    if (result != STREAM_OK)
        end(login, stream_end_name(result));
    return result == STREAM_OK;
}

/* The responses behind AUTH. False: the session is over. */
static bool exchange(struct pop3login *login, struct sasl *sasl, enum sasl_result *result)
{
    while (*result == SASL_CONTINUE) {
        struct slice line;
        reply_detail(login, POP3REPLY_CHALLENGE, slice_text(sasl->challenge));
        enum stream_result read = stream_line(&login->stream, SASL_LINE_MAX, &line);
        if (read == STREAM_TOO_LONG) {
            read = stream_skip_line(&login->stream);
            *result = SASL_TOO_LONG;
        } else if (read == STREAM_OK) {
            *result = sasl_step(sasl, slice_without_line_end(line));
        }
        if (!end_by_stream(login, read))
            return false;
    }
    return true;
}

static void list_mechanisms(struct pop3login *login)
{
    reply(login, POP3REPLY_MECHANISMS);
    stream_write(&login->stream,
                 takes_passwords(login) ? SLICE("PLAIN\r\nLOGIN\r\n.\r\n") : SLICE(".\r\n"));
}

static void say_auth(struct pop3login *login, struct slice argument)
{
    struct slice rest = argument, mechanism = slice_cut_word(&rest), initial = slice_trim(rest);
    struct sasl sasl;
    if (mechanism.size == 0) { /* asked by old Outlooks */
        list_mechanisms(login);
        return;
    }
    if (!takes_passwords(login)) {
        reply(login, POP3REPLY_TLS_FIRST);
        return;
    }
    sasl_init(&sasl);
    enum sasl_result result = sasl_begin(&sasl, mechanism, initial.size > 0 ? &initial : NULL);
    if (exchange(login, &sasl, &result)) {
        if (result == SASL_DONE)
            ask(login, "plain", sasl.user, sasl.secret);
        else
            reply_detail(login, reply_of_sasl(result), SLICE("no log-in for somebody else"));
    }
    sasl_free(&sasl);
}

static void say_capa(struct pop3login *login, struct slice argument)
{
    struct stream *stream = &login->stream;
    (void)argument;
    reply(login, POP3REPLY_CAPA);
    stream_write(stream, SLICE("TOP\r\nUIDL\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\nPIPELINING\r\n"
                               "UTF8 USER\r\nLANG\r\n"));
    if (!tls_is_on(&login->tls))
        stream_write(stream, SLICE("STLS\r\n"));
    if (takes_passwords(login))
        stream_write(stream, SLICE("USER\r\nSASL PLAIN LOGIN\r\n"));
    stream_write(stream, SLICE("IMPLEMENTATION mail-suite\r\n.\r\n"));
}

/* RFC 6856 2: names, passwords, headers and texts may be UTF-8 from here on. */
static void say_utf8(struct pop3login *login, struct slice argument)
{
    if (slice_trim(argument).size > 0) {
        reply_detail(login, POP3REPLY_SYNTAX, SLICE("UTF8"));
        return;
    }
    login->utf8 = true;
    reply(login, POP3REPLY_UTF8);
}

static void say_lang(struct pop3login *login, struct slice argument)
{
    struct slice tag = slice_trim(argument);
    if (tag.size == 0)
        pop3language_list(&login->stream, login->language);
    else
        reply(login, pop3language_named(tag, &login->language) ? POP3REPLY_LANGUAGE
                                                               : POP3REPLY_LANGUAGE_UNKNOWN);
}

static void say_quit(struct pop3login *login, struct slice argument)
{
    (void)argument;
    reply(login, POP3REPLY_BYE);
    end(login, "quit");
}

static bool begin_tls(struct pop3login *login)
{
    switch (tls_serve_stream(&login->stream, login->peer->client, &login->tls)) {
    case TLS_SERVED:
        return true;
    case TLS_REFUSED:
        log_tls_failure(login);
        end(login, "tls-failed");
        break;
    case TLS_DESCRIPTORS:
        end(login, "descriptors");
        break;
    }
    return false;
}

/* What came in plaintext behind STLS is thrown away, as is what was said before (RFC 2595 4;
 * CVE-2011-0411). */
static void say_stls(struct pop3login *login, struct slice argument)
{
    (void)argument;
    if (tls_is_on(&login->tls)) {
        reply(login, POP3REPLY_TLS_ALREADY);
        return;
    }
    reply(login, POP3REPLY_READY_FOR_TLS);
    login->user[0] = '\0';
    login->utf8 = false;
    login->language = POP3LANGUAGE_ENGLISH;
    if (end_by_stream(login, stream_flush(&login->stream))) {
        stream_discard_pending(&login->stream);
        begin_tls(login);
    }
}

/* ---- the dialogue ------------------------------------------------------------------------------
 */

typedef void handler(struct pop3login *login, struct slice argument);

/* RFC 1939 4: NOOP, like all that works on mail, belongs to the state after this one. */
static handler *const handlers[POP3COMMAND_COUNT] = {
    [POP3COMMAND_APOP] = say_apop, [POP3COMMAND_AUTH] = say_auth, [POP3COMMAND_CAPA] = say_capa,
    [POP3COMMAND_LANG] = say_lang, [POP3COMMAND_PASS] = say_pass, [POP3COMMAND_QUIT] = say_quit,
    [POP3COMMAND_STLS] = say_stls, [POP3COMMAND_USER] = say_user, [POP3COMMAND_UTF8] = say_utf8,
};

static void dispatch(struct pop3login *login, struct slice line)
{
    struct pop3command command;
    switch (pop3command_parse(line, &command)) {
    case POP3COMMAND_LINE_TOO_LONG:
        reply(login, POP3REPLY_LINE_TOO_LONG);
        return;
    case POP3COMMAND_LINE_BAD:
        reply(login, POP3REPLY_LINE_BAD);
        return;
    case POP3COMMAND_LINE_OK:
        break;
    }
    if (handlers[command.verb])
        handlers[command.verb](login, command.argument);
    else
        reply(login, POP3REPLY_UNKNOWN_COMMAND);
}

static void serve(struct pop3login *login)
{
    while (!login->end) {
        struct slice line;
        enum stream_result result = stream_line(&login->stream, POP3COMMAND_AUTH_LINE_MAX, &line);
        if (result == STREAM_OK) {
            dispatch(login, line);
        } else if (result == STREAM_TOO_LONG) {
            reply(login, POP3REPLY_LINE_TOO_LONG);
            result = stream_skip_line(&login->stream);
        }
        (void)end_by_stream(login, result);
    }
}

static void greet(struct pop3login *login)
{
    char detail[POP3LOGIN_BANNER_MAX + 1];
    if (login->host->apop)
        snprintf(login->banner, sizeof login->banner, "<%ld.%lld@%s>", (long)getpid(),
                 (long long)clock_microseconds(), login->host->me);
    snprintf(detail, sizeof detail, "%s%s", login->banner[0] ? " " : "", login->banner);
    reply_detail(login, POP3REPLY_GREETING, slice_text(detail));
}

void pop3login_run(struct pop3login *login)
{
    if (!login->peer->implicit_tls || begin_tls(login)) {
        greet(login);
        serve(login);
    }
    /* After a login the connection is pop3d's: nothing may be written any more. */
    if (strcmp(login->end, "login") == 0)
        return;
    (void)stream_flush(&login->stream);
    log_end_of_session(login);
}
