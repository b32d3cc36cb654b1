/* accountrules - see accountrules.h */
#include "accountrules.h"

#include "io.h"
#include "spawn.h"
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

static bool end_mail_sessions(const char *local, const char *domain, enum sessionend why)
{
    struct wire_message answer;
    struct str packet;
    int fd = -1;
    wire_init(&answer);
    str_init(&packet, WIRE_MAX_SIZE);
    wire_put_text(&packet, SESSIONEND_PROTOCOL);
    wire_put_text(&packet, domain);
    wire_put_text(&packet, local);
    wire_put_text(&packet, sessionend_name(why));
    bool answered =
        wire_ask_kept(&fd, SPAWN_SOCKET, str_slice(&packet), NULL, 0, &answer, SPAWN_TIMEOUT_MS) &&
        slice_equal(wire_field(&answer, 0), SLICE("ok"));
    str_free(&packet);
    wire_free(&answer);
    io_close(&fd);
    return answered;
}

bool accountrules_end_sessions(int *connection, const char *local, const char *domain,
                               enum sessionend why)
{
    char address[USERLINE_LOCAL_MAX + IDN_NAME_MAX + 2];
    struct wire_message answer;
    snprintf(address, sizeof address, "%s@%s", local, domain);
    wire_init(&answer);
    bool ended = end_mail_sessions(local, domain, why);
    ended = state_ask(connection, &answer, "end-sessions", address, (char *)NULL) && ended;
    wire_free(&answer);
    return ended;
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
    (void)accountrules_end_sessions(connection, local, domain, SESSIONEND_CHANGED);
    return answered;
}
