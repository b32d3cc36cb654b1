/* CSV files: their characters, rows and fields; what they want of accounts; the users file behind them. */
#include "csvaccounts.h"
#include "csvchange.h"
#include "csvexport.h"
#include "csvtable.h"
#include "csvtext.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 1048576 };

/* "line:text|line:text"; nothing when all is well. */
static const char *problems_text(struct csvproblems *problems, struct str *text)
{
    str_clear(text);
    csvproblems_sort(problems);
    for (size_t i = 0; i < problems->kept; i++)
        str_format(text, "%s%u:%s%s%s", i > 0 ? "|" : "", problems->of[i].line,
                   problems->of[i].column, problems->of[i].column[0] != '\0' ? ": " : "",
                   problems->of[i].text);
    csvproblems_free(problems);
    return str_text(text);
}

/* What is made of a file, and what is said of it. */
struct outcome {
    struct str made, said;
};

static int make_outcome(void **state)
{
    static struct outcome outcome;
    str_init(&outcome.made, CSVTEXT_UTF8_MAX);
    str_init(&outcome.said, TEXT_MAX);
    *state = &outcome;
    return 0;
}

static int free_outcome(void **state)
{
    struct outcome *outcome = *state;
    str_free(&outcome->made);
    str_free(&outcome->said);
    return 0;
}

#define WITH_OUTCOME(test) cmocka_unit_test_setup_teardown(test, make_outcome, free_outcome)

/* ---- characters ---- */

static const struct {
    const char *bytes, *utf8, *problem; /* what the problem begins with */
} texts[] = {
    {"", "", ""},
    {"a,b\r\n", "a,b\r\n", ""},
    {"\xef\xbb\xbf"
     "a",
     "a", ""},
    {"\xe5\x96\xb6", "\xe5\x96\xb6", ""},                 /* UTF-8 */
    {"\x89\x63\x8b\xc6", "\xe5\x96\xb6\xe6\xa5\xad", ""}, /* Shift_JIS */
    {"\x87\x40", "\xe2\x91\xa0", ""},                     /* what Windows added */
    {"\x95\x5c,\\", "\xe8\xa1\xa8,\\", ""},               /* a trail byte 0x5c; no yen sign */
    {"\xb1\xb2", "\xef\xbd\xb1\xef\xbd\xb2", ""},         /* half-width katakana */
    {"\x81\x60", "\xef\xbd\x9e", ""},                     /* the wave of Windows */
    {"a\nbc\xff", "", "2:character 3: this is no UTF-8, and the file is no Shift_JIS either"},
    {"\xef\xbb\xbf"
     "a\x89\x63",
     "", "1:character 2: this is no UTF-8, which the file says to be"},
    {"\xe5\x96\xb6\xff", "", "1:character 2: this is no UTF-8"},
    {"\x89", "", "1:character 1: this is no UTF-8"},             /* half a character */
    {"\xed\xa0\x80\xff", "", "1:character 1: this is no UTF-8"}, /* a surrogate */
};

static void test_characters(void **state)
{
    struct outcome *outcome = *state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct csvproblems problems = {0};
        str_clear(&outcome->made);
        assert_true(csvtext_decode(slice_text(texts[i].bytes), &outcome->made, &problems));
        const char *problem = problems_text(&problems, &outcome->said);
        if (!slice_equal(str_slice(&outcome->made), slice_text(texts[i].utf8)) ||
            strncmp(problem ? problem : "", texts[i].problem, strlen(texts[i].problem)) != 0 ||
            (texts[i].problem[0] == '\0') != (outcome->said.size == 0))
            fail_msg("text %zu: %s", i, problem);
    }
}

static void test_characters_over_a_block(void **state)
{
    (void)state;
    enum { COUNT = 40000 };
    struct str bytes, utf8;
    struct csvproblems problems = {0};
    str_init(&bytes, CSVTEXT_FILE_MAX);
    str_init(&utf8, CSVTEXT_UTF8_MAX);
    for (int i = 0; i < COUNT; i++)
        str_append(&bytes, SLICE("\x89\x63\xb1"));
    assert_true(csvtext_decode(str_slice(&bytes), &utf8, &problems));
    assert_int_equal(utf8.size, 6 * COUNT);
    unsigned line;
    str_clear(&bytes);
    assert_true(csvtext_to_shift_jis(str_slice(&utf8), &bytes, &line));
    assert_int_equal(bytes.size, 3 * COUNT);
    assert_false(csvtext_to_shift_jis(SLICE("a\n\xed\x95\x9c"), &bytes, &line));
    assert_int_equal(line, 2);
    str_free(&bytes);
    str_free(&utf8);
}

