/* rights - see rights.h */
#include "rights.h"

#include "commandline.h"

#include <stdio.h>
#include <string.h>

/* What the first word behind a verb names. */
struct owner {
    char local[USERLINE_LOCAL_MAX + 1]; /* empty: the domain as a whole */
    char domain[IDN_NAME_MAX + 1];
};

/* False: neither an account's nor a domain's name. */
static bool read_owner(struct owner *owner, const char *word)
{
    char error[USERLINE_ERROR_MAX];
    struct slice rest = slice_text(word);
    owner->local[0] = '\0';
    return (!slice_has(rest, '@') ||
            userline_check_local(slice_cut(&rest, '@'), owner->local, error)) &&
           idn_to_ascii(rest, owner->domain);
}

bool rights_read_actor(struct rights_actor *actor, const char *word)
{
    struct owner owner;
    struct slice role = slice_text(word);
    struct slice rest = role;
    *actor = (struct rights_actor){0};
    role = slice_cut(&rest, ':');
    if (role.size == strlen(word) || !read_owner(&owner, rest.data))
        return false;
    bool is_user = slice_equal(role, SLICE("user"));
    if (is_user != (owner.local[0] != '\0') || (!is_user && !slice_equal(role, SLICE("admin"))))
        return false;
    actor->role = is_user ? RIGHTS_USER : RIGHTS_ADMIN;
    snprintf(actor->local, sizeof actor->local, "%s", owner.local);
    snprintf(actor->domain, sizeof actor->domain, "%s", owner.domain);
    snprintf(actor->name, sizeof actor->name, "%s:%s%s%s", rights_role_name(actor->role),
             owner.local, is_user ? "@" : "", owner.domain);
    return true;
}

const char *rights_role_name(enum rights role)
{
    return role == RIGHTS_USER ? "user" : role == RIGHTS_ADMIN ? "admin" : "operator";
}

/* ---- refusing ---- */

/* "... is not for user:u1@example.jp but for admin:example.jp or the operator". */
static bool refuse(const struct rights_actor *actor, const struct owner *owner, unsigned who,
                   struct str *reason)
{
    bool user = (who & RIGHTS_USER) && owner && owner->local[0] != '\0';
    bool admin = (who & RIGHTS_ADMIN) && owner;
    str_format(reason, " is not for %s but for ", actor->name);
    if (admin)
        str_format(reason, "admin:%s", owner->domain);
    if (user)
        str_format(reason, "%suser:%s@%s", admin ? ", " : "", owner->local, owner->domain);
    str_append_text(reason, admin || user ? " or the operator" : "the operator");
    return false;
}

static void name_verb(const struct commandline_verb *verb, struct str *reason)
{
    str_append_text(reason, verb->group);
    if (verb->name)
        str_format(reason, " %s", verb->name);
}

/* ---- one check per kind of word ---- */

static bool owns(const struct rights_actor *actor, const struct owner *owner)
{
    return strcmp(actor->domain, owner->domain) == 0 &&
           (actor->role == RIGHTS_ADMIN || strcmp(actor->local, owner->local) == 0);
}

static unsigned who_may_set(const char *key)
{
    const struct setting *setting = settings_find(slice_text(key));
    if (!setting || setting->who == SETTINGS_OPERATOR)
        return RIGHTS_OPERATOR;
    return setting->who == SETTINGS_ADMIN ? RIGHTS_UP_TO_ADMIN : RIGHTS_UP_TO_USER;
}

/* What is in no table may be somewhere all the same: the plan of a domain, secrets of an account. */
static bool may_set(const struct commandline *command, const struct owner *owner,
                    struct str *reason)
{
    const struct rights_actor *actor = &command->actor;
    unsigned who = who_may_set(command->words[1]);
    if (who & actor->role)
        return true;
    if (!settings_find(slice_text(command->words[1]))) {
        str_format(reason,
                   "\"%s\" is no setting that %s may change; mailctl help settings lists all",
                   command->words[1], actor->name);
        return false;
    }
    str_format(reason, "the setting %s of %s", command->words[1], command->words[0]);
    return refuse(actor, owner, who, reason);
}

/* root can read any file, and what stands in it would be shown. */
static bool may_read(const struct commandline *command, struct str *reason)
{
    if (command->word_count < 2 || strcmp(command->words[1], "-") == 0)
        return true;
    str_format(reason, "the file %s", command->words[1]);
    refuse(&command->actor, NULL, RIGHTS_OPERATOR, reason);
    str_append_text(reason, "; give - and standard input");
    return false;
}

static bool may_use_options(const struct commandline *command, struct str *reason)
{
    for (size_t i = 0; i < command->option_count; i++)
        if (command->options[i].who && !(command->options[i].who & command->actor.role)) {
            str_format(reason, "--%s", command->options[i].name);
            return refuse(&command->actor, NULL, command->options[i].who, reason);
        }
    return true;
}

static bool may_touch(const struct commandline *command, struct str *reason)
{
    const struct commandline_verb *verb = command->verb;
    struct owner owner;
    bool named = command->word_count > 0 && read_owner(&owner, command->words[0]);
    bool may = (verb->who & command->actor.role) != 0;
    if (may && command->word_count > 0 && !named) {
        str_format(reason, "\"%s\" is neither an account nor a domain", command->words[0]);
        return false;
    }
    if (!may || !named || !owns(&command->actor, &owner)) {
        name_verb(verb, reason);
        if (named)
            str_format(reason, " %s", command->words[0]);
        return refuse(&command->actor, named ? &owner : NULL, verb->who, reason);
    }
    if (verb->takes == COMMANDLINE_SETTING)
        return may_set(command, &owner, reason);
    return verb->takes != COMMANDLINE_FILE || may_read(command, reason);
}

bool rights_may(const struct commandline *command, struct str *reason)
{
    bool needs_no_owner = (command->verb->who & RIGHTS_NO_ROOT) != 0;
    if (command->actor.role == RIGHTS_OPERATOR)
        return true;
    if (needs_no_owner && (command->verb->who & command->actor.role))
        return true;
    return may_touch(command, reason) && may_use_options(command, reason);
}

bool rights_may_add_child(const struct commandline *command, const char *domain, const char *child,
                          struct str *reason)
{
    struct slice name = slice_text(child), parent = slice_text(domain);
    bool is_below = name.size > parent.size + 1 && slice_ends(name, parent) &&
                    name.data[name.size - parent.size - 1] == '.';
    if (command->actor.role == RIGHTS_OPERATOR || is_below)
        return true;
    str_format(reason, "the child %s, which does not lie below %s,", child, domain);
    return refuse(&command->actor, NULL, RIGHTS_OPERATOR, reason);
}
