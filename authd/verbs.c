/* verbs - see verbs.h */
#include "verbs.h"

#include "allowance.h"
#include "board.h"
#include "log.h"
#include "state.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { VERBS_COMPACT_MAX = 128 * 1024 * 1024, VERBS_TEXT_MAX = 256 };

/* One question while it is answered. */
struct question {
    struct verbs *verbs;
    enum verbs_peer peer;
    int64_t now;
    const struct wire_message *fields;
    struct slice account;
    struct str *answer;
};

static void put_signed(struct str *answer, int64_t number)
{
    wire_put_number(answer, number > 0 ? (uint64_t)number : 0);
}

/* ---- records ----------------------------------------------------------------------------------
 */

/* Records that may be lost in a power cut: failures, successes. The journal is synced within a
 * second; a full disk costs the record, not the count in memory. */
static void record_soon(struct verbs *verbs, const struct str *record)
{
    verbs->wants_sync = true;
    if (!journal_append(verbs->journal, str_slice(record)))
        log_trouble("append to", "state/journal", errno,
                    "make room; failed logins are counted, but a restart forgets them");
}

/* Records that must be on disk when they are answered. */
static bool record_now(struct verbs *verbs, const struct str *record)
{
    if (journal_append(verbs->journal, str_slice(record)) && journal_sync(verbs->journal))
        return true;
    log_trouble("write to", "state/journal", errno, "make room, or a restart forgets this state");
    return false;
}

/* `until` 0: no end, or none any more. */
static void log_state(const char *event, struct slice account, enum states_name name, int64_t until,
                      struct slice cause)
{
    char end[40];
    struct tm parts;
    time_t time = (time_t)until;
    struct log_line line;
    log_begin(&line, event);
    log_value(&line, "account", account);
    log_text(&line, "state", states_kind(name)->name);
    if (until != 0 && localtime_r(&time, &parts) &&
        strftime(end, sizeof end, "%Y-%m-%dT%H:%M:%S%z", &parts) > 0)
        log_text(&line, "until", end);
    if (cause.size > 0)
        log_value(&line, "cause", cause);
    log_end(&line);
}

/* Keeps it in mind, and in the journal. */
static void note_event(struct verbs *verbs, struct slice account, const struct history_event *event,
                       struct slice cause)
{
    struct history_event whole = *event;
    struct str record;
    if (!slice_copy_text(account, whole.account, sizeof whole.account) ||
        !slice_copy_text(cause, whole.cause, sizeof whole.cause))
        return;
    str_init(&record, LEDGER_RECORD_MAX);
    ledger_put_event(&record, &whole);
    if (ledger_apply(verbs->ledger, str_slice(&record), NULL))
        record_soon(verbs, &record);
    str_free(&record);
}

/* ---- logins -----------------------------------------------------------------------------------
 */

static void copy_client(const struct question *question, char client[FAILURES_CLIENT_MAX])
{
    failures_client(wire_field(question->fields, 3), client);
}

static const char *const lock_causes[] = {
    [FAILURES_NONE] = "",
    [FAILURES_PAIR] = "too many failed logins",
    [FAILURES_ACCOUNT] = "too many failed logins from many places",
    [FAILURES_CLIENT] = "too many failed logins for many accounts from your address",
};

static bool answer_login_check(struct question *question)
{
    char client[FAILURES_CLIENT_MAX];
    int64_t until;
    copy_client(question, client);
    enum failures_scope scope =
        failures_check(&question->verbs->ledger->failures, question->account, slice_text(client),
                       question->now, &until);
    if (scope == FAILURES_NONE) {
        wire_put_text(question->answer, "ok");
        return true;
    }
    wire_put_text(question->answer, "locked");
    put_signed(question->answer, until - question->now);
    wire_put_text(question->answer, lock_causes[scope]);
    return true;
}

static const char *const lock_names[] = {[FAILURES_NONE] = "",
                                         [FAILURES_PAIR] = "pair",
                                         [FAILURES_ACCOUNT] = "account",
                                         [FAILURES_CLIENT] = "client"};

