/* stateverbs - mailctl state; see operations.h */
#include "accountrules.h"
#include "clock.h"
#include "io.h"
#include "number.h"
#include "operations.h"
#include "show.h"
#include "state.h"
#include "stateview.h"

#include <stdio.h>
#include <string.h>

#define DEFAULT_STATE STATE_ACCOUNT_LOCK

enum { HOURS_MAX = 87600, ADDRESS_MAX = USERLINE_LOCAL_MAX + IDN_NAME_MAX + 2 };

/* Whose state it is. */
struct subject {
    struct domain domain;
    const struct domain_account *account; /* NULL: the domain as a whole */
    bool is_uid;                          /* a user of this machine; no domain at all */
    char name[ADDRESS_MAX];               /* for stated: "user@domain", "@domain", "@uid=N" */
};

static bool read_name(struct commandline *command, char local[USERLINE_LOCAL_MAX + 1],
                      char name[IDN_NAME_MAX + 1])
{
    const char *word = command->words[0];
    local[0] = '\0';
    return strchr(word, '@') ? commandline_address(command, word, local, name)
                             : commandline_domain_name(command, word, name);
}

static bool is_uid(const char *word)
{
    uint64_t uid;
    struct slice text = slice_text(word);
    return slice_starts(text, SLICE("uid=")) && number_parse(slice_from(text, 4), UINT32_MAX, &uid);
}

/* False: refused already. The domain is freed by domain_free in any case. */
static bool find_subject(struct commandline *command, struct subject *subject, int *result)
{
    char local[USERLINE_LOCAL_MAX + 1], name[IDN_NAME_MAX + 1];
    *subject = (struct subject){0};
    *result = EXIT_REFUSED;
    subject->is_uid = is_uid(command->words[0]);
    if (subject->is_uid) {
        snprintf(subject->name, sizeof subject->name, "@%s", command->words[0]);
        return true;
    }
    if (!read_name(command, local, name) ||
        !commandline_load(command, name, &subject->domain, result))
        return false;
    snprintf(subject->name, sizeof subject->name, "%s@%s", local, name);
    if (local[0] == '\0')
        return true;
    subject->account = domain_find(&subject->domain, local);
    if (!subject->account)
        *result = commandline_refuse(command, "there is no account %s", subject->name);
    return subject->account != NULL;
}

static int refuse_down(const struct commandline *command)
{
    commandline_refuse(command, "stated does not answer: is the suite running? (mailctl status)");
    return EXIT_PASSING;
}

/* "ok", or "no" and the reason. */
static int judge(const struct commandline *command, const struct wire_message *answer)
{
    struct slice reason = wire_field(answer, 1);
    if (slice_equal(wire_field(answer, 0), SLICE("ok")))
        return EXIT_DONE;
    return commandline_refuse(command, "%.*s", SLICE_PRINTF(reason));
}

/* What happened lately, newest first. */
static json_t *show_history(int *fd, const char *name)
{
    enum { FIELDS = 5 };
    struct wire_message answer;
    json_t *rows = json_array();
    wire_init(&answer);
    if (state_ask(fd, &answer, "history", name, (char *)NULL))
        for (size_t at = 1; at + FIELDS <= answer.count; at += FIELDS) {
            uint64_t time = 0, until = 0;
            (void)(wire_number(&answer, at, INT64_MAX, &time) &&
                   wire_number(&answer, at + 3, INT64_MAX, &until));
            json_array_insert_new(rows, 0,
                                  json_pack("{s:o, s:o, s:o, s:o, s:o}", "time",
                                            show_time((int64_t)time), "state",
                                            show_text(wire_field(&answer, at + 1)), "event",
                                            show_text(wire_field(&answer, at + 2)), "until",
                                            show_time((int64_t)until), "cause",
                                            show_text(wire_field(&answer, at + 4))));
        }
    wire_free(&answer);
    return rows;
}

/* What is counted, and the settings and the state that belong to it. */
static const struct counter {
    const char *kind;
    const char *limit, *window;
    const char *state;
    bool is_domains;
} counters[] = {
    {"sent", "send-limit", "send-window", STATE_SEND_PAUSE, true},
    {"received", "receive-limit", "receive-window", STATE_RECEIVE_PAUSE, true},
    {"messages", "account-send-limit", "account-send-window", STATE_SEND_LOCK, false},
    {"recipients", "account-recipients-limit", "account-send-window", STATE_SEND_LOCK, false},
    {"misuse-recipients", "misuse-recipients", "misuse-window", STATE_MISUSE_DETECTED, false},
    {"misuse-rejected", "misuse-rejected", "misuse-window", STATE_MISUSE_DETECTED, false},
};

