/* The table of settings: in order itself, its checks, and what layers may do to each other. */
#include "settings.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

static bool passes(const struct setting *setting, const char *value)
{
    struct str reason;
    str_init(&reason, 512);
    bool good = settings_check(setting, slice_text(value), &reason);
    /* What is refused is explained. */
    assert_true(good == (reason.size == 0));
    assert_false(reason.failed);
    str_free(&reason);
    return good;
}

static void test_table_is_in_order(void **state)
{
    (void)state;
    for (size_t i = 0; i < settings_count; i++) {
        const struct setting *one = &settings_table[i];
        assert_true(strlen(one->name) <= SETTINGS_NAME_MAX);
        assert_non_null(one->sentence);
        assert_true(strlen(one->sentence) > 10 && one->sentence[strlen(one->sentence) - 1] == '.');
        assert_non_null(one->readers);
        assert_true((one->kind == SETTINGS_CHOICE) == (one->choices != NULL));
        if (one->otherwise && !passes(one, one->otherwise))
            fail_msg("%s: its own default is refused", one->name);
        /* Only what is the host's may have no default: a domain could not be compiled. */
        assert_true(one->otherwise || one->scope == SETTINGS_HOST);
        for (size_t k = 0; k < i; k++)
            if ((settings_table[k].scope == SETTINGS_HOST) == (one->scope == SETTINGS_HOST) &&
                strcmp(settings_table[k].name, one->name) == 0)
                fail_msg("%s stands twice", one->name);
        assert_ptr_equal(one->scope == SETTINGS_HOST ? settings_find_host(slice_text(one->name))
                                                     : settings_find(slice_text(one->name)),
                         one);
    }
}

/* A number's rule makes sense for numbers only, a switch's for switches. */
static void test_rules_fit_kinds(void **state)
{
    (void)state;
    for (size_t i = 0; i < settings_count; i++) {
        const struct setting *one = &settings_table[i];
        bool number = one->kind == SETTINGS_NUMBER || one->kind == SETTINGS_BYTES;
        if (one->rule == SETTINGS_LOWER || one->rule == SETTINGS_LOWER_0)
            assert_true(number);
        /* 0 is taken for "without limit" elsewhere; no forwards at all is what it says. */
        if (one->rule == SETTINGS_LOWER && strcmp(one->name, "forwards") != 0)
            assert_true(one->least > 0);
        if (one->rule == SETTINGS_OFF)
            assert_int_equal(one->kind, SETTINGS_SWITCH);
    }
}

static void test_unknown_names(void **state)
{
    (void)state;
    assert_null(settings_find(SLICE("nosuch")));
    assert_null(settings_find(SLICE("databytes")));
    assert_null(settings_find_host(SLICE("quota")));
    assert_null(settings_find_host(SLICE("")));
}

