/* imaplogin - see imaplogin.h */
#include "imaplogin.h"

#include "capability.h"
#include "clock.h"
#include "handover.h"
#include "identity.h"
#include "io.h"
#include "log.h"
#include "sasl.h"

#include <string.h>

/* ---- answers: the one table --------------------------------------------------------------------
 */

enum answer {
    ANSWER_DONE,
    ANSWER_TLS_READY,
    ANSWER_SYNTAX,
    ANSWER_UNKNOWN,
    ANSWER_NO_TAG,
    ANSWER_TLS_ALREADY,
    ANSWER_TLS_FIRST,
    ANSWER_SASL_BAD,
    ANSWER_SASL_CANCELLED,
    ANSWER_SASL_TOO_LONG,
    ANSWER_SASL_DENIED,
    ANSWER_SASL_UNKNOWN,
    ANSWER_TOO_LONG,
    ANSWER_FAILED,
    ANSWER_LOCKED,
    ANSWER_EXPIRED,
    ANSWER_TLS_REQUIRED,
    ANSWER_DISABLED,
    ANSWER_LIMIT,
    ANSWER_TROUBLE,
    ANSWER_SILENT, /* it was said already, or is no longer ours to say */
    ANSWER_COUNT,
};

static const struct answer_text {
    const char *status, *text;
} answers[ANSWER_COUNT] = {
    [ANSWER_DONE] = {"OK", "Completed"},
    [ANSWER_TLS_READY] = {"OK", "Begin TLS negotiation now"},
    [ANSWER_SYNTAX] = {"BAD", "Arguments not understood"},
    [ANSWER_UNKNOWN] = {"BAD", "Unknown command, or one that needs a login"},
    [ANSWER_NO_TAG] = {"BAD", "Command without a tag"},
    [ANSWER_TLS_ALREADY] = {"BAD", "TLS is active already"},
    [ANSWER_TLS_FIRST] = {"NO", "[PRIVACYREQUIRED] Use STARTTLS first"},
    [ANSWER_SASL_BAD] = {"BAD", "Not a response of this mechanism"},
    [ANSWER_SASL_CANCELLED] = {"BAD", "Authentication cancelled"},
    [ANSWER_SASL_TOO_LONG] = {"BAD", "Response too long"},
    [ANSWER_SASL_DENIED] = {"NO", "[AUTHORIZATIONFAILED] No login for somebody else"},
    [ANSWER_SASL_UNKNOWN] = {"NO", "[CANNOT] No such mechanism; there are PLAIN and LOGIN"},
    [ANSWER_TOO_LONG] = {"NO", "[AUTHENTICATIONFAILED] Name or password too long"},
    /* those of authd come with its text */
    [ANSWER_FAILED] = {"NO", "[AUTHENTICATIONFAILED]"},
    [ANSWER_LOCKED] = {"NO", "[UNAVAILABLE]"},
    [ANSWER_EXPIRED] = {"NO", "[EXPIRED]"},
    [ANSWER_TLS_REQUIRED] = {"NO", "[PRIVACYREQUIRED]"},
    [ANSWER_DISABLED] = {"NO", "[CONTACTADMIN]"},
    [ANSWER_LIMIT] = {"NO", "[LIMIT]"},
    [ANSWER_TROUBLE] = {"NO", "[UNAVAILABLE]"},
    [ANSWER_SILENT] = {"", ""},
};

static const enum answer answers_of_authd[] = {
    [AUTH_OK] = ANSWER_SILENT,         [AUTH_FAILED] = ANSWER_FAILED,
    [AUTH_LOCKED] = ANSWER_LOCKED,     [AUTH_TLS_REQUIRED] = ANSWER_TLS_REQUIRED,
    [AUTH_DISABLED] = ANSWER_DISABLED, [AUTH_LIMIT] = ANSWER_LIMIT,
    [AUTH_EXPIRED] = ANSWER_EXPIRED,   [AUTH_TROUBLE] = ANSWER_TROUBLE,
};

/* `detail` may be empty. */
static void write_answer(struct imaplogin *login, enum answer answer, const char *detail)
{
    if (answer == ANSWER_SILENT)
        return;
    struct stream *stream = &login->stream;
    stream_write(stream, login->tag);
    stream_format(stream, " %s %s%s%s\r\n", answers[answer].status, answers[answer].text,
                  detail[0] ? " " : "", detail);
}

static void say_bye(struct imaplogin *login, const char *text, const char *why)
{
    stream_format(&login->stream, "* BYE %s\r\n", text);
    login->end = why;
}

