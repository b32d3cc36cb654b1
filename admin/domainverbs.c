/* domainverbs - mailctl domain and child; see operations.h */
#include "accountmail.h"
#include "accountrules.h"
#include "ask.h"
#include "folders.h"
#include "hostoffer.h"
#include "io.h"
#include "life.h"
#include "mailboxusage.h"
#include "number.h"
#include "operations.h"
#include "registry.h"
#include "show.h"
#include "textfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 2048, REASON_MAX = 512, MEGABYTE = 1048576 };

/* ---- add ---- */

/* The domains as compiled; none compiled yet is none. */
static bool load_registry(struct commandline *command, struct registry *registry)
{
    int folder = openat(command->root, "cdb", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool loaded = folder >= 0 && registry_load(registry, folder);
    if (!loaded && errno == ENOENT) {
        *registry = (struct registry){0};
        loaded = true;
    }
    if (!loaded)
        commandline_trouble(command, "read", "cdb/domains.cdb; cdb rebuild makes it anew");
    io_close(&folder);
    return loaded;
}

static int refuse_known(struct commandline *command, const char *name,
                        const struct registry_entry *known)
{
    if (strcmp(known->name, known->parent) == 0)
        return commandline_refuse(command, "there is a domain %s already", name);
    return commandline_refuse(command, "%s is a child of %s already", name, known->parent);
}

static bool change_file(struct commandline *command, const char *name, const char *file,
                        const char *text)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "domains/%s/%s", name, file);
    return sources_change(&command->sources, path, slice_text(text));
}

/* Where postmaster is a box of its own, it stands in the file from the start. */
static const char *first_users(struct commandline *command, const struct plan *plan)
{
    const struct setting *setting = settings_find(SLICE("postmaster"));
    const struct value *value = values_get(&plan->values, setting);
    const char *mode = value->said ? value->text : setting->otherwise;
    (void)command;
    return strcmp(mode, "box") == 0 ? "# NAME:HASH:SETTINGS\npostmaster::\n"
                                    : "# NAME:HASH:SETTINGS\n";
}

/* A plan that wants APOP has secrets kept as they are: for nothing, where no client is offered it. */
static void warn_of_apop(struct commandline *command, const struct plan *plan)
{
    const struct setting *setting = settings_find(SLICE("apop"));
    const struct value *value = values_get(&plan->values, setting);
    if (value->said && hostoffer_missing(command->sources.folder, setting, slice_text(value->text)))
        findings_warning(&command->findings, "control/apop", 0,
                         "it is off, so no client is offered the APOP of the plan %s: write on "
                         "into it, then cdb rebuild",
                         plan->name);
}

static int add_domain(struct commandline *command, const char *name, const char *plan_name,
                      uid_t uid)
{
    char line[64];
    const struct plan *plan = NULL;
    if (plans_is_name(slice_text(plan_name)))
        plan = plans_find(&command->plans, &command->sources, slice_text(plan_name),
                          &command->findings);
    if (command->findings.error_count > 0)
        return commandline_refuse_findings(command);
    if (!plan || !plan->exists)
        return commandline_refuse(command, "there is no plan \"%s\" in control/plans", plan_name);
    warn_of_apop(command, plan);
    bool good = change_file(command, name, "users", first_users(command, plan));
    snprintf(line, sizeof line, "%s\n", plan_name);
    good = good && change_file(command, name, "plan", line);
    snprintf(line, sizeof line, "%u\n", (unsigned)uid);
    good = good && change_file(command, name, "uid", line);
    return good ? commandline_rebuild(command, name) : commandline_trouble(command, "add", name);
}

int operations_domain_add(struct commandline *command)
{
    char name[IDN_NAME_MAX + 1];
    struct registry registry;
    const char *plan = commandline_option(command, "plan");
    if (!commandline_domain_name(command, command->words[0], name))
        return EXIT_REFUSED;
    if (sources_has_domain(&command->sources, name))
        return commandline_refuse(command, "there is a domain %s already", name);
    if (!load_registry(command, &registry))
        return EXIT_PASSING;
    const struct registry_entry *known = registry_find(&registry, name);
    uid_t uid = registry_next_uid(&registry);
    int result;
    if (known)
        result = refuse_known(command, name, known);
    else if (uid == 0)
        result = commandline_refuse(command, "no uid is left for another domain");
    else
        result = add_domain(command, name, plan ? plan : PLANS_DEFAULT, uid);
    registry_free(&registry);
    return result;
}

/* ---- set, unset ---- */

