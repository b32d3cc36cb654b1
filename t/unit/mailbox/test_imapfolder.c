/* imapfolder, mutf7: names of mailboxes on the wire and on disk */
#include "unit.h"

#include "imapfolder.h"
#include "mutf7.h"

#include <stdio.h>
#include <string.h>

static void modified_utf7(void **state)
{
    (void)state;
    static const struct {
        const char *name, *utf8;
    } names[] = {
        {"", ""},
        {"INBOX", "INBOX"},
        {"a&-b", "a&b"},
        {"&ZeVnLIqe-", "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e"},
        {"~peter/mail/&U,BTFw-/&ZeVnLIqe-", /* RFC 3501 5.1.3 */
         "~peter/mail/\xe5\x8f\xb0\xe5\x8c\x97/\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e"},
        {"&AOk-", "\xc3\xa9"},
        {"&2D3eAA-", "\xf0\x9f\x98\x80"},
        {"&AOk-&-&AOk-", "\xc3\xa9&\xc3\xa9"},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct str out;
        str_init(&out, 4096);
        assert_true(mutf7_to_utf8(slice_text(names[i].name), &out));
        assert_slice(str_slice(&out), names[i].utf8);
        str_clear(&out);
        assert_true(mutf7_from_utf8(slice_text(names[i].utf8), &out));
        assert_slice(str_slice(&out), names[i].name);
        str_free(&out);
    }
}