static void test_fields_are_quoted(void **state)
{
    (void)state;
    static const char *const fields[][2] = {
        {"", ""},
        {"a", "a"},
        {"=1+2", "=1+2"},
        {"a,b", "\"a,b\""},
        {"\"", "\"\"\"\""},
        {" a", "\" a\""},
        {"a ", "\"a \""},
        {"a b", "a b"},
        {"a\tb", "\"a\tb\""},
        {"a\r\nb", "\"a\r\nb\""},
        {"\xe5\x96\xb6", "\xe5\x96\xb6"},
    };
    struct str text;
    str_init(&text, TEXT_MAX);
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        str_clear(&text);
        assert_true(csvtext_put_field(&text, slice_text(fields[i][0])));
        str_append_byte(&text, '.');
        str_truncate(&text, text.size - 1);
        if (!slice_equal(str_slice(&text), slice_text(fields[i][1])))
            fail_msg("field %zu", i);
    }
    str_free(&text);
}

/* ---- rows ---- */

/* "LINE[a|b]" for each row, then what is wrong. */
static const struct {
    const char *text, *rows, *problems;
} tables[] = {
    {"", "", ""},
    {"\n\r\n", "", ""},
    {"a,b\nc,d\n", "1[a|b]2[c|d]", ""},
    {"a,b\r\nc,d", "1[a|b]2[c|d]", ""},
    {"a", "1[a]", ""},
    {"\n\n a , b \n", "3[ a | b ]", ""},
    {",\n,,\n,x\n", "3[|x]", ""},
    {"\"\",x\n", "1[|x]", ""},
    {"\"a,b\",c\n", "1[a,b|c]", ""},
    {"\"a\"\"b\"\n", "1[a\"b]", ""},
    {"\"a\r\nb\",c\nd\n", "1[a\r\nb|c]3[d]", ""},
    {"\"a\n\nb\"\nd\n", "1[a\n\nb]4[d]", ""},
    {"a,b,\n", "1[a|b|]", ""},
    {"a\nb\"c\nd\n", "1[a]3[d]",
     "2:character 2: a quote within a field that has none around it: put the field in quotes and "
     "double those within it"},
    {"\xe5\x96\xb6\"\n", "",
     "1:character 2: a quote within a field that has none around it: put the field in quotes and "
     "double those within it"},
    {"\"a\"b,c\nd\n", "2[d]",
     "1:character 4: something follows a closing quote: double a quote that belongs to the field"},
    {"\"a\" ,c\nd\n", "2[d]",
     "1:character 4: something follows a closing quote: double a quote that belongs to the field"},
    {"x\n\"a\n", "1[x]", "2:a quote that begins in this row is never closed"},
    {"x\n\"a\nb\n", "1[x]", "2:a quote that begins in this row is never closed"},
    {"\"", "", "1:a quote that begins in this row is never closed"},
    {"a\rb\n", "", "1:character 2: a CR without LF: lines end in CRLF or LF"},
    {"a\nb\r", "1[a]", "2:character 2: a CR without LF: lines end in CRLF or LF"},
    {"a\n\"b\rc\"\nd\n", "1[a]3[d]", "2:character 3: a CR without LF: lines end in CRLF or LF"},
    {"a\r\r\nb\n", "2[b]", "1:character 2: a CR without LF: lines end in CRLF or LF"},
};

static void rows_text(const struct csvtable *table, struct str *text)
{
    str_clear(text);
    for (size_t i = 0; i < table->row_count; i++) {
        const struct csvtable_row *row = &table->rows[i];
        str_format(text, "%u[", row->line);
        for (size_t k = 0; k < row->count; k++) {
            if (k > 0)
                str_append_byte(text, '|');
            str_append(text, csvtable_field(table, row, k));
        }
        str_append_byte(text, ']');
    }
}

static void test_rows(void **state)
{
    struct outcome *outcome = *state;
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        struct csvtable table;
        struct csvproblems problems = {0};
        assert_true(csvtable_parse(&table, slice_text(tables[i].text), &problems));
        rows_text(&table, &outcome->made);
        (void)problems_text(&problems, &outcome->said);
        if (!slice_equal(str_slice(&outcome->made), slice_text(tables[i].rows)) ||
            !slice_equal(str_slice(&outcome->said), slice_text(tables[i].problems)))
            fail_msg("table %zu: %.*s; %.*s", i, SLICE_PRINTF(str_slice(&outcome->made)),
                     SLICE_PRINTF(str_slice(&outcome->said)));
        csvtable_free(&table);
    }
}

