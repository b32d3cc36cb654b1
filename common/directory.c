/* directory - see directory.h */
#include "directory.h"

#include "number.h"
#include "wire.h"

#include <fcntl.h>
#include <string.h>

#define DOMAINS_PATH "cdb/domains.cdb"
#define HOST_PATH    "cdb/host.cdb"

/* "a" or "s", and a local part or the name of a setting: longer ones are not there. */
enum { KEY_MAX = 128, LOCAL_PART_MAX = 255 };

void directory_init(struct directory *directory)
{
    *directory = (struct directory){.domains.fd = -1, .domain.fd = -1, .host.fd = -1};
}

void directory_close(struct directory *directory)
{
    cdbfile_close(&directory->domains);
    cdbfile_close(&directory->domain);
    cdbfile_close(&directory->host);
    directory->open_domain[0] = '\0';
}

void directory_hold(struct directory *directory)
{
    directory->holds = true;
    directory->held = 0;
}

enum { DOMAINS_BIT = 1 << 0, DOMAIN_BIT = 1 << 1, HOST_BIT = 1 << 2 };

static bool refresh(struct directory *directory, struct cdbfile *file, unsigned bit,
                    const char *path)
{
    if (directory->holds && directory->held & bit)
        return true;
    if (!cdbfile_refresh(file, AT_FDCWD, path))
        return false;
    directory->held |= bit;
    return true;
}

/* Copies in lower case. False when it does not fit, is empty, or holds a NUL: no such name can be
 * in the directory. */
static bool copy_lower(struct slice text, char *lower, size_t capacity)
{
    if (text.size == 0 || !slice_copy_text(text, lower, capacity))
        return false;
    for (size_t i = 0; i < text.size; i++)
        lower[i] = slice_lower(lower[i]);
    return true;
}

/* "5:parent,5:70100," */
static bool read_domain(struct slice value, struct directory_domain *domain)
{
    struct slice fields[2];
    size_t count;
    uint64_t uid;
    if (!wire_split(value, fields, 2, &count) || count != 2 ||
        !number_parse(fields[1], UINT32_MAX - 1, &uid) || uid == 0)
        return false;
    domain->uid = (uid_t)uid;
    /* It becomes part of a path. */
    return copy_lower(fields[0], domain->name, sizeof domain->name) && domain->name[0] != '.' &&
           !slice_has(fields[0], '/');
}

enum directory_result directory_domain(struct directory *directory, struct slice name,
                                       struct directory_domain *domain)
{
    char lower[DIRECTORY_DOMAIN_MAX + 1];
    struct slice value;
    *domain = (struct directory_domain){0};
    if (!refresh(directory, &directory->domains, DOMAINS_BIT, DOMAINS_PATH))
        return DIRECTORY_TROUBLE;
    if (!copy_lower(name, lower, sizeof lower))
        return DIRECTORY_UNKNOWN_DOMAIN;
    switch (cdbfile_find(&directory->domains, slice_text(lower), &value)) {
    case CDBFILE_FOUND:
        return read_domain(value, domain) ? DIRECTORY_FOUND : DIRECTORY_TROUBLE;
    case CDBFILE_MISSING:
        return DIRECTORY_UNKNOWN_DOMAIN;
    case CDBFILE_TROUBLE:
        break;
    }
    return DIRECTORY_TROUBLE;
}

/* Makes directory->domain the file of `name` as it is now. */
static bool open_domain(struct directory *directory, const char *name)
{
    struct str path = str_on(directory->path, sizeof directory->path);
    str_append_texts(&path, "cdb/domain/", name, ".cdb");
    if (!str_append_byte(&path, '\0'))
        return false;
    if (strcmp(directory->open_domain, name) != 0) {
        cdbfile_close(&directory->domain);
        directory->open_domain[0] = '\0';
        directory->held &= ~(unsigned)DOMAIN_BIT;
    }
    if (!refresh(directory, &directory->domain, DOMAIN_BIT, directory->path))
        return false;
    return slice_copy_text(slice_text(name), directory->open_domain, sizeof directory->open_domain);
}

