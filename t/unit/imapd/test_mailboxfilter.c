/* mailboxfilter: the words of RFC 7377, and which folders they mean */
#include "account.h"

#include "mailboxfilter.h"
#include "subscribe.h"

static bool reads(struct imapsession *session, const char *text, struct mailboxfilters *filters)
{
    struct parse parse;
    parse_begin(&parse, slice_text(text), &session->arena);
    return mailboxfilter_parse(session, &parse, filters) && parse_at_end(&parse);
}

/* The names that are meant, with blanks between them. */
static const char *chosen(const char *text, struct str *names)
{
    struct imapsession session = {.account = "u1@example.jp"};
    struct mailboxfilters filters;
    struct foldertree tree = {0};
    arena_init(&session.arena, 1 << 20);
    str_clear(names);
    assert_true(reads(&session, text, &filters));
    assert_true(mailboxfilter_choose(&session, &filters, &tree));
    for (size_t i = 0; i < tree.count; i++)
        if (tree.entries[i].meets)
            str_format(names, "%s%s", names->size > 0 ? " " : "", tree.entries[i].name);
    foldertree_free(&tree);
    arena_free(&session.arena);
    return names->size > 0 ? str_text(names) : "";
}

static void make(const char *name)
{
    struct imapfolder folder;
    assert_true(imapfolder_named(slice_text(name), &folder) && foldertree_create(&folder));
}

static void folders_that_are_meant(void **state)
{
    struct str names;
    (void)state;
    str_init(&names, 4096);
    make("w");
    make("w/x");
    make("w/x/y");
    make("wide");
    make("n/m"); /* n itself does not exist */
    assert_string_equal(chosen("INBOXES", &names), "INBOX");
    assert_string_equal(chosen("mailboxes w", &names), "w");
    assert_string_equal(chosen("mailboxes (w inbox none)", &names), "INBOX w");
    assert_string_equal(chosen("subtree w", &names), "w w/x w/x/y");
    assert_string_equal(chosen("subtree-one w", &names), "w w/x");
    assert_string_equal(chosen("subtree n", &names), "n/m");
    assert_string_equal(chosen("subtree-one (n w/x)", &names), "n/m w/x w/x/y");
    assert_string_equal(chosen("inboxes mailboxes w/x", &names), "INBOX w/x");
    assert_string_equal(chosen("selected", &names), ""); /* none is */
    assert_true(subscribe_change(SLICE("wide"), true));
    assert_non_null(strstr(chosen("subscribed", &names), "wide"));
    assert_null(strstr(chosen("subscribed", &names), "w/x"));
    assert_non_null(strstr(chosen("personal", &names), "w/x/y"));
    str_free(&names);
}

static void malformed(void **state)
{
    static const char *const all[] = {"",
                                      "BOGUS",
                                      "subtree",
                                      "subtree ",
                                      "mailboxes ()",
                                      "mailboxes (",
                                      "mailboxes (a",
                                      "mailboxes (a ",
                                      "inboxes ",
                                      "inboxes  personal",
                                      "(inboxes)",
                                      "mailboxes (a  b)"};
    struct imapsession session = {.account = "u1@example.jp"};
    struct mailboxfilters filters;
    (void)state;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        arena_init(&session.arena, 1 << 20);
        if (reads(&session, all[i], &filters))
            fail_msg("\"%s\"", all[i]);
        arena_free(&session.arena);
    }
}

static void there_are_bounds(void **state)
{
    struct imapsession session = {.account = "u1@example.jp"};
    struct mailboxfilters filters;
    struct str text;
    (void)state;
    str_init(&text, 1 << 20);
    arena_init(&session.arena, 8 << 20);
    for (int i = 0; i < MAILBOXFILTER_MAX; i++)
        str_append_text(&text, i == 0 ? "inboxes" : " inboxes");
    assert_true(reads(&session, str_text(&text), &filters));
    str_append_text(&text, " inboxes");
    assert_false(reads(&session, str_text(&text), &filters));
    str_clear(&text);
    str_append_text(&text, "mailboxes (");
    for (int i = 0; i <= MAILBOXFILTER_NAMES_MAX; i++)
        str_append_text(&text, i == 0 ? "a" : " a");
    str_append_text(&text, ")");
    assert_false(reads(&session, str_text(&text), &filters));
    arena_free(&session.arena);
    str_free(&text);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(folders_that_are_meant, account_make, account_remove),
        cmocka_unit_test(malformed),
        cmocka_unit_test(there_are_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
