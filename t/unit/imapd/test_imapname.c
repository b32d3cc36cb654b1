/* imapname: names as clients of rev1 and of rev2 write and read them */
#include "account.h"

#include "imapname.h"

#define NFC_GA   "\xe3\x81\x8c"             /* が */
#define NFD_GA   "\xe3\x81\x8b\xe3\x82\x99" /* か and the mark */
#define MUTF7_GA "&MEw-"
#define MUTF7_KA "&MEswmQ-" /* the same in NFD */

static const struct {
    const char *given;
    enum answer answer;
    const char *name; /* in modified UTF-7 */
    bool utf8, normalised;
} names[] = {
    {"Work/2026", ANSWER_DONE, "Work/2026", false, false},
    {"Work/2026", ANSWER_DONE, "Work/2026", true, false},
    {"a/", ANSWER_DONE, "a", true, false},
    {MUTF7_GA, ANSWER_DONE, MUTF7_GA, false, false},
    {MUTF7_KA, ANSWER_DONE, MUTF7_GA, false, true},
    {NFC_GA, ANSWER_DONE, MUTF7_GA, true, false},
    {NFD_GA, ANSWER_DONE, MUTF7_GA, true, true},
    {MUTF7_GA, ANSWER_DONE, "&-MEw-", true, false},
    {"a&b", ANSWER_DONE, "a&-b", true, false},
    {"inbox/x", ANSWER_DONE, "INBOX/x", true, false},
    {NFC_GA, ANSWER_NAME_ENCODING, NULL, false, false},
    {"a&b", ANSWER_NAME_ENCODING, NULL, false, false},
    {"\xe3\x81", ANSWER_NAME_ENCODING, NULL, true, false},
    {"a\xc2\x85", ANSWER_NAME_ENCODING, NULL, true, false},
    {"a\tb", ANSWER_NAME_CONTROL, NULL, false, false},
    {"a\tb", ANSWER_NAME_CONTROL, NULL, true, false},
    {"a\x7f", ANSWER_NAME_CONTROL, NULL, true, false},
    {"", ANSWER_NAME_LEVEL, NULL, false, false},
    {"a//b", ANSWER_NAME_LEVEL, NULL, true, false},
    {"a/..", ANSWER_NAME_LEVEL, NULL, true, false},
    {"a*", ANSWER_NAME_WILDCARD, NULL, true, false},
};

static struct imapsession session_of(bool utf8)
{
    return (struct imapsession){.enabled = utf8 ? ENABLED_REV2 : 0};
}

static void new_names(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct imapsession session = session_of(names[i].utf8);
        struct imapfolder folder;
        bool normalised;
        enum answer answer =
            imapname_take_new(&session, slice_text(names[i].given), &folder, &normalised);
        if (answer != names[i].answer || normalised != names[i].normalised ||
            (answer == ANSWER_DONE && strcmp(folder.name, names[i].name) != 0))
            fail_msg("%zu: %s", i, names[i].given);
    }
}

static void long_names(void **state)
{
    (void)state;
    struct imapfolder folder;
    bool normalised;
    struct str name;
    str_init(&name, 1 << 20);
    for (int i = 0; i < 100000; i++)
        str_append_text(&name, NFC_GA);
    for (int utf8 = 0; utf8 < 2; utf8++) {
        struct imapsession session = session_of(utf8);
        enum answer answer = imapname_take_new(&session, str_slice(&name), &folder, &normalised);
        assert_true(answer == ANSWER_NAME_LONG);
        assert_true(imapname_take(&session, str_slice(&name), &folder) == answer);
        struct slice middle = slice_part(str_slice(&name), 0, 300);
        answer = imapname_take_new(&session, middle, &folder, &normalised);
        assert_true(answer == ANSWER_NAME_LONG);
        middle = slice_part(str_slice(&name), 0, 3900); /* too long only once it is written out */
        assert_true(imapname_take(&session, middle, &folder) == ANSWER_NAME_LONG);
    }
    str_free(&name);
}

/* An adopted Maildir may have a folder in NFD: it keeps its name, and comes before one in NFC. */
static void folders_are_found_by_either_form(void **state)
{
    (void)state;
    struct imapsession session = session_of(true);
    struct imapfolder folder;
    assert_true(imapname_take(&session, SLICE(NFD_GA), &folder) == ANSWER_DONE);
    assert_string_equal(folder.name, MUTF7_GA);
    assert_true(imapfolder_named(SLICE(MUTF7_KA), &folder) && foldertree_create(&folder));
    assert_true(imapname_take(&session, SLICE(NFD_GA), &folder) == ANSWER_DONE);
    assert_string_equal(folder.name, MUTF7_KA);
    assert_true(imapname_take(&session, SLICE(NFC_GA), &folder) == ANSWER_DONE);
    assert_string_equal(folder.name, MUTF7_GA);
}

static void names_are_told(void **state)
{
    (void)state;
    static const struct {
        const char *name, *rev1, *rev2;
    } told[] = {
        {"a", "\"a\"", "\"a\""},
        {MUTF7_GA, "\"" MUTF7_GA "\"", "\"" NFC_GA "\""},
        {"a&-\"b", "\"a&-\\\"b\"", "\"a&\\\"b\""},
    };
    for (size_t i = 0; i < sizeof told / sizeof *told; i++)
        for (int utf8 = 0; utf8 < 2; utf8++) {
            struct imapsession session = session_of(utf8);
            struct str out;
            str_init(&out, 4096);
            assert_true(imapname_append(&session, &out, slice_text(told[i].name)));
            assert_slice(str_slice(&out), utf8 ? told[i].rev2 : told[i].rev1);
            str_free(&out);
        }
}

static void patterns(void **state)
{
    (void)state;
    static const struct {
        const char *given, *taken; /* NULL: not written as names are */
        bool utf8;
    } cases[] = {
        {"*", "*", false},
        {MUTF7_KA "*", NFC_GA "*", false},
        {NFD_GA "%", NFC_GA "%", true},
        {"&*", NULL, false},
        {"&*", "&*", true},
        {"\xe3\x81", NULL, true},
        {NFC_GA, NULL, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct imapsession session = session_of(cases[i].utf8);
        struct str taken;
        str_init(&taken, 4096);
        bool done = imapname_take_pattern(&session, slice_text(cases[i].given), &taken);
        assert_int_equal(done, cases[i].taken != NULL);
        if (done)
            assert_slice(str_slice(&taken), cases[i].taken);
        str_free(&taken);
    }
}

#define IN_ACCOUNT(test) cmocka_unit_test_setup_teardown(test, account_make, account_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(new_names),
        cmocka_unit_test(names_are_told),
        cmocka_unit_test(patterns),
        IN_ACCOUNT(long_names),
        IN_ACCOUNT(folders_are_found_by_either_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