static void not_modified_utf7(void **state)
{
    (void)state;
    static const char *const names[] = {
        "&",      "a&b",   "&AOk",  "\xc3\xa9", "&AGE-",    "&Jjo!",   "&A-",     "&AO-",
        "&AOkA-", "&AOl-", "&2D0-", "&3gA-",    "&2D0AOk-", "&AAA-",   "&AAo-",   "&AOk-&AOk-",
        "\t",     "a\x7f", "&AC4-", "&AOk/-",   "&AH8-",    "&2D3eAA", "&2D3eA-",
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (mutf7_is_valid(slice_text(names[i])))
            fail_msg("\"%s\" passes", names[i]);
    static const char *const texts[] = {
        "\x80", "\xc3",     "\xed\xa0\x80", "\xc0\x80", "\xf4\x90\x80\x80",
        "a\nb", "\xe3\x81", "\xc2\x85"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct str out;
        str_init(&out, 4096);
        assert_false(mutf7_from_utf8(slice_text(texts[i]), &out));
        str_free(&out);
    }
}

static void names_and_paths(void **state)
{
    (void)state;
    static const struct {
        const char *given, *name, *path;
    } names[] = {
        {"INBOX", "INBOX", "Maildir"},
        {"inbox", "INBOX", "Maildir"},
        {"Inbox/a", "INBOX/a", "Maildir/.INBOX.a"},
        {"inboxes", "inboxes", "Maildir/.inboxes"},
        {"Work/2026", "Work/2026", "Maildir/.Work.2026"},
        {"v1.2/a.b", "v1.2/a.b", "Maildir/.v1&AC4-2.a&AC4-b"},
        {"...", "...", "Maildir/.&AC4-&AC4-&AC4-"},
        {"&AOk-.x", "&AOk-.x", "Maildir/.&AOk-&AC4-x"},
        {"a&-AC4-", "a&-AC4-", "Maildir/.a&-AC4-"},
        {" a ", " a ", "Maildir/. a "},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct imapfolder folder, again;
        assert_true(imapfolder_named(slice_text(names[i].given), &folder));
        assert_string_equal(folder.name, names[i].name);
        assert_string_equal(folder.path, names[i].path);
        if (imapfolder_is_inbox(&folder))
            continue;
        assert_true(imapfolder_from_disk(slice_text(folder.path + strlen("Maildir/")), &again));
        assert_string_equal(again.name, names[i].name);
    }
}

static void not_names(void **state)
{
    (void)state;
    static const char *const names[] = {"",     "/",     "a/",   "/a",    "a//b",
                                        ".",    "../a",  "a/..", "a/./b", "\xe3\x81\x82",
                                        "a\nb", "&AC4-", "a\x01"};
    static const char *const on_disk[] = {"",       "a",        ".",         "..",
                                          "..a",    ".a.",      ".a..b",     ".INBOX",
                                          ".inbox", ".inbox.x", ".\xc3\xa9", ".a/b"};
    struct imapfolder folder;
    char text[600];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (imapfolder_named(slice_text(names[i]), &folder))
            fail_msg("\"%s\" is a name", names[i]);
    for (size_t i = 0; i < sizeof on_disk / sizeof *on_disk; i++)
        if (imapfolder_from_disk(slice_text(on_disk[i]), &folder))
            fail_msg("\"%s\" is a folder", on_disk[i]);
    memset(text, 'a', sizeof text);
    assert_true(imapfolder_named(slice_of(text, IMAPFOLDER_DISK_MAX - 1), &folder));
    assert_false(imapfolder_named(slice_of(text, IMAPFOLDER_DISK_MAX), &folder));
    memset(text, '.', sizeof text); /* five bytes each on disk */
    assert_true(imapfolder_named(slice_of(text, 47), &folder));
    assert_false(imapfolder_named(slice_of(text, 48), &folder));
    assert_int_equal(imapfolder_check_new(SLICE("a/"), &folder), IMAPFOLDER_FINE);
    assert_string_equal(folder.name, "a");
    static const struct {
        const char *name;
        enum imapfolder_fault fault;
    } faults[] = {
        {"a%", IMAPFOLDER_WILDCARD},           {"a*", IMAPFOLDER_WILDCARD},
        {"a//", IMAPFOLDER_EMPTY_LEVEL},       {"", IMAPFOLDER_EMPTY_LEVEL},
        {"a/../b", IMAPFOLDER_EMPTY_LEVEL},    {"a\x01", IMAPFOLDER_CONTROL},
        {"\xe3\x81\x82", IMAPFOLDER_ENCODING}, {"&Jjo!-", IMAPFOLDER_ENCODING},
        {"&ICg-", IMAPFOLDER_CONTROL},         {"a/x&MEIgKTBC-", IMAPFOLDER_CONTROL},
    };
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        assert_int_equal(imapfolder_check_new(slice_text(faults[i].name), &folder),
                         faults[i].fault);
    /* One that is there already can be opened and deleted. */
    assert_true(imapfolder_named(SLICE("&ICg-"), &folder));
    memset(text, 'a', sizeof text);
    assert_int_equal(imapfolder_check(slice_of(text, IMAPFOLDER_DISK_MAX), &folder),
                     IMAPFOLDER_LONG);
}

static void patterns(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *name;
        bool matches;
    } cases[] = {
        {"*", "INBOX", true},
        {"*", "a/b/c", true},
        {"%", "a", true},
        {"%", "a/b", false},
        {"%/%", "a/b", true},
        {"a/%", "a/b", true},
        {"a/%", "a", false},
        {"a*", "a/b/c", true},
        {"*c", "a/b/c", true},
        {"%c", "a/b/c", false},
        {"inbox", "INBOX", true},
        {"InB%", "INBOX", true},
        {"inbox/A", "INBOX/A", true},
        {"inbox/a", "INBOX/A", false},
        {"WORK", "Work", false},
        {"", "a", false},
        {"", "", true},
        {"a", "ab", false},
        {"ab", "a", false},
        {"*a*", "bab", true},
        {"%a%", "bab", true},
        {"**", "a/b", true},
        {"*%", "a/b", true},
        {"%*", "a/b", true},
        {"%%", "a/b", false},
        {"a%c", "abc", true},
        {"a%c", "a/c", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (imapfolder_matches(slice_text(cases[i].pattern), slice_text(cases[i].name)) !=
            cases[i].matches)
            fail_msg("\"%s\" and \"%s\"", cases[i].pattern, cases[i].name);
}

/* A pattern of stars that would take for ever by backtracking. */
static void no_pattern_is_slow(void **state)
{
    (void)state;
    char pattern[600], name[IMAPFOLDER_NAME_MAX];
    for (size_t i = 0; i < sizeof pattern; i++)
        pattern[i] = i % 2 ? 'a' : '*';
    memset(name, 'a', sizeof name);
    assert_false(
        imapfolder_matches(slice_of(pattern, sizeof pattern), slice_of(name, sizeof name)));
    assert_true(imapfolder_matches(slice_of(pattern, 101), slice_of(name, sizeof name)));
    memset(pattern, '*', sizeof pattern);
    assert_true(imapfolder_matches(slice_of(pattern, sizeof pattern), slice_of(name, sizeof name)));
    memset(pattern, 'a', sizeof pattern);
    assert_false(
        imapfolder_matches(slice_of(pattern, sizeof name + 1), slice_of(name, sizeof name)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(modified_utf7),   cmocka_unit_test(not_modified_utf7),
        cmocka_unit_test(names_and_paths), cmocka_unit_test(not_names),
        cmocka_unit_test(patterns),        cmocka_unit_test(no_pattern_is_slow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
