/* explainverb - mailctl explain; see operations.h */
#include "hostoffer.h"
#include "number.h"
#include "operations.h"
#include "show.h"

#include <string.h>

/* What else there is to say about a value. */
static json_t *note(const struct commandline *command, const struct domain *domain,
                    const struct setting *setting, struct slice value, bool ignored)
{
    const char *missing = hostoffer_missing(command->sources.folder, setting, value);
    uint64_t most = 0;
    if (setting->readers[0] == '\0')
        return json_string("not acted on in this version");
    if (missing)
        return json_sprintf("not offered: control/%s is off", missing);
    if (ignored)
        return json_string("a lower layer asks for what it may not have");
    if (strcmp(setting->name, "imap-sessions") == 0 && number_parse(value, UINT64_MAX, &most) &&
        domain_imap_sessions(domain) != most)
        return json_sprintf("%llu are in force, by imap-sessions-percent of its addresses",
                            (unsigned long long)domain_imap_sessions(domain));
    return json_string("");
}

/* One setting as it is in force. */
static json_t *explain(const struct commandline *command, const struct domain *domain,
                       const struct domain_account *account, const struct setting *setting)
{
    enum settings_layer layer;
    bool ignored;
    struct slice value = domain_value(domain, account, setting, &layer, &ignored);
    json_t *row = json_object();
    json_object_set_new(row, "setting", json_string(setting->name));
    json_object_set_new(row, "value", show_text(value));
    json_object_set_new(row, "layer", json_string(settings_layer_name(layer)));
    json_object_set_new(row, "who", json_string(settings_who_name(setting->who)));
    json_object_set_new(row, "rule", json_string(settings_rule_text(domain_rule(domain, setting))));
    json_object_set_new(row, "note", note(command, domain, setting, value, ignored));
    return row;
}

/* The long form, for one. */
static json_t *explain_more(const struct commandline *command, const struct domain *domain,
                            const struct domain_account *account, const struct setting *setting)
{
    json_t *row = explain(command, domain, account, setting);
    json_object_set_new(row, "meaning", json_string(setting->sentence));
    json_object_set_new(row, "plan", json_string(domain->plan->name));
    json_object_set_new(row, "default", json_string(setting->otherwise));
    if (setting->reply)
        json_object_set_new(row, "reply", json_string(setting->reply));
    return row;
}

static bool concerns(const struct setting *setting, bool account)
{
    return setting->scope == SETTINGS_ACCOUNT || (setting->scope == SETTINGS_DOMAIN && !account);
}

static int explain_all(struct commandline *command, const struct domain *domain,
                       const struct domain_account *account)
{
    command->result = json_array();
    for (size_t i = 0; i < settings_count; i++)
        if (concerns(&settings_table[i], account != NULL))
            json_array_append_new(command->result,
                                  explain(command, domain, account, &settings_table[i]));
    return EXIT_DONE;
}

static int explain_one(struct commandline *command, const struct domain *domain,
                       const struct domain_account *account, const char *name)
{
    const struct setting *setting = settings_find(slice_text(name));
    if (!setting)
        return commandline_refuse(command,
                                  "\"%s\" is no setting of an account or domain; mailctl help "
                                  "settings lists them",
                                  name);
    /* What is the domain's is in force for its accounts as well. */
    command->result =
        explain_more(command, domain, setting->scope == SETTINGS_ACCOUNT ? account : NULL, setting);
    return EXIT_DONE;
}

int operations_explain(struct commandline *command)
{
    char local[USERLINE_LOCAL_MAX + 1] = "", name[IDN_NAME_MAX + 1];
    struct domain domain;
    int result;
    const char *of = command->words[0];
    if (strchr(of, '@') ? !commandline_address(command, of, local, name)
                        : !commandline_domain_name(command, of, name))
        return EXIT_REFUSED;
    if (commandline_load(command, name, &domain, &result)) {
        const struct domain_account *account =
            local[0] != '\0' ? domain_find(&domain, local) : NULL;
        if (local[0] != '\0' && !account)
            result = commandline_refuse(command, "there is no account %s", of);
        else if (command->word_count > 1)
            result = explain_one(command, &domain, account, command->words[1]);
        else
            result = explain_all(command, &domain, account);
    }
    domain_free(&domain);
    return result;
}
