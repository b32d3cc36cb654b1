/* compile - see compile.h */
#include "compile.h"

#include "database.h"
#include "io.h"
#include "life.h"
#include "number.h"
#include "replytext.h"
#include "wire.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KEY_MAX = 128, RECORD_MAX = 131072, FILE_NAME_MAX = IDN_NAME_MAX + 8 };

/* ---- the folders ---- */

/* The folder `name`, made where missing, with the group that may read it. */
static int open_folder(int parent, const char *name, gid_t group)
{
    struct stat info;
    if (mkdirat(parent, name, 0750) < 0 && errno != EEXIST)
        return -1;
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 || fstat(fd, &info) < 0)
        return fd;
    bool right = (info.st_mode & 07777) == 0750 && (group == (gid_t)-1 || info.st_gid == group);
    if (!right && (fchown(fd, (uid_t)-1, group) < 0 || fchmod(fd, 0750) < 0))
        io_close(&fd);
    return fd;
}

bool compile_open(struct compile_target *target, int root)
{
    bool is_root = geteuid() == 0;
    *target = (struct compile_target){.folder = -1, .domain = -1, .secret = -1, .relay = -1};
    /* Not root: a trial in a folder of one's own. */
    target->directory_group = is_root ? (gid_t)life_uid(ROLE_DIRECTORY) : (gid_t)-1;
    target->secret_group = is_root ? (gid_t)life_uid(ROLE_AUTHD) : (gid_t)-1;
    target->relay_group = is_root ? (gid_t)life_uid(ROLE_REMOTE) : (gid_t)-1;
    target->folder = open_folder(root, "cdb", target->directory_group);
    if (target->folder >= 0)
        target->domain = open_folder(target->folder, "domain", target->directory_group);
    if (target->domain >= 0)
        target->secret = open_folder(target->folder, "secret", target->secret_group);
    if (target->secret >= 0)
        target->relay = open_folder(target->folder, "relay", target->relay_group);
    if (target->relay >= 0)
        return true;
    compile_close(target);
    return false;
}

void compile_close(struct compile_target *target)
{
    io_close(&target->folder);
    io_close(&target->domain);
    io_close(&target->secret);
    io_close(&target->relay);
}

/* ---- records ---- */

static void add_keyed(struct database *database, const char *prefix, const char *name,
                      struct slice value)
{
    struct str key;
    str_init(&key, KEY_MAX);
    str_append_text(&key, prefix);
    if (str_append_text(&key, name))
        database_add(database, str_slice(&key), value);
    str_free(&key);
}

static void add_account(struct database *database, const struct domain_account *account,
                        struct str *record)
{
    str_clear(record);
    for (size_t i = 0; i < account->pair_count; i++) {
        if (account->pairs[i].ignored)
            continue;
        wire_put_text(record, account->pairs[i].setting->name);
        wire_put_text(record, account->pairs[i].value);
    }
    add_keyed(database, "a", account->local, str_slice(record));
}

/* Those under all are one rule. */
static void put_unconditional(const struct domain_account *account, struct str *record)
{
    struct str targets;
    str_init(&targets, RECORD_MAX);
    for (size_t i = 0; i < account->forward_count; i++)
        if (account->forwards[i].row.condition == FORWARDRULE_ALL)
            wire_put_text(&targets, account->forwards[i].row.targets[0]);
    const struct forwardrule rule = {.condition = FORWARDRULE_ALL, .targets = str_slice(&targets)};
    if (targets.size > 0 && !forwardrule_put(record, &rule))
        record->failed = true;
    record->failed = record->failed || targets.failed;
    str_free(&targets);
}

/* Most accounts have none, and no record. */
static void add_forwards(struct database *database, const struct domain_account *account,
                         struct str *record)
{
    str_clear(record);
    if (account->forward_count == 0)
        return;
    put_unconditional(account, record);
    for (size_t i = 0; i < account->forward_count; i++)
        if (account->forwards[i].row.condition != FORWARDRULE_ALL &&
            !forwardline_put_rule(&account->forwards[i].row, record))
            break;
    add_keyed(database, "f", account->local, str_slice(record));
}