/* APOP secrets are kept only where the setting apop is on. */
static bool drop_apop_secrets(struct commandline *command, const struct domain *domain)
{
    struct textfile users;
    struct userline account;
    struct str line;
    char error[USERLINE_ERROR_MAX];
    bool good = textfile_read(&users, command, domain->name, "users");
    userline_init(&account);
    str_init(&line, SOURCES_FILE_MAX);
    for (size_t i = 0; good && i < domain->account_count; i++) {
        struct slice old;
        struct slice local = slice_text(domain->accounts[i].local);
        if (!edit_find(str_slice(&users.text), EDIT_FIRST_FIELD, local, &old) ||
            !userline_parse(&account, slice_trim(old), error) ||
            domain_is_on(domain, &domain->accounts[i], "apop") ||
            !userline_unset(&account, USERLINE_APOP_SECRET))
            continue;
        str_clear(&line);
        good = userline_format(&account, &line) &&
               textfile_put(&users, command, EDIT_FIRST_FIELD, local, str_slice(&line));
    }
    str_free(&line);
    userline_free(&account);
    textfile_free(&users);
    return good;
}

/* Reads the domain as it would be, drops secrets that may not stay, and compiles. */
static int finish_change(struct commandline *command, const char *name)
{
    struct domain domain;
    int result;
    plans_free(&command->plans);
    bool loaded = commandline_load(command, name, &domain, &result);
    bool good = loaded && drop_apop_secrets(command, &domain);
    domain_free(&domain);
    if (!loaded)
        return result;
    return good ? commandline_rebuild(command, name) : commandline_trouble(command, "change", name);
}

static int set_plan(struct commandline *command, const char *name, const char *plan)
{
    char line[64];
    if (!plans_is_name(slice_text(plan)))
        return commandline_refuse(command, "there is no plan \"%s\" in control/plans", plan);
    snprintf(line, sizeof line, "%s\n", plan);
    if (!change_file(command, name, "plan", line))
        return commandline_trouble(command, "change", name);
    return finish_change(command, name);
}

/* May the domain say so? */
static int check_value(struct commandline *command, const struct domain *domain,
                       const struct setting *setting, const char *text)
{
    struct str reason;
    struct domain upper = *domain;
    enum settings_layer layer;
    str_init(&reason, REASON_MAX);
    if (!settings_check(setting, slice_text(text), &reason)) {
        commandline_refuse(command, "%s: \"%s\" %s", setting->name, text,
                           str_text(&reason) ? str_text(&reason) : "is wrong");
        str_free(&reason);
        return EXIT_REFUSED;
    }
    str_free(&reason);
    upper.own.of = NULL;
    struct slice value = domain_value(&upper, NULL, setting, &layer, NULL);
    if (settings_may(domain_rule(domain, setting), value, slice_text(text)))
        return EXIT_DONE;
    return commandline_refuse(command, "%s: the %s says \"%.*s\", and %s (control/plans/%s)",
                              setting->name, settings_layer_name(layer), SLICE_PRINTF(value),
                              settings_rule_text(domain_rule(domain, setting)), domain->plan->name);
}

static int set_value(struct commandline *command, const struct domain *domain,
                     const struct setting *setting, const char *text)
{
    struct textfile file;
    char line[LINE_MAX_BYTES];
    int result = check_value(command, domain, setting, text);
    if (result != EXIT_DONE)
        return result;
    snprintf(line, sizeof line, "%s %s", setting->name, text);
    if (!textfile_read(&file, command, domain->name, "settings"))
        return EXIT_PASSING;
    bool good = textfile_put(&file, command, EDIT_FIRST_WORD, slice_text(setting->name),
                             slice_trim(slice_text(line)));
    textfile_free(&file);
    return good ? finish_change(command, domain->name)
                : commandline_trouble(command, "change", file.path);
}

static const struct setting *find_setting(struct commandline *command, const char *key)
{
    const struct setting *setting = settings_find(slice_text(key));
    if (!setting)
        commandline_refuse(
            command, "\"%s\" is no setting of a domain; mailctl help settings lists them", key);
    return setting;
}

int operations_domain_set(struct commandline *command)
{
    char name[IDN_NAME_MAX + 1];
    struct domain domain;
    int result;
    const char *key = command->words[1];
    if (!commandline_domain_name(command, command->words[0], name))
        return EXIT_REFUSED;
    if (commandline_load(command, name, &domain, &result)) {
        const struct setting *setting = NULL;
        if (strcmp(key, "plan") == 0)
            result = set_plan(command, name, command->words[2]);
        else if (!(setting = find_setting(command, key)))
            result = EXIT_REFUSED;
        else
            result = set_value(command, &domain, setting, command->words[2]);
        if (result == EXIT_DONE && (strcmp(key, "plan") == 0 || strcmp(key, "domain-quota") == 0))
            ask_to_measure();
    }
    domain_free(&domain);
    return result;
}

