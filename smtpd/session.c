/* session - see session.h */
#include "session.h"

#include "allowance.h"
#include "clock.h"
#include "data.h"
#include "ehlo.h"
#include "exits.h"
#include "io.h"
#include "log.h"
#include "login.h"
#include "state.h"
#include "transaction.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

bool session_is_submission(const struct session *session)
{
    return session->peer->service == SESSION_SUBMISSION ||
           session->peer->service == SESSION_SUBMISSIONS || session->account[0] != '\0';
}

void session_end(struct session *session, const char *why)
{
    if (!session->end)
        session->end = why;
}

static void write_reply(struct session *session, enum reply name, struct slice line)
{
    if (reply_is_error(name)) {
        session->counts.errors++;
        vetting_error(session);
    }
    stream_write(&session->stream, line);
    if (reply_form(name)->closes)
        session_end(session, reply_form(name)->text);
}

void session_reply_detail(struct session *session, enum reply name, struct slice detail)
{
    struct str line;
    str_init(&line, REPLY_LINE_MAX + DIRECTORY_DOMAIN_MAX);
    if (reply_format(name, detail, &line))
        write_reply(session, name, str_slice(&line));
    else
        session_end(session, "out of memory");
    str_free(&line);
}

void session_reply(struct session *session, enum reply name)
{
    session_reply_detail(session, name, slice_text(session->host.me));
}

void session_log_refused(struct session *session, enum reply name, const char *what,
                         struct slice value)
{
    struct log_line line;
    log_begin(&line, "refused");
    log_text(&line, "session", session->id);
    log_text(&line, "code", reply_form(name)->code);
    log_value(&line, what, value);
    log_text(&line, "reason", reply_form(name)->text);
    log_text(&line, "client", session->peer->client);
    if (session->account[0] != '\0')
        log_text(&line, "user", session->account);
    log_end(&line);
}

void session_refuse(struct session *session, enum reply name, const char *what, struct slice value)
{
    session_log_refused(session, name, what, value);
    session_reply(session, name);
}

void session_reset(struct session *session)
{
    incoming_abort(&session->incoming);
    envelope_clear(&session->envelope);
    session->declared_size = 0;
    session->accepted = 0;
    session->size_limit = session->size_base;
    str_clear(&session->receivers);
    if (session->state > SESSION_READY)
        session->state = SESSION_READY;
}

static void end_of_input(struct session *session, enum stream_result result)
{
    switch (result) {
    case STREAM_TIMEOUT:
        session_reply(session, REPLY_TIMEOUT);
        break;
    case STREAM_END:
        session_end(session, "disconnected");
        break;
    case STREAM_OK:
    case STREAM_TOO_LONG:
    case STREAM_ERROR:
        session_end(session, strerror(errno));
        break;
    }
}

void session_release(struct session *session)
{
    if (session->incoming.is_open)
        return;
    log_flush();
    io_close(&session->state_fd);
    vetting_release(&session->vetting);
}

/* The deadline is the whole line's, so that a byte now and then does not keep a process for ever. */
static enum stream_result read_line(struct session *session, size_t max, struct slice *line)
{
    struct stream *stream = &session->stream;
    int64_t deadline = clock_deadline((int64_t)session->host.timeout_ms);
    stream->timeout_ms = CLOCK_NEVER;
    stream->deadline = deadline;
    if (slice_has(stream_pending(stream), '\n'))
        return stream_line(stream, max, line);
    enum stream_result result = stream_flush(stream);
    if (result != STREAM_OK)
        return result;
    int64_t brisk = clock_deadline(SESSION_BRISK_MS);
    stream->deadline = brisk < deadline ? brisk : deadline;
    result = stream_line(stream, max, line);
    stream->deadline = deadline;
    if (result != STREAM_TIMEOUT)
        return result;
    session_release(session);
    return stream_line(stream, max, line);
}

