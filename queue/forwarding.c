/* forwarding - see forwarding.h */
#include "forwarding.h"

#include "clock.h"
#include "forwardrule.h"
#include "io.h"
#include "log.h"
#include "origin.h"
#include "sendlimits.h"
#include "srs.h"

#include <stdio.h>

enum {
    RECORD_MAX = 2 * FORWARDRULE_RECORD_MAX, /* whatever cdb lets pass */
    SECONDS_PER_DAY = 86400,
    PATIENCE_MS = 500,  /* it answers in microseconds, unless its disk is slow */
    SILENCE_MS = 60000, /* queued can't wait for a stated that hangs at each message */
    NAME_SIZE = DIRECTORY_LOCAL_MAX + DIRECTORY_DOMAIN_MAX + 2,
};

void forwarding_init(struct forwarding *forwarding, struct directory *directory)
{
    forwarding->directory = directory;
    forwarding->state_fd = -1;
    forwarding->silent_until = 0;
    wire_init(&forwarding->answer);
}

void forwarding_free(struct forwarding *forwarding)
{
    io_close(&forwarding->state_fd);
    wire_free(&forwarding->answer);
}

/* ---- who may send ------------------------------------------------------------------------------ */

static void name_account(const struct directory_account *account, char name[NAME_SIZE])
{
    snprintf(name, NAME_SIZE, "%s@%s", account->local, account->domain.name);
}

static void note_silence(struct forwarding *forwarding)
{
    log_trouble("ask", STATE_SOCKET, 0,
                "forwarded mail and replies are not limited and not counted meanwhile");
    forwarding->silent_until = clock_deadline(SILENCE_MS);
}

/* Mail is not held up by a stated that is away. False: `answer` says why. */
static bool may_send(struct forwarding *forwarding, const struct directory_account *account)
{
    struct state_rule rules[STATE_RULES_MAX];
    char name[NAME_SIZE];
    if (clock_ms() < forwarding->silent_until)
        return true;
    name_account(account, name);
    if (sendlimits_read(forwarding->directory, account, rules) &&
        state_ask_allows(&forwarding->state_fd, &forwarding->answer, name, "send", rules,
                         STATE_RULES_MAX, PATIENCE_MS))
        return !slice_equal(wire_field(&forwarding->answer, 0), SLICE("no"));
    note_silence(forwarding);
    return true;
}

enum place { PLACE_OUTSIDE, PLACE_HERE, PLACE_ITSELF };

/* Where a target of the account is; what can't be found out counts as here, and is seen to when the
 * copy is routed. */
static enum place find_place(struct forwarding *forwarding, const struct directory_account *account,
                             struct slice target)
{
    struct directory_account found;
    struct slice name = slice_from(target, slice_find_last(target, '@') + 1);
    if (directory_domain(forwarding->directory, name, &found.domain) == DIRECTORY_UNKNOWN_DOMAIN)
        return PLACE_OUTSIDE;
    bool is_same = slice_equal(slice_text(found.domain.name), slice_text(account->domain.name)) &&
                   directory_address(forwarding->directory, target, &found) == DIRECTORY_FOUND &&
                   slice_equal(slice_text(found.local), slice_text(account->local));
    return is_same ? PLACE_ITSELF : PLACE_HERE;
}

/* ---- rules -------------------------------------------------------------------------------------- */

/* Which of an account's rules and targets local is told. Never its own address, under whatever name:
 * the mail is there already, and each sender would hear of a loop. */
struct choice {
    const struct directory_account *account;
    bool unconditional; /* those under all alone (SPEC R9) */
    bool inside;        /* targets of ours alone */
};

static bool has_condition(struct slice record)
{
    struct forwardrule rule;
    while (forwardrule_cut(&record, &rule) == 1)
        if (rule.condition != FORWARDRULE_ALL)
            return true;
    return false;
}

static bool is_chosen_rule(const struct choice *choice, const struct forwardrule *rule)
{
    return !choice->unconditional || rule->condition == FORWARDRULE_ALL;
}

static bool is_chosen(struct forwarding *forwarding, const struct choice *choice,
                      struct slice target)
{
    enum place place = find_place(forwarding, choice->account, target);
    return place == PLACE_HERE || (place == PLACE_OUTSIDE && !choice->inside);
}