/* What is in force; stated knows it only once it was asked. For uids that must do. */
static json_t *setting_value(const struct subject *subject, const char *name, int64_t heard)
{
    if (subject->is_uid)
        return json_integer(heard);
    const struct setting *setting = settings_find(slice_text(name));
    enum settings_layer layer;
    bool ignored;
    const struct domain_account *account =
        setting->scope == SETTINGS_ACCOUNT ? subject->account : NULL;
    return show_value(setting, domain_value(&subject->domain, account, setting, &layer, &ignored));
}

/* Field `offset` of the entry that begins with `name`; 0 when there is none. */
static int64_t find_number(const struct wire_message *answer, const char *name, size_t offset)
{
    uint64_t number = 0;
    for (size_t at = 1; at + STATEVIEW_FIELDS <= answer->count; at += STATEVIEW_FIELDS)
        if (slice_equal(wire_field(answer, at), slice_text(name)) &&
            wire_number(answer, at + offset, INT64_MAX, &number))
            break;
    return (int64_t)number;
}

/* One row per limit: what stated counted, what may be, till when it is stopped. */
static json_t *show_counters(const struct subject *subject, const struct wire_message *states,
                             const struct wire_message *rates)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < sizeof counters / sizeof *counters; i++) {
        const struct counter *counter = &counters[i];
        bool is_received = slice_equal(slice_text(counter->kind), SLICE("received"));
        if (counter->is_domains != !subject->account || (subject->is_uid && is_received))
            continue;
        json_array_append_new(
            rows,
            json_pack("{s:s, s:I, s:o, s:o, s:o}", "counter", counter->kind, "count",
                      (json_int_t)find_number(rates, counter->kind, 1), "limit",
                      setting_value(subject, counter->limit, find_number(rates, counter->kind, 2)),
                      "window",
                      setting_value(subject, counter->window, find_number(rates, counter->kind, 3)),
                      "stopped-until", show_time(find_number(states, counter->state, 2))));
    }
    return rows;
}

/* What stated says of one name. False: it is down. */
static bool ask_about(int *fd, const char *name, struct wire_message *states,
                      struct wire_message *rates)
{
    return state_ask(fd, states, "get", name, (char *)NULL) &&
           state_ask(fd, rates, "rates", name, (char *)NULL);
}

/* What is empty is shown to programs only. */
static void show_more(struct commandline *command, const char *name, json_t *rows)
{
    if (command->json || json_array_size(rows) > 0)
        json_object_set_new(command->result, name, rows);
    else
        json_decref(rows);
}

static int show(struct commandline *command, const struct subject *subject)
{
    struct wire_message answers, rates;
    int result = EXIT_DONE, fd = -1;
    json_t *states = json_array();
    const char *domain = subject->account ? strchr(subject->name, '@') : NULL;
    wire_init(&answers);
    wire_init(&rates);
    /* What the domain is in holds for the account, too. */
    if (domain && state_ask(&fd, &answers, "get", domain, (char *)NULL))
        stateview_append(states, &answers, domain);
    if (ask_about(&fd, subject->name, &answers, &rates)) {
        stateview_append(states, &answers, subject->name);
        if (json_array_size(states) == 0 && !command->json)
            json_array_append_new(states, json_string("normal"));
        command->result = json_pack("{s:O}", "states", states);
        if (!subject->account && !subject->is_uid)
            show_more(command, "accounts", stateview_of_accounts(&fd, subject->domain.name));
        if (command->json || commandline_option(command, "history"))
            show_more(command, "history", show_history(&fd, subject->name));
        json_object_set_new(command->result, "counters", show_counters(subject, &answers, &rates));
    } else {
        result = refuse_down(command);
    }
    json_decref(states);
    wire_free(&answers);
    wire_free(&rates);
    io_close(&fd);
    return result;
}

int operations_state_show(struct commandline *command)
{
    struct subject subject;
    int result;
    if (find_subject(command, &subject, &result))
        result = show(command, &subject);
    domain_free(&subject.domain);
    return result;
}

static const char *state_word(const struct commandline *command)
{
    return command->word_count > 1 ? command->words[1] : DEFAULT_STATE;
}