static void log_lock(const struct question *question, struct slice client,
                     const struct failures_result *result)
{
    struct log_line line;
    log_begin(&line, "locked");
    log_text(&line, "scope", lock_names[result->locked]);
    log_value(&line, "account", question->account);
    log_value(&line, "client", client);
    log_number(&line, "seconds", result->until - question->now);
    log_end(&line);
}

/* lock-failures and lock-time of the account's plan. */
static bool read_own(const struct wire_message *fields, struct failures_own *own)
{
    uint64_t limit, seconds;
    if (!wire_number(fields, 4, UINT16_MAX, &limit) ||
        !wire_number(fields, 5, STATES_LOCK_MAX_S, &seconds))
        return false;
    *own = (struct failures_own){.limit = (unsigned)limit, .lock_s = (int64_t)seconds};
    return true;
}

static bool answer_login_failed(struct question *question)
{
    char client[FAILURES_CLIENT_MAX];
    struct failures_result result = {.delay_ms = FAILURES_DELAY_MAX_MS};
    struct failures_own own = {0};
    struct str record;
    if (question->fields->count > 4 && !read_own(question->fields, &own))
        return false;
    copy_client(question, client);
    str_init(&record, LEDGER_RECORD_MAX);
    ledger_put_failed(&record, question->now, question->account, slice_text(client), &own);
    if (!record.failed && ledger_apply(question->verbs->ledger, str_slice(&record), &result))
        record_soon(question->verbs, &record);
    str_free(&record);
    if (result.locked != FAILURES_NONE)
        log_lock(question, slice_text(client), &result);
    if (result.locked == FAILURES_PAIR || result.locked == FAILURES_ACCOUNT)
        note_event(question->verbs, question->account,
                   &(struct history_event){.time = question->now,
                                           .until = result.until,
                                           .state = STATES_ACCOUNT_LOCK,
                                           .what = HISTORY_LOCKED},
                   slice_text(lock_causes[result.locked]));
    wire_put_text(question->answer, "ok");
    put_signed(question->answer, result.delay_ms);
    return true;
}

static void answer_stopped(struct question *question, enum states_name state, struct slice cause,
                           int64_t until)
{
    char bytes[STATES_TEXT_MAX];
    struct str text = str_on(bytes, sizeof bytes);
    states_explain(state, cause, until, &text);
    wire_put_text(question->answer, "no");
    wire_put_text(question->answer, states_kind(state)->name);
    wire_put(question->answer, str_slice(&text));
    put_signed(question->answer, until);
}

/* Does a state stop `action`? It is answered then. */
static bool is_stopped(struct question *question, unsigned action)
{
    const struct states_record *state =
        states_stopping(&question->verbs->ledger->states, question->account, action, question->now);
    if (state)
        answer_stopped(question, state->name, slice_text(state->cause), state->until);
    return state != NULL;
}

static bool answer_login_ok(struct question *question)
{
    char client[FAILURES_CLIENT_MAX];
    copy_client(question, client);
    if (failures_success(&question->verbs->ledger->failures, question->account, slice_text(client),
                         question->now)) {
        struct str record;
        str_init(&record, LEDGER_RECORD_MAX);
        ledger_put_good(&record, question->now, question->account, slice_text(client));
        record_soon(question->verbs, &record);
        str_free(&record);
    }
    if (!is_stopped(question, STATES_LOGIN))
        wire_put_text(question->answer, "ok");
    return true;
}

/* ---- states -----------------------------------------------------------------------------------
 */

/* All counters that could begin the state again as soon as it is over. */
static void restart_counters(struct verbs *verbs, const struct allowance_breach *breach)
{
    struct str record;
    str_init(&record, LEDGER_RECORD_MAX);
    for (int kind = 0; kind < RATES_KINDS; kind++) {
        if (allowance_state((enum rates_kind)kind) != breach->state)
            continue;
        str_clear(&record);
        ledger_put_restart(&record, (enum rates_kind)kind, breach->name);
        if (ledger_apply(verbs->ledger, str_slice(&record), NULL))
            record_soon(verbs, &record);
    }
    str_free(&record);
}

/* The state that follows from a limit, on disk before it is answered: it must outlive us. Without
 * room for it the counter goes on, and so do the refusals. */