static bool goes_outside(struct forwarding *forwarding, struct slice record,
                         const struct choice *choice)
{
    struct forwardrule rule;
    struct slice target;
    while (forwardrule_cut(&record, &rule) == 1)
        while (is_chosen_rule(choice, &rule) && forwardrule_cut_target(&rule.targets, &target) == 1)
            if (find_place(forwarding, choice->account, target) == PLACE_OUTSIDE)
                return true;
    return false;
}

static void put_targets(struct forwarding *forwarding, const struct choice *choice,
                        struct slice targets, struct str *chosen)
{
    struct slice target;
    str_clear(chosen);
    while (forwardrule_cut_target(&targets, &target) == 1)
        if (is_chosen(forwarding, choice, target))
            wire_put(chosen, target);
}

static bool put_rules(struct forwarding *forwarding, struct slice record,
                      const struct choice *choice, struct str *rules)
{
    struct forwardrule rule;
    struct str chosen;
    int cut = 0;
    bool done = true;
    str_init(&chosen, RECORD_MAX);
    while (done && (cut = forwardrule_cut(&record, &rule)) == 1) {
        if (!is_chosen_rule(choice, &rule))
            continue;
        put_targets(forwarding, choice, rule.targets, &chosen);
        rule.targets = str_slice(&chosen);
        done = !chosen.failed && (chosen.size == 0 || forwardrule_put(rules, &rule));
    }
    str_free(&chosen);
    return done && cut == 0;
}

/* As stated has said just now. */
static void log_stopped(const struct forwarding *forwarding, const char *event, struct slice id,
                        const struct directory_account *account)
{
    char name[NAME_SIZE];
    struct log_line line;
    name_account(account, name);
    log_begin(&line, event);
    log_value(&line, "id", id);
    log_text(&line, "account", name);
    log_value(&line, "state", wire_field(&forwarding->answer, 1));
    log_end(&line);
}

/* Decides what is left out; false: the message has to wait. */
static bool choose(struct forwarding *forwarding, const struct directory_account *account,
                   const struct queuefile *file, struct slice record, struct choice *choice,
                   struct str *reason)
{
    bool receives;
    *choice = (struct choice){.account = account};
    if (!directory_setting_is_on(forwarding->directory, account, "receive", &receives)) {
        str_append_text(reason, "the account's settings can't be read");
        return false;
    }
    choice->unconditional = !receives && has_condition(record);
    if (!goes_outside(forwarding, record, choice) || may_send(forwarding, account))
        return true;
    choice->inside = true;
    log_stopped(forwarding, "not-forwarded", file->id, account);
    if (!receives)
        str_append_text(reason, "the account forwards only, and may not send now");
    return receives;
}

bool forwarding_may_answer(struct forwarding *forwarding, const struct directory_account *account,
                           struct slice id)
{
    if (may_send(forwarding, account))
        return true;
    log_stopped(forwarding, "not-auto-replied", id, account);
    return false;
}

/* ---- the field ---------------------------------------------------------------------------------- */

/* The sender of the copy. What can't be rewritten goes as it is: SPF may fail then, but the mail is
 * not lost by us. */
static void put_sender(struct directory *directory, const struct directory_account *account,
                       struct slice sender, struct str *field)
{
    struct slice domain = slice_text(account->domain.name);
    struct str secret, rewritten;
    str_init(&secret, DIRECTORY_VALUE_MAX);
    str_init(&rewritten, ENVELOPE_ADDRESS_MAX);
    bool is_rewritten = srs_is_needed(sender, domain) &&
                        directory_host(directory, "srs-secret", &secret) &&
                        secret.size >= SRS_SECRET_MIN &&
                        srs_forward(str_slice(&secret), clock_seconds() / SECONDS_PER_DAY, sender,
                                    domain, &rewritten);
    wire_put(field, is_rewritten ? str_slice(&rewritten) : sender);
    str_free(&secret);
    str_free(&rewritten);
}

/* RFC 3461 5.2: a sender hears of success once, of the mailbox, and of a copy what else he asked for: who
 * asked for nothing else hears nothing. */
static void put_notify(unsigned notify, struct str *field)
{
    char bytes[DSN_NOTIFY_TEXT_MAX];
    struct str text = str_on(bytes, sizeof bytes);
    unsigned rest = notify & ~(unsigned)DSN_NOTIFY_SUCCESS;
    if (!dsn_format_notify(notify != 0 && rest == 0 ? DSN_NOTIFY_NEVER : rest, &text))
        field->failed = true;
    wire_put(field, str_slice(&text));
}

