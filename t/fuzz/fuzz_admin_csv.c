/*
 * A CSV file: its characters, its rows, what they want, the users file behind it. What has been read must
 * be the same when it is written and read again; what a customer wrote into a field stays within its
 * account's line. The first byte chooses the kind.
 */
#include "csvchange.h"
#include "csvtext.h"
#include "rehash.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool condition)
{
    if (!condition)
        abort();
}

static void write_table(const struct csvtable *table, struct str *text)
{
    for (size_t i = 0; i < table->row_count; i++) {
        const struct csvtable_row *row = &table->rows[i];
        for (size_t k = 0; k < row->count; k++) {
            if (k > 0)
                str_append_byte(text, ',');
            check(csvtext_put_field(text, csvtable_field(table, row, k)));
        }
        str_append_text(text, "\r\n");
    }
    check(!text->failed);
}

static void check_same(const struct csvtable *one, const struct csvtable *other)
{
    check(one->row_count == other->row_count);
    for (size_t i = 0; i < one->row_count; i++) {
        check(one->rows[i].count == other->rows[i].count);
        for (size_t k = 0; k < one->rows[i].count; k++)
            check(slice_equal(csvtable_field(one, &one->rows[i], k),
                              csvtable_field(other, &other->rows[i], k)));
    }
}

static void try_again(const struct csvtable *table)
{
    struct csvproblems problems = {0};
    struct csvtable again;
    struct str text;
    /* Of fields beyond the bound only their number is kept. */
    for (size_t i = 0; i < table->row_count; i++)
        if (table->rows[i].count > CSVTABLE_COLUMNS_MAX)
            return;
    str_init(&text, 2 * CSVTEXT_UTF8_MAX);
    write_table(table, &text);
    check(csvtable_parse(&again, str_slice(&text), &problems));
    check(problems.count == 0);
    check_same(table, &again);
    csvtable_free(&again);
    str_free(&text);
}

/* ---- the users file ---- */

#define USERS "# by hand\nU1::comment=old\n\npostmaster:" HASH ":"
#define HASH  "$1$abcdefgh$G//4keteveJp0qb8z2DxG/"
#define OTHER "$1$abcdefgh$irWbblnpmw.5z7wgBnprh0"

enum { USERS_MAX = 2 * CSVTEXT_UTF8_MAX };

/* Lines that are accounts; each is one that mailctl reads. */
static size_t count_accounts(struct slice users)
{
    size_t count = 0;
    while (users.size > 0) {
        struct userline line;
        char error[USERLINE_ERROR_MAX];
        struct slice text = slice_trim(slice_cut(&users, '\n'));
        if (text.size == 0 || text.data[0] == '#')
            continue;
        userline_init(&line);
        check(userline_parse(&line, text, error));
        userline_free(&line);
        count++;
    }
    return count;
}

/* All quick hashes find their accounts. */
static void try_rehash(const struct csvaccounts *accounts, struct slice users, size_t wanted)
{
    struct rehash *of = calloc(accounts->count + 1, sizeof *of);
    struct str fresh;
    size_t count = 0, done;
    check(of != NULL);
    for (size_t i = 0; i < accounts->count; i++) {
        if (accounts->of[i].hash[0] == '\0')
            continue;
        of[count] = (struct rehash){.was = SLICE(HASH), .now = SLICE(OTHER)};
        snprintf(of[count].local, sizeof of[count].local, "%s", accounts->of[i].local);
        count++;
    }
    rehash_sort(of, count);
    str_init(&fresh, USERS_MAX);
    check(rehash_users(of, count, users, &fresh, &done));
    check(done == wanted && fresh.size == users.size);
    str_free(&fresh);
    free(of);
}

static void try_change(struct csvaccounts *accounts, const struct domain *domain)
{
    struct csvchange_counts counts;
    struct str fresh;
    size_t hashed = 0;
    bool adds = accounts->kind == CSVACCOUNTS_REGISTER;
    for (size_t i = 0; i < accounts->count; i++) {
        struct csvaccount *account = &accounts->of[i];
        if (account->password.size == 0 || !(adds || account->exists))
            continue;
        snprintf(account->hash, sizeof account->hash, "%s", HASH);
        hashed++;
    }
    str_init(&fresh, USERS_MAX);
    check((adds ? csvchange_register : csvchange_edit)(accounts, domain, SLICE(USERS), &fresh,
                                                       &counts));
    check(count_accounts(str_slice(&fresh)) == 2 + (adds ? accounts->count : 0));
    check(slice_starts(str_slice(&fresh), SLICE("# by hand\n")));
    try_rehash(accounts, str_slice(&fresh), hashed);
    str_free(&fresh);
}

/* example.jp with u1 and postmaster, of a plan that says nothing. */
static void try_domain(struct csvaccounts *accounts)
{
    static const struct plan plan = {.exists = true};
    char names[2][16] = {"postmaster", "u1"}, hashes[2][sizeof HASH] = {HASH, ""};
    struct domain_account there[2];
    struct domain domain = {
        .name = "example.jp", .plan = &plan, .accounts = there, .account_count = 2};
    struct csvproblems problems = {0};
    for (size_t i = 0; i < 2; i++)
        there[i] = (struct domain_account){.local = names[i], .hash = hashes[i], .line = 1};
    csvaccounts_check(accounts, &domain, &problems);
    if (problems.count == 0)
        try_change(accounts, &domain);
    csvproblems_free(&problems);
}

static void try_accounts(const struct csvtable *table, enum csvaccounts_kind kind,
                         struct csvproblems *problems)
{
    struct csvaccounts accounts;
    check(csvaccounts_read(&accounts, kind, table, problems));
    check(accounts.count <= table->row_count);
    for (size_t i = 0; i < accounts.count; i++)
        check(accounts.of[i].local[0] == '\0' ||
              csvaccounts_find(&accounts, accounts.of[i].local) != NULL);
    if (problems->count == 0)
        try_domain(&accounts);
    csvaccounts_free(&accounts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct csvproblems problems = {0};
    struct csvtable table;
    struct str utf8;
    if (size == 0)
        return 0;
    str_init(&utf8, CSVTEXT_UTF8_MAX);
    check(csvtext_decode(slice_of(data + 1, size - 1), &utf8, &problems));
    check(csvtable_parse(&table, str_slice(&utf8), &problems));
    try_again(&table);
    try_accounts(&table, data[0] % 2 == 0 ? CSVACCOUNTS_REGISTER : CSVACCOUNTS_EDIT, &problems);
    csvproblems_sort(&problems);
    json_t *list = csvproblems_json(&problems);
    check(list && json_array_size(list) == problems.kept);
    json_decref(list);
    csvproblems_free(&problems);
    csvtable_free(&table);
    str_free(&utf8);
    return 0;
}