static void begin_state(struct question *question, const struct allowance_breach *breach)
{
    struct str record;
    str_init(&record, LEDGER_RECORD_MAX);
    ledger_put_set(&record, breach->name, breach->state, question->now, breach->until,
                   slice_text(breach->cause));
    if (ledger_apply(question->verbs->ledger, str_slice(&record), NULL)) {
        board_note_state(question->verbs->board, breach->name);
        log_state("state-set", breach->name, breach->state, breach->until,
                  slice_text(breach->cause));
        note_event(question->verbs, breach->name,
                   &(struct history_event){.time = question->now,
                                           .until = breach->until,
                                           .state = breach->state,
                                           .what = HISTORY_SET},
                   slice_text(breach->cause));
        restart_counters(question->verbs, breach);
        if (!record_now(question->verbs, &record))
            question->verbs->wants_sync = true;
    }
    str_free(&record);
}

/* What smtpd needs not ask again for a while. */
static void note_room(struct question *question, size_t at, const struct allowance_rule *rule)
{
    if (allowance_has_room(question->verbs->ledger, question->account, rule, question->now))
        board_note_room(question->verbs->board,
                        &(struct board_rule){.account = question->account,
                                             .action = wire_field(question->fields, 3),
                                             .name = wire_field(question->fields, at),
                                             .limit = rule->limit,
                                             .window_s = (uint64_t)rule->window_s,
                                             .lasts_s = (uint64_t)rule->lasts_s});
}

/* False: no rule. */
static bool is_within(struct question *question, size_t at, unsigned action, bool *within)
{
    struct allowance_rule rule;
    struct allowance_breach breach;
    if (!allowance_read(question->fields, at, action, &rule))
        return false;
    *within =
        !allowance_check(question->verbs->ledger, question->account, &rule, question->now, &breach);
    if (*within) {
        note_room(question, at, &rule);
    } else {
        begin_state(question, &breach);
        answer_stopped(question, breach.state, slice_text(breach.cause), breach.until);
    }
    return true;
}

static bool answer_allows(struct question *question)
{
    enum { FIRST_RULE = 4, MOST = FIRST_RULE + ALLOWANCE_RULES_MAX * ALLOWANCE_RULE_FIELDS };
    unsigned action = states_action_from(wire_field(question->fields, 3));
    size_t count = question->fields->count;
    if (action == 0 || count > MOST || (count - FIRST_RULE) % ALLOWANCE_RULE_FIELDS != 0)
        return false;
    bool goes_on = !is_stopped(question, action);
    for (size_t at = FIRST_RULE; goes_on && at < count; at += ALLOWANCE_RULE_FIELDS)
        if (!is_within(question, at, action, &goes_on))
            return false;
    if (goes_on)
        wire_put_text(question->answer, "ok");
    return true;
}

static bool answer_sent(struct question *question)
{
    uint64_t recipients;
    if (!wire_number(question->fields, 3, UINT32_MAX, &recipients))
        return false;
    if (allowance_sent(question->verbs->ledger, question->account, recipients, question->now))
        board_forget_rooms(question->verbs->board);
    return true;
}

static bool answer_rejected(struct question *question)
{
    uint64_t recipients;
    if (!wire_number(question->fields, 3, UINT32_MAX, &recipients))
        return false;
    if (allowance_rejected(question->verbs->ledger, question->account, recipients, question->now))
        board_forget_rooms(question->verbs->board);
    return true;
}

static bool answer_received(struct question *question)
{
    for (size_t i = 2; i < question->fields->count; i++)
        if (allowance_received(question->verbs->ledger, wire_field(question->fields, i),
                               question->now))
            board_forget_rooms(question->verbs->board);
    return true;
}

/* What the account, or the domain, has counted. */
static bool answer_rates(struct question *question)
{
    wire_put_text(question->answer, "ok");
    for (int kind = 0; kind < RATES_KINDS; kind++) {
        struct rates_record counter;
        if (!rates_find(&question->verbs->ledger->rates, (enum rates_kind)kind, question->account,
                        question->now, &counter))
            continue;
        wire_put_text(question->answer, rates_kind_name((enum rates_kind)kind));
        wire_put_number(question->answer, counter.count);
        wire_put_number(question->answer, counter.limit);
        put_signed(question->answer, counter.window_s);
    }
    return true;
}