int operations_domain_unset(struct commandline *command)
{
    char name[IDN_NAME_MAX + 1];
    struct textfile file;
    const char *key = command->words[1];
    if (!commandline_domain_name(command, command->words[0], name) || !find_setting(command, key))
        return EXIT_REFUSED;
    if (!sources_has_domain(&command->sources, name))
        return commandline_refuse(command, "there is no domain %s", name);
    if (!textfile_read(&file, command, name, "settings"))
        return EXIT_PASSING;
    bool found = textfile_remove(&file, command, EDIT_FIRST_WORD, slice_text(key));
    textfile_free(&file);
    return found ? finish_change(command, name)
                 : commandline_refuse(command, "%s does not say %s itself", name, key);
}

/* ---- show, list ---- */

/* NULL without memory. */
static json_t *measure(const struct commandline *command, const struct domain *domain)
{
    struct mailboxusage *usage = calloc(domain->account_count + 1, sizeof *usage);
    struct mailboxusage sum = {.is_known = usage && mailboxusage_of_domain(command, domain, usage)};
    for (size_t i = 0; sum.is_known && i < domain->account_count; i++) {
        sum.is_known = usage[i].is_known;
        if (__builtin_add_overflow(sum.bytes, usage[i].bytes, &sum.bytes))
            sum.bytes = INT64_MAX;
        sum.messages += usage[i].messages;
    }
    free(usage);
    return show_used(sum);
}

/* The contract's disk, in bytes; null: there is no limit. */
static json_t *show_limit(const struct domain *domain)
{
    uint64_t megabytes = 0;
    if (!number_parse(domain_value_named(domain, NULL, "domain-quota"), INT64_MAX / MEGABYTE,
                      &megabytes) ||
        megabytes == 0)
        return json_null();
    uint64_t bytes = megabytes * MEGABYTE;
    return json_integer((json_int_t)bytes);
}

static json_t *show_space(const struct commandline *command, const struct domain *domain)
{
    json_t *used = measure(command, domain);
    if (json_is_object(used))
        json_object_set_new(used, "limit", show_limit(domain));
    return used;
}

int operations_domain_show(struct commandline *command)
{
    char name[IDN_NAME_MAX + 1];
    struct domain domain;
    int result = EXIT_DONE;
    if (!commandline_domain_name(command, command->words[0], name))
        return EXIT_REFUSED;
    if (commandline_load(command, name, &domain, &result)) {
        command->result = show_domain(&domain);
        json_object_set_new(command->result, "used", show_space(command, &domain));
    }
    domain_free(&domain);
    return result;
}

int operations_domain_list(struct commandline *command)
{
    struct folders_names names;
    int result = EXIT_DONE;
    if (!folders_list(command->folder, "domains", &names))
        return commandline_trouble(command, "list", "control/domains");
    command->result = json_array();
    for (size_t i = 0; i < names.count; i++) {
        struct domain domain;
        if (commandline_load(command, names.of[i], &domain, &result))
            json_array_append_new(command->result, show_domain_row(&domain));
        domain_free(&domain);
    }
    folders_names_free(&names);
    return result;
}

/* ---- del ---- */

/* Of one domain at a time, under the lock; a hidden name counts as none. */
#define DELETED ".deleted"

static bool move_text(int domains, const char *name)
{
    return folders_remove(domains, DELETED, (uid_t)-1) &&
           renameat(domains, name, domains, DELETED) == 0 && io_sync_folder(domains);
}

/* The text goes first, in one step: whatever happens then, the domain is gone at the next rebuild. A
 * refused rebuild brings it back. Who was killed behind that step finds no text any more. */
static int delete_text(struct commandline *command, int domains, const char *name)
{
    bool exists = sources_has_domain(&command->sources, name);
    if (exists && !move_text(domains, name))
        return commandline_trouble(command, "remove", name);
    int result = commandline_rebuild(command, name);
    if (result != EXIT_DONE) {
        if (exists && renameat(domains, DELETED, domains, name) < 0)
            (void)commandline_trouble(command, "bring back control/domains/" DELETED " as", name);
        return result;
    }
    if (!folders_remove(domains, DELETED, (uid_t)-1))
        return commandline_trouble(command, "remove", "control/domains/" DELETED);
    return EXIT_DONE;
}

