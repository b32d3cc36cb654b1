/* allowance - see allowance.h */
#include "allowance.h"

#include "log.h"
#include "sendlimits.h"

enum { NAME_MAX_SIZE = DIRECTORY_LOCAL_MAX + DIRECTORY_DOMAIN_MAX + 2 };

/* Who asks for what. */
struct permit {
    const struct directory_account *account;
    const char *name; /* "user@domain" */
    const char *action;
};

/* ---- size -------------------------------------------------------------------------------------*/

static uint64_t host_size(const struct session *session)
{
    return session->host.databytes > 0 ? session->host.databytes : UINT64_MAX;
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

bool allowance_set_size(struct session *session)
{
    uint64_t own = UINT64_MAX;
    bool done =
        session->account[0] == '\0' ||
        directory_setting_number(&session->directory, &session->login, "message-size", &own);
    session->size_base = smaller(host_size(session), own);
    session->size_limit = session->size_base;
    return done;
}

/* A message that was not announced with its size may fit into one mailbox and not into another,
 * while DATA has one reply for all. So from another server each limit gets a transaction of its
 * own: the client comes again with the rest (RFC 5321 4.5.3.1.10). Who has logged in is told at
 * once and sends again himself; for him the smallest limit holds. */
static bool fits_together(const struct session *session, uint64_t limit)
{
    return session->account[0] != '\0' || session->declared_size > 0 ||
           session->envelope.recipient_count == 0 || limit == session->size_limit;
}

static bool is_small_enough(struct session *session, struct slice address, uint64_t own)
{
    uint64_t limit = smaller(session->size_base, own);
    if (session->declared_size > limit)
        session_refuse(session, REPLY_TOO_BIG, "recipient", address);
    else if (!fits_together(session, limit))
        session_refuse(session, REPLY_RECIPIENT_APART, "recipient", address);
    else
        return true;
    return false;
}

/* ---- what was accepted ------------------------------------------------------------------------*/

void allowance_count(struct session *session)
{
    bool told = session->account[0] == '\0' ||
                state_sent(&session->tell_fd, session->account, session->envelope.recipient_count);
    if (!state_received(&session->tell_fd, str_slice(&session->receivers)) || !told)
        log_trouble("count a message at", STATE_SOCKET, 0, NULL);
}

void allowance_count_rejected(struct session *session)
{
    if (session->account[0] != '\0' && !state_rejected(&session->tell_fd, session->account, 1))
        log_trouble("count a recipient at", STATE_SOCKET, 0, NULL);
}

/* ---- rates and states -------------------------------------------------------------------------*/

/* SPEC R4.2: the plan says whether a full mailbox is the sender's business for good. */
static enum reply reply_of_full(struct session *session, const struct directory_account *account)
{
    struct str value;
    str_init(&value, DIRECTORY_VALUE_MAX);
    bool for_good = directory_setting(&session->directory, account, "over-quota-reply", &value) &&
                    slice_equal(str_slice(&value), SLICE("552"));
    str_free(&value);
    return for_good ? REPLY_RECIPIENT_FULL_FOR_GOOD : REPLY_RECIPIENT_FULL;
}

static void log_paused(struct session *session, const struct permit *permit, struct slice state)
{
    struct log_line line;
    log_begin(&line, "paused");
    log_text(&line, "session", session->id);
    log_text(&line, "account", permit->name);
    log_text(&line, "for", permit->action);
    log_value(&line, "state", state);
    log_end(&line);
}

static void refuse(struct session *session, const struct permit *permit, struct slice state,
                   struct slice text)
{
    bool sends = permit->action[0] == 's';
    log_paused(session, permit, state);
    if (slice_equal(state, slice_text(sends ? STATE_SEND_PAUSE : STATE_RECEIVE_PAUSE)))
        session_reply(session, REPLY_LIMIT_EXCEEDED);
    else if (slice_equal(state, SLICE(STATE_OVER_CAPACITY)))
        session_reply(session, reply_of_full(session, permit->account));
    else
        session_reply_detail(session, sends ? REPLY_SENDER_PAUSED : REPLY_RECIPIENT_PAUSED, text);
}

/* Nothing is stored for it, so no room is needed (SPEC R9). */
static bool needs_no_room(struct session *session, const struct permit *permit, struct slice state)
{
    bool receives = true;
    return slice_equal(state, SLICE(STATE_OVER_CAPACITY)) &&
           directory_setting_is_on(&session->directory, permit->account, "receive", &receives) &&
           !receives;
}

/* What stated would answer is yes, and known. */
static bool is_on_board(const struct board *board, const struct permit *permit,
                        const struct state_rule rules[], size_t count)
{
    struct slice account = slice_text(permit->name);
    bool has_room = !board_has_state(board, account);
    for (size_t i = 0; i < count && has_room; i++)
        has_room = rules[i].limit == 0 ||
                   board_has_room(board, &(struct board_rule){.account = account,
                                                              .action = slice_text(permit->action),
                                                              .name = slice_text(rules[i].name),
                                                              .limit = rules[i].limit,
                                                              .window_s = rules[i].window_s,
                                                              .lasts_s = rules[i].lasts_s});
    return has_room;
}

static bool is_permitted(struct session *session, const struct permit *permit,
                         const struct state_rule rules[], size_t count)
{
    struct wire_message *answer = &session->answer;
    bool permitted = false;
    if (is_on_board(&session->board, permit, rules, count))
        permitted = true;
    else if (!state_ask_allows(&session->state_fd, answer, permit->name, permit->action, rules,
                               count, STATE_TIMEOUT_MS))
        session_refuse(session, REPLY_TROUBLE, "object", SLICE(STATE_SOCKET));
    else if (slice_equal(wire_field(answer, 0), SLICE("ok")) ||
             needs_no_room(session, permit, wire_field(answer, 1)))
        permitted = true;
    else
        refuse(session, permit, wire_field(answer, 1), wire_field(answer, 2));
    return permitted;
}

bool allowance_sender(struct session *session)
{
    struct state_rule rules[STATE_RULES_MAX];
    if (!sendlimits_read(&session->directory, &session->login, rules)) {
        session_refuse(session, REPLY_TROUBLE, "sender", slice_text(session->account));
        return false;
    }
    const struct permit permit = {&session->login, session->account, "send"};
    return is_permitted(session, &permit, rules, STATE_RULES_MAX);
}

static void add_receiver(struct session *session, const char *domain)
{
    struct slice rest = str_slice(&session->receivers);
    size_t size = rest.size;
    while (rest.size > 0)
        if (slice_equal(slice_from(slice_cut(&rest, '\0'), 1), slice_text(domain)))
            return;
    str_append_texts(&session->receivers, "@", domain);
    if (!str_append_byte(&session->receivers, '\0'))
        str_truncate(&session->receivers, size);
}

static bool name_account(const struct directory_account *account, char name[NAME_MAX_SIZE])
{
    struct str text = str_on(name, NAME_MAX_SIZE);
    str_append_texts(&text, account->local, "@", account->domain.name);
    return str_append_byte(&text, '\0');
}

bool allowance_recipient(struct session *session, struct slice address,
                         const struct directory_account *account)
{
    enum { SIZE, LIMIT, WINDOW, PAUSE, COUNT };
    static const char *const names[COUNT] = {"message-size", "receive-limit", "receive-window",
                                             "limit-pause"};
    char name[NAME_MAX_SIZE];
    uint64_t value[COUNT];
    if (!directory_setting_numbers(&session->directory, account, names, value, COUNT) ||
        !name_account(account, name)) {
        session_refuse(session, REPLY_TROUBLE, "recipient", address);
        return false;
    }
    const struct state_rule rule = {"domain", value[LIMIT], value[WINDOW], value[PAUSE]};
    const struct permit permit = {account, name, "receive"};
    if (!is_small_enough(session, address, value[SIZE]) ||
        !is_permitted(session, &permit, &rule, 1))
        return false;
    session->size_limit = smaller(session->size_limit, value[SIZE]);
    add_receiver(session, account->domain.name);
    return true;
}