static void test_nul(void **state)
{
    struct outcome *outcome = *state;
    struct csvtable table;
    struct csvproblems problems = {0};
    assert_true(csvtable_parse(&table, SLICE("a\nb\0c\nd"), &problems));
    assert_int_equal(table.row_count, 2);
    assert_string_equal(
        problems_text(&problems, &outcome->said),
        "2:character 2: a NUL byte: is the file a CSV file (save it as \"CSV UTF-8\")?");
    csvtable_free(&table);
}

/* A long field, many fields, many rows: said, and no more than said. */
static void test_bounds(void **state)
{
    struct outcome *outcome = *state;
    struct csvtable table;
    struct csvproblems problems = {0};
    str_append_text(&outcome->made, "a,");
    for (int i = 0; i <= CSVTABLE_FIELD_MAX; i++)
        str_append_byte(&outcome->made, 'x');
    str_append_text(&outcome->made, "\nb\n");
    for (int i = 0; i < 100000; i++)
        str_append_byte(&outcome->made, ',');
    str_append_text(&outcome->made, "c\n");
    assert_true(csvtable_parse(&table, str_slice(&outcome->made), &problems));
    assert_string_equal(problems_text(&problems, &outcome->said),
                        "1:field 2 has more than 4096 bytes");
    assert_int_equal(table.row_count, 2);
    assert_int_equal(table.rows[1].count, 100001);
    assert_int_equal(csvtable_field(&table, &table.rows[1], 100000).size, 0);
    csvtable_free(&table);

    str_clear(&outcome->made);
    for (int i = 0; i <= CSVTABLE_ROWS_MAX; i++)
        str_append_text(&outcome->made, "a\n");
    assert_true(csvtable_parse(&table, str_slice(&outcome->made), &problems));
    assert_string_equal(problems_text(&problems, &outcome->said),
                        "100001:the file has more than 100000 rows: divide it");
    csvtable_free(&table);
}

static void test_problems_are_bounded(void **state)
{
    (void)state;
    struct csvproblems problems = {0};
    for (unsigned i = 0; i < CSVPROBLEMS_MAX + 5; i++)
        csvproblems_add(&problems, CSVPROBLEMS_MAX - i / 2, "", "number %u", i);
    assert_int_equal(problems.kept, CSVPROBLEMS_MAX);
    assert_int_equal(problems.count, CSVPROBLEMS_MAX + 5);
    csvproblems_sort(&problems);
    for (size_t i = 1; i < problems.kept; i++)
        assert_true(problems.of[i - 1].line < problems.of[i].line ||
                    (problems.of[i - 1].line == problems.of[i].line &&
                     strcmp(problems.of[i - 1].text, problems.of[i].text) != 0));
    json_t *list = csvproblems_json(&problems);
    assert_int_equal(json_array_size(list), CSVPROBLEMS_MAX);
    json_decref(list);
    csvproblems_free(&problems);
}

/* ---- accounts ---- */

/* example.jp with postmaster (unnamed), taro and u1; accounts-max 4, quota at most 1000. */
struct world {
    struct plan plan;
    struct values *values;
    struct domain domain;
    struct domain_account accounts[3];
    struct csvtable table;
    struct csvaccounts wanted;
    struct csvproblems problems;
    struct str said;
};

static struct setting const *setting(const char *name)
{
    const struct setting *found = settings_find(slice_text(name));
    assert_non_null(found);
    return found;
}

static void say(struct values *values, const char *name, const char *text)
{
    struct value *value = &values->of[setting(name) - settings_table];
    value->said = true;
    free(value->text);
    value->text = strdup(text);
}

static struct values no_values(void)
{
    return (struct values){.of = calloc(settings_count, sizeof(struct value))};
}

static void world_make(struct world *world)
{
    static const char *const names[] = {"postmaster", "taro", "u1"};
    *world = (struct world){0};
    world->plan.values = no_values();
    world->domain.own = no_values();
    world->domain.plan = &world->plan;
    snprintf(world->domain.name, sizeof world->domain.name, "example.jp");
    for (size_t i = 0; i < 3; i++) {
        world->accounts[i].local = strdup(names[i]);
        world->accounts[i].hash = strdup("");
        world->accounts[i].line = (unsigned)i;
    }
    world->domain.accounts = world->accounts;
    world->domain.account_count = 3;
    say(&world->plan.values, "accounts-max", "4");
    say(&world->plan.values, "quota", "1000");
    str_init(&world->said, TEXT_MAX);
}