bool session_line(struct session *session, size_t max, enum reply too_long, struct slice *line)
{
    enum stream_result result = read_line(session, max, line);
    if (result == STREAM_OK)
        return true;
    if (result == STREAM_TOO_LONG) {
        session_release(session);
        result = stream_skip_line(&session->stream);
        if (result == STREAM_OK) {
            session_reply(session, too_long);
            return false;
        }
    }
    end_of_input(session, result);
    return false;
}

/* ---- simple commands --------------------------------------------------------------------------*/

typedef void handler(struct session *session, struct slice argument);

static bool take_helo(struct session *session, struct slice argument, const char *syntax)
{
    if (argument.size == 0) {
        session_reply_detail(session, REPLY_SYNTAX, slice_text(syntax));
        return false;
    }
    if (!slice_copy_text(slice_part(argument, 0, TRACE_HELO_MAX), session->helo,
                         sizeof session->helo))
        session->helo[0] = '\0';
    session->state = SESSION_READY;
    session_reset(session);
    return true;
}

/* RFC 2033 4.1: LMTP is greeted by LHLO and by nothing else, SMTP never. */
static bool is_lmtp(const struct session *session)
{
    return session->peer->service == SESSION_LMTP;
}

enum reply session_greeting(const struct session *session)
{
    return is_lmtp(session) ? REPLY_GREETING_LMTP : REPLY_GREETING;
}

enum reply session_no_recipients(const struct session *session)
{
    return is_lmtp(session) ? REPLY_RECIPIENTS_NONE_LMTP : REPLY_RECIPIENTS_NONE;
}

static void say_helo(struct session *session, struct slice argument)
{
    if (is_lmtp(session)) {
        session_reply(session, REPLY_UNKNOWN_COMMAND);
        return;
    }
    if (!take_helo(session, argument, "HELO host"))
        return;
    session->is_extended = false;
    session_reply(session, REPLY_HELO);
}

static void take_extended_helo(struct session *session, struct slice argument, const char *syntax)
{
    if (!take_helo(session, argument, syntax))
        return;
    session->is_extended = true;
    struct str reply;
    str_init(&reply, REPLY_LINE_MAX * 2);
    if (ehlo_format(session, &reply))
        stream_write(&session->stream, str_slice(&reply));
    else
        session_end(session, "out of memory");
    str_free(&reply);
}

static void say_ehlo(struct session *session, struct slice argument)
{
    if (is_lmtp(session))
        session_reply(session, REPLY_UNKNOWN_COMMAND);
    else
        take_extended_helo(session, argument, "EHLO host");
}

static void say_lhlo(struct session *session, struct slice argument)
{
    if (is_lmtp(session))
        take_extended_helo(session, argument, "LHLO host");
    else
        session_reply(session, REPLY_UNKNOWN_COMMAND);
}

static void say_rset(struct session *session, struct slice argument)
{
    (void)argument;
    session_reset(session);
    session_reply(session, REPLY_OK);
}

static void say_noop(struct session *session, struct slice argument)
{
    (void)argument;
    session_reply(session, REPLY_OK);
}

static void say_vrfy(struct session *session, struct slice argument)
{
    if (argument.size == 0)
        session_reply_detail(session, REPLY_SYNTAX, SLICE("VRFY name"));
    else
        session_reply(session, REPLY_VRFY);
}

static void say_help(struct session *session, struct slice argument)
{
    (void)argument;
    session_reply(session, REPLY_HELP);
}

static void say_quit(struct session *session, struct slice argument)
{
    (void)argument;
    session_reply(session, REPLY_BYE);
    session->end = "quit";
}

static void say_unknown(struct session *session, struct slice argument)
{
    (void)argument;
    session_reply(session, REPLY_UNKNOWN_COMMAND);
}

static void say_forbidden(struct session *session, struct slice argument)
{
    (void)argument;
    session_reply(session, REPLY_FORBIDDEN_COMMAND);
}

/* ---- TLS --------------------------------------------------------------------------------------*/

