/* csvchange - see csvchange.h */
#include "csvchange.h"

#include "accountrules.h"

/* Puts what the row says into the account's line. */
static bool change_account(struct userline *line, const struct csvaccount *account,
                           const struct domain *domain)
{
    return (account->password.size == 0 ||
            accountrules_set_password(domain, line, account->hash, account->password)) &&
           (account->quota.size == 0 || userline_set(line, "quota", account->quota)) &&
           (account->comment.size == 0 || userline_set(line, "comment", account->comment));
}

static bool put_line(const struct userline *line, struct str *fresh)
{
    return userline_format(line, fresh) && str_append_byte(fresh, '\n');
}

static bool add_account(const struct csvaccount *account, const struct domain *domain,
                        struct str *fresh)
{
    struct userline line;
    userline_init(&line);
    bool done = slice_copy_text(slice_text(account->local), line.local, sizeof line.local) &&
                change_account(&line, account, domain) && put_line(&line, fresh);
    userline_free(&line);
    return done;
}

static void end_last_line(struct str *fresh)
{
    if (fresh->size > 0 && fresh->data[fresh->size - 1] != '\n')
        str_append_byte(fresh, '\n');
}

bool csvchange_register(const struct csvaccounts *accounts, const struct domain *domain,
                        struct slice users, struct str *fresh, struct csvchange_counts *counts)
{
    *counts = (struct csvchange_counts){0};
    str_append(fresh, users);
    end_last_line(fresh);
    bool done = true;
    for (; done && counts->done < accounts->count; counts->done++)
        done = add_account(&accounts->of[counts->done], domain, fresh);
    return done && !fresh->failed;
}

/* ---- edit ---- */

/* Who came only while the passwords were hashed has none: for this file he is not there. */
static bool is_there(const struct csvaccount *account)
{
    return account->exists && (account->password.size == 0 || account->hash[0] != '\0');
}

static bool says_something(const struct csvaccount *account)
{
    return account->password.size > 0 || account->quota.size > 0;
}

/* The account that the line of the users file is about, if a row is about it, too. */
static const struct csvaccount *wanted(const struct csvaccounts *accounts, struct slice line)
{
    char local[USERLINE_LOCAL_MAX + 1], error[USERLINE_ERROR_MAX];
    struct slice rest = slice_trim(line);
    if (rest.size == 0 || rest.data[0] == '#' ||
        !userline_check_local(slice_cut(&rest, ':'), local, error))
        return NULL;
    const struct csvaccount *account = csvaccounts_find(accounts, local);
    return account && is_there(account) && says_something(account) ? account : NULL;
}

static bool change_line(const struct csvaccount *account, const struct domain *domain,
                        struct slice text, struct str *fresh)
{
    struct userline line;
    char error[USERLINE_ERROR_MAX];
    userline_init(&line);
    bool done = userline_parse(&line, slice_trim(text), error) &&
                change_account(&line, account, domain) && put_line(&line, fresh);
    userline_free(&line);
    return done;
}

static void count_others(const struct csvaccounts *accounts, struct csvchange_counts *counts)
{
    for (size_t i = 0; i < accounts->count; i++) {
        counts->skipped += !is_there(&accounts->of[i]);
        counts->unchanged += is_there(&accounts->of[i]) && !says_something(&accounts->of[i]);
    }
}

bool csvchange_edit(const struct csvaccounts *accounts, const struct domain *domain,
                    struct slice users, struct str *fresh, struct csvchange_counts *counts)
{
    bool done = true;
    *counts = (struct csvchange_counts){0};
    count_others(accounts, counts);
    while (done && users.size > 0) {
        struct slice line = slice_part(users, 0, slice_find(users, '\n') + 1);
        const struct csvaccount *account = wanted(accounts, line);
        users = slice_from(users, line.size);
        counts->done += account != NULL;
        done = account ? change_line(account, domain, line, fresh) : str_append(fresh, line);
    }
    /* postmaster is there without being named. */
    const struct csvaccount *postmaster = csvaccounts_find(accounts, "postmaster");
    const struct domain_account *there = domain_find(domain, "postmaster");
    if (done && postmaster && is_there(postmaster) && says_something(postmaster) && there &&
        there->line == 0) {
        end_last_line(fresh);
        done = add_account(postmaster, domain, fresh);
        counts->done++;
    }
    return done && !fresh->failed;
}
