/* Who may do what with mailctl (SPEC R13): every verb, every setting, each role. */
#include "commandline.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

#define OWN_DOMAIN  "example.jp"
#define OWN_ACCOUNT "u1@example.jp"

/* Who may use each verb on what is his: o operator, a admin, u user. */
static const struct {
    const char *verb, *who;
} wanted[] = {
    {"domain add", "o"},
    {"domain set", "oa"},
    {"domain unset", "oa"},
    {"domain show", "oa"},
    {"domain list", "o"},
    {"domain del", "o"},
    {"child add", "oa"},
    {"child del", "oa"},
    {"user add", "oa"},
    {"user passwd", "oau"},
    {"user force-password", "o"},
    {"user set", "oau"},
    {"user unset", "oau"},
    {"user show", "oau"},
    {"user list", "oa"},
    {"user del", "oa"},
    {"user purge", "oau"},
    {"forward add", "oau"},
    {"forward list", "oau"},
    {"forward del", "oau"},
    {"reply set", "oau"},
    {"reply show", "oau"},
    {"reply clear", "oau"},
    {"csv register", "oa"},
    {"csv edit", "oa"},
    {"csv export", "oa"},
    {"csv sample", "oau"},
    {"state show", "oau"},
    {"state lock", "o"},
    {"state unlock", "o"},
    {"queue list", "o"},
    {"queue show", "o"},
    {"queue flush", "o"},
    {"queue hold", "o"},
    {"queue release", "o"},
    {"queue delete", "o"},
    {"queue requeue", "o"},
    {"store check", "o"},
    {"store rebuild", "o"},
    {"age", "o"},
    {"explain", "oau"},
    {"status", "o"},
    {"cert", "o"},
    {"tls-report", "o"},
    {"completion", "o"},
    {"help", "oau"},
};

static const char *who_of(const struct commandline_verb *verb)
{
    char name[64];
    snprintf(name, sizeof name, "%s%s%s", verb->group, verb->name ? " " : "",
             verb->name ? verb->name : "");
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
        if (strcmp(wanted[i].verb, name) == 0)
            return wanted[i].who;
    fail_msg("no word of R13 about %s", name);
    return "";
}

static struct commandline command_of(const struct commandline_verb *verb, const char *actor,
                                     const char *first)
{
    struct commandline command = {.verb = verb, .actor.role = RIGHTS_OPERATOR};
    if (actor)
        assert_true(rights_read_actor(&command.actor, actor));
    command.words[0] = first;
    command.words[1] = verb->takes == COMMANDLINE_FILE ? "-" : "receive";
    command.word_count = verb->most > 0 ? verb->most : 0;
    if (command.word_count > 2)
        command.word_count = 2;
    return command;
}

static void check(const struct commandline *command, bool may)
{
    char bytes[RIGHTS_REASON_MAX];
    struct str reason = str_on(bytes, sizeof bytes);
    if (rights_may(command, &reason) != may)
        fail_msg("%s for %s (%s, %s): %s", command->verb->synopsis, command->actor.name,
                 command->words[0], command->words[1], may ? "is refused" : "is not refused");
    assert_true(may == (reason.size == 0));
    assert_false(reason.failed);
}

static const struct commandline_verb *verb_named(const char *group, const char *name)
{
    const struct commandline_verb *verb = commandline_verbs;
    while (verb->group && (strcmp(verb->group, group) != 0 ||
                           (name && (!verb->name || strcmp(verb->name, name) != 0))))
        verb++;
    assert_non_null(verb->group);
    return verb;
}