static void put_state(struct str *answer, const char *name, int64_t since, int64_t until,
                      const char *cause)
{
    wire_put_text(answer, name);
    put_signed(answer, since);
    put_signed(answer, until);
    wire_put_text(answer, cause);
}

/* A lock by failed logins shows as the state of SPEC R10 that it is. */
static void put_lock(void *owner, struct slice client, const struct tally *tally)
{
    struct question *question = owner;
    char cause[VERBS_TEXT_MAX];
    if (question->answer->size > WIRE_MAX_SIZE / 2)
        return; /* hundreds of locks: those shown say enough */
    if (client.size > 0)
        snprintf(cause, sizeof cause, "%u failed logins from %.*s", tally->failures,
                 SLICE_PRINTF(client));
    else
        snprintf(cause, sizeof cause, "%u failed logins from %u addresses", tally->failures,
                 tally->others);
    put_state(question->answer, states_kind(STATES_ACCOUNT_LOCK)->name, tally->counted,
              tally->locked_until, cause);
}

static bool answer_get(struct question *question)
{
    const struct ledger *ledger = question->verbs->ledger;
    wire_put_text(question->answer, "ok");
    for (int name = 0; name < STATES_NAMES; name++) {
        const struct states_record *state =
            states_find(&ledger->states, question->account, (enum states_name)name, question->now);
        if (state)
            put_state(question->answer, states_kind((enum states_name)name)->name, state->since,
                      state->until, state->cause);
    }
    failures_locks(&ledger->failures, question->account, question->now, put_lock, question);
    return true;
}

/* One account's, oldest first. */
static bool answer_history(struct question *question)
{
    const struct history *history = &question->verbs->ledger->history;
    wire_put_text(question->answer, "ok");
    for (size_t i = 0; i < history->count; i++) {
        const struct history_event *event = history->of[i];
        if (!slice_equal(question->account, slice_text(event->account)))
            continue;
        put_signed(question->answer, event->time);
        wire_put_text(question->answer, states_kind(event->state)->name);
        wire_put_text(question->answer, history_what_name(event->what));
        put_signed(question->answer, event->until);
        wire_put_text(question->answer, event->cause);
    }
    return true;
}

/* Into an answer of its own, behind which the cursor goes in front. */
struct survey {
    const struct question *question;
    struct str states;
    size_t count;
};

static void list_state(void *owner, const struct states_record *record)
{
    struct survey *survey = owner;
    struct slice account = slice_text(record->account);
    const struct question *question = survey->question;
    if (!slice_ends(account, question->account) || account.size == question->account.size ||
        !states_find(&question->verbs->ledger->states, account, record->name, question->now))
        return;
    wire_put(&survey->states, account);
    put_state(&survey->states, states_kind(record->name)->name, record->since, record->until,
              record->cause);
    survey->count++;
}

/* The states of a domain's accounts, some at a time. */
static bool answer_states_of(struct question *question)
{
    enum { STATES_OF_ANSWER = 60 };
    struct survey survey = {.question = question};
    uint64_t from;
    bool more = true;
    if (!wire_number(question->fields, 3, INT32_MAX, &from) || question->account.data[0] != '@')
        return false;
    size_t cursor = (size_t)from;
    str_init(&survey.states, WIRE_MAX_SIZE);
    while (more && survey.count < STATES_OF_ANSWER && survey.states.size < WIRE_MAX_SIZE / 2)
        more = states_walk_part(&question->verbs->ledger->states, &cursor, list_state, &survey);
    wire_put_text(question->answer, "ok");
    wire_put_number(question->answer, more ? cursor : 0);
    bool done = !survey.states.failed && str_append(question->answer, str_slice(&survey.states));
    str_free(&survey.states);
    return done;
}

static void answer_no(struct question *question, const char *reason)
{
    wire_put_text(question->answer, "no");
    wire_put_text(question->answer, reason);
}

static bool is_full(const struct states_record *state)
{
    return state->name == STATES_OVER_CAPACITY &&
           slice_starts(slice_text(state->cause), SLICE(STATE_FULL_CAUSE));
}

