/* show - see show.h */
#include "show.h"

#include "number.h"
#include "password.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { TEXT_MAX = 65536 };

json_t *show_text(struct slice text)
{
    if (!text.data)
        return json_string("");
    json_t *string = json_stringn(text.data, text.size);
    if (string)
        return string;
    struct str plain;
    str_init(&plain, TEXT_MAX);
    for (size_t i = 0; i < text.size && i < TEXT_MAX; i++)
        str_append_byte(&plain, text.data[i] > 0 ? text.data[i] : '?');
    string = json_stringn(plain.data ? plain.data : "", plain.size);
    str_free(&plain);
    return string;
}

json_t *show_time(int64_t seconds)
{
    char text[40], zone[8];
    struct tm parts;
    time_t time = (time_t)seconds;
    if (seconds == 0 || !localtime_r(&time, &parts) ||
        strftime(text, sizeof text - 8, "%Y-%m-%dT%H:%M:%S", &parts) == 0 ||
        strftime(zone, sizeof zone, "%z", &parts) != 5)
        return json_null();
    size_t size = strlen(text);
    snprintf(text + size, sizeof text - size, "%.3s:%.2s", zone, zone + 3);
    return json_string(text);
}

json_t *show_value(const struct setting *setting, struct slice value)
{
    uint64_t number;
    switch (setting->kind) {
    case SETTINGS_SWITCH:
        return json_boolean(slice_equal(value, SLICE("on")));
    case SETTINGS_NUMBER:
    case SETTINGS_BYTES:
        if (number_parse(value, INT64_MAX, &number))
            return json_integer((json_int_t)number);
        break;
    default:
        break;
    }
    return show_text(value);
}

json_t *show_settings(const struct domain *domain, const struct domain_account *account)
{
    json_t *settings = json_object();
    for (size_t i = 0; i < settings_count; i++) {
        const struct setting *setting = &settings_table[i];
        enum settings_layer layer;
        if (setting->scope == SETTINGS_HOST || (account && setting->scope != SETTINGS_ACCOUNT))
            continue;
        struct slice value = domain_value(domain, account, setting, &layer, NULL);
        json_object_set_new(settings, setting->name, show_value(setting, value));
    }
    return settings;
}

static json_t *show_children(const struct domain *domain)
{
    json_t *children = json_array();
    for (size_t i = 0; i < domain->child_count; i++)
        json_array_append_new(children, json_string(domain->children[i]));
    return children;
}

json_t *show_used(struct mailboxusage used)
{
    if (!used.is_known)
        return json_null();
    return json_pack("{s:I, s:I}", "bytes", (json_int_t)used.bytes, "messages",
                     (json_int_t)used.messages);
}

json_t *show_domain_row(const struct domain *domain)
{
    return json_pack("{s:s, s:s, s:I, s:I, s:o}", "domain", domain->name, "plan",
                     domain->plan->name, "uid", (json_int_t)domain->uid, "accounts",
                     (json_int_t)domain->account_count, "children", show_children(domain));
}

json_t *show_domain(const struct domain *domain)
{
    char unicode[1024];
    json_t *shown = show_domain_row(domain);
    if (idn_to_unicode(domain->name, unicode, sizeof unicode) && strcmp(unicode, domain->name) != 0)
        json_object_set_new(shown, "name", json_string(unicode));
    json_object_set_new(shown, "settings", show_settings(domain, NULL));
    return shown;
}

static json_t *show_address(const struct domain *domain, const struct domain_account *account)
{
    return json_sprintf("%s@%s", account->local, domain->name);
}

/* "forced": it is void till a new one is set. "quick hash": see strengthen.h. */
static json_t *show_password(const struct domain_account *account)
{
    if (userline_is_void(slice_text(account->hash)))
        return json_string("forced");
    if (password_is_quick(slice_text(account->hash)))
        return json_string("set (quick hash)");
    return json_string(account->hash[0] != '\0' ? "set" : "none");
}

json_t *show_account_row(const struct domain *domain, const struct domain_account *account)
{
    static const char *const columns[] = {"quota", "receive", "comment"};
    json_t *row = json_object();
    json_object_set_new(row, "user", show_address(domain, account));
    json_object_set_new(row, "password", show_password(account));
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++) {
        const struct setting *setting = settings_find(slice_text(columns[i]));
        json_object_set_new(row, columns[i],
                            show_value(setting, domain_value_named(domain, account, columns[i])));
    }
    return row;
}

json_t *show_account(const struct domain *domain, const struct domain_account *account)
{
    json_t *shown = json_object();
    json_object_set_new(shown, "user", show_address(domain, account));
    json_object_set_new(shown, "plan", json_string(domain->plan->name));
    json_object_set_new(shown, "password", show_password(account));
    json_object_set_new(shown, "maildir",
                        json_sprintf("mail/%s/%s/Maildir", domain->name, account->local));
    return shown;
}