/* ---- state -------------------------------------------------------------------------------------
 */

static const struct reader_limits limits = {
    .line = IMAPLOGIN_LINE_MAX,
    .literal = IMAPLOGIN_LITERAL_MAX,
    .command = IMAPLOGIN_COMMAND_MAX,
};

bool imaplogin_init(struct imaplogin *login, const struct imaplogin_peer *peer, int in, int out)
{
    *login = (struct imaplogin){.peer = peer};
    bool begun = stream_init(&login->stream, in, out, reader_input_max(&limits), IMAPLOGIN_IDLE_MS);
    login->stream.deadline = clock_deadline(IMAPLOGIN_SESSION_MS);
    reader_init(&login->reader, &login->stream, &limits, NULL, NULL);
    arena_init(&login->arena, IMAPLOGIN_ARENA_MAX);
    return begun;
}

/* Passwords do not stay in memory that is given back. */
static void wipe(struct str *str)
{
    if (str->data)
        explicit_bzero(str->data, str->capacity);
}

void imaplogin_free(struct imaplogin *login)
{
    wipe(&login->reader.text);
    wipe(&login->stream.input);
    reader_free(&login->reader);
    stream_free(&login->stream);
    arena_free(&login->arena);
}

/* authd decides for the account; this decides what is offered, and keeps clients from sending a
 * password that will be refused (RFC 3501 6.2.3, LOGINDISABLED). */
static bool takes_passwords(const struct imaplogin *login)
{
    return tls_is_on(&login->tls) || login->peer->plaintext_auth;
}

static void write_capabilities(struct imaplogin *login)
{
    struct stream *stream = &login->stream;
    char bytes[IMAPLOGIN_CAPABILITIES_MAX];
    struct str names = str_on(bytes, sizeof bytes);
    capability_append(&names, CAPABILITY_BEFORE_LOGIN, 0, 0);
    stream_write_text(stream, "CAPABILITY ");
    stream_write(stream, str_slice(&names));
    if (!tls_is_on(&login->tls))
        stream_write_text(stream, " STARTTLS");
    stream_write_text(stream, takes_passwords(login) ? " AUTH=PLAIN AUTH=LOGIN" : " LOGINDISABLED");
}

/* ---- the log -----------------------------------------------------------------------------------
 */

static void log_login(const struct imaplogin *login, struct slice user, const char *mechanism,
                      const struct auth_answer *answer)
{
    struct log_line line;
    log_begin(&line, "login");
    handover_describe(&line, user, mechanism, login->peer->client, &login->tls, answer);
    identity_describe(&line, &login->identity);
    log_end(&line);
}

static void log_end_of_session(const struct imaplogin *login)
{
    struct log_line line;
    log_begin(&line, "closed");
    log_text(&line, "service", login->peer->service);
    log_text(&line, "client", login->peer->client);
    log_text(&line, "tls", tls_name(&login->tls));
    log_number(&line, "commands", login->commands);
    log_number(&line, "failures", login->failures);
    log_text(&line, "end", login->end);
    log_end(&line);
}

static void lost(struct imaplogin *login, enum stream_result result)
{
    if (result == STREAM_TIMEOUT)
        say_bye(login, "Too slow", "timeout");
    else
        login->end = stream_end_name(result);
}

/* ---- passwords ---------------------------------------------------------------------------------
 */

static enum answer take_answer(struct imaplogin *login, const struct auth_answer *answer)
{
    if (answer->code == AUTH_OK) {
        login->end = "login";
        return ANSWER_SILENT;
    }
    auth_wait(answer, login->stream.deadline);
    write_answer(login, answers_of_authd[answer->code], answer->text);
    if (++login->failures >= IMAPLOGIN_FAILURES_MAX)
        say_bye(login, "Too many failed logins", "failures");
    return ANSWER_SILENT;
}

/* With AUTH_OK the client belongs to imapd, which gives the tagged answer. So all answers of ours
 * must be out before. */
