/* attempt - see attempt.h */
#include "attempt.h"

#include "apop.h"
#include "clock.h"
#include "io.h"
#include "life.h"
#include "log.h"
#include "spawn.h"
#include "state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct attempt {
    struct attempts *all;
    struct service_peer *peer;
    int64_t started;
    struct login login;
    struct account account;
    bool known; /* the account exists and has a password */
    bool cached;
    int client_fd; /* -1: no hand-over */
    int input_fd;
    struct asker_question question;
    struct hasher_job job;
};

/* What the client is told, unless stated says it better. */
static const char *const texts[] = {
    [AUTH_OK] = "",
    [AUTH_FAILED] = "Wrong user name or password",
    [AUTH_LOCKED] = "Too many failed logins; try again later",
    [AUTH_TLS_REQUIRED] = "Logging in without TLS is not allowed; switch TLS on",
    [AUTH_DISABLED] = "This service is switched off for this account",
    [AUTH_LIMIT] = "Too many sessions; close one or try again later",
    [AUTH_EXPIRED] = "This password is void; set a new one, or ask the administrator for one",
    [AUTH_TROUBLE] = "Authentication is not available at the moment; try again later",
};

/* ---- the end ----------------------------------------------------------------------------------
 */

static void free_attempt(struct attempt *attempt)
{
    attempt->peer->data = NULL;
    io_close(&attempt->client_fd);
    io_close(&attempt->input_fd);
    explicit_bzero(attempt, sizeof *attempt);
    free(attempt);
}

/* The one line per login; `why` is for the operator. */
static void log_attempt(const struct attempt *attempt, enum auth_code code, const char *why)
{
    struct log_line line;
    log_begin(&line, "login");
    log_text(&line, "service", login_service(attempt->login.service)->name);
    log_text(&line, "user", attempt->account.name[0] ? attempt->account.name : attempt->login.user);
    log_text(&line, "client", attempt->login.client);
    log_text(&line, "tls", attempt->login.tls ? "1" : "0");
    if (attempt->login.mechanism == LOGIN_BY_APOP)
        log_text(&line, "mechanism", "apop");
    log_text(&line, "result", auth_code_name(code));
    log_text(&line, "cached", attempt->cached ? "1" : "0");
    if (why)
        log_text(&line, "why", why);
    log_number(&line, "ms", clock_ms() - attempt->started);
    log_end(&line);
}

static void answer(struct attempt *attempt, enum auth_code code, int64_t wait_ms, const char *text)
{
    struct service_peer *peer = attempt->peer;
    struct str packet;
    str_init(&packet, WIRE_MAX_SIZE);
    if (code == AUTH_OK) {
        wire_put_text(&packet, "ok");
        wire_put_text(&packet, attempt->account.name);
    } else {
        wire_put_text(&packet, "no");
        wire_put_text(&packet, auth_code_name(code));
        wire_put_number(&packet, wait_ms > 0 ? (uint64_t)wait_ms : 0);
        wire_put_text(&packet, text);
    }
    free_attempt(attempt);
    service_answer(peer, str_slice(&packet), NULL, 0);
    str_free(&packet);
}

static void finish(struct attempt *attempt, enum auth_code code, int64_t wait_ms, const char *text,
                   const char *why)
{
    log_attempt(attempt, code, why);
    answer(attempt, code, wait_ms, text ? text : texts[code]);
}

static void finish_trouble(struct attempt *attempt, const char *why)
{
    finish(attempt, AUTH_TROUBLE, 0, NULL, why);
}

static void put_question(struct attempt *attempt, const char *verb)
{
    asker_prepare(&attempt->question);
    attempt->question.repeat = true;
    state_put_question(&attempt->question.packet, verb, slice_text(attempt->account.name),
                       slice_text(attempt->login.client));
}

static void send_question(struct attempt *attempt, asker_done *done)
{
    if (!asker_ask(&attempt->all->stated, &attempt->question, STATE_TIMEOUT_MS, done, attempt))
        finish_trouble(attempt, "memory is out");
}