/* May this peer change this state of the account? Of queued it is what it may set itself. */
static bool may_change(const struct question *question, enum states_name name)
{
    const struct states_record *state =
        states_find(&question->verbs->ledger->states, question->account, name, question->now);
    return question->peer == VERBS_ROOT ||
           (name == STATES_OVER_CAPACITY && (!state || is_full(state)));
}

static bool answer_set(struct question *question)
{
    struct ledger *ledger = question->verbs->ledger;
    enum states_name name;
    uint64_t until;
    struct slice cause = wire_field(question->fields, 5);
    struct str record;
    if (!states_name_from(wire_field(question->fields, 3), &name)) {
        answer_no(question, "no such state");
        return true;
    }
    if (!wire_number(question->fields, 4, INT64_MAX, &until) ||
        (until != 0 && (int64_t)until <= question->now)) {
        answer_no(question, "the end must lie ahead");
        return true;
    }
    if (!may_change(question, name) ||
        (question->peer != VERBS_ROOT && !slice_starts(cause, SLICE(STATE_FULL_CAUSE)))) {
        answer_no(question, "the state is the operator's");
        return true;
    }
    if (states_kind(name)->is_pause &&
        (until == 0 || (int64_t)until - question->now > STATES_PAUSE_MAX_S))
        until = (uint64_t)(question->now + STATES_PAUSE_MAX_S);
    str_init(&record, LEDGER_RECORD_MAX);
    ledger_put_set(&record, question->account, name, question->now, (int64_t)until, cause);
    if (record.failed || cause.size > STATES_CAUSE_MAX) {
        answer_no(question, "the cause is too long");
    } else if (!record_now(question->verbs, &record)) {
        answer_no(question, "the state can't be written to disk; see stated's log");
    } else if (!ledger_apply(ledger, str_slice(&record), NULL)) {
        answer_no(question, "there are too many states, or memory is out");
    } else {
        board_note_state(question->verbs->board, question->account);
        log_state("state-set", question->account, name, (int64_t)until, cause);
        note_event(
            question->verbs, question->account,
            &(struct history_event){
                .time = question->now, .until = (int64_t)until, .state = name, .what = HISTORY_SET},
            cause);
        wire_put_text(question->answer, "ok");
    }
    str_free(&record);
    return true;
}

/* Clearing account-lock ends the locks by failed logins as well. */
static bool forgive(struct question *question)
{
    struct str record;
    str_init(&record, LEDGER_RECORD_MAX);
    ledger_put_forgive(&record, question->account);
    bool any = ledger_apply(question->verbs->ledger, str_slice(&record), NULL);
    if (any && !record_now(question->verbs, &record))
        any = false;
    str_free(&record);
    return any;
}

static bool answer_clear(struct question *question)
{
    struct ledger *ledger = question->verbs->ledger;
    enum states_name name;
    if (!states_name_from(wire_field(question->fields, 3), &name)) {
        answer_no(question, "no such state");
        return true;
    }
    if (!may_change(question, name)) {
        answer_no(question, "the state is the operator's");
        return true;
    }
    bool forgiven = name == STATES_ACCOUNT_LOCK && forgive(question);
    bool set = states_find(&ledger->states, question->account, name, question->now);
    if (!set && !forgiven) {
        answer_no(question, "the account is not in this state");
        return true;
    }
    struct str record;
    str_init(&record, LEDGER_RECORD_MAX);
    ledger_put_clear(&record, question->account, name);
    if (set && !record_now(question->verbs, &record)) {
        answer_no(question, "the change can't be written to disk; see stated's log");
    } else {
        if (set)
            ledger_apply(ledger, str_slice(&record), NULL);
        log_state("state-cleared", question->account, name, 0, SLICE(""));
        note_event(
            question->verbs, question->account,
            &(struct history_event){.time = question->now, .state = name, .what = HISTORY_CLEARED},
            SLICE(""));
        wire_put_text(question->answer, "ok");
    }
    str_free(&record);
    return true;
}

/* Those of imapd and pop3d end by spawnd. */
static bool answer_end_sessions(struct question *question)
{
    for (size_t i = 2; i < question->fields->count; i++) {
        struct log_line line;
        if (wire_field(question->fields, i).size == 0)
            continue;
        board_end_sessions(question->verbs->board, wire_field(question->fields, i));
        log_begin(&line, "sessions-ended");
        log_value(&line, "account", wire_field(question->fields, i));
        log_end_later(&line);
    }
    log_flush();
    wire_put_text(question->answer, "ok");
    return true;
}