/* Looks up `kind` `name` in the open domain's file. */
static enum cdbfile_result find(struct directory *directory, char kind, struct slice name,
                                struct slice *value)
{
    char key[KEY_MAX];
    if (name.size > sizeof key - 1)
        return CDBFILE_MISSING;
    key[0] = kind;
    if (name.size > 0)
        memcpy(key + 1, name.data, name.size);
    return cdbfile_find(&directory->domain, slice_of(key, name.size + 1), value);
}

static enum directory_result find_account(struct directory *directory, struct slice local,
                                          struct directory_account *account)
{
    struct slice value;
    enum cdbfile_result result =
        local.size == 0 ? CDBFILE_MISSING : find(directory, 'a', local, &value);
    if (result == CDBFILE_TROUBLE)
        return DIRECTORY_TROUBLE;
    if (result == CDBFILE_MISSING)
        return DIRECTORY_UNKNOWN_USER;
    /* From a value that will not outlive the next look-up. */
    return slice_copy_text(local, account->local, sizeof account->local) ? DIRECTORY_FOUND
                                                                         : DIRECTORY_TROUBLE;
}

/* The account that the setting `name` of the domain holds, if any. */
static enum directory_result find_named(struct directory *directory, const char *name,
                                        struct directory_account *account)
{
    struct slice local;
    enum cdbfile_result result = find(directory, 's', slice_text(name), &local);
    if (result != CDBFILE_FOUND)
        return DIRECTORY_TROUBLE;
    return find_account(directory, local, account);
}

/* SPEC R2.4: where the plan says so, postmaster and nobody are the admin's. The account postmaster
 * itself is always there (cdb sees to that), so mail to it is never refused. */
static enum directory_result find_reserved(struct directory *directory, struct slice local,
                                           struct directory_account *account)
{
    struct slice mode;
    if (!slice_equal(local, SLICE("postmaster")) && !slice_equal(local, SLICE("nobody")))
        return DIRECTORY_UNKNOWN_USER;
    if (find(directory, 's', SLICE("postmaster"), &mode) != CDBFILE_FOUND)
        return DIRECTORY_TROUBLE;
    if (!slice_equal(mode, SLICE("admin")))
        return DIRECTORY_UNKNOWN_USER;
    enum directory_result result = find_named(directory, "admin", account);
    return result == DIRECTORY_UNKNOWN_USER ? find_account(directory, SLICE("postmaster"), account)
                                            : result;
}

/* Who has that very name: postmaster and nobody as the plan says, accounts. */
static enum directory_result find_exact(struct directory *directory, struct slice local,
                                        struct directory_account *account)
{
    enum directory_result result = find_reserved(directory, local, account);
    return result == DIRECTORY_UNKNOWN_USER ? find_account(directory, local, account) : result;
}

/* user+tag is user's, where he has plus-addressing. */
static enum directory_result find_plus(struct directory *directory, struct slice local,
                                       struct directory_account *account)
{
    struct slice base = slice_part(local, 0, slice_find(local, '+'));
    bool on;
    if (base.size == local.size)
        return DIRECTORY_UNKNOWN_USER;
    enum directory_result result = find_exact(directory, base, account);
    if (result != DIRECTORY_FOUND)
        return result;
    if (!directory_setting_is_on(directory, account, "plus-addressing", &on))
        return DIRECTORY_TROUBLE;
    return on ? DIRECTORY_FOUND : DIRECTORY_UNKNOWN_USER;
}

static enum directory_result find_mailbox(struct directory *directory, struct slice local,
                                          struct directory_account *account)
{
    enum directory_result result = find_exact(directory, local, account);
    if (result == DIRECTORY_UNKNOWN_USER)
        result = find_plus(directory, local, account);
    if (result == DIRECTORY_UNKNOWN_USER) {
        account->local[0] = '\0';
        result = find_named(directory, "catch-all", account);
    }
    return result;
}