static void ask_stated(struct attempt *attempt, const char *verb, asker_done *done)
{
    put_question(attempt, verb);
    send_question(attempt, done);
}

static bool answer_is(const struct wire_message *message, const char *word)
{
    return message && slice_equal(wire_field(message, 0), slice_text(word));
}

/* ---- a wrong password -------------------------------------------------------------------------
 */

static void failure_counted(struct asker_question *question, const struct wire_message *message)
{
    struct attempt *attempt = question->owner;
    uint64_t wait_ms = 0;
    int64_t floor_ms = ATTEMPT_FAILURE_MS - (clock_ms() - attempt->started);
    if (!answer_is(message, "ok") || !wire_number(message, 1, 60000, &wait_ms)) {
        finish_trouble(attempt, "stated does not answer");
        return;
    }
    int64_t wait = (int64_t)wait_ms > floor_ms ? (int64_t)wait_ms : floor_ms;
    finish(attempt, AUTH_FAILED, wait, NULL, NULL);
}

static void refuse(struct attempt *attempt)
{
    const struct account *account = &attempt->account;
    put_question(attempt, "login-failed");
    if (account->lock_failures != 0 || account->lock_seconds != 0) {
        wire_put_number(&attempt->question.packet, account->lock_failures);
        wire_put_number(&attempt->question.packet, account->lock_seconds);
    }
    send_question(attempt, failure_counted);
}

/* ---- a right password -------------------------------------------------------------------------
 */

static void spawn_answered(struct asker_question *question, const struct wire_message *message)
{
    struct attempt *attempt = question->owner;
    struct str reason;
    if (answer_is(message, "ok")) {
        finish(attempt, AUTH_OK, 0, NULL, NULL);
    } else if (!message) {
        finish_trouble(attempt, "spawnd does not answer");
    } else if (slice_equal(wire_field(message, 2), SLICE("limit"))) {
        char text[AUTH_TEXT_MAX];
        finish(attempt, AUTH_LIMIT, 0, wire_copy_text(message, 1, text, sizeof text) ? text : NULL,
               NULL);
    } else {
        str_init(&reason, WIRE_MAX_SIZE);
        str_append(&reason, wire_field(message, 1));
        const char *why = str_text(&reason);
        finish_trouble(attempt, why ? why : "spawnd refuses");
        str_free(&reason);
    }
}

/* fd 3 of the session is a pipe in any case; without early input it is at its end at once. */
static bool has_input(struct attempt *attempt)
{
    int ends[2];
    if (attempt->input_fd >= 0)
        return true;
    if (pipe2(ends, O_CLOEXEC) < 0)
        return false;
    io_close(&ends[1]);
    attempt->input_fd = ends[0];
    return true;
}

static void hand_over(struct attempt *attempt)
{
    const struct login *login = &attempt->login;
    const struct account *account = &attempt->account;
    struct spawn_request request = {.program = login_service(login->service)->program,
                                    .domain = slice_text(account->domain),
                                    .local = slice_text(account->local)};
    request.arguments[request.argument_count++] = slice_text(account->name);
    if (login->service == LOGIN_IMAP)
        request.arguments[request.argument_count++] = slice_text(login->tag);
    request.arguments[request.argument_count++] = slice_text(login->client);
    request.arguments[request.argument_count++] = login->tls ? SLICE("1") : SLICE("0");
    char bytes[TERMS_MAX];
    struct str terms = str_on(bytes, sizeof bytes);
    terms_append(&terms, &account->terms);
    request.arguments[request.argument_count++] = str_slice(&terms);
    if (terms.failed) {
        finish_trouble(attempt, "the account's terms are too long");
        return;
    }
    if (!has_input(attempt)) {
        finish_trouble(attempt, strerror(errno));
        return;
    }
    asker_prepare(&attempt->question);
    spawn_put_question(&attempt->question.packet, &request);
    attempt->question.fds[0] = attempt->client_fd;
    attempt->question.fds[1] = attempt->input_fd;
    attempt->question.fd_count = 2;
    if (!asker_ask(&attempt->all->spawnd, &attempt->question, SPAWN_TIMEOUT_MS, spawn_answered,
                   attempt))
        finish_trouble(attempt, "memory is out");
}

