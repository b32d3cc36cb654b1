/* mailboxusage - see mailboxusage.h */
#include "mailboxusage.h"

#include "folders.h"
#include "io.h"
#include "number.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>

enum { MEGABYTE = 1048576 };

static struct mailboxusage measure(int folder, const struct domain *domain,
                                   const struct domain_account *account)
{
    char path[USERLINE_LOCAL_MAX + sizeof "/Maildir"];
    struct maildirsize size = {0};
    uint64_t quota = 0;
    snprintf(path, sizeof path, "%s/Maildir", account->local);
    int maildir = openat(folder, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (maildir < 0)
        return (struct mailboxusage){.is_known = errno == ENOENT};
    (void)number_parse(domain_value_named(domain, account, "quota"), UINT64_MAX / MEGABYTE, &quota);
    bool is_known = maildirsize_read(maildir, quota * MEGABYTE, &size);
    io_close(&maildir);
    return (struct mailboxusage){
        .is_known = is_known, .bytes = size.bytes, .messages = size.messages};
}

static bool measure_some(const struct commandline *command, const struct domain *domain,
                         const struct domain_account *accounts, size_t count,
                         struct mailboxusage *used)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "mail/%s", domain->name);
    int folder = openat(command->root, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    bool is_there = folder >= 0;
    for (size_t i = 0; i < count; i++)
        used[i] = (struct mailboxusage){.is_known = !is_there && errno == ENOENT};
    if (!is_there)
        return errno == ENOENT;
    bool done = folders_act_as(domain->uid);
    for (size_t i = 0; done && i < count; i++)
        used[i] = measure(folder, domain, &accounts[i]);
    done = folders_act_as_root() && done;
    io_close(&folder);
    return done;
}

bool mailboxusage_of_domain(const struct commandline *command, const struct domain *domain,
                            struct mailboxusage *used)
{
    return measure_some(command, domain, domain->accounts, domain->account_count, used);
}

struct mailboxusage mailboxusage_of(const struct commandline *command, const struct domain *domain,
                                    const struct domain_account *account)
{
    struct mailboxusage used = {0};
    return measure_some(command, domain, account, 1, &used) ? used : (struct mailboxusage){0};
}