static bool begin_tls(struct session *session)
{
    enum tls_result result =
        tls_serve_stream(&session->stream, session->peer->client, &session->tls);
    if (result == TLS_DESCRIPTORS)
        session_end(session, "descriptors");
    return result == TLS_SERVED;
}

static void log_tls_failure(struct session *session)
{
    struct log_line line;
    log_begin(&line, "tls-failed");
    log_text(&line, "session", session->id);
    log_text(&line, "client", session->peer->client);
    log_text(&line, "reason", session->tls.reason);
    log_end(&line);
}

static void say_starttls(struct session *session, struct slice argument)
{
    if (argument.size > 0) {
        session_reply_detail(session, REPLY_SYNTAX, SLICE("STARTTLS without parameters"));
        return;
    }
    if (!ehlo_offers_starttls(session)) {
        session_reply(session, REPLY_TLS_ALREADY);
        return;
    }
    session_reply(session, REPLY_READY_FOR_TLS);
    /* What came in the clear behind the command is not the client's: CVE-2011-0411. */
    stream_flush(&session->stream);
    stream_discard_pending(&session->stream);
    session_release(session);
    if (!begin_tls(session)) {
        log_tls_failure(session);
        session_end(session, "TLS failed");
        return;
    }
    /* RFC 3207 4.2: nothing that was said before counts. */
    session->helo[0] = '\0';
    session->is_extended = false;
    session->account[0] = '\0';
    allowance_set_size(session);
    session_reset(session);
    session->state = SESSION_START;
}

/* ---- order of commands ------------------------------------------------------------------------*/

static void want_helo(struct session *session, struct slice argument)
{
    (void)argument;
    session_reply(session, REPLY_HELO_FIRST);
}

static void want_mail(struct session *session, struct slice argument)
{
    (void)argument;
    session_reply(session, REPLY_MAIL_FIRST);
}

static void want_no_mail(struct session *session, struct slice argument)
{
    (void)argument;
    session_reply(session, REPLY_MAIL_ALREADY);
}

static void want_no_transaction(struct session *session, struct slice argument)
{
    (void)argument;
    session_reply(session, REPLY_MAIL_PENDING);
}

/* A client that pipelines sends DATA before it knows that all its recipients were refused. */
static void want_recipient(struct session *session, struct slice argument)
{
    (void)argument;
    session_reply(session, session_no_recipients(session));
}

/* RFC 3030 2: one message comes in one way. */
static void want_chunk(struct session *session, struct slice argument)
{
    (void)argument;
    session_reply(session, REPLY_DATA_WITHIN_CHUNKS);
}

/* Who answers which command: nobody greeted, ready, sender known, recipient known, message begun. */
static handler *const handlers[SMTPCOMMAND_COUNT][SESSION_STATE_COUNT] = {
    [SMTPCOMMAND_UNKNOWN] = {say_unknown, say_unknown, say_unknown, say_unknown, say_unknown},
    [SMTPCOMMAND_FORBIDDEN] = {say_forbidden, say_forbidden, say_forbidden, say_forbidden,
                               say_forbidden},
    [SMTPCOMMAND_HELO] = {say_helo, say_helo, say_helo, say_helo, say_helo},
    [SMTPCOMMAND_EHLO] = {say_ehlo, say_ehlo, say_ehlo, say_ehlo, say_ehlo},
    [SMTPCOMMAND_LHLO] = {say_lhlo, say_lhlo, say_lhlo, say_lhlo, say_lhlo},
    [SMTPCOMMAND_MAIL] = {want_helo, transaction_mail, want_no_mail, want_no_mail, want_no_mail},
    [SMTPCOMMAND_RCPT] = {want_helo, want_mail, transaction_rcpt, transaction_rcpt, want_chunk},
    [SMTPCOMMAND_DATA] = {want_helo, want_mail, want_recipient, data_receive, want_chunk},
    [SMTPCOMMAND_BDAT] = {data_receive_chunk, data_receive_chunk, data_receive_chunk,
                          data_receive_chunk, data_receive_chunk},
    [SMTPCOMMAND_RSET] = {say_rset, say_rset, say_rset, say_rset, say_rset},
    [SMTPCOMMAND_NOOP] = {say_noop, say_noop, say_noop, say_noop, say_noop},
    [SMTPCOMMAND_QUIT] = {say_quit, say_quit, say_quit, say_quit, say_quit},
    [SMTPCOMMAND_VRFY] = {say_vrfy, say_vrfy, say_vrfy, say_vrfy, say_vrfy},
    [SMTPCOMMAND_EXPN] = {say_unknown, say_unknown, say_unknown, say_unknown, say_unknown},
    [SMTPCOMMAND_HELP] = {say_help, say_help, say_help, say_help, say_help},
    [SMTPCOMMAND_STARTTLS] = {say_starttls, say_starttls, say_starttls, say_starttls, say_starttls},
    [SMTPCOMMAND_AUTH] = {want_helo, login_auth, want_no_transaction, want_no_transaction,
                          want_no_transaction},
    [SMTPCOMMAND_XCLIENT] = {proxied_take, proxied_take, want_no_transaction, want_no_transaction,
                             want_no_transaction},
};