static int delete_domain(struct commandline *command, const char *name)
{
    int domains = openat(command->folder, "domains", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int result = domains < 0 ? commandline_trouble(command, "open", "control/domains")
                             : delete_text(command, domains, name);
    io_close(&domains);
    if (result != EXIT_DONE)
        return result;
    (void)accountrules_end_sessions((const char *const[]){""}, 1, name, SESSIONEND_REMOVED);
    return accountmail_remove_domain(command->root, name, NULL)
               ? EXIT_DONE
               : commandline_trouble(command, "remove the mail of", name);
}

/* The domain is gone, but was its mail? */
static int finish_removal(struct commandline *command, const char *name)
{
    bool found;
    if (!accountmail_remove_domain(command->root, name, &found))
        return commandline_trouble(command, "remove the mail of", name);
    return found ? EXIT_DONE : commandline_refuse(command, "there is no domain %s", name);
}

int operations_domain_del(struct commandline *command)
{
    char name[IDN_NAME_MAX + 1];
    struct registry registry;
    if (!commandline_domain_name(command, command->words[0], name))
        return EXIT_REFUSED;
    if (!load_registry(command, &registry))
        return EXIT_PASSING;
    const struct registry_entry *known = registry_find(&registry, name);
    bool is_child = known && strcmp(known->name, known->parent) != 0;
    bool exists = sources_has_domain(&command->sources, name);
    int result;
    if (is_child)
        result = commandline_refuse(command, "%s is a child: mailctl child del %s %s", name,
                                    known->parent, name);
    else if (!exists && !known)
        result = finish_removal(command, name);
    else if (!known)
        result = commandline_refuse(command, "%s was never compiled: cdb rebuild first", name);
    else
        result = delete_domain(command, name);
    registry_free(&registry);
    return result;
}

/* ---- children ---- */

/* The domain of somebody else that lies between: what is below it is not for who has the one above. NULL:
 * there is none. */
static const char *find_between(const struct registry *registry, const char *name,
                                const char *child)
{
    size_t size = strlen(name);
    for (const char *at = strchr(child, '.'); at && strlen(at + 1) > size;
         at = strchr(at + 1, '.')) {
        const struct registry_entry *known = registry_find(registry, at + 1);
        if (known && strcmp(known->parent, name) != 0)
            return known->name;
    }
    return NULL;
}

static int check_child(struct commandline *command, const struct registry *registry,
                       const char *name, const char *child)
{
    const struct registry_entry *known = registry_find(registry, child);
    const char *between =
        command->actor.role == RIGHTS_OPERATOR ? NULL : find_between(registry, name, child);
    if (known)
        return refuse_known(command, child, known);
    if (between)
        return commandline_refuse(command,
                                  "the child %s, which lies below %s, is not for %s but for the "
                                  "operator",
                                  child, between, command->actor.name);
    return EXIT_DONE;
}

static int add_child(struct commandline *command, const char *name, const char *child)
{
    struct textfile file;
    struct registry registry;
    char bytes[RIGHTS_REASON_MAX];
    struct str reason = str_on(bytes, sizeof bytes);
    if (!rights_may_add_child(command, name, child, &reason))
        return commandline_refuse(command, "%.*s", SLICE_PRINTF(str_slice(&reason)));
    if (!load_registry(command, &registry))
        return EXIT_PASSING;
    int result = check_child(command, &registry, name, child);
    registry_free(&registry);
    if (result != EXIT_DONE)
        return result;
    if (!textfile_read(&file, command, name, "children"))
        return EXIT_PASSING;
    bool good = textfile_put(&file, command, EDIT_LINE, slice_text(child), slice_text(child));
    textfile_free(&file);
    return good ? commandline_rebuild(command, name)
                : commandline_trouble(command, "change", file.path);
}

static int remove_child(struct commandline *command, const char *name, const char *child)
{
    struct textfile file;
    if (!textfile_read(&file, command, name, "children"))
        return EXIT_PASSING;
    /* Written by hand it may be in UTF-8. */
    char unicode[1024];
    bool found = textfile_remove(&file, command, EDIT_LINE, slice_text(child)) ||
                 (idn_to_unicode(child, unicode, sizeof unicode) &&
                  textfile_remove(&file, command, EDIT_LINE, slice_text(unicode)));
    textfile_free(&file);
    return found ? commandline_rebuild(command, name)
                 : commandline_refuse(command, "%s is no child of %s", child, name);
}

static int change_child(struct commandline *command,
                        int (*change)(struct commandline *, const char *, const char *))
{
    char name[IDN_NAME_MAX + 1], child[IDN_NAME_MAX + 1];
    if (!commandline_domain_name(command, command->words[0], name) ||
        !commandline_domain_name(command, command->words[1], child))
        return EXIT_REFUSED;
    if (!sources_has_domain(&command->sources, name))
        return commandline_refuse(command, "there is no domain %s", name);
    return change(command, name, child);
}

int operations_child_add(struct commandline *command)
{
    return change_child(command, add_child);
}

int operations_child_del(struct commandline *command)
{
    return change_child(command, remove_child);
}