static void test_verbs_and_roles(void **state)
{
    (void)state;
    size_t count = 0;
    for (const struct commandline_verb *verb = commandline_verbs; verb->group; verb++, count++) {
        const char *who = who_of(verb);
        bool free_for_all = verb->who & RIGHTS_NO_ROOT;
        bool of_account = strstr(verb->synopsis, "USER@DOMAIN") != NULL;
        bool of_domain = strstr(verb->synopsis, " DOMAIN") || strstr(verb->synopsis, "|DOMAIN");
        const char *own = of_account ? OWN_ACCOUNT : OWN_DOMAIN;
        const struct {
            const char *actor, *first;
            bool may;
        } cases[] = {
            {NULL, own, true},
            {"admin:" OWN_DOMAIN, own, strchr(who, 'a')},
            {"user:" OWN_ACCOUNT, own, strchr(who, 'u') && (of_account || free_for_all)},
            {"admin:example.com", own, free_for_all && strchr(who, 'a')},
            {"admin:ample.jp", own, free_for_all && strchr(who, 'a')},
            {"admin:sub.example.jp", own, free_for_all && strchr(who, 'a')},
            {"user:u2@example.jp", own, free_for_all && strchr(who, 'u')},
            {"user:u1@example.com", own, free_for_all && strchr(who, 'u')},
            {"user:u1@example.jp", OWN_DOMAIN, free_for_all && strchr(who, 'u')},
            {"admin:" OWN_DOMAIN, "uid=1000", free_for_all && strchr(who, 'a')},
            {"admin:" OWN_DOMAIN, "", free_for_all && strchr(who, 'a')},
            {"user:" OWN_ACCOUNT, "u1@example.jp@example.com", free_for_all && strchr(who, 'u')},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
            struct commandline command = command_of(verb, cases[i].actor, cases[i].first);
            check(&command, cases[i].may);
        }
        /* Whose it is stands in the first word, and nowhere else. */
        if (!free_for_all && strpbrk(who, "au")) {
            assert_true(verb->least > 0 && (of_account || of_domain));
            struct commandline command = command_of(verb, "admin:" OWN_DOMAIN, own);
            command.word_count = 0;
            check(&command, false);
        }
    }
    assert_int_equal(count, sizeof wanted / sizeof wanted[0]);
}

static void test_settings_and_roles(void **state)
{
    (void)state;
    static const struct {
        const char *group, *name, *actor, *first;
        enum settings_who role;
    } cases[] = {
        {"user", "set", "user:" OWN_ACCOUNT, OWN_ACCOUNT, SETTINGS_USER},
        {"user", "unset", "user:" OWN_ACCOUNT, OWN_ACCOUNT, SETTINGS_USER},
        {"user", "set", "admin:" OWN_DOMAIN, OWN_ACCOUNT, SETTINGS_ADMIN},
        {"user", "unset", "admin:" OWN_DOMAIN, OWN_ACCOUNT, SETTINGS_ADMIN},
        {"domain", "set", "admin:" OWN_DOMAIN, OWN_DOMAIN, SETTINGS_ADMIN},
        {"domain", "unset", "admin:" OWN_DOMAIN, OWN_DOMAIN, SETTINGS_ADMIN},
        {"user", "set", NULL, OWN_ACCOUNT, SETTINGS_OPERATOR},
        {"domain", "set", NULL, OWN_DOMAIN, SETTINGS_OPERATOR},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (size_t at = 0; at < settings_count; at++) {
            const struct setting *setting = &settings_table[at];
            if (setting->scope == SETTINGS_HOST)
                continue;
            struct commandline command = command_of(verb_named(cases[i].group, cases[i].name),
                                                    cases[i].actor, cases[i].first);
            command.words[1] = setting->name;
            check(&command, setting->who >= cases[i].role);
        }
}

/* SPEC R13's own rows. */
static void test_settings_of_the_specification(void **state)
{
    (void)state;
    static const char *const users[] = {"spam-tag", "spam-folder", "receive", "auto-reply"};
    static const char *const admins[] = {"quota", "comment"};
    static const char *const nobodys[] = {"plan", "apop-secret", "nonsense", "", "me", "databytes"};
    struct commandline by_user =
        command_of(verb_named("user", "set"), "user:" OWN_ACCOUNT, OWN_ACCOUNT);
    struct commandline by_admin =
        command_of(verb_named("user", "set"), "admin:" OWN_DOMAIN, OWN_ACCOUNT);
    for (size_t i = 0; i < sizeof users / sizeof users[0]; i++) {
        by_user.words[1] = by_admin.words[1] = users[i];
        check(&by_user, true);
        check(&by_admin, true);
    }
    for (size_t i = 0; i < sizeof admins / sizeof admins[0]; i++) {
        by_user.words[1] = by_admin.words[1] = admins[i];
        check(&by_user, false);
        check(&by_admin, true);
    }
    for (size_t i = 0; i < sizeof nobodys / sizeof nobodys[0]; i++) {
        by_user.words[1] = by_admin.words[1] = nobodys[i];
        check(&by_user, false);
        check(&by_admin, false);
    }
}

static void test_files_and_options(void **state)
{
    (void)state;
    static const char *const verbs[] = {"register", "edit"};
    for (size_t i = 0; i < 2; i++) {
        struct commandline command =
            command_of(verb_named("csv", verbs[i]), "admin:" OWN_DOMAIN, OWN_DOMAIN);
        check(&command, true);
        command.words[1] = "/etc/shadow";
        check(&command, false);
    }
    struct commandline reply =
        command_of(verb_named("reply", "set"), "user:" OWN_ACCOUNT, OWN_ACCOUNT);
    check(&reply, true);
    reply.words[1] = "control/tls/default/key.pem";
    check(&reply, false);
    reply.word_count = 1;
    check(&reply, true);
    struct commandline add =
        command_of(verb_named("user", "add"), "admin:" OWN_DOMAIN, OWN_ACCOUNT);
    add.options[add.option_count++] = (struct commandline_option){"quota", "5", 0};
    check(&add, true);
    add.options[add.option_count++] = (struct commandline_option){"no-policy", "", RIGHTS_OPERATOR};
    check(&add, false);
}

static void test_children(void **state)
{
    (void)state;
    static const struct {
        const char *child;
        bool may;
    } cases[] = {{"www.example.jp", true},
                 {"a.b.example.jp", true},
                 {"example.jp", false},
                 {"wwwexample.jp", false},
                 {".example.jp", false},
                 {"example.com", false},
                 {"example.jp.example.com", false},
                 {"jp", false}};
    struct commandline admin =
        command_of(verb_named("child", "add"), "admin:" OWN_DOMAIN, OWN_DOMAIN);
    struct commandline unbound = command_of(verb_named("child", "add"), NULL, OWN_DOMAIN);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char bytes[RIGHTS_REASON_MAX];
        struct str reason = str_on(bytes, sizeof bytes);
        assert_true(rights_may_add_child(&unbound, OWN_DOMAIN, cases[i].child, &reason));
        assert_int_equal(rights_may_add_child(&admin, OWN_DOMAIN, cases[i].child, &reason),
                         cases[i].may);
        assert_true(cases[i].may == (reason.size == 0));
    }
}