static enum answer ask(struct imaplogin *login, const char *mechanism, struct slice user,
                       struct slice secret)
{
    struct auth_answer answer = {.code = AUTH_TROUBLE, .text = "Try again later"};
    if (user.size > AUTH_USER_MAX || secret.size > AUTH_SECRET_MAX)
        return ANSWER_TOO_LONG;
    enum stream_result flushed = stream_flush(&login->stream);
    if (flushed != STREAM_OK) {
        lost(login, flushed);
        return ANSWER_SILENT;
    }
    struct auth_request request = {
        .service = "imap",
        .mechanism = "plain",
        .client = login->peer->client,
        .listening = login->peer->server,
        .tls = tls_is_on(&login->tls),
        .user = user,
        .secret = secret,
        .challenge = SLICE(""),
        .tag = login->tag,
        .client_fd = login->stream.in,
    };
    (void)handover_ask(&request, stream_pending(&login->stream), &answer);
    log_login(login, user, mechanism, &answer);
    return take_answer(login, &answer);
}

static enum answer run_login(struct imaplogin *login, struct parse *arguments)
{
    struct slice user, secret;
    if (!takes_passwords(login))
        return ANSWER_TLS_FIRST;
    if (!parse_astring(arguments, &user) || !parse_space(arguments) ||
        !parse_astring(arguments, &secret) || !parse_at_end(arguments))
        return ANSWER_SYNTAX;
    return ask(login, "login", user, secret);
}

/* The responses behind AUTHENTICATE. False: the client is gone. */
static bool exchange(struct imaplogin *login, struct sasl *sasl, enum sasl_result *result)
{
    while (*result == SASL_CONTINUE) {
        struct slice line;
        stream_format(&login->stream, "+ %s\r\n", sasl->challenge);
        enum stream_result read = stream_line(&login->stream, SASL_LINE_MAX, &line);
        if (read == STREAM_TOO_LONG) {
            read = stream_skip_line(&login->stream);
            *result = SASL_TOO_LONG;
        } else if (read == STREAM_OK) {
            *result = sasl_step(sasl, slice_without_line_end(line));
        }
        if (read != STREAM_OK) {
            lost(login, read);
            return false;
        }
    }
    return true;
}

static enum answer answer_of_sasl(enum sasl_result result)
{
    static const enum answer of[] = {
        [SASL_CONTINUE] = ANSWER_SASL_BAD,        [SASL_DONE] = ANSWER_DONE,
        [SASL_CANCELLED] = ANSWER_SASL_CANCELLED, [SASL_BAD] = ANSWER_SASL_BAD,
        [SASL_TOO_LONG] = ANSWER_SASL_TOO_LONG,   [SASL_DENIED] = ANSWER_SASL_DENIED,
        [SASL_UNKNOWN] = ANSWER_SASL_UNKNOWN,
    };
    return of[result];
}

/* What the log calls it: one of a few words, whatever the client wrote. */
static const char *mechanism_name(const struct sasl *sasl)
{
    return sasl->mechanism == SASL_LOGIN ? "LOGIN" : "PLAIN";
}

static enum answer run_authenticate(struct imaplogin *login, struct parse *arguments)
{
    struct slice mechanism, initial = {0};
    struct sasl sasl;
    if (!takes_passwords(login))
        return ANSWER_TLS_FIRST;
    if (!parse_atom(arguments, &mechanism))
        return ANSWER_SYNTAX;
    /* RFC 4959: an initial response, perhaps "=". */
    if (parse_space(arguments))
        initial = slice_from(arguments->text, arguments->at);
    else if (!parse_at_end(arguments))
        return ANSWER_SYNTAX;
    sasl_init(&sasl);
    enum answer answer = ANSWER_SILENT;
    enum sasl_result result = sasl_begin(&sasl, mechanism, initial.data ? &initial : NULL);
    if (exchange(login, &sasl, &result))
        answer = result == SASL_DONE ? ask(login, mechanism_name(&sasl), sasl.user, sasl.secret)
                                     : answer_of_sasl(result);
    sasl_free(&sasl);
    return answer;
}

/* ---- TLS ---------------------------------------------------------------------------------------
 */

static void log_tls_failure(const struct imaplogin *login)
{
    struct log_line line;
    log_begin(&line, "tls-failed");
    log_text(&line, "client", login->peer->client);
    log_text(&line, "reason", login->tls.reason);
    log_end(&line);
}

static bool begin_tls(struct imaplogin *login)
{
    switch (tls_serve_stream(&login->stream, login->peer->client, &login->tls)) {
    case TLS_SERVED:
        return true;
    case TLS_REFUSED:
        log_tls_failure(login);
        login->end = "tls-failed";
        break;
    case TLS_DESCRIPTORS:
        login->end = "descriptors";
        break;
    }
    return false;
}