static void test_kinds(void **state)
{
    (void)state;
    static const struct {
        enum settings_kind kind;
        uint64_t least, most;
        const char *value;
        bool good;
    } cases[] = {
        {SETTINGS_SWITCH, 0, 0, "on", true},
        {SETTINGS_SWITCH, 0, 0, "off", true},
        {SETTINGS_SWITCH, 0, 0, "On", false},
        {SETTINGS_SWITCH, 0, 0, "yes", false},
        {SETTINGS_SWITCH, 0, 0, "", false},
        {SETTINGS_NUMBER, 5, 10, "5", true},
        {SETTINGS_NUMBER, 5, 10, "10", true},
        {SETTINGS_NUMBER, 5, 10, "4", false},
        {SETTINGS_NUMBER, 5, 10, "11", false},
        {SETTINGS_NUMBER, 5, 10, "-6", false},
        {SETTINGS_NUMBER, 5, 10, " 6", false},
        {SETTINGS_NUMBER, 5, 10, "6 ", false},
        {SETTINGS_NUMBER, 0, UINT64_MAX, "18446744073709551615", true},
        {SETTINGS_NUMBER, 0, UINT64_MAX, "18446744073709551616", false},
        {SETTINGS_BYTES, 1024, 99999999, "20MB", false},
        {SETTINGS_BYTES, 1024, 99999999, "20971520", true},
        {SETTINGS_CHOICE, 0, 0, "one", true},
        {SETTINGS_CHOICE, 0, 0, "two", true},
        {SETTINGS_CHOICE, 0, 0, "one two", false},
        {SETTINGS_CHOICE, 0, 0, "", false},
        {SETTINGS_CAPABILITIES, 0, 100, "", true},
        {SETTINGS_CAPABILITIES, 0, 100, "MOVE idle", true},
        {SETTINGS_CAPABILITIES, 0, 100, "MOVES", false},
        {SETTINGS_CAPABILITIES, 0, 100, "MOVE,IDLE", false},
        {SETTINGS_CAPABILITIES, 0, 100, "IMAP4rev1", false},
        {SETTINGS_CAPABILITIES, 0, 8, "MOVE IDLE", false},
        {SETTINGS_TEXT, 0, 10, "", true},
        {SETTINGS_TEXT, 0, 10, "0123456789", true},
        {SETTINGS_TEXT, 0, 10, "01234567890", false},
        {SETTINGS_TEXT, 0, 10, "a\nb", false},
        {SETTINGS_TEXT, 0, 10, "a\tb", false},
        {SETTINGS_TEXT, 0, 10, "\x7f", false},
        {SETTINGS_TEXT, 0, 10, "\xe6\x97\xa5", true},
        {SETTINGS_TEXT, 0, 10, "\xe6\x97", false},
        {SETTINGS_TEXT, 0, 10, "\xc0\xaf", false},         /* not the shortest form */
        {SETTINGS_TEXT, 0, 10, "\xed\xa0\x80", false},     /* a surrogate */
        {SETTINGS_TEXT, 0, 10, "\xf4\x90\x80\x80", false}, /* beyond Unicode */
        {SETTINGS_TEXT, 0, 10, "\xc2\x85", false},         /* a C1 control */
        {SETTINGS_NAME, 1, 253, "mail.example.jp", true},
        {SETTINGS_NAME, 1, 253, "mail", true},
        {SETTINGS_NAME, 1, 253, "", false},
        {SETTINGS_NAME, 0, 253, "", true},
        {SETTINGS_NAME, 1, 253, "a..b", false},
        {SETTINGS_NAME, 1, 253, "a b", false},
        {SETTINGS_LOCAL, 1, 64, "MAILER-DAEMON", true},
        {SETTINGS_LOCAL, 1, 64, "a@b", false},
        {SETTINGS_LOCAL, 1, 64, "", false},
        {SETTINGS_LOCAL, 0, 64, "", true},
        {SETTINGS_ADDRESS, 0, 320, "", true},
        {SETTINGS_ADDRESS, 0, 320, "postmaster@example.jp", true},
        {SETTINGS_ADDRESS, 0, 320, "postmaster", false},
        {SETTINGS_ENDPOINT, 0, 64, "127.0.0.1", true},
        {SETTINGS_ENDPOINT, 0, 64, "127.0.0.1:53", true},
        {SETTINGS_ENDPOINT, 0, 64, "[::1]:53", true},
        {SETTINGS_ENDPOINT, 0, 64, "localhost", false},
        {SETTINGS_PATH, 1, 100, "/var/lib/clamav", true},
        {SETTINGS_PATH, 1, 100, "var", false},
        {SETTINGS_PATH, 1, 100, "", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct setting setting = {.name = "test",
                                  .kind = cases[i].kind,
                                  .least = cases[i].least,
                                  .most = cases[i].most,
                                  .choices = "one two"};
        if (passes(&setting, cases[i].value) != cases[i].good)
            fail_msg("case %zu: \"%s\" as %s", i, cases[i].value,
                     settings_kind_name(cases[i].kind));
    }
}

static void test_may(void **state)
{
    (void)state;
    static const struct {
        enum settings_rule rule;
        const char *upper, *lower;
        bool may;
    } cases[] = {
        {SETTINGS_FREE, "off", "on", true},    {SETTINGS_FIXED, "off", "on", false},
        {SETTINGS_FIXED, "off", "off", true},  {SETTINGS_OFF, "on", "off", true},
        {SETTINGS_OFF, "off", "on", false},    {SETTINGS_OFF, "off", "off", true},
        {SETTINGS_LOWER, "100", "99", true},   {SETTINGS_LOWER, "100", "100", true},
        {SETTINGS_LOWER, "100", "101", false}, {SETTINGS_LOWER, "99", "100", false},
        {SETTINGS_LOWER_0, "100", "0", false}, {SETTINGS_LOWER_0, "0", "100", true},
        {SETTINGS_LOWER_0, "0", "0", true},    {SETTINGS_LOWER_0, "100", "1", true},
        {SETTINGS_LOWER, "9", "10", false}, /* numbers, not text */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (settings_may(cases[i].rule, slice_text(cases[i].upper), slice_text(cases[i].lower)) !=
            cases[i].may)
            fail_msg("case %zu: %s under %s", i, cases[i].lower, cases[i].upper);
}

static void check_stack(const struct setting *setting, const struct settings_stack *stack,
                        const char *value, enum settings_layer layer, bool ignored)
{
    enum settings_layer found;
    bool passed_over;
    assert_slice(settings_in_force(setting, stack, &found, &passed_over), value);
    assert_string_equal(settings_layer_name(found), settings_layer_name(layer));
    assert_true(passed_over == ignored);
}

static void say(struct settings_stack *stack, enum settings_layer layer, const char *value)
{
    stack->layer[layer].said = true;
    stack->layer[layer].value = slice_text(value);
}

static void test_layers(void **state)
{
    (void)state;
    struct setting quota = {
        .kind = SETTINGS_NUMBER, .otherwise = "0", .most = 1000, .rule = SETTINGS_LOWER_0};
    struct settings_stack stack = {0};
    check_stack(&quota, &stack, "0", SETTINGS_SYSTEM, false);
    say(&stack, SETTINGS_PLAN, "384");
    check_stack(&quota, &stack, "384", SETTINGS_PLAN, false);
    say(&stack, SETTINGS_OF_ACCOUNT, "500");
    check_stack(&quota, &stack, "384", SETTINGS_PLAN, true);
    say(&stack, SETTINGS_OF_ACCOUNT, "100");
    check_stack(&quota, &stack, "100", SETTINGS_OF_ACCOUNT, false);
    say(&stack, SETTINGS_OF_DOMAIN, "50");
    check_stack(&quota, &stack, "50", SETTINGS_OF_DOMAIN, true);
    stack.plan_rules = true;
    stack.rule = SETTINGS_FREE;
    check_stack(&quota, &stack, "100", SETTINGS_OF_ACCOUNT, false);
    stack.rule = SETTINGS_FIXED;
    check_stack(&quota, &stack, "384", SETTINGS_PLAN, true);
}

/* A plan is the operator's word: it may loosen what is only a default. */
static void test_plan_may_loosen_the_default(void **state)
{
    (void)state;
    struct setting apop = {.kind = SETTINGS_SWITCH, .otherwise = "off", .rule = SETTINGS_OFF};
    struct settings_stack stack = {0};
    say(&stack, SETTINGS_OF_DOMAIN, "on");
    check_stack(&apop, &stack, "off", SETTINGS_SYSTEM, true);
    say(&stack, SETTINGS_PLAN, "on");
    check_stack(&apop, &stack, "on", SETTINGS_OF_DOMAIN, false);
    say(&stack, SETTINGS_OF_ACCOUNT, "off");
    check_stack(&apop, &stack, "off", SETTINGS_OF_ACCOUNT, false);
}

/* ---- the manual ---- */

static void read_manual(const char *path, char *text, size_t size)
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t got = fread(text, 1, size - 1, file);
    text[got] = '\0';
    fclose(file);
}

/* What the page says of values and layers, in the words that stand for the table's. */
static void put_kind(char *text, size_t size, const struct setting *one)
{
    unsigned long long least = one->least, most = one->most;
    text[0] = '\0';
    if (one->kind == SETTINGS_SWITCH)
        snprintf(text, size, "On or off.\n");
    else if (one->kind == SETTINGS_NUMBER)
        snprintf(text, size, "A number, %llu to %llu.\n", least, most);
    else if (one->kind == SETTINGS_BYTES)
        snprintf(text, size, "A number of bytes, %llu to %llu.\n", least, most);
    else if (one->kind == SETTINGS_CHOICE)
        snprintf(text, size, "One of: %s.\n", one->choices);
}

static const char *rule_text(const struct setting *one)
{
    if (one->scope == SETTINGS_HOST)
        return "";
    switch (one->rule) {
    case SETTINGS_FREE:
        return "A lower layer may say anything.\n";
    case SETTINGS_OFF:
        return "A lower layer may only switch it off.\n";
    case SETTINGS_FIXED:
        return "A lower layer may not change it";
    default:
        return "A lower layer may only lower it.\n";
    }
}

static void check_says(const struct setting *one, const char *item, const char *words)
{
    if (!strstr(item, words))
        fail_msg("the manual does not say of %s: %s", one->name, words);
}

static void check_item(const struct setting *one, const char *at)
{
    static char item[8192];
    char words[256];
    const char *next = strstr(at, "\n.It Cm ");
    const char *end = next ? next : strstr(at, "\n.El\n");
    assert_non_null(end);
    snprintf(item, sizeof item, "%.*s\n", (int)(end - at), at);
    if (strncmp(item, one->sentence, strlen(one->sentence)) != 0)
        fail_msg("the manual says something else of %s than \"%s\"", one->name, one->sentence);
    put_kind(words, sizeof words, one);
    check_says(one, item, words);
    check_says(one, item, rule_text(one));
    if (one->readers[0])
        check_says(one, item, "Read by");
    struct slice readers = slice_text(one->readers);
    while (readers.size > 0) {
        struct slice reader = slice_cut_word(&readers);
        snprintf(words, sizeof words, "%.*s", SLICE_PRINTF(reader));
        check_says(one, item, words);
    }
}

/* Every setting stands in its manual page with its default and all that the table says of it, and the
 * page names no other. */
static void test_manual(void **state)
{
    (void)state;
    static char host[131072], plan[131072];
    char item[256];
    size_t items = 0;
    read_manual("man/control.5", host, sizeof host);
    read_manual("man/plan.5", plan, sizeof plan);
    for (size_t i = 0; i < settings_count; i++) {
        const struct setting *one = &settings_table[i];
        const char *text = one->scope == SETTINGS_HOST ? host : plan;
        if (one->otherwise && one->otherwise[0])
            snprintf(item, sizeof item, ".It Cm %s Pq default Li %s\n", one->name, one->otherwise);
        else
            snprintf(item, sizeof item, ".It Cm %s\n", one->name);
        const char *at = strstr(text, item);
        if (!at)
            fail_msg("the manual lacks: %s", item);
        else
            check_item(one, at + strlen(item));
    }
    const char *const pages[] = {host, plan};
    for (size_t i = 0; i < 2; i++)
        for (const char *at = pages[i]; (at = strstr(at, "\n.It Cm ")) != NULL; at++)
            items++;
    assert_int_equal(items, settings_count);
}

/* plan(5) lists who may change what; the operator's own are "all others". */
static void test_manual_of_rights(void **state)
{
    (void)state;
    static char plan[131072];
    char names[2048];
    read_manual("man/plan.5", plan, sizeof plan);
    for (int who = SETTINGS_USER; who >= SETTINGS_ADMIN; who--) {
        struct str list = str_on(names, sizeof names);
        for (size_t i = 0; i < settings_count; i++)
            if (settings_table[i].scope != SETTINGS_HOST && (int)settings_table[i].who == who)
                str_append_texts(&list, list.size > 0 ? ", " : "\n", settings_table[i].name);
        str_append_text(&list, "\n");
        assert_true(str_append_byte(&list, '\0'));
        if (!strstr(plan, names))
            fail_msg("plan(5) does not list these together:%s", names);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table_is_in_order),
        cmocka_unit_test(test_rules_fit_kinds),
        cmocka_unit_test(test_unknown_names),
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_may),
        cmocka_unit_test(test_layers),
        cmocka_unit_test(test_plan_may_loosen_the_default),
        cmocka_unit_test(test_manual),
        cmocka_unit_test(test_manual_of_rights),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