static void test_actors(void **state)
{
    (void)state;
    static const struct {
        const char *word, *name; /* NULL: refused */
    } cases[] = {
        {"admin:example.jp", "admin:example.jp"},
        {"admin:Example.JP", "admin:example.jp"},
        {"admin:\xe6\x97\xa5\xe6\x9c\xac.jp", "admin:xn--wgv71a.jp"},
        {"user:U1@Example.jp", "user:u1@example.jp"},
        {"user:a.b_c-d@xn--wgv71a.jp", "user:a.b_c-d@xn--wgv71a.jp"},
        {"", NULL},
        {"admin", NULL},
        {"admin:", NULL},
        {"admin:u1@example.jp", NULL},
        {"user:example.jp", NULL},
        {"user:@example.jp", NULL},
        {"user:u1@", NULL},
        {"user:../x@example.jp", NULL},
        {"user:u1@../etc", NULL},
        {"admin:../etc", NULL},
        {"operator:example.jp", NULL},
        {"Admin:example.jp", NULL},
        {"admin:example.jp:x", NULL},
        {"user:u1@example.jp@example.jp", NULL},
        {"root", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct rights_actor actor;
        assert_int_equal(rights_read_actor(&actor, cases[i].word), cases[i].name != NULL);
        if (cases[i].name)
            assert_string_equal(actor.name, cases[i].name);
    }
}

static void test_who_may_is_said(void **state)
{
    (void)state;
    char bytes[RIGHTS_REASON_MAX];
    struct str reason = str_on(bytes, sizeof bytes);
    struct commandline command =
        command_of(verb_named("user", "set"), "user:" OWN_ACCOUNT, OWN_ACCOUNT);
    command.words[1] = "quota";
    assert_false(rights_may(&command, &reason));
    assert_slice(str_slice(&reason), "the setting quota of u1@example.jp is not for "
                                     "user:u1@example.jp but for admin:example.jp or the operator");
    str_clear(&reason);
    command.words[0] = "u2@example.jp";
    assert_false(rights_may(&command, &reason));
    assert_slice(str_slice(&reason),
                 "user set u2@example.jp is not for user:u1@example.jp but for admin:example.jp, "
                 "user:u2@example.jp or the operator");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verbs_and_roles),
        cmocka_unit_test(test_settings_and_roles),
        cmocka_unit_test(test_settings_of_the_specification),
        cmocka_unit_test(test_files_and_options),
        cmocka_unit_test(test_children),
        cmocka_unit_test(test_actors),
        cmocka_unit_test(test_who_may_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