struct listing {
    struct question *question;
    enum states_name name;
    uint64_t skip;
    unsigned count;
};

static void list_one(void *owner, const struct states_record *state)
{
    struct listing *listing = owner;
    const struct question *question = listing->question;
    if (state->name != listing->name || (state->until != 0 && state->until <= question->now) ||
        (question->peer != VERBS_ROOT && !is_full(state)) || listing->count == STATE_LIST_MAX)
        return;
    if (listing->skip > 0) {
        listing->skip--;
        return;
    }
    wire_put_text(question->answer, state->account);
    listing->count++;
}

/* The name stands where other questions have the account. */
static bool answer_list(struct question *question)
{
    struct listing listing = {.question = question};
    if (!states_name_from(question->account, &listing.name) ||
        !wire_number(question->fields, 3, STATES_MAX, &listing.skip))
        return false;
    wire_put_text(question->answer, "ok");
    states_walk(&question->verbs->ledger->states, list_one, &listing);
    return true;
}

/* ---- dispatch ---------------------------------------------------------------------------------
 */

enum {
    ANYBODY = VERBS_ROOT | VERBS_AUTHD | VERBS_OTHER | VERBS_QUEUE,
    COUNTERS = VERBS_ROOT | VERBS_OTHER | VERBS_QUEUE,
    KEEPERS = VERBS_ROOT | VERBS_QUEUE,
};

static const struct verb {
    const char *name;
    size_t least, most; /* fields */
    unsigned peers;
    bool (*answer)(struct question *); /* false: not a question */
} verb_table[] = {
    {"login-check", 4, 4, VERBS_AUTHD, answer_login_check},
    {"login-failed", 4, 6, VERBS_AUTHD, answer_login_failed},
    {"login-ok", 4, 4, VERBS_AUTHD, answer_login_ok},
    {"allows", 4, WIRE_MAX_FIELDS, ANYBODY, answer_allows},
    {"sent", 4, 4, COUNTERS, answer_sent},
    {"received", 3, WIRE_MAX_FIELDS, COUNTERS, answer_received},
    {"rejected", 4, 4, COUNTERS, answer_rejected},
    {"get", 3, 3, ANYBODY, answer_get},
    {"history", 3, 3, VERBS_ROOT, answer_history},
    {"states-of", 4, 4, VERBS_ROOT, answer_states_of},
    {"rates", 3, 3, ANYBODY, answer_rates},
    {"set", 6, 6, KEEPERS, answer_set},
    {"clear", 4, 4, KEEPERS, answer_clear},
    {"list", 4, 4, KEEPERS, answer_list},
    {"end-sessions", 3, WIRE_MAX_FIELDS, VERBS_ROOT, answer_end_sessions},
};

static const struct verb *find_verb(struct slice name)
{
    for (size_t i = 0; i < sizeof verb_table / sizeof *verb_table; i++)
        if (slice_equal(name, slice_text(verb_table[i].name)))
            return &verb_table[i];
    return NULL;
}

static void record_moved(void *owner, const struct states_record *state)
{
    struct verbs *verbs = owner;
    struct slice account = slice_text(state->account);
    struct str clear, set;
    str_init(&clear, LEDGER_RECORD_MAX);
    str_init(&set, LEDGER_RECORD_MAX);
    ledger_put_clear(&clear, account, state->name);
    ledger_put_set(&set, account, state->name, state->since, state->until,
                   slice_text(state->cause));
    record_soon(verbs, &clear);
    record_soon(verbs, &set);
    str_free(&clear);
    str_free(&set);
}

/* Locks and windows move along with a clock that is set back, or they would hold for longer. Those of failed
 * log-ins have no records of their own: the journal is written anew within a minute. */