static void values_drop(struct values *values)
{
    for (size_t i = 0; i < settings_count; i++)
        free(values->of[i].text);
    free(values->of);
}

static void world_end(struct world *world)
{
    for (size_t i = 0; i < 3; i++) {
        free(world->accounts[i].local);
        free(world->accounts[i].hash);
    }
    values_drop(&world->plan.values);
    values_drop(&world->domain.own);
    csvaccounts_free(&world->wanted);
    csvtable_free(&world->table);
    csvproblems_free(&world->problems);
    str_free(&world->said);
}

/* Reads and checks; what is wrong. */
static const char *world_read(struct world *world, enum csvaccounts_kind kind, const char *text)
{
    csvaccounts_free(&world->wanted);
    csvtable_free(&world->table);
    assert_true(csvtable_parse(&world->table, slice_text(text), &world->problems));
    assert_true(csvaccounts_read(&world->wanted, kind, &world->table, &world->problems));
    csvaccounts_check(&world->wanted, &world->domain, &world->problems);
    return problems_text(&world->problems, &world->said);
}

#define NEW  "mail_account,password,mail_capacity,comment\n"
#define OLD  "mail_account,password,mail_capacity\n"
#define GOOD "Correct-Horse-1"

static const struct {
    enum csvaccounts_kind kind;
    const char *text, *problems;
} rows[] = {
    {CSVACCOUNTS_REGISTER, NEW, ""},
    {CSVACCOUNTS_REGISTER, NEW "a1," GOOD ",,\nb1," GOOD ",1000,c\n", ""},
    {CSVACCOUNTS_REGISTER, OLD,
     "1:the first line has to be: mail_account,password,mail_capacity,comment"},
    {CSVACCOUNTS_EDIT, "", "1:the first line has to be: mail_account,password,mail_capacity"},
    {CSVACCOUNTS_EDIT, "\n\nMail_account,password,mail_capacity\nx,,\n",
     "3:the first line has to be: mail_account,password,mail_capacity"},
    {CSVACCOUNTS_REGISTER, NEW "TARO," GOOD ",,\n",
     "2:mail_account: there is an account taro already"},
    {CSVACCOUNTS_REGISTER, NEW "a1," GOOD ",,\nA1," GOOD ",,\n",
     "3:mail_account: a1 stands in line 2 already: keep one"},
    {CSVACCOUNTS_REGISTER, NEW "a1," GOOD ",,\nb1," GOOD ",,\nc1," GOOD ",,\n",
     "0:3 accounts more, but example.jp has 2 and may have 4 (accounts-max): take 1 rows out, or "
     "have it raised"},
    {CSVACCOUNTS_REGISTER, NEW "a1,,,\n", "2:password: a new account needs a password"},
    {CSVACCOUNTS_REGISTER, NEW "a1," GOOD ",1001,\n",
     "2:mail_capacity: the plan says \"1000\", and a lower layer may only lower it (0: without "
     "limit)"},
    {CSVACCOUNTS_REGISTER, NEW "a1," GOOD "\n",
     "2:2 fields, but the header has 4: mail_account,password,mail_capacity,comment"},
    {CSVACCOUNTS_EDIT, OLD "taro,,\nnobody1," GOOD ",5\n", ""},
    /* Nothing of the file reaches a terminal as it is. */
    {CSVACCOUNTS_EDIT, OLD "taro,,\x1b[2J\n",
     "2:mail_capacity: \"?[2J\" is not a number from 0 to 1048576 (try 0)"},
    {CSVACCOUNTS_EDIT, OLD "taro,,\ntaro,,\n",
     "3:mail_account: taro stands in line 2 already: keep one"},
    {CSVACCOUNTS_EDIT, OLD "nobody1,Correct-Horse,\n", "2:password: the password has no digit"},
};

static void test_what_rows_want(void **state)
{
    (void)state;
    struct world world;
    world_make(&world);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *said = world_read(&world, rows[i].kind, rows[i].text);
        if (strcmp(said ? said : "", rows[i].problems) != 0)
            fail_msg("rows %zu: %s", i, said);
    }
    world_end(&world);
}

