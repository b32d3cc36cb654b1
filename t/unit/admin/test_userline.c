/* Lines of a users file: read, changed, written. */
#include "policy.h"
#include "unit.h"
#include "userline.h"

#include <stdio.h>
#include <string.h>

#define HASH "$y$j9T$PC7g/nJ696kqByfXt46vw1$7mwXp0/nFEVRPrF5cNhvPfxhQ7nNf0NQhWy2dzsXbcA"

/* What the line is when it is written again; NULL: refused. */
static const struct {
    const char *line, *again;
} lines[] = {
    {"u1::", "u1::"},
    {"U1::", "u1::"},
    {"u1:" HASH ":", "u1:" HASH ":"},
    {"u1:" HASH ":quota=5", "u1:" HASH ":quota=5"},
    {"u1:!" HASH ":", "u1:!" HASH ":"},
    {"u1::quota=5 comment=\"a b\"", "u1::quota=5 comment=\"a b\""},
    {"u1::  quota=5 \t comment=\"a b\"  ", "u1::quota=5 comment=\"a b\""},
    {"u1::comment=\"\"", "u1::comment=\"\""},
    {"u1::comment=", "u1::comment=\"\""},
    {"u1::comment=\"plain\"", "u1::comment=plain"},
    {"u1::comment=\"say \\\"x\\\" \\\\\"", "u1::comment=\"say \\\"x\\\" \\\\\""},
    {"u1::comment=\"a:b=c #d\"", "u1::comment=\"a:b=c #d\""},
    {"u1::comment=\"\xe6\x97\xa5\"", "u1::comment=\"\xe6\x97\xa5\""},
    {"a.b-c_d::", "a.b-c_d::"},
    {"u1:$1$abcdefgh$irWbblnpmw.5z7wgBnprh0:", "u1:$1$abcdefgh$irWbblnpmw.5z7wgBnprh0:"},
    /* refused */
    {"", NULL},
    {"u1", NULL},
    {"u1:", NULL},
    {":" HASH ":", NULL},
    {"u::", NULL},
    {".u1::", NULL},
    {"u1.::", NULL},
    {"u 1::", NULL},
    {"u@1::", NULL},
    {"../u1::", NULL},
    {"\xe6\x97\xa5\xe6\x97\xa5::", NULL},
    {"a23456789012345678901234567890123::", NULL},
    {"u1:plain-password:", NULL},
    {"u1:*:", NULL},
    {"u1:!:", NULL},
    {"u1:!!" HASH ":", NULL},
    {"u1:! " HASH ":", NULL},
    {"u1::quota", NULL},
    {"u1::=5", NULL},
    {"u1::quota=5 quota=6", NULL},
    {"u1::comment=\"a", NULL},
    {"u1::comment=\"a\"b", NULL},
    {"u1::comment=a\"b", NULL},
    {"u1::comment=\"a\\n\"", NULL},
    {"u1::comment=\"a\\", NULL},
    {"u1::comment=a:b", NULL},
    {"u1::com_ment=a", NULL},
    {"u1::comment=\"a\x01\"", NULL},
    {"u1::a-key-that-is-longer-than-any-setting-is=1", NULL},
};

static void test_lines(void **state)
{
    (void)state;
    struct userline account;
    char error[USERLINE_ERROR_MAX];
    struct str again;
    userline_init(&account);
    str_init(&again, 4096);
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        error[0] = '\0';
        bool good = userline_parse(&account, slice_text(lines[i].line), error);
        if (good != (lines[i].again != NULL))
            fail_msg("\"%s\": %s", lines[i].line, error);
        if (!good) {
            assert_true(strlen(error) > 0);
            continue;
        }
        str_clear(&again);
        assert_true(userline_format(&account, &again));
        assert_slice(str_slice(&again), lines[i].again);
    }
    str_free(&again);
    userline_free(&account);
}

/* No cut of a good line may crash, and what is taken can be written again. */
static void test_every_cut(void **state)
{
    (void)state;
    static const char whole[] = "u1:" HASH ":quota=5 comment=\"a \\\"b\\\" c\" imap=off";
    struct userline account;
    char error[USERLINE_ERROR_MAX];
    struct str again;
    userline_init(&account);
    str_init(&again, 4096);
    for (size_t size = 0; size < sizeof whole; size++) {
        str_clear(&again);
        if (userline_parse(&account, slice_of(whole, size), error))
            assert_true(userline_format(&account, &again));
    }
    str_free(&again);
    userline_free(&account);
}

static void test_set_and_unset(void **state)
{
    (void)state;
    struct userline account;
    char error[USERLINE_ERROR_MAX], key[16];
    struct str line;
    userline_init(&account);
    str_init(&line, 65536);
    assert_true(userline_parse(&account, SLICE("u1::quota=5 imap=off"), error));
    assert_true(userline_set(&account, "quota", SLICE("7")));
    assert_true(userline_set(&account, "comment", SLICE("x y")));
    assert_true(userline_unset(&account, "imap"));
    assert_false(userline_unset(&account, "imap"));
    assert_null(userline_value(&account, "imap"));
    assert_true(userline_format(&account, &line));
    assert_slice(str_slice(&line), "u1::quota=7 comment=\"x y\"");
    for (int i = 0; account.pair_count < USERLINE_PAIRS_MAX; i++) {
        snprintf(key, sizeof key, "k%d", i);
        assert_true(userline_set(&account, key, SLICE("v")));
    }
    assert_false(userline_set(&account, "more", SLICE("v")));
    assert_true(userline_set(&account, "quota", SLICE("8")));
    char big[USERLINE_VALUE_MAX + 1];
    memset(big, 'a', sizeof big);
    assert_false(userline_set(&account, "quota", slice_of(big, sizeof big)));
    str_free(&line);
    userline_free(&account);
}