static bool put_field(struct forwarding *forwarding, const struct directory_account *account,
                      const struct queuefile *file, size_t recipient, struct slice sender,
                      struct slice rules, struct str *field)
{
    wire_put_text(field, envelope_body_letter(file->body));
    wire_put_text(field, file->utf8 ? "1" : "0");
    put_notify(file->recipients[recipient].notify, field);
    put_sender(forwarding->directory, account, sender, field);
    return str_append(field, rules);
}

bool forwarding_put(struct forwarding *forwarding, const struct directory_account *account,
                    const struct queuefile *file, size_t recipient, struct slice sender,
                    struct str *field, struct str *reason)
{
    struct str record, rules;
    struct choice choice;
    str_init(&record, RECORD_MAX);
    str_init(&rules, RECORD_MAX);
    bool done = directory_forwards(forwarding->directory, account, &record);
    if (done && record.size > 0) {
        done = choose(forwarding, account, file, str_slice(&record), &choice, reason) &&
               put_rules(forwarding, str_slice(&record), &choice, &rules);
        if (done && rules.size > 0)
            done =
                put_field(forwarding, account, file, recipient, sender, str_slice(&rules), field);
    }
    if (!done && reason->size == 0)
        str_append_text(reason, "the account's forwards can't be read");
    str_free(&record);
    str_free(&rules);
    return done;
}

/* ---- what they cost ----------------------------------------------------------------------------- */

/* "by=forward id=... user=RECIPIENT uid=N", or "by=reply ...": the words are local's, the last is the kernel's by way of
 * queue-inject (admission.c). So no domain has another pay. */
static bool find_forwarder(struct directory *directory, struct slice origin,
                           struct directory_account *account)
{
    const struct slice user = SLICE("user=");
    char uid[32];
    struct slice rest = origin;
    struct slice by = slice_cut(&rest, ' ');
    struct slice id = slice_cut(&rest, ' ');
    size_t end = slice_find_last(rest, ' '); /* the recipient may have blanks, in quotes */
    struct slice recipient = slice_part(rest, user.size, end - user.size);
    if ((!slice_equal(by, SLICE("by=forward")) && !slice_equal(by, SLICE("by=reply"))) ||
        !slice_starts(id, SLICE("id=")) || !slice_starts(rest, user) || end == rest.size ||
        directory_address(directory, recipient, account) != DIRECTORY_FOUND)
        return false;
    snprintf(uid, sizeof uid, " uid=%lu", (unsigned long)account->domain.uid);
    return slice_equal(slice_from(rest, end), slice_text(uid));
}

void forwarding_count(struct forwarding *forwarding, const struct queuefile *file, size_t outside)
{
    struct directory_account account;
    char name[NAME_SIZE];
    if (outside == 0 || clock_ms() < forwarding->silent_until ||
        !find_forwarder(forwarding->directory, file->origin, &account))
        return;
    name_account(&account, name);
    if (!state_sent(&forwarding->state_fd, name, outside))
        note_silence(forwarding);
}

/* RFC 3463 3.2: X.1.7 and X.1.8 are about the sender's address. */
bool forwarding_is_unknown(const char *status)
{
    struct slice text = slice_text(status);
    return slice_starts(text, SLICE("5.1.")) && !slice_equal(text, SLICE("5.1.7")) &&
           !slice_equal(text, SLICE("5.1.8"));
}

/* smtpd's words: whom it has let log in. */
static bool find_submitter(struct directory *directory, struct slice origin,
                           struct directory_account *account)
{
    static const char *const services[] = {"submission", "submissions", "smtp"};
    struct slice by = origin_word(origin, SLICE("by="));
    struct slice user = origin_word(origin, SLICE("user="));
    bool is_smtpd = false;
    for (size_t i = 0; i < sizeof services / sizeof *services; i++)
        is_smtpd = is_smtpd || slice_equal(by, slice_text(services[i]));
    return is_smtpd && user.size > 0 &&
           directory_address(directory, user, account) == DIRECTORY_FOUND;
}

void forwarding_count_rejected(struct forwarding *forwarding, const struct queuefile *file,
                               size_t rejected)
{
    struct directory_account account;
    char name[NAME_SIZE];
    if (rejected == 0 || clock_ms() < forwarding->silent_until ||
        !find_submitter(forwarding->directory, file->origin, &account))
        return;
    name_account(&account, name);
    if (!state_rejected(&forwarding->state_fd, name, rejected))
        note_silence(forwarding);
}