static bool find_until(const struct commandline *command, char until[NUMBER_TEXT_SIZE + 1])
{
    const char *hours = commandline_option(command, "hours");
    uint64_t number = 0;
    if (hours && (!number_parse(slice_text(hours), HOURS_MAX, &number) || number == 0)) {
        commandline_refuse(command, "--hours wants a number from 1 to %d", HOURS_MAX);
        return false;
    }
    int64_t end = hours ? clock_seconds() + (int64_t)number * 3600 : 0;
    snprintf(until, NUMBER_TEXT_SIZE + 1, "%lld", (long long)end);
    return true;
}

static int set(struct commandline *command, const struct subject *subject)
{
    char until[NUMBER_TEXT_SIZE + 1];
    const char *cause = commandline_option(command, "cause");
    struct wire_message answer;
    int result, fd = -1;
    if (!find_until(command, until))
        return EXIT_REFUSED;
    wire_init(&answer);
    if (state_ask(&fd, &answer, "set", subject->name, state_word(command), until,
                  cause ? cause : "set by the operator", (char *)NULL))
        result = judge(command, &answer);
    else
        result = refuse_down(command);
    wire_free(&answer);
    io_close(&fd);
    return result;
}

static bool is_about_password(const struct commandline *command)
{
    return strcmp(state_word(command), STATE_PASSWORD_FORCED) == 0;
}

/* That state says what the users file says: the old password is void. */
static int refuse_to_force(const struct commandline *command, const struct subject *subject)
{
    return commandline_refuse(command, "a password is made void by mailctl user force-password %s",
                              subject->account ? subject->name : "USER@DOMAIN");
}

/* Whom the operator locks out is out. Locks by failed log-ins end no session, or whoever guesses at a
 * password could. */
static void end_sessions(const struct commandline *command, const struct subject *subject)
{
    const char *local = subject->account ? subject->account->local : "";
    if (!subject->is_uid && strcmp(state_word(command), STATE_ACCOUNT_LOCK) == 0)
        (void)accountrules_end_sessions(&local, 1, subject->domain.name, SESSIONEND_LOCKED);
}

int operations_state_lock(struct commandline *command)
{
    struct subject subject;
    int result;
    if (find_subject(command, &subject, &result))
        result = is_about_password(command) ? refuse_to_force(command, &subject)
                                            : set(command, &subject);
    if (result == EXIT_DONE)
        end_sessions(command, &subject);
    domain_free(&subject.domain);
    return result;
}

static int clear(struct commandline *command, const struct subject *subject, const char *state)
{
    struct wire_message answer;
    int result, fd = -1;
    wire_init(&answer);
    if (state_ask(&fd, &answer, "clear", subject->name, state, (char *)NULL))
        result = judge(command, &answer);
    else
        result = refuse_down(command);
    wire_free(&answer);
    io_close(&fd);
    return result;
}

/* Ends whatever of the domain's pauses there is. */
static int clear_pauses(struct commandline *command, const struct subject *subject)
{
    static const char *const pauses[] = {STATE_SEND_PAUSE, STATE_RECEIVE_PAUSE};
    struct wire_message states;
    int result = EXIT_DONE, fd = -1;
    size_t ended = 0;
    wire_init(&states);
    if (!state_ask(&fd, &states, "get", subject->name, (char *)NULL))
        result = refuse_down(command);
    for (size_t i = 0; result == EXIT_DONE && i < sizeof pauses / sizeof *pauses; i++) {
        if (find_number(&states, pauses[i], 2) == 0)
            continue;
        result = clear(command, subject, pauses[i]);
        ended++;
    }
    if (result == EXIT_DONE && ended == 0)
        result = commandline_refuse(command, "neither sending nor receiving pauses");
    wire_free(&states);
    io_close(&fd);
    return result;
}

/* Cleared by hand it would be out of sight, and nobody could log in all the same. */
static bool is_void(const struct commandline *command, const struct subject *subject)
{
    return subject->account && is_about_password(command) &&
           userline_is_void(slice_text(subject->account->hash));
}

static int unlock(struct commandline *command, const struct subject *subject)
{
    if (is_void(command, subject))
        return commandline_refuse(command,
                                  "the password is void till there is a new one: mailctl user "
                                  "passwd %s",
                                  subject->name);
    return subject->account || command->word_count > 1
               ? clear(command, subject, state_word(command))
               : clear_pauses(command, subject);
}

int operations_state_unlock(struct commandline *command)
{
    struct subject subject;
    int result;
    if (find_subject(command, &subject, &result))
        result = unlock(command, &subject);
    domain_free(&subject.domain);
    return result;
}