/* A state that stops logins: with an end, without one, or till there is a new password. */
static enum auth_code code_of_state(const struct wire_message *message, const char *state)
{
    uint64_t until;
    if (strcmp(state, STATE_PASSWORD_FORCED) == 0)
        return AUTH_EXPIRED;
    return wire_number(message, 3, INT64_MAX, &until) && until == 0 ? AUTH_DISABLED : AUTH_LOCKED;
}

static void success_noted(struct asker_question *question, const struct wire_message *message)
{
    struct attempt *attempt = question->owner;
    char text[AUTH_TEXT_MAX];
    char state[AUTH_TEXT_MAX];
    if (answer_is(message, "ok")) {
        if (login_service(attempt->login.service)->program)
            hand_over(attempt);
        else
            finish(attempt, AUTH_OK, 0, NULL, NULL);
    } else if (answer_is(message, "no") && wire_copy_text(message, 1, state, sizeof state) &&
               wire_copy_text(message, 2, text, sizeof text)) {
        finish(attempt, code_of_state(message, state), 0, text, state);
    } else {
        finish_trouble(attempt, "stated does not answer");
    }
}

static void accept_login(struct attempt *attempt)
{
    if (attempt->account.expired)
        finish(attempt, AUTH_EXPIRED, 0, NULL, "password-forced");
    else if (!attempt->account.service)
        finish(attempt, AUTH_DISABLED, 0, NULL, NULL);
    else
        ask_stated(attempt, "login-ok", success_noted);
}

static void check_password(struct attempt *attempt);

/* ---- the password -----------------------------------------------------------------------------
 */

/* A hash takes its time. One that was replaced meanwhile, maybe by a stronger one of the same password,
 * doesn't count any more: sessions of the old password are told to end when there is a new one, and
 * one that begins behind that would not be. */
static bool is_replaced(struct attempt *attempt)
{
    struct account *now = calloc(1, sizeof *now);
    if (!now)
        return false;
    enum account_result found = account_find(&attempt->all->directory, &attempt->login, now);
    bool replaced = found == ACCOUNT_UNKNOWN ||
                    (found == ACCOUNT_KNOWN && (strcmp(now->hash, attempt->account.hash) != 0 ||
                                                now->expired != attempt->account.expired));
    if (replaced) {
        attempt->account = *now;
        attempt->known = found == ACCOUNT_KNOWN;
    }
    account_wipe(now);
    free(now);
    return replaced;
}

static void hash_computed(struct hasher_job *job, enum password_result result)
{
    struct attempt *attempt = job->owner;
    struct account *account = &attempt->account;
    if (result == PASSWORD_TROUBLE) {
        finish_trouble(attempt, "the hash can't be computed");
    } else if (result == PASSWORD_MATCHES && attempt->known && is_replaced(attempt)) {
        check_password(attempt);
    } else if (result == PASSWORD_MATCHES && attempt->known) {
        cache_add(&attempt->all->cache, account->name, account->hash, attempt->login.secret,
                  clock_ms());
        accept_login(attempt);
    } else {
        refuse(attempt);
    }
}

static void check_password(struct attempt *attempt)
{
    struct attempts *all = attempt->all;
    const struct account *account = &attempt->account;
    if (attempt->known &&
        cache_has(&all->cache, account->name, account->hash, attempt->login.secret, clock_ms())) {
        attempt->cached = true;
        accept_login(attempt);
        return;
    }
    attempt->job = (struct hasher_job){.secret = attempt->login.secret,
                                       .hash = attempt->known ? account->hash : all->dummy_hash,
                                       .client = attempt->login.client,
                                       .done = hash_computed,
                                       .owner = attempt};
    if (!hashers_submit(&all->hashers, &attempt->job))
        finish_trouble(attempt, "too many logins wait for a hash");
}

