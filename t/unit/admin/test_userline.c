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

static void test_policy(void **state)
{
    (void)state;
    static const struct {
        const char *password;
        enum policy_rule rule;
    } cases[] = {
        {"Good-Password1", POLICY_GOOD},
        {"Abcdefghij1-", POLICY_GOOD},
        {"Abcdefghi1-", POLICY_LENGTH},
        {"", POLICY_LENGTH},
        {"ABCDEFGHIJ1-", POLICY_LOWER},
        {"abcdefghij1-", POLICY_UPPER},
        {"Abcdefghijk-", POLICY_DIGIT},
        {"Abcdefghijk1", POLICY_SYMBOL},
        {"Abcdefghijk1/", POLICY_SYMBOL}, /* not one of the listed */
        {"Abcdef 12345-", POLICY_CHARACTERS},
        {"Abcdef\xe3\x81\x82"
         "12345-",
         POLICY_CHARACTERS},
        {"Abcdef-12345x", POLICY_GOOD},
        {"Abcdef-123456", POLICY_DIGIT_RUN},
        {"Long.User-Name1", POLICY_SAME_AS_NAME},
        {"Mail1.Example-Domain.JP", POLICY_SAME_AS_DOMAIN},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        enum policy_rule rule =
            policy_check(slice_text(cases[i].password), SLICE("long.user-name1"),
                         SLICE("mail1.example-domain.jp"));
        if (rule != cases[i].rule)
            fail_msg("\"%s\": %s", cases[i].password, policy_text(rule));
        assert_true(strlen(policy_text(rule)) > 10);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_every_cut),
        cmocka_unit_test(test_set_and_unset),
        cmocka_unit_test(test_policy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
