/*
 * A CSV file: its characters, its rows, what they want. What has been read must be the same when it is
 * written and read again. The first byte chooses the kind.
 */
#include "csvaccounts.h"
#include "csvtext.h"

#include <stdint.h>
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

static void try_accounts(const struct csvtable *table, enum csvaccounts_kind kind,
                         struct csvproblems *problems)
{
    struct csvaccounts accounts;
    check(csvaccounts_read(&accounts, kind, table, problems));
    check(accounts.count <= table->row_count);
    for (size_t i = 0; i < accounts.count; i++)
        check(accounts.of[i].local[0] == '\0' ||
              csvaccounts_find(&accounts, accounts.of[i].local) != NULL);
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