static void note_time(struct verbs *verbs, int64_t now)
{
    struct ledger *ledger = verbs->ledger;
    bool moved = false;
    if (verbs->latest == 0) {
        moved = failures_begin_now(&ledger->failures, now);
        states_begin_now(&ledger->states, now, record_moved, verbs);
    } else if (now < verbs->latest) {
        moved = failures_turn_back(&ledger->failures, verbs->latest - now);
        states_turn_back(&ledger->states, verbs->latest - now, record_moved, verbs);
    }
    if (moved)
        verbs->journal->compact_at = 0;
    verbs->latest = now;
}

bool verbs_answer(struct verbs *verbs, enum verbs_peer peer, int64_t now,
                  const struct wire_message *fields, struct str *answer)
{
    struct question question = {.verbs = verbs,
                                .peer = peer,
                                .now = now,
                                .fields = fields,
                                .account = wire_field(fields, 2),
                                .answer = answer};
    const struct verb *verb = find_verb(wire_field(fields, 1));
    if (!slice_equal(wire_field(fields, 0), SLICE("state/1")) || !verb ||
        fields->count < verb->least || fields->count > verb->most ||
        !(verb->peers & (unsigned)peer))
        return false;
    if (question.account.size == 0 || question.account.size > STATES_ACCOUNT_MAX ||
        slice_has(question.account, '\0'))
        return false;
    note_time(verbs, now);
    return verb->answer(&question) && !answer->failed;
}

/* ---- housekeeping -----------------------------------------------------------------------------
 */

struct noted {
    const struct board *board;
    struct board_states states;
};

static void note_state(void *owner, const struct states_record *record)
{
    struct noted *noted = owner;
    board_add_state(noted->board, &noted->states, slice_text(record->account));
}

/* Counters that nobody used are gone by now: rules whose room is noted would not be counted. */
void verbs_write_board(struct verbs *verbs)
{
    struct noted noted = {.board = verbs->board};
    states_walk(&verbs->ledger->states, note_state, &noted);
    board_replace_states(verbs->board, &noted.states);
    board_forget_rooms(verbs->board);
}

static void note_ended(void *owner, const struct states_record *record)
{
    struct verbs *verbs = owner;
    struct slice account = slice_text(record->account);
    log_state("state-ended", account, record->name, 0, SLICE(""));
    note_event(verbs, account,
               &(struct history_event){
                   .time = record->until, .state = record->name, .what = HISTORY_ENDED},
               SLICE(""));
}

void verbs_end_states(struct verbs *verbs, int64_t now)
{
    note_time(verbs, now);
    rates_tidy(&verbs->ledger->rates, now);
    states_end(&verbs->ledger->states, now, note_ended, verbs);
    verbs_write_board(verbs);
}

static void put_line(void *owner, struct slice record)
{
    journal_put_line(owner, record);
}

static void put_rate(void *owner, const struct rates_record *rate)
{
    struct str record;
    str_init(&record, LEDGER_RECORD_MAX);
    ledger_put_rate(&record, rate);
    journal_put_line(owner, str_slice(&record));
    str_free(&record);
}

bool verbs_wants_write(const struct verbs *verbs)
{
    return verbs->wants_sync || rates_is_dirty(&verbs->ledger->rates);
}

void verbs_write(struct verbs *verbs)
{
    struct str lines;
    str_init(&lines, VERBS_COMPACT_MAX);
    rates_flush(&verbs->ledger->rates, put_rate, &lines);
    if (lines.failed || !journal_append_lines(verbs->journal, str_slice(&lines)))
        log_trouble("append to", "state/journal", lines.failed ? ENOMEM : errno,
                    "make room; messages are counted, but a restart forgets them");
    str_free(&lines);
    if (verbs->wants_sync && !journal_sync(verbs->journal))
        log_trouble("sync", "state/journal", errno, NULL);
    verbs->wants_sync = false;
}

void verbs_compact(struct verbs *verbs, int64_t now)
{
    struct str lines;
    if (!journal_wants_compaction(verbs->journal))
        return;
    str_init(&lines, VERBS_COMPACT_MAX);
    ledger_walk(verbs->ledger, now, put_line, &lines);
    if (lines.failed || !journal_replace(verbs->journal, str_slice(&lines)))
        log_trouble("write anew", "state/journal", lines.failed ? ENOMEM : errno,
                    "make room; the old file goes on");
    str_free(&lines);
}