/* Another password was set meanwhile, or the account is gone. */
static bool is_login_over(const struct session *session)
{
    return session->account[0] != '\0' &&
           board_has_ended(&session->board, slice_text(session->account), session->login_moment);
}

static void handle_line(struct session *session, struct slice line)
{
    struct smtpcommand command;
    switch (smtpcommand_parse(line, &command)) {
    case SMTPCOMMAND_LINE_OK:
        session->counts.idle_commands++;
        if (is_login_over(session)) {
            session_reply(session, REPLY_AUTH_OVER);
            break;
        }
        handlers[command.verb][session->state](session, command.argument);
        break;
    case SMTPCOMMAND_LINE_BAD_END:
        session_reply(session, REPLY_COMMAND_LINE_END);
        break;
    case SMTPCOMMAND_LINE_TOO_LONG:
        session_reply(session, REPLY_COMMAND_TOO_LONG);
        break;
    }
}

/* A client that only errs, or never sends a message, is not worth a process. */
static void check_patience(struct session *session)
{
    if (session->end)
        return;
    if (session->counts.errors >= session->host.errors_max)
        session_reply(session, REPLY_ERRORS_TOO_MANY);
    else if (session->counts.idle_commands >
             SESSION_IDLE_COMMANDS_MAX + session->host.recipients_max)
        session_reply(session, REPLY_COMMANDS_TOO_MANY);
}

/* ---- the whole --------------------------------------------------------------------------------*/

static void name_session(struct session *session)
{
    struct str id = str_on(session->id, sizeof session->id);
    str_append_number(&id, (uint64_t)clock_microseconds());
    str_append_byte(&id, '.');
    str_append_number(&id, (uint64_t)getpid());
    str_append_byte(&id, '\0');
}

/* Who ends a session from outside loses none of its lines: what was accepted stands in the log. */
static void end_by_signal(int number)
{
    (void)number;
    log_flush();
    _exit(EXIT_DONE);
}

void session_prepare(struct session *session)
{
    struct directory_domain domain;
    const struct sigaction end = {.sa_handler = end_by_signal};
    (void)sigaction(SIGTERM, &end, NULL); /* can't fail */
    *session = (struct session){.state_fd = -1,
                                .tell_fd = -1,
                                .tls.fd = -1,
                                .size_base = UINT64_MAX,
                                .size_limit = UINT64_MAX};
    directory_init(&session->directory);
    inject_init(&session->inject);
    envelope_init(&session->envelope);
    wire_init_small(&session->answer, STATE_ANSWER_MAX);
    vetting_init(&session->vetting);
    str_init(&session->receivers, ALLOWANCE_RECEIVERS_MAX);
    session_renew(session);
    stream_prepare(&session->stream, SESSION_INPUT_MAX, CLOCK_NEVER);
    str_prepare(&session->answer.bytes, STATE_ANSWER_MAX);
    str_prepare(&session->inject.chunk, SESSION_CHUNK_FIRST);
    if (!host_read(&session->directory, &session->host))
        log_trouble("read", "cdb/host.cdb", errno, "run cdb rebuild");
    /* Opened here, it is open in every copy. */
    (void)directory_domain(&session->directory, slice_text(session->host.me), &domain);
}

