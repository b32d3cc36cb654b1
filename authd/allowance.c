/* allowance - see allowance.h */
#include "allowance.h"

#include "board.h"
#include "state.h"

#include <inttypes.h>
#include <stdio.h>

static const struct kind {
    const char *rule; /* as the question says it */
    unsigned action;
    enum states_name state;
    bool is_domains;
    const char *what; /* for the cause */
} kinds[RATES_KINDS] = {
    [RATES_SENT] = {"domain", STATES_SEND, STATES_SEND_PAUSE, true, "messages sent"},
    [RATES_RECEIVED] = {"domain", STATES_RECEIVE, STATES_RECEIVE_PAUSE, true, "messages received"},
    [RATES_MESSAGES] = {"messages", STATES_SEND, STATES_SEND_LOCK, false, "messages sent"},
    [RATES_RECIPIENTS] = {"recipients", STATES_SEND, STATES_SEND_LOCK, false, "recipients sent to"},
    [RATES_MISUSE] = {"misuse-recipients", STATES_SEND, STATES_MISUSE_DETECTED, false,
                      "recipients sent to"},
    [RATES_REJECTED] = {"misuse-rejected", STATES_SEND, STATES_MISUSE_DETECTED, false,
                        "recipients that do not exist"},
};

static bool find_kind(struct slice name, unsigned action, enum rates_kind *kind)
{
    for (int i = 0; i < RATES_KINDS; i++) {
        if (kinds[i].action == action && slice_equal(name, slice_text(kinds[i].rule))) {
            *kind = (enum rates_kind)i;
            return true;
        }
    }
    return false;
}

bool allowance_read(const struct wire_message *fields, size_t at, unsigned action,
                    struct allowance_rule *rule)
{
    uint64_t window, lasts;
    if (!find_kind(wire_field(fields, at), action, &rule->kind) ||
        !wire_number(fields, at + 1, UINT64_MAX, &rule->limit) ||
        !wire_number(fields, at + 2, RATES_WINDOW_MAX, &window) ||
        !wire_number(fields, at + 3, STATES_LOCK_MAX_S, &lasts) || window == 0 ||
        (lasts == 0) != (kinds[rule->kind].state == STATES_MISUSE_DETECTED))
        return false;
    rule->window_s = (int64_t)window;
    rule->lasts_s = (int64_t)lasts;
    return true;
}

enum states_name allowance_state(enum rates_kind kind)
{
    return kinds[kind].state;
}

/* Whose messages are counted. */
static struct slice counted(const struct kind *kind, struct slice account)
{
    return kind->is_domains ? state_domain(account) : account;
}

bool allowance_check(struct ledger *ledger, struct slice account, const struct allowance_rule *rule,
                     int64_t now, struct allowance_breach *breach)
{
    const struct kind *kind = &kinds[rule->kind];
    struct slice name = counted(kind, account);
    struct rates_record counter;
    if (rule->limit == 0 ||
        !rates_is_reached(&ledger->rates, rule->kind, name, rule->window_s, rule->limit, now) ||
        !rates_find(&ledger->rates, rule->kind, name, now, &counter))
        return false;
    bool is_pause = states_kind(kind->state)->is_pause;
    int64_t lasts =
        is_pause && rule->lasts_s > STATES_PAUSE_MAX_S ? STATES_PAUSE_MAX_S : rule->lasts_s;
    *breach = (struct allowance_breach){.kind = rule->kind,
                                        .state = kind->state,
                                        .name = name,
                                        .until = lasts > 0 ? now + lasts : 0};
    snprintf(breach->cause, sizeof breach->cause, "%" PRIu64 " %s within %" PRId64 " seconds",
             counter.count, kind->what, rule->window_s);
    return true;
}

bool allowance_has_room(struct ledger *ledger, struct slice account,
                        const struct allowance_rule *rule, int64_t now)
{
    struct slice name = counted(&kinds[rule->kind], account);
    return rule->limit >= BOARD_LIMIT_LEAST &&
           rates_set_alarm(&ledger->rates, rule->kind, name, rule->limit / 2, now);
}

bool allowance_sent(struct ledger *ledger, struct slice account, uint64_t recipients, int64_t now)
{
    bool domain = rates_add(&ledger->rates, RATES_SENT, state_domain(account), 1, now);
    bool messages = rates_add(&ledger->rates, RATES_MESSAGES, account, 1, now);
    bool sent = rates_add(&ledger->rates, RATES_RECIPIENTS, account, recipients, now);
    bool misuse = rates_add(&ledger->rates, RATES_MISUSE, account, recipients, now);
    return domain || messages || sent || misuse;
}

bool allowance_rejected(struct ledger *ledger, struct slice account, uint64_t recipients,
                        int64_t now)
{
    return rates_add(&ledger->rates, RATES_REJECTED, account, recipients, now);
}

bool allowance_received(struct ledger *ledger, struct slice domain, int64_t now)
{
    return rates_add(&ledger->rates, RATES_RECEIVED, domain, 1, now);
}