static void check_apop(struct attempt *attempt)
{
    const struct account *account = &attempt->account;
    bool matches =
        apop_matches(slice_text(attempt->login.challenge), slice_text(account->apop_secret),
                     slice_text(attempt->login.secret));
    if (matches && attempt->known && account->apop)
        accept_login(attempt);
    else
        refuse(attempt);
}

/* In minutes: to the second it is the guesser's. */
static const char *say_locked(const struct wire_message *message, char text[AUTH_TEXT_MAX])
{
    uint64_t seconds;
    if (!wire_number(message, 1, INT32_MAX, &seconds))
        return NULL;
    unsigned minutes = (unsigned)(seconds / 60 + 1);
    snprintf(text, AUTH_TEXT_MAX, "Too many failed logins; try again in %u minute%s", minutes,
             minutes == 1 ? "" : "s");
    return text;
}

static void lock_checked(struct asker_question *question, const struct wire_message *message)
{
    struct attempt *attempt = question->owner;
    char cause[AUTH_TEXT_MAX];
    if (answer_is(message, "locked")) {
        wire_copy_text(message, 2, cause, sizeof cause);
        char text[AUTH_TEXT_MAX];
        finish(attempt, AUTH_LOCKED, ATTEMPT_LOCKED_MS, say_locked(message, text), cause);
    } else if (!answer_is(message, "ok")) {
        finish_trouble(attempt, "stated does not answer");
    } else if (attempt->login.mechanism == LOGIN_BY_APOP) {
        check_apop(attempt);
    } else {
        check_password(attempt);
    }
}

/* ---- the beginning ----------------------------------------------------------------------------
 */

static void begin(struct attempt *attempt)
{
    struct account *account = &attempt->account;
    enum account_result found = account_find(&attempt->all->directory, &attempt->login, account);
    attempt->known = found == ACCOUNT_KNOWN;
    if (found == ACCOUNT_TROUBLE)
        finish_trouble(attempt, "cdb can't be read; see cdb rebuild");
    else if (attempt->login.mechanism == LOGIN_BY_PASSWORD && !attempt->login.tls &&
             !account->plaintext)
        finish(attempt, AUTH_TLS_REQUIRED, 0, NULL, NULL);
    else
        ask_stated(attempt, "login-check", lock_checked);
}

bool attempt_welcome(uid_t uid, void *owner)
{
    (void)owner;
    return uid == life_uid(ROLE_SMTPD) || uid == life_uid(ROLE_IMAP_LOGIN) ||
           uid == life_uid(ROLE_POP3_LOGIN);
}

static enum role role_of(uid_t uid)
{
    if (uid == life_uid(ROLE_SMTPD))
        return ROLE_SMTPD;
    return uid == life_uid(ROLE_IMAP_LOGIN) ? ROLE_IMAP_LOGIN : ROLE_POP3_LOGIN;
}

void attempt_message(struct service_peer *peer, struct wire_message *message)
{
    struct attempt *attempt = peer->data ? NULL : calloc(1, sizeof *attempt);
    bool good = attempt && login_read(message, role_of(peer->uid), &attempt->login);
    explicit_bzero(message->bytes.data, message->bytes.size); /* the secret */
    if (!good) {
        free(attempt);
        service_close(peer); /* nonsense, or a second question before the answer */
        return;
    }
    attempt->all = peer->service->owner;
    attempt->peer = peer;
    attempt->started = clock_ms();
    attempt->client_fd = wire_take_fd(message, 0);
    attempt->input_fd = wire_take_fd(message, 1);
    peer->data = attempt;
    begin(attempt);
}

/* The client has gone. What spawnd has been asked already goes on and sees the same. */
void attempt_gone(struct service_peer *peer)
{
    struct attempt *attempt = peer->data;
    if (!attempt)
        return;
    hashers_cancel(&attempt->all->hashers, &attempt->job);
    asker_cancel(&attempt->question);
    free_attempt(attempt);
}
