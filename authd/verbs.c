/* verbs - see verbs.h */
#include "verbs.h"

#include "log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { VERBS_COMPACT_MAX = 128 * 1024 * 1024, VERBS_TEXT_MAX = 256 };

/* One question while it is answered. */
struct question {
    struct verbs *verbs;
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

/* Records that may be lost in a power cut: failures, successes. The journal is synced every other
 * second; a full disk costs the record, not the count in memory. */
static void record_soon(struct verbs *verbs, const struct str *record)
{
    if (!journal_append(verbs->journal, str_slice(record)))
        log_trouble("append to", "state/journal", errno,
                    "make room; failed logins are counted, but a restart forgets them");
}

/* Records that must be on disk when they are answered. */
static bool record_now(struct verbs *verbs, const struct str *record)
{
    if (journal_append(verbs->journal, str_slice(record)) && journal_sync(verbs->journal))
        return true;
    log_trouble("write to", "state/journal", errno, "make room, then set the state again");
    return false;
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

static void answer_login_check(struct question *question)
{
    char client[FAILURES_CLIENT_MAX];
    int64_t until;
    copy_client(question, client);
    enum failures_scope scope =
        failures_check(&question->verbs->ledger->failures, question->account, slice_text(client),
                       question->now, &until);
    if (scope == FAILURES_NONE) {
        wire_put_text(question->answer, "ok");
        return;
    }
    wire_put_text(question->answer, "locked");
    put_signed(question->answer, until - question->now);
    wire_put_text(question->answer, lock_causes[scope]);
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

static void answer_login_failed(struct question *question)
{
    char client[FAILURES_CLIENT_MAX];
    struct failures_result result = {.delay_ms = FAILURES_DELAY_MAX_MS};
    struct str record;
    copy_client(question, client);
    str_init(&record, LEDGER_RECORD_MAX);
    ledger_put_failed(&record, question->now, question->account, slice_text(client));
    if (!record.failed && ledger_apply(question->verbs->ledger, str_slice(&record), &result))
        record_soon(question->verbs, &record);
    str_free(&record);
    if (result.locked != FAILURES_NONE)
        log_lock(question, slice_text(client), &result);
    wire_put_text(question->answer, "ok");
    put_signed(question->answer, result.delay_ms);
}

/* "ok", or the state that stops `action`. */
static void answer_allowed(struct question *question, unsigned action)
{
    const struct states_record *state =
        states_stopping(&question->verbs->ledger->states, question->account, action, question->now);
    if (!state) {
        wire_put_text(question->answer, "ok");
        return;
    }
    const struct states_kind *kind = states_kind(state->name);
    wire_put_text(question->answer, "no");
    wire_put_text(question->answer, kind->name);
    wire_put_text(question->answer, kind->text);
}

static void answer_login_ok(struct question *question)
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
    answer_allowed(question, STATES_LOGIN);
}

/* ---- states -----------------------------------------------------------------------------------
 */

static void answer_allows(struct question *question)
{
    unsigned action = states_action_from(wire_field(question->fields, 3));
    if (action != 0) {
        answer_allowed(question, action);
        return;
    }
    wire_put_text(question->answer, "no");
    wire_put_text(question->answer, "");
    wire_put_text(question->answer, "no such action");
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
    put_state(question->answer, states_kind(STATES_ACCOUNT_LOCK)->name,
              tally->locked_until - question->verbs->ledger->limits.lock_s, tally->locked_until,
              cause);
}

static void answer_get(struct question *question)
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
}

static void answer_no(struct question *question, const char *reason)
{
    wire_put_text(question->answer, "no");
    wire_put_text(question->answer, reason);
}

static void log_state(const char *event, struct slice account, enum states_name name,
                      struct slice cause)
{
    struct log_line line;
    log_begin(&line, event);
    log_value(&line, "account", account);
    log_text(&line, "state", states_kind(name)->name);
    if (cause.size > 0)
        log_value(&line, "cause", cause);
    log_end(&line);
}

static void answer_set(struct question *question)
{
    struct ledger *ledger = question->verbs->ledger;
    enum states_name name;
    uint64_t until;
    struct slice cause = wire_field(question->fields, 5);
    struct str record;
    if (!states_name_from(wire_field(question->fields, 3), &name)) {
        answer_no(question, "no such state");
        return;
    }
    if (!wire_number(question->fields, 4, INT64_MAX, &until) ||
        (until != 0 && (int64_t)until <= question->now)) {
        answer_no(question, "the end must lie ahead");
        return;
    }
    str_init(&record, LEDGER_RECORD_MAX);
    ledger_put_set(&record, question->account, name, question->now, (int64_t)until, cause);
    if (record.failed || cause.size > STATES_CAUSE_MAX) {
        answer_no(question, "the cause is too long");
    } else if (!record_now(question->verbs, &record)) {
        answer_no(question, "the state can't be written to disk; see stated's log");
    } else if (!ledger_apply(ledger, str_slice(&record), NULL)) {
        answer_no(question, "there are too many states, or memory is out");
    } else {
        log_state("state-set", question->account, name, cause);
        wire_put_text(question->answer, "ok");
    }
    str_free(&record);
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

static void answer_clear(struct question *question)
{
    struct ledger *ledger = question->verbs->ledger;
    enum states_name name;
    if (!states_name_from(wire_field(question->fields, 3), &name)) {
        answer_no(question, "no such state");
        return;
    }
    bool forgiven = name == STATES_ACCOUNT_LOCK && forgive(question);
    bool set = states_find(&ledger->states, question->account, name, question->now);
    if (!set && !forgiven) {
        answer_no(question, "the account is not in this state");
        return;
    }
    struct str record;
    str_init(&record, LEDGER_RECORD_MAX);
    ledger_put_clear(&record, question->account, name);
    if (set && !record_now(question->verbs, &record)) {
        answer_no(question, "the change can't be written to disk; see stated's log");
    } else {
        if (set)
            ledger_apply(ledger, str_slice(&record), NULL);
        log_state("state-cleared", question->account, name, SLICE(""));
        wire_put_text(question->answer, "ok");
    }
    str_free(&record);
}

/* ---- dispatch ---------------------------------------------------------------------------------
 */

enum { ANYBODY = VERBS_ROOT | VERBS_AUTHD | VERBS_OTHER };

static const struct verb {
    const char *name;
    size_t fields;
    unsigned peers;
    void (*answer)(struct question *);
} verb_table[] = {
    {"login-check", 4, VERBS_AUTHD, answer_login_check},
    {"login-failed", 4, VERBS_AUTHD, answer_login_failed},
    {"login-ok", 4, VERBS_AUTHD, answer_login_ok},
    {"allows", 4, ANYBODY, answer_allows},
    {"get", 3, ANYBODY, answer_get},
    {"set", 6, VERBS_ROOT, answer_set},
    {"clear", 4, VERBS_ROOT, answer_clear},
};

static const struct verb *find_verb(struct slice name)
{
    for (size_t i = 0; i < sizeof verb_table / sizeof *verb_table; i++)
        if (slice_equal(name, slice_text(verb_table[i].name)))
            return &verb_table[i];
    return NULL;
}

bool verbs_answer(struct verbs *verbs, enum verbs_peer peer, int64_t now,
                  const struct wire_message *fields, struct str *answer)
{
    struct question question = {.verbs = verbs,
                                .now = now,
                                .fields = fields,
                                .account = wire_field(fields, 2),
                                .answer = answer};
    const struct verb *verb = find_verb(wire_field(fields, 1));
    if (!slice_equal(wire_field(fields, 0), SLICE("state/1")) || !verb ||
        fields->count != verb->fields || !(verb->peers & (unsigned)peer))
        return false;
    if (question.account.size == 0 || question.account.size > STATES_ACCOUNT_MAX ||
        slice_has(question.account, '\0'))
        return false;
    verb->answer(&question);
    return !answer->failed;
}

/* ---- housekeeping -----------------------------------------------------------------------------
 */

static void log_ended(void *owner, const struct states_record *record)
{
    (void)owner;
    log_state("state-ended", slice_text(record->account), record->name, SLICE(""));
}

void verbs_end_states(struct verbs *verbs, int64_t now)
{
    states_end(&verbs->ledger->states, now, log_ended, NULL);
}

static void put_line(void *owner, struct slice record)
{
    journal_put_line(owner, record);
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