/* What came in plaintext behind STARTTLS is thrown away (CVE-2011-0411). */
static enum answer run_starttls(struct imaplogin *login, struct parse *arguments)
{
    (void)arguments;
    if (tls_is_on(&login->tls))
        return ANSWER_TLS_ALREADY;
    write_answer(login, ANSWER_TLS_READY, "");
    enum stream_result flushed = stream_flush(&login->stream);
    if (flushed != STREAM_OK) {
        lost(login, flushed);
        return ANSWER_SILENT;
    }
    stream_discard_pending(&login->stream);
    begin_tls(login);
    return ANSWER_SILENT;
}

/* ---- the other commands ------------------------------------------------------------------------
 */

static enum answer run_capability(struct imaplogin *login, struct parse *arguments)
{
    (void)arguments;
    stream_write_text(&login->stream, "* ");
    write_capabilities(login);
    stream_write_text(&login->stream, "\r\n");
    return ANSWER_DONE;
}

static enum answer run_noop(struct imaplogin *login, struct parse *arguments)
{
    (void)login;
    (void)arguments;
    return ANSWER_DONE;
}

static enum answer run_logout(struct imaplogin *login, struct parse *arguments)
{
    (void)arguments;
    say_bye(login, "Logging out", "logout");
    return ANSWER_DONE;
}

static enum answer run_id(struct imaplogin *login, struct parse *arguments)
{
    if (!identity_parse(arguments, &login->identity))
        return ANSWER_SYNTAX;
    stream_write_text(&login->stream, IDENTITY_ANSWER);
    return ANSWER_DONE;
}

/* ---- the dialogue ------------------------------------------------------------------------------
 */

typedef enum answer handler(struct imaplogin *login, struct parse *arguments);

static const struct verb {
    const char *name;
    handler *handler;
    bool has_arguments;
} verbs[] = {
    {"CAPABILITY", run_capability, false},
    {"LOGIN", run_login, true},
    {"AUTHENTICATE", run_authenticate, true},
    {"STARTTLS", run_starttls, false},
    {"LOGOUT", run_logout, false},
    {"NOOP", run_noop, false},
    {"ID", run_id, true},
};

static enum answer dispatch(struct imaplogin *login)
{
    struct parse parse;
    struct slice tag, name;
    parse_begin(&parse, str_slice(&login->reader.text), &login->arena);
    /* The reader's buffer is used again by AUTHENTICATE's responses. */
    if (!arena_copy(&login->arena, reader_tag(parse.text), &login->tag) ||
        !parse_tag(&parse, &tag) || slice_equal(login->tag, SLICE("*")))
        return ANSWER_NO_TAG;
    if (!parse_space(&parse) || !parse_atom(&parse, &name))
        return ANSWER_UNKNOWN;
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
        if (!slice_equal_nocase(name, slice_text(verbs[i].name)))
            continue;
        bool fits = verbs[i].has_arguments ? parse_space(&parse) : parse_at_end(&parse);
        return fits ? verbs[i].handler(login, &parse) : ANSWER_SYNTAX;
    }
    return ANSWER_UNKNOWN;
}

static void refuse(struct imaplogin *login)
{
    stream_write(&login->stream, reader_tag(str_slice(&login->reader.text)));
    stream_format(&login->stream, " BAD %s\r\n", login->reader.why);
}

static void serve_one(struct imaplogin *login)
{
    switch (reader_next(&login->reader)) {
    case READER_COMMAND:
        write_answer(login, dispatch(login), "");
        break;
    case READER_REFUSED:
        refuse(login);
        break;
    case READER_MESSAGE: /* none is taken here */
    case READER_CLOSING:
        say_bye(login, login->reader.why, "limit");
        break;
    case READER_GONE:
        lost(login, login->reader.stream_result);
        break;
    }
    arena_free(&login->arena);
    if (++login->commands >= IMAPLOGIN_COMMANDS_MAX && !login->end)
        say_bye(login, "Too many commands without a login", "commands");
}

static void greet(struct imaplogin *login)
{
    stream_write_text(&login->stream, "* OK [");
    write_capabilities(login);
    stream_write_text(&login->stream, "] mail-suite ready\r\n");
}

void imaplogin_run(struct imaplogin *login)
{
    if (!login->peer->implicit_tls || begin_tls(login)) {
        greet(login);
        while (!login->end)
            serve_one(login);
    }
    /* After a login the connection is imapd's: nothing may be written any more. */
    if (strcmp(login->end, "login") == 0)
        return;
    (void)stream_flush(&login->stream);
    log_end_of_session(login);
}