enum directory_result directory_account(struct directory *directory, struct slice local,
                                        struct slice domain, struct directory_account *account)
{
    /* Longer than an account's name may be: catch-all takes any local part that an address may have
     * (mailaddress.h), and a tag adds to it. */
    char lower[LOCAL_PART_MAX + 1];
    account->local[0] = '\0';
    enum directory_result result = directory_domain(directory, domain, &account->domain);
    if (result != DIRECTORY_FOUND)
        return result;
    if (!open_domain(directory, account->domain.name))
        return DIRECTORY_TROUBLE;
    if (!copy_lower(local, lower, sizeof lower))
        return DIRECTORY_UNKNOWN_USER;
    return find_mailbox(directory, slice_text(lower), account);
}

enum directory_result directory_address(struct directory *directory, struct slice address,
                                        struct directory_account *account)
{
    size_t at = slice_find_last(address, '@');
    return directory_account(directory, slice_part(address, 0, at), slice_from(address, at + 1),
                             account);
}

enum directory_result directory_next_domain(struct directory *directory, unsigned *place,
                                            struct directory_domain *domain)
{
    struct slice key, value;
    enum cdbfile_result result;
    if (!refresh(directory, &directory->domains, DOMAINS_BIT, DOMAINS_PATH))
        return DIRECTORY_TROUBLE;
    while ((result = cdbfile_next(&directory->domains, place, &key, &value)) == CDBFILE_FOUND) {
        if (!read_domain(value, domain))
            return DIRECTORY_TROUBLE;
        if (slice_equal(key, slice_text(domain->name)))
            return DIRECTORY_FOUND;
    }
    return result == CDBFILE_MISSING ? DIRECTORY_UNKNOWN_DOMAIN : DIRECTORY_TROUBLE;
}

enum directory_result directory_next_account(struct directory *directory, unsigned *place,
                                             const struct directory_domain *domain,
                                             struct directory_account *account)
{
    struct slice key, value;
    enum cdbfile_result result;
    *account = (struct directory_account){.domain = *domain};
    if (!open_domain(directory, domain->name))
        return DIRECTORY_TROUBLE;
    while ((result = cdbfile_next(&directory->domain, place, &key, &value)) == CDBFILE_FOUND)
        if (slice_starts(key, SLICE("a")) &&
            slice_copy_text(slice_from(key, 1), account->local, sizeof account->local))
            return DIRECTORY_FOUND;
    return result == CDBFILE_MISSING ? DIRECTORY_UNKNOWN_USER : DIRECTORY_TROUBLE;
}

bool directory_forwards(struct directory *directory, const struct directory_account *account,
                        struct str *rules)
{
    struct slice found;
    if (!open_domain(directory, account->domain.name))
        return false;
    enum cdbfile_result result = find(directory, 'f', slice_text(account->local), &found);
    if (result == CDBFILE_FOUND)
        return str_append(rules, found);
    return result == CDBFILE_MISSING;
}

bool directory_reply(struct directory *directory, const struct directory_account *account,
                     struct str *utf8, struct str *seven)
{
    struct slice found, forms[2];
    size_t count;
    if (!open_domain(directory, account->domain.name))
        return false;
    enum cdbfile_result result = find(directory, 'r', slice_text(account->local), &found);
    if (result != CDBFILE_FOUND)
        return result == CDBFILE_MISSING;
    return wire_split(found, forms, 2, &count) && count == 2 && str_append(utf8, forms[0]) &&
           str_append(seven, forms[1]);
}

/* The account's own value. `pairs` are netstrings key, value, key, value ... A broken record is
 * trouble: to fall back to the domain's value could loosen what the account has tightened. */
static enum cdbfile_result find_own(struct slice pairs, const char *name, struct slice *value)
{
    struct slice key;
    while (pairs.size > 0) {
        if (wire_cut_netstring(&pairs, KEY_MAX, &key) != 1 ||
            wire_cut_netstring(&pairs, DIRECTORY_VALUE_MAX, value) != 1)
            return CDBFILE_TROUBLE;
        if (slice_equal(key, slice_text(name)))
            return CDBFILE_FOUND;
    }
    return CDBFILE_MISSING;
}