#define RULE(name) (1u << POLICY_##name)

static void test_policy(void **state)
{
    (void)state;
    static const struct {
        const char *password;
        unsigned broken;
    } cases[] = {
        {"Good-Password1", 0},
        {"Abcdefghij1-", 0},
        {"Abcdefghi1-", RULE(LENGTH)},
        {"", RULE(LENGTH) | RULE(LOWER) | RULE(UPPER) | RULE(DIGIT) | RULE(SYMBOL)},
        {"abc", RULE(LENGTH) | RULE(UPPER) | RULE(DIGIT) | RULE(SYMBOL)},
        {"ABCDEFGHIJ1-", RULE(LOWER)},
        {"abcdefghij1-", RULE(UPPER)},
        {"Abcdefghijk-", RULE(DIGIT)},
        {"Abcdefghijk1", RULE(SYMBOL)},
        {"Abcdefghijk1/", RULE(SYMBOL)}, /* not one of the listed */
        {"Abcdefghijk1/-", 0},           /* but none that is forbidden */
        {"Abcdef 12345-", RULE(CHARACTERS)},
        {"Abcdef\xe3\x81\x82"
         "12345-",
         RULE(CHARACTERS)},
        {"Abcdef-12345x", 0},
        {"Abcdef-123456", RULE(DIGIT_RUN)},
        {"ABCDEF 123456", RULE(CHARACTERS) | RULE(LOWER) | RULE(SYMBOL) | RULE(DIGIT_RUN)},
        {"Long.User-Name1", RULE(SAME_AS_NAME)},
        {"Mail1.Example-Domain.JP", RULE(SAME_AS_DOMAIN)},
        {"mail1.example-domain.jp", RULE(SAME_AS_DOMAIN) | RULE(UPPER)},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        unsigned broken = policy_broken(slice_text(cases[i].password), SLICE("long.user-name1"),
                                        SLICE("mail1.example-domain.jp"));
        if (broken != cases[i].broken)
            fail_msg("\"%s\": %x", cases[i].password, broken);
    }
}

static void test_policy_symbols(void **state)
{
    (void)state;
    static const char symbols[] = "#()+-.[]{}!<>_:*$@%^&,~";
    char password[] = "Abcdefghijk1?";
    for (unsigned char byte = '!'; byte < 0x7f; byte++) {
        if (slice_is_letter((char)byte) || slice_is_digit((char)byte))
            continue;
        password[sizeof password - 2] = (char)byte;
        assert_int_equal(policy_broken(slice_text(password), SLICE("u1"), SLICE("example.jp")),
                         strchr(symbols, byte) ? 0 : RULE(SYMBOL));
    }
}

static void test_policy_reasons(void **state)
{
    (void)state;
    char bytes[POLICY_REASONS_MAX];
    struct str reasons = str_on(bytes, sizeof bytes);
    policy_explain(RULE(LENGTH), &reasons);
    assert_slice(str_slice(&reasons), "the password has fewer than 12 characters");
    str_clear(&reasons);
    policy_explain(RULE(DIGIT) | RULE(UPPER), &reasons);
    assert_slice(str_slice(&reasons), "the password has no upper-case letter; it has no digit");
    str_clear(&reasons);
    policy_explain((1u << POLICY_RULES) - 1, &reasons);
    assert_false(reasons.failed);
}

static void test_names(void **state)
{
    (void)state;
    static const struct {
        struct slice name;
        const char *local, *error; /* part of it */
    } cases[] = {
        {SLICE_INIT("u1"), "u1", NULL},
        {SLICE_INIT("Sales_2.Tokyo-East"), "sales_2.tokyo-east", NULL},
        {SLICE_INIT("a..b"), "a..b", NULL},
        {SLICE_INIT("abcdefghijklmnopqrstuvwxyz012345"), "abcdefghijklmnopqrstuvwxyz012345", NULL},
        {SLICE_INIT("abcdefghijklmnopqrstuvwxyz0123456"), NULL, "2 to 32"},
        {SLICE_INIT("u"), NULL, "2 to 32"},
        {SLICE_INIT(""), NULL, "2 to 32"},
        {SLICE_INIT(".."), NULL, "begins and ends"},
        {SLICE_INIT("../x"), NULL, "letters, digits"},
        {SLICE_INIT("a/b"), NULL, "letters, digits"},
        {SLICE_INIT("a\0b"), NULL, "letters, digits"},
        {SLICE_INIT("a b"), NULL, "letters, digits"},
        {SLICE_INIT("u1+tag"), NULL, "letters, digits"},
        {SLICE_INIT("-ab"), NULL, "begins and ends"},
        {SLICE_INIT("ab."), NULL, "begins and ends"},
        {SLICE_INIT("_ab"), NULL, "begins and ends"},
        {SLICE_INIT("\xe5\xb1\xb1\xe7\x94\xb0"), NULL, "half-width"},
        {SLICE_INIT("\xef\xbd\x95\xef\xbc\x91"), NULL, "half-width"}, /* u1, full-width */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char local[USERLINE_LOCAL_MAX + 1], error[USERLINE_ERROR_MAX] = "";
        bool good = userline_check_local(cases[i].name, local, error);
        assert_true(good == (cases[i].local != NULL));
        if (good)
            assert_string_equal(local, cases[i].local);
        else if (!strstr(error, cases[i].error))
            fail_msg("%.*s: %s", SLICE_PRINTF(cases[i].name), error);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),          cmocka_unit_test(test_every_cut),
        cmocka_unit_test(test_set_and_unset),  cmocka_unit_test(test_policy),
        cmocka_unit_test(test_policy_symbols), cmocka_unit_test(test_policy_reasons),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