void session_renew(void *owner)
{
    struct session *session = owner;
    if (!session->board.memory)
        (void)board_open(&session->board);
    uint64_t stated = board_maker(&session->board);
    if (session->tell_fd >= 0 && stated == session->stated)
        return;
    io_close(&session->tell_fd);
    session->tell_fd = state_connect();
    session->stated = stated;
}

bool session_begin(struct session *session, const struct session_peer *peer, int in, int out)
{
    session->peer = peer;
    session->began_ms = clock_ms();
    name_session(session);
    directory_hold(&session->directory);
    return stream_begin(&session->stream, in, out);
}

void session_free(struct session *session)
{
    stream_free(&session->stream);
    directory_close(&session->directory);
    inject_close(&session->inject);
    envelope_free(&session->envelope);
    wire_free(&session->answer);
    vetting_free(&session->vetting);
    str_free(&session->receivers);
    board_close(&session->board);
    io_close(&session->tell_fd);
    io_close(&session->state_fd);
    io_close(&session->tls.fd);
}

static void log_session(struct session *session)
{
    struct log_line line;
    log_begin(&line, "session");
    log_text(&line, "session", session->id);
    log_text(&line, "service", session->peer->service_name);
    log_text(&line, "client", session->peer->client);
    log_text(&line, "port", session->peer->client_port);
    if (session->helo[0] != '\0')
        log_text(&line, "helo", session->helo);
    if (tls_is_on(&session->tls))
        log_text(&line, "tls", session->tls.version);
    if (session->account[0] != '\0')
        log_text(&line, "user", session->account);
    log_number(&line, "messages", session->counts.messages);
    log_number(&line, "recipients", session->counts.recipients);
    log_number(&line, "errors", session->counts.errors);
    log_number(&line, "in", (int64_t)session->stream.bytes_in);
    log_number(&line, "out", (int64_t)session->stream.bytes_out);
    log_number(&line, "ms", clock_ms() - session->began_ms);
    log_text(&line, "end", session->end ? session->end : "none");
    log_end(&line);
}

/* The last reply must not be lost to a reset because input came after it: the client is given a
 * moment to read it and close. */
static void linger(struct session *session)
{
    char bytes[4096];
    int64_t deadline = clock_deadline(SESSION_LINGER_MS);
    session->stream.timeout_ms = SESSION_LINGER_MS;
    session->stream.deadline = deadline;
    enum stream_result result = stream_flush(&session->stream);
    if (result != STREAM_OK || strcmp(session->end ? session->end : "", "quit") == 0)
        return;
    log_flush();
    if (shutdown(session->stream.out, SHUT_WR) < 0)
        return;
    while (io_read(session->stream.in, bytes, sizeof bytes, deadline) > 0)
        continue;
}

static bool greet(struct session *session)
{
    if (session->peer->service == SESSION_SUBMISSIONS && !begin_tls(session)) {
        log_tls_failure(session);
        session_end(session, "TLS failed");
        return false;
    }
    if (session->host.me[0] == '\0') { /* session_prepare has said why */
        session_reply(session, REPLY_GREETING_TROUBLE);
        return false;
    }
    allowance_set_size(session);
    if (!vetting_begin(session))
        return false;
    session_reply(session, session_greeting(session));
    return true;
}

void session_run(struct session *session)
{
    struct slice line;
    bool goes_on = greet(session);
    while (goes_on && !session->end) {
        if (session_line(session, SMTPCOMMAND_AUTH_LINE_MAX, REPLY_COMMAND_TOO_LONG, &line))
            handle_line(session, line);
        check_patience(session);
    }
    linger(session);
    log_session(session);
}