/* Opens the account's domain, and finds the account's own settings; none: an empty slice. */
static bool open_settings(struct directory *directory, const struct directory_account *account,
                          struct slice *pairs)
{
    *pairs = SLICE("");
    if (!open_domain(directory, account->domain.name))
        return false;
    return account->local[0] == '\0' ||
           find(directory, 'a', slice_text(account->local), pairs) != CDBFILE_TROUBLE;
}

/* The value in force; `pairs` are the account's own. */
static bool find_setting(struct directory *directory, struct slice pairs, const char *name,
                         struct slice *value)
{
    enum cdbfile_result own = find_own(pairs, name, value);
    if (own != CDBFILE_MISSING)
        return own == CDBFILE_FOUND;
    return find(directory, 's', slice_text(name), value) == CDBFILE_FOUND;
}

bool directory_setting(struct directory *directory, const struct directory_account *account,
                       const char *name, struct str *value)
{
    struct slice pairs, found;
    return open_settings(directory, account, &pairs) &&
           find_setting(directory, pairs, name, &found) && str_append(value, found);
}

bool directory_setting_numbers(struct directory *directory, const struct directory_account *account,
                               const char *const names[], uint64_t numbers[], size_t count)
{
    struct slice pairs, found;
    bool done = open_settings(directory, account, &pairs);
    for (size_t i = 0; done && i < count; i++)
        done = find_setting(directory, pairs, names[i], &found) &&
               number_parse(found, UINT64_MAX, &numbers[i]);
    return done;
}

bool directory_setting_is_on(struct directory *directory, const struct directory_account *account,
                             const char *name, bool *on)
{
    struct str value;
    str_init(&value, DIRECTORY_VALUE_MAX);
    bool found = directory_setting(directory, account, name, &value);
    *on = found && slice_equal(str_slice(&value), SLICE("on"));
    str_free(&value);
    return found;
}

bool directory_setting_number(struct directory *directory, const struct directory_account *account,
                              const char *name, uint64_t *number)
{
    return directory_setting_numbers(directory, account, &name, number, 1);
}

bool directory_derived_number(struct directory *directory, const struct directory_domain *domain,
                              const char *name, uint64_t *number)
{
    struct slice found;
    return open_domain(directory, domain->name) &&
           find(directory, 'd', slice_text(name), &found) == CDBFILE_FOUND &&
           number_parse(found, UINT64_MAX, number);
}

unsigned directory_host_version(struct directory *directory)
{
    return refresh(directory, &directory->host, HOST_BIT, HOST_PATH) ? directory->host.opened : 0;
}

bool directory_host(struct directory *directory, const char *name, struct str *value)
{
    struct slice found;
    return refresh(directory, &directory->host, HOST_BIT, HOST_PATH) &&
           cdbfile_find(&directory->host, slice_text(name), &found) == CDBFILE_FOUND &&
           str_append(value, found);
}

static bool host_is(struct directory *directory, const char *name, struct slice wanted)
{
    struct str value;
    str_init(&value, DIRECTORY_VALUE_MAX);
    bool is = directory_host(directory, name, &value) && slice_equal(str_slice(&value), wanted);
    str_free(&value);
    return is;
}

bool directory_host_is_on(struct directory *directory, const char *name)
{
    return host_is(directory, name, SLICE("on"));
}

bool directory_host_is_off(struct directory *directory, const char *name)
{
    return host_is(directory, name, SLICE("off"));
}

bool directory_host_number(struct directory *directory, const char *name, uint64_t *number)
{
    struct str value;
    str_init(&value, DIRECTORY_VALUE_MAX);
    bool found = directory_host(directory, name, &value) &&
                 number_parse(str_slice(&value), UINT64_MAX, number);
    str_free(&value);
    return found;
}
