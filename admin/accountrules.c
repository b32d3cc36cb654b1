/* accountrules - see accountrules.h */
#include "accountrules.h"

#include "state.h"

#include <stdio.h>

enum { SHOWN_MAX = 80 };

/* The beginning, whole characters. */
static struct slice beginning(struct slice text)
{
    size_t size = text.size < SHOWN_MAX ? text.size : SHOWN_MAX;
    while (size > 0 && size < text.size && ((unsigned char)text.data[size] & 0xc0) == 0x80)
        size--;
    return slice_part(text, 0, size);
}

bool accountrules_value(const struct domain *domain, const struct setting *setting,
                        struct slice text, struct str *reason)
{
    enum settings_layer layer;
    char bytes[ACCOUNTRULES_REASON_MAX];
    struct str end = str_on(bytes, sizeof bytes);
    if (!settings_check(setting, text, &end)) {
        str_format(reason, "\"%.*s\" ", SLICE_PRINTF(beginning(text)));
        str_append(reason, end.size > 0 ? str_slice(&end) : SLICE("is wrong"));
        return false;
    }
    struct slice value = domain_value(domain, NULL, setting, &layer, NULL);
    enum settings_rule rule = domain_rule(domain, setting);
    if (settings_may(rule, value, text))
        return true;
    str_format(reason, "the %s says \"%.*s\", and %s", settings_layer_name(layer),
               SLICE_PRINTF(value), settings_rule_text(rule));
    return false;
}

bool accountrules_set_password(const struct domain *domain, struct userline *account,
                               const char *hash, struct slice secret)
{
    str_clear(&account->hash);
    if (!str_append_text(&account->hash, hash))
        return false;
    if (domain_is_on(domain, domain_find(domain, account->local), "apop"))
        return userline_set(account, USERLINE_APOP_SECRET, secret);
    (void)userline_unset(account, USERLINE_APOP_SECRET);
    return true;
}

bool accountrules_end_states(int *connection, const char *local, const char *domain)
{
    static const char *const states[] = {STATE_MISUSE_DETECTED, STATE_PASSWORD_FORCED};
    char address[USERLINE_LOCAL_MAX + IDN_NAME_MAX + 2];
    struct wire_message answer;
    bool answered = true;
    snprintf(address, sizeof address, "%s@%s", local, domain);
    wire_init(&answer);
    for (size_t i = 0; answered && i < sizeof states / sizeof states[0]; i++)
        answered = state_ask(connection, &answer, "clear", address, states[i], (char *)NULL);
    wire_free(&answer);
    return answered;
}