static void set_hashes(struct csvaccounts *accounts)
{
    for (size_t i = 0; i < accounts->count; i++)
        if (accounts->of[i].password.size > 0)
            snprintf(accounts->of[i].hash, sizeof accounts->of[i].hash,
                     "$1$abcdefgh$irWbblnpmw.5z7wgBnprh%zu", i);
}

#define HASH(n) "$1$abcdefgh$irWbblnpmw.5z7wgBnprh" #n
#define USERS   "# by hand\nu1::comment=old\n\n# more\nTaro::quota=5 spam-tag=on"

static void test_register_appends(void **state)
{
    (void)state;
    struct world world;
    struct csvchange_counts counts;
    struct str fresh;
    world_make(&world);
    str_init(&fresh, TEXT_MAX);
    (void)world_read(&world, CSVACCOUNTS_REGISTER,
                     NEW "z1," GOOD ",,\"a \"\"b\"\"\"\na1," GOOD ",7,\n");
    set_hashes(&world.wanted);
    assert_true(csvchange_register(&world.wanted, &world.domain, SLICE(USERS), &fresh, &counts));
    assert_string_equal(str_text(&fresh),
                        USERS "\nz1:" HASH(0) ":comment=\"a \\\"b\\\"\"\na1:" HASH(1) ":quota=7\n");
    assert_int_equal(counts.done, 2);
    str_free(&fresh);
    world_end(&world);
}

static void test_edit_changes_lines(void **state)
{
    (void)state;
    struct world world;
    struct csvchange_counts counts;
    struct str fresh;
    world_make(&world);
    str_init(&fresh, TEXT_MAX);
    (void)world_read(&world, CSVACCOUNTS_EDIT,
                     OLD "taro," GOOD ",6\nu1,,\nnobody1," GOOD ",\npostmaster," GOOD ",\n");
    set_hashes(&world.wanted);
    assert_true(csvchange_edit(&world.wanted, &world.domain, SLICE(USERS), &fresh, &counts));
    assert_string_equal(str_text(&fresh), "# by hand\nu1::comment=old\n\n# more\ntaro:" HASH(
                                              0) ":quota=6 spam-tag=on\npostmaster:" HASH(3) ":\n");
    assert_int_equal(counts.done, 2);
    assert_int_equal(counts.unchanged, 1);
    assert_int_equal(counts.skipped, 1);
    /* Who came while the passwords were hashed has no hash, and is left alone. */
    world.wanted.of[0].hash[0] = '\0';
    str_clear(&fresh);
    assert_true(csvchange_edit(&world.wanted, &world.domain, SLICE(USERS), &fresh, &counts));
    assert_int_equal(counts.skipped, 2);
    assert_non_null(strstr(str_text(&fresh), "\nTaro::quota=5"));
    str_free(&fresh);
    world_end(&world);
}

static void test_export(void **state)
{
    (void)state;
    static const uint64_t used[] = {0, 1, 1048577};
    struct world world;
    struct str text;
    world_make(&world);
    str_init(&text, TEXT_MAX);
    struct domain_pair pairs[] = {{.setting = setting("comment"), .value = (char[]){"=a,\"b\""}},
                                  {.setting = setting("spam-tag"), .value = (char[]){"on"}},
                                  {.setting = setting("receive"), .value = (char[]){"off"}},
                                  {.setting = setting("quota"), .value = (char[]){"12"}}};
    world.accounts[2].pairs = pairs;
    world.accounts[2].pair_count = 4;
    assert_true(csvexport_write(&world.domain, used, &text));
    assert_string_equal(str_text(&text),
                        "mail_account,mail_password,comment,amount_of_mail_box,spam,forward,auto,"
                        "pop,mail_capacity\r\n"
                        "postmaster,,,0,0,0,0,1,1000\r\n"
                        "taro,,,1,0,0,0,1,1000\r\n"
                        "u1,,\"=a,\"\"b\"\"\",2,1,0,0,0,12\r\n");
    str_free(&text);
    world_end(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_OUTCOME(test_characters),
        cmocka_unit_test(test_characters_over_a_block),
        cmocka_unit_test(test_fields_are_quoted),
        WITH_OUTCOME(test_rows),
        WITH_OUTCOME(test_nul),
        WITH_OUTCOME(test_bounds),
        cmocka_unit_test(test_problems_are_bounded),
        cmocka_unit_test(test_what_rows_want),
        cmocka_unit_test(test_register_appends),
        cmocka_unit_test(test_edit_changes_lines),
        cmocka_unit_test(test_export),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
