/* account - see account.h */
#include "account.h"

#include "capability.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

/* The user name as typed, in lower case; a bare local part gets the default domain, if there is one
 * (SPEC R1.3). */
static void set_name(struct directory *directory, const struct login *login,
                     struct account *account)
{
    struct str name;
    str_init(&name, AUTH_USER_MAX);
    str_append_text(&name, login->user);
    if (!slice_has(str_slice(&name), '@')) {
        str_append_byte(&name, '@');
        struct str domain;
        str_init(&domain, DIRECTORY_VALUE_MAX);
        if (directory_host(directory, "defaultdomain", &domain))
            str_append(&name, str_slice(&domain));
        str_free(&domain);
    }
    for (size_t i = 0; i < name.size; i++)
        name.data[i] = slice_lower(name.data[i]);
    if (name.failed || !slice_copy_text(str_slice(&name), account->name, sizeof account->name))
        snprintf(account->name, sizeof account->name, "@"); /* nobody's */
    str_free(&name);
}

static bool is_on(struct directory *directory, const struct directory_account *found,
                  const char *setting)
{
    bool on;
    return directory_setting_is_on(directory, found, setting, &on) && on;
}

/* One value of the domain's file of secrets. */
static enum account_result read_secret(struct cdbfile *file, const char *prefix, const char *local,
                                       char *secret, size_t size)
{
    char key[DIRECTORY_LOCAL_MAX + 16];
    struct slice value;
    snprintf(key, sizeof key, "%s%s", prefix, local);
    switch (cdbfile_find(file, slice_text(key), &value)) {
    case CDBFILE_FOUND:
        return slice_copy_text(value, secret, size) ? ACCOUNT_KNOWN : ACCOUNT_TROUBLE;
    case CDBFILE_MISSING:
        return ACCOUNT_UNKNOWN;
    case CDBFILE_TROUBLE:
        break;
    }
    return ACCOUNT_TROUBLE;
}

static enum account_result read_secrets(struct account *account)
{
    char path[PATH_MAX];
    struct cdbfile file;
    int size = snprintf(path, sizeof path, "cdb/secret/%s.cdb", account->domain);
    if (size < 0 || (size_t)size >= sizeof path || !cdbfile_open(&file, AT_FDCWD, path))
        return ACCOUNT_TROUBLE;
    enum account_result result =
        read_secret(&file, "", account->local, account->hash, sizeof account->hash);
    /* As in the users file, users(5). */
    if (account->hash[0] == '!') {
        account->expired = true;
        memmove(account->hash, account->hash + 1, strlen(account->hash));
    }
    if (result != ACCOUNT_TROUBLE && account->apop) {
        enum account_result apop = read_secret(&file, "apop ", account->local, account->apop_secret,
                                               sizeof account->apop_secret);
        if (apop != ACCOUNT_UNKNOWN)
            result = apop;
    }
    cdbfile_close(&file);
    return result;
}

/* The settings that decide; of an unknown account, its domain's. */
static void read_settings(struct directory *directory, const struct login *login,
                          const struct directory_account *found, struct account *account)
{
    const char *service = login_service(login->service)->setting;
    account->plaintext = is_on(directory, found, "plaintext-login");
    account->service = !service || is_on(directory, found, service);
    account->apop = is_on(directory, found, "apop");
    if (!directory_setting_number(directory, found, "lock-failures", &account->lock_failures))
        account->lock_failures = 0;
    if (!directory_setting_number(directory, found, "lock-time", &account->lock_seconds))
        account->lock_seconds = 0;
}

/* RFC 2449 6.7: for so many days at least a message stays where POP3 sees it, which is INBOX; 0: for
 * ever. What ageing takes away is gone for a POP3 client, though it lies in the archive. */
static uint64_t days_in_inbox(uint64_t expire, uint64_t archive)
{
    if (expire == 0 || archive == 0)
        return expire + archive;
    return expire < archive ? expire : archive;
}

static bool read_numbers(struct directory *directory, const struct directory_account *found,
                         struct terms *terms)
{
    enum { MEGABYTE = 1048576 };
    static const char *const names[] = {"message-size", "quota", "pop3-login-delay", "pop3-expire",
                                        "archive-days"};
    uint64_t numbers[sizeof names / sizeof *names];
    if (!directory_setting_numbers(directory, found, names, numbers, sizeof names / sizeof *names))
        return false;
    terms->message_max = numbers[0];
    terms->login_delay = numbers[2];
    terms->expire = days_in_inbox(numbers[3], numbers[4]);
    return !__builtin_mul_overflow(numbers[1], (uint64_t)MEGABYTE, &terms->quota);
}

/* What imapd and pop3d have to know. A value that can't be what it is, can't be looked up at all:
 * cdb checks them all. */
static bool read_terms(struct directory *directory, const struct login *login,
                       const struct directory_account *found, struct terms *terms)
{
    struct str off;
    if (!login_service(login->service)->program)
        return true;
    *terms = login->chosen;
    str_init(&off, DIRECTORY_VALUE_MAX);
    bool read = read_numbers(directory, found, terms) &&
                directory_setting(directory, found, "imap-capabilities-off", &off) &&
                capability_read_names(str_slice(&off), &terms->capabilities_off, NULL);
    str_free(&off);
    return read;
}

static bool copy_names(const struct directory_account *found, struct account *account)
{
    return slice_copy_text(slice_text(found->local), account->local, sizeof account->local) &&
           slice_copy_text(slice_text(found->domain.name), account->domain,
                           sizeof account->domain) &&
           snprintf(account->name, sizeof account->name, "%s@%s", found->local,
                    found->domain.name) < (int)sizeof account->name;
}

enum account_result account_find(struct directory *directory, const struct login *login,
                                 struct account *account)
{
    struct directory_account found;
    *account = (struct account){0};
    directory_hold(directory); /* its other questions are all about this login */
    set_name(directory, login, account);
    struct slice name = slice_text(account->name);
    size_t at = slice_find_last(name, '@');
    struct slice local = slice_part(name, 0, at);
    enum directory_result result =
        directory_account(directory, local, slice_from(name, at + 1), &found);
    if (result == DIRECTORY_TROUBLE)
        return ACCOUNT_TROUBLE;
    if (result == DIRECTORY_UNKNOWN_DOMAIN)
        return ACCOUNT_UNKNOWN;
    bool known = result == DIRECTORY_FOUND && slice_equal(local, slice_text(found.local));
    if (!known)
        found.local[0] = '\0';
    read_settings(directory, login, &found, account);
    if (!known)
        return ACCOUNT_UNKNOWN;
    if (!copy_names(&found, account) || !read_terms(directory, login, &found, &account->terms))
        return ACCOUNT_TROUBLE;
    return read_secrets(account);
}

void account_wipe(struct account *account)
{
    explicit_bzero(account->hash, sizeof account->hash);
    explicit_bzero(account->apop_secret, sizeof account->apop_secret);
}
