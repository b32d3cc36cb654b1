/* login - see login.h */
#include "login.h"

#include "allowance.h"
#include "clock.h"
#include "ehlo.h"
#include "log.h"
#include "sasl.h"

static enum reply reply_of_code(enum auth_code code)
{
    static const enum reply replies[] = {
        [AUTH_OK] = REPLY_AUTH_DONE,           [AUTH_FAILED] = REPLY_AUTH_FAILED,
        [AUTH_LOCKED] = REPLY_AUTH_LATER,      [AUTH_TLS_REQUIRED] = REPLY_AUTH_TLS_REQUIRED,
        [AUTH_DISABLED] = REPLY_AUTH_DISABLED, [AUTH_LIMIT] = REPLY_AUTH_LATER,
        [AUTH_EXPIRED] = REPLY_AUTH_EXPIRED,   [AUTH_TROUBLE] = REPLY_AUTH_LATER,
    };
    return replies[code];
}

static enum reply reply_of_sasl(enum sasl_result result)
{
    static const enum reply replies[] = {
        [SASL_CONTINUE] = REPLY_AUTH_CHALLENGE,        [SASL_DONE] = REPLY_AUTH_DONE,
        [SASL_CANCELLED] = REPLY_AUTH_CANCELLED,       [SASL_BAD] = REPLY_AUTH_BAD,
        [SASL_TOO_LONG] = REPLY_AUTH_TOO_LONG,         [SASL_DENIED] = REPLY_AUTH_FAILED,
        [SASL_UNKNOWN] = REPLY_AUTH_UNKNOWN_MECHANISM,
    };
    return replies[result];
}

static void log_login(struct session *session, const struct sasl *sasl,
                      const struct auth_answer *answer)
{
    struct log_line line;
    log_begin(&line, "auth");
    log_text(&line, "session", session->id);
    log_text(&line, "result", auth_code_name(answer->code));
    log_value(&line, "user", sasl->user);
    log_text(&line, "client", session->peer->client);
    log_text(&line, "tls", tls_name(&session->tls));
    log_end(&line);
}

bool login_take(struct session *session, const char *account)
{
    if (directory_address(&session->directory, slice_text(account), &session->login) !=
            DIRECTORY_FOUND ||
        !slice_copy_text(slice_text(account), session->account, sizeof session->account))
        return false;
    return allowance_set_size(session);
}

static void finish(struct session *session, const struct auth_answer *answer)
{
    if (answer->code == AUTH_OK) {
        if (login_take(session, answer->account)) {
            session_reply(session, REPLY_AUTH_DONE);
            return;
        }
        session->account[0] = '\0';
        session_reply(session, REPLY_TROUBLE);
        return;
    }
    auth_wait(answer, CLOCK_NEVER);
    session_reply_detail(session, reply_of_code(answer->code), slice_text(answer->text));
    if (++session->counts.login_failures >= SESSION_LOGIN_FAILURES_MAX)
        session_reply(session, REPLY_ERRORS_TOO_MANY);
}

static void ask(struct session *session, const struct sasl *sasl)
{
    struct auth_answer answer;
    struct auth_request request = {
        .service = "smtp",
        .mechanism = "plain",
        .client = session->peer->client,
        .listening = session->peer->server,
        .tls = tls_is_on(&session->tls),
        .user = sasl->user,
        .secret = sasl->secret,
        .challenge = SLICE(""),
        .tag = SLICE(""),
        .client_fd = -1,
        .input_fd = -1,
    };
    session->login_moment = board_moment(&session->board);
    auth_ask(&request, &answer);
    log_login(session, sasl, &answer);
    finish(session, &answer);
}

/* The challenges and responses behind the command. False: the session is over. */
static bool exchange(struct session *session, struct sasl *sasl, enum sasl_result *result)
{
    while (*result == SASL_CONTINUE) {
        struct slice line;
        session_reply_detail(session, REPLY_AUTH_CHALLENGE, slice_text(sasl->challenge));
        if (!session_line(session, SASL_LINE_MAX, REPLY_AUTH_TOO_LONG, &line))
            return false;
        *result = slice_ends(line, SLICE("\r\n"))
                      ? sasl_step(sasl, slice_part(line, 0, line.size - 2))
                      : SASL_BAD;
    }
    return true;
}

void login_auth(struct session *session, struct slice argument)
{
    struct slice mechanism, initial;
    struct sasl sasl;
    bool has_initial;
    if (session->account[0] != '\0') {
        session_reply(session, REPLY_AUTH_ALREADY);
        return;
    }
    if (!ehlo_offers_auth(session)) {
        session_reply(session, session_is_submission(session) ? REPLY_AUTH_TLS_REQUIRED
                                                              : REPLY_AUTH_NOT_HERE);
        return;
    }
    if (!smtpcommand_parse_auth(argument, &mechanism, &has_initial, &initial)) {
        session_reply_detail(session, REPLY_SYNTAX, SLICE("AUTH mechanism [initial response]"));
        return;
    }
    sasl_init(&sasl);
    enum sasl_result result = sasl_begin(&sasl, mechanism, has_initial ? &initial : NULL);
    if (exchange(session, &sasl, &result)) {
        if (result == SASL_DONE)
            ask(session, &sasl);
        else
            session_reply(session, reply_of_sasl(result));
    }
    sasl_free(&sasl);
}
