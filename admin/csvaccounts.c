/* csvaccounts - see csvaccounts.h */
#include "csvaccounts.h"

#include "accountrules.h"
#include "number.h"
#include "policy.h"

#include <stdlib.h>

#define ACCOUNT  "mail_account"
#define PASSWORD "password"
#define CAPACITY "mail_capacity"
#define COMMENT  "comment"

enum { AT_ACCOUNT, AT_PASSWORD, AT_CAPACITY, AT_COMMENT, COLUMNS_MOST };

static const struct header {
    const char *line;
    const char *columns[COLUMNS_MOST];
    size_t count;
} headers[] = {
    [CSVACCOUNTS_REGISTER] = {ACCOUNT "," PASSWORD "," CAPACITY "," COMMENT,
                              {ACCOUNT, PASSWORD, CAPACITY, COMMENT},
                              4},
    [CSVACCOUNTS_EDIT] = {ACCOUNT "," PASSWORD "," CAPACITY, {ACCOUNT, PASSWORD, CAPACITY}, 3},
};

void csvaccounts_free(struct csvaccounts *accounts)
{
    free(accounts->of);
    free(accounts->sorted);
    *accounts = (struct csvaccounts){0};
}

/* ---- what the rows say ---- */

static bool is_header(const struct header *header, const struct csvtable *table,
                      const struct csvtable_row *row)
{
    if (row->count != header->count)
        return false;
    for (size_t i = 0; i < header->count; i++)
        if (!slice_equal(csvtable_field(table, row, i), slice_text(header->columns[i])))
            return false;
    return true;
}

static void take_row(struct csvaccounts *accounts, const struct csvtable *table,
                     const struct csvtable_row *row, struct csvproblems *problems)
{
    const struct header *header = &headers[accounts->kind];
    struct csvaccount *account = &accounts->of[accounts->count];
    char error[USERLINE_ERROR_MAX];
    if (row->count != header->count) {
        csvproblems_add(problems, row->line, "", "%zu fields, but the header has %zu: %s",
                        row->count, header->count, header->line);
        return;
    }
    *account = (struct csvaccount){
        .line = row->line,
        .password = csvtable_field(table, row, AT_PASSWORD),
        .quota = csvtable_field(table, row, AT_CAPACITY),
        .comment = csvtable_field(table, row, AT_COMMENT),
    };
    if (!userline_check_local(csvtable_field(table, row, AT_ACCOUNT), account->local, error))
        csvproblems_add(problems, row->line, ACCOUNT, "%s", error);
    accounts->sorted[accounts->count++] = account;
}

static int compare(const void *a, const void *b)
{
    const struct csvaccount *const *left = a, *const *right = b;
    int order = strcmp((*left)->local, (*right)->local);
    return order != 0 ? order : ((*left)->line > (*right)->line) - ((*left)->line < (*right)->line);
}

static void check_twice(const struct csvaccounts *accounts, struct csvproblems *problems)
{
    for (size_t i = 1; i < accounts->count; i++) {
        const struct csvaccount *account = accounts->sorted[i], *before = accounts->sorted[i - 1];
        if (account->local[0] != '\0' && strcmp(account->local, before->local) == 0)
            csvproblems_add(problems, account->line, ACCOUNT,
                            "%s stands in line %u already: keep one", account->local, before->line);
    }
}

bool csvaccounts_read(struct csvaccounts *accounts, enum csvaccounts_kind kind,
                      const struct csvtable *table, struct csvproblems *problems)
{
    *accounts = (struct csvaccounts){.kind = kind};
    accounts->of = calloc(table->row_count + 1, sizeof *accounts->of);
    accounts->sorted = calloc(table->row_count + 1, sizeof(struct csvaccount *));
    if (!accounts->of || !accounts->sorted)
        return false;
    /* Has the header line itself been reported? */
    if (table->row_count == 0 && problems->count > 0)
        return true;
    if (table->row_count == 0 || !is_header(&headers[kind], table, &table->rows[0])) {
        csvproblems_add(problems, table->row_count > 0 ? table->rows[0].line : 1, "",
                        "the first line has to be: %s", headers[kind].line);
        return true;
    }
    for (size_t i = 1; i < table->row_count; i++)
        take_row(accounts, table, &table->rows[i], problems);
    qsort(accounts->sorted, accounts->count, sizeof(struct csvaccount *), compare);
    check_twice(accounts, problems);
    return true;
}