/* Most accounts have none, and no record; it is there only where they answer. */
static void add_reply(struct database *database, const struct domain *domain,
                      const struct domain_account *account, struct str *record)
{
    struct str utf8, seven;
    if (!account->reply || !domain_is_on(domain, account, "auto-reply"))
        return;
    str_init(&utf8, REPLYTEXT_SENT_MAX);
    str_init(&seven, REPLYTEXT_SENT_MAX);
    str_clear(record);
    if (replytext_forms(slice_text(account->reply), &utf8, &seven)) {
        wire_put(record, str_slice(&utf8));
        wire_put(record, str_slice(&seven));
        add_keyed(database, "r", account->local, str_slice(record));
    } else if (!database->error) {
        database->error = ENOMEM;
    }
    str_free(&utf8);
    str_free(&seven);
}

/* Names are looked up in lower case, as accounts are compiled. */
static void add_setting(struct database *database, const struct domain *domain,
                        const struct setting *setting, struct str *record)
{
    enum settings_layer layer;
    struct slice value = domain_value(domain, NULL, setting, &layer, NULL);
    str_clear(record);
    for (size_t i = 0; i < value.size; i++)
        str_append_byte(record, setting->kind == SETTINGS_LOCAL ? slice_lower(value.data[i])
                                                                : value.data[i]);
    add_keyed(database, "s", setting->name, str_slice(record));
}

static void add_derived(struct database *database, const struct domain *domain, struct str *record)
{
    str_clear(record);
    str_append_number(record, domain_imap_sessions(domain));
    add_keyed(database, "d", "imap-sessions", str_slice(record));
}

static void fill_domain(struct database *database, const struct domain *domain)
{
    struct str record;
    str_init(&record, RECORD_MAX);
    for (size_t i = 0; i < settings_count; i++)
        if (settings_table[i].scope != SETTINGS_HOST)
            add_setting(database, domain, &settings_table[i], &record);
    add_derived(database, domain, &record);
    for (size_t i = 0; i < domain->account_count; i++) {
        add_account(database, &domain->accounts[i], &record);
        add_forwards(database, &domain->accounts[i], &record);
        add_reply(database, domain, &domain->accounts[i], &record);
    }
    str_free(&record);
}

static void fill_secret(struct database *database, const struct domain *domain)
{
    for (size_t i = 0; i < domain->account_count; i++) {
        const struct domain_account *account = &domain->accounts[i];
        if (account->hash[0] != '\0')
            add_keyed(database, "", account->local, slice_text(account->hash));
        if (account->apop_secret)
            add_keyed(database, "apop ", account->local, slice_text(account->apop_secret));
    }
}

/* ---- files ---- */

static bool commit(struct database *database, struct replacements *replacements, int folder,
                   const char *kind, const char *name, gid_t group, struct findings *findings)
{
    char file[FILE_NAME_MAX];
    snprintf(file, sizeof file, "%s.cdb", name);
    if (database_commit(database, replacements, folder, file, 0640, (uid_t)-1, group))
        return true;
    char shown[FILE_NAME_MAX + 16];
    int error = errno;
    snprintf(shown, sizeof shown, "cdb/%s/%s", kind, file);
    errno = error;
    findings_trouble(findings, shown, "write it");
    return false;
}

bool compile_domain(const struct compile_target *target, const struct domain *domain,
                    struct replacements *replacements, struct findings *findings)
{
    struct database database;
    /* Secrets first: an account that is there can log in. */
    database_begin(&database);
    fill_secret(&database, domain);
    if (!commit(&database, replacements, target->secret, "secret", domain->name,
                target->secret_group, findings))
        return false;
    database_begin(&database);
    fill_domain(&database, domain);
    return commit(&database, replacements, target->domain, "domain", domain->name,
                  target->directory_group, findings);
}

bool compile_remove(const struct compile_target *target, const char *name,
                    struct findings *findings)
{
    char file[FILE_NAME_MAX];
    snprintf(file, sizeof file, "%s.cdb", name);
    bool done = (unlinkat(target->domain, file, 0) == 0 || errno == ENOENT) &&
                (unlinkat(target->secret, file, 0) == 0 || errno == ENOENT);
    if (!done)
        findings_trouble(findings, file, "remove it from cdb");
    return done;
}
