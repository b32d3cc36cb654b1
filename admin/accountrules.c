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

/* Local parts of one question. */
struct batch {
    const char *domain;
    const char *const *locals;
    size_t count;
};

static bool end_mail_sessions(int *spawnd, const struct batch *batch, enum sessionend why)
{
    struct wire_message answer;
    struct str packet;
    wire_init(&answer);
    str_init(&packet, WIRE_MAX_SIZE);
    wire_put_text(&packet, SESSIONEND_PROTOCOL);
    wire_put_text(&packet, batch->domain);
    wire_put_text(&packet, sessionend_name(why));
    for (size_t i = 0; i < batch->count; i++)
        wire_put_text(&packet, batch->locals[i]);
    bool answered = !packet.failed &&
                    wire_ask_kept(spawnd, SPAWN_SOCKET, str_slice(&packet), NULL, 0, &answer,
                                  SPAWN_TIMEOUT_MS) &&
                    slice_equal(wire_field(&answer, 0), SLICE("ok"));
    str_free(&packet);
    wire_free(&answer);
    return answered;
}

static bool end_smtp_sessions(int *stated, const struct batch *batch)
{
    char name[USERLINE_LOCAL_MAX + IDN_NAME_MAX + 2];
    struct wire_message answer;
    struct str packet, more;
    wire_init(&answer);
    str_init(&packet, WIRE_MAX_SIZE);
    str_init(&more, WIRE_MAX_SIZE);
    for (size_t i = 1; i < batch->count; i++) {
        snprintf(name, sizeof name, "%s@%s", batch->locals[i], batch->domain);
        wire_put_text(&more, name);
    }
    snprintf(name, sizeof name, "%s@%s", batch->locals[0], batch->domain);
    state_put_question(&packet, "end-sessions", slice_text(name), SLICE(""));
    bool answered =
        !packet.failed && !more.failed && str_append(&packet, str_slice(&more)) &&
        wire_ask_kept(stated, STATE_SOCKET, str_slice(&packet), NULL, 0, &answer, STATE_TIMEOUT_MS);
    str_free(&more);
    str_free(&packet);
    wire_free(&answer);
    return answered;
}

bool accountrules_end_sessions(const char *const locals[], size_t count, const char *domain,
                               enum sessionend why)
{
    enum { BATCH = 100 }; /* of the longest names in one packet */
    int spawnd = -1, stated = -1;
    bool ended = true;
    for (size_t at = 0; at < count; at += BATCH) {
        const struct batch batch = {domain, locals + at, count - at < BATCH ? count - at : BATCH};
        ended = end_mail_sessions(&spawnd, &batch, why) && ended;
        ended = end_smtp_sessions(&stated, &batch) && ended;
    }
    io_close(&spawnd);
    io_close(&stated);
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
    return answered;
}