struct csvaccount *csvaccounts_find(const struct csvaccounts *accounts, const char *local)
{
    size_t from = 0, to = accounts->count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        int order = strcmp(local, accounts->sorted[middle]->local);
        if (order == 0)
            return accounts->sorted[middle];
        if (order < 0)
            to = middle;
        else
            from = middle + 1;
    }
    return NULL;
}

/* ---- against the domain ---- */

static void check_place(const struct csvaccount *account, const struct domain *domain,
                        struct csvproblems *problems)
{
    if (domain_is_reserved(domain, account->local))
        csvproblems_add(problems, account->line, ACCOUNT,
                        "%s belongs to the domain's administrator and can't be made",
                        account->local);
    else if (account->exists)
        csvproblems_add(problems, account->line, ACCOUNT, "there is an account %s already",
                        account->local);
}

static void check_password(const struct csvaccount *account, const struct domain *domain,
                           struct csvproblems *problems)
{
    char bytes[POLICY_REASONS_MAX];
    struct str reasons = str_on(bytes, sizeof bytes);
    if (account->password.size > PASSWORD_SECRET_MAX) {
        csvproblems_add(problems, account->line, PASSWORD, "the password has more than %d bytes",
                        PASSWORD_SECRET_MAX);
        return;
    }
    unsigned broken =
        policy_broken(account->password, slice_text(account->local), slice_text(domain->name));
    if (broken == 0)
        return;
    policy_explain(broken, &reasons);
    csvproblems_add(problems, account->line, PASSWORD, "%.*s", SLICE_PRINTF(str_slice(&reasons)));
}

static void check_value(const struct csvaccount *account, const struct domain *domain,
                        const char *column, const char *name, struct slice value,
                        struct csvproblems *problems)
{
    char bytes[ACCOUNTRULES_REASON_MAX];
    struct str reason = str_on(bytes, sizeof bytes);
    const struct setting *setting = settings_find(slice_text(name));
    if (value.size > 0 && setting && !accountrules_value(domain, setting, value, &reason))
        csvproblems_add(problems, account->line, column, "%.*s", SLICE_PRINTF(str_slice(&reason)));
}

static void check_account(const struct csvaccounts *accounts, struct csvaccount *account,
                          const struct domain *domain, struct csvproblems *problems)
{
    bool fresh = accounts->kind == CSVACCOUNTS_REGISTER;
    account->exists = domain_find(domain, account->local) != NULL;
    if (fresh && account->local[0] != '\0')
        check_place(account, domain, problems);
    if (account->password.size > 0)
        check_password(account, domain, problems);
    else if (fresh)
        csvproblems_add(problems, account->line, PASSWORD, "a new account needs a password");
    check_value(account, domain, CAPACITY, "quota", account->quota, problems);
    check_value(account, domain, COMMENT, "comment", account->comment, problems);
}

/* SPEC R2.7 */
static void check_count(const struct csvaccounts *accounts, const struct domain *domain,
                        struct csvproblems *problems)
{
    uint64_t most = domain_accounts_max(domain);
    size_t there = domain_accounts_named(domain);
    if (most == 0 || there + accounts->count <= most)
        return;
    csvproblems_add(problems, 0, "",
                    "%zu accounts more, but %s has %zu and may have %llu (accounts-max): take %llu "
                    "rows out, or have it raised",
                    accounts->count, domain->name, there, (unsigned long long)most,
                    (unsigned long long)(there + accounts->count - most));
}

void csvaccounts_check(struct csvaccounts *accounts, const struct domain *domain,
                       struct csvproblems *problems)
{
    for (size_t i = 0; i < accounts->count; i++)
        check_account(accounts, &accounts->of[i], domain, problems);
    if (accounts->kind == CSVACCOUNTS_REGISTER)
        check_count(accounts, domain, problems);
}
