/* specialuse: the file, the names that clients make, and the folders of an account's first login */
#include "account.h"

#include "specialuse.h"
#include "subscribe.h"

enum { ARCHIVE = 1 << 0, DRAFTS = 1 << 1, JUNK = 1 << 2, SENT = 1 << 3, TRASH = 1 << 4 };

static void attributes(void **state)
{
    (void)state;
    assert_int_equal(specialuse_bit(SLICE("\\Sent")), SENT);
    assert_int_equal(specialuse_bit(SLICE("\\aRCHIVE")), ARCHIVE);
    static const char *const none[] = {"\\All", "\\Flagged", "\\Important", "Sent", "\\", ""};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_int_equal(specialuse_bit(slice_text(none[i])), 0);
    assert_null(specialuse_standard(SPECIALUSE_COUNT));
}

static void customary_names(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        unsigned bit;
    } names[] = {
        {"Sent", SENT},
        {"sent items", SENT},
        {"INBOX/Sent", SENT},
        {"&kAFP4W4IMH8wojCkMMYw4A-", SENT},  /* 送信済みアイテム */
        {"&UkqWZG4IMH8wojCkMMYw4A-", TRASH}, /* 削除済みアイテム */
        {"&MLQw33ux-", TRASH},               /* ゴミ箱 */
        {"&Tgtm+DBN-", DRAFTS},              /* 下書き */
        {"&Tgtm,DBN-", 0},                   /* another word */
        {"&j,dg0TDhMPww6w-", JUNK},          /* 迷惑メール */
        {"Archives", ARCHIVE},
        {"Drafts", DRAFTS},
        {"Work/Sent", 0},
        {"Sent/2026", 0},
        {"INBOX", 0},
        {"&kAFP4TDIMOwwpA-", 0}, /* 送信トレイ is the outbox */
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (specialuse_customary(slice_text(names[i].name)) != names[i].bit)
            fail_msg("%s", names[i].name);
    assert_true(specialuse_rank(3, SLICE("Sent")) < specialuse_rank(3, SLICE("Sent Items")));
    assert_int_equal(specialuse_rank(3, SLICE("Trash")), SIZE_MAX);
}

static void check_content(const char *given, const char *written)
{
    struct specialuses uses;
    struct str content;
    str_init(&content, SPECIALUSE_FILE_MAX);
    specialuse_parse(slice_text(given), &uses);
    assert_true(specialuse_format(&uses, &content));
    assert_slice(str_slice(&content), written);
    str_free(&content);
}

static void content(void **state)
{
    (void)state;
    check_content("", "");
    check_content("\\Sent Sent Items\n\\trash a/b\n", "\\Sent Sent Items\n\\Trash a/b\n");
    check_content("\\Sent a\n\\Sent b\n", "\\Sent b\n");
    check_content("\\All x\nnonsense\n\n\\Sent\n\\Junk ../x\n\\Junk \xe3\x81\x82\n\\Drafts D",
                  "\\Drafts D\n");
}

static void uses_are_given_and_taken(void **state)
{
    (void)state;
    struct specialuses uses = {0};
    specialuse_set(&uses, SLICE("a"), SENT | DRAFTS);
    assert_int_equal(specialuse_of(&uses, SLICE("a")), SENT | DRAFTS);
    specialuse_set(&uses, SLICE("b"), SENT);
    assert_int_equal(specialuse_of(&uses, SLICE("a")), DRAFTS);
    assert_int_equal(specialuse_of(&uses, SLICE("b")), SENT);
    assert_int_equal(specialuse_of(&uses, SLICE("")), 0);
    specialuse_set(&uses, SLICE("b"), 0);
    assert_int_equal(specialuse_of(&uses, SLICE("b")), 0);
    struct str text;
    str_init(&text, 64);
    assert_true(specialuse_append(&text, SENT | TRASH));
    assert_slice(str_slice(&text), "\\Sent \\Trash");
    str_free(&text);
}

static void uses_follow_a_rename(void **state)
{
    (void)state;
    struct specialuses uses = {0};
    char longest[IMAPFOLDER_NAME_MAX + 1] = {0};
    specialuse_set(&uses, SLICE("a/sent"), SENT);
    specialuse_set(&uses, SLICE("ab"), JUNK);
    assert_true(specialuse_renamed(&uses, SLICE("a"), SLICE("c/d")));
    assert_int_equal(specialuse_of(&uses, SLICE("c/d/sent")), SENT);
    assert_int_equal(specialuse_of(&uses, SLICE("ab")), JUNK);
    assert_false(specialuse_renamed(&uses, SLICE("a"), SLICE("x")));
    memset(longest, 'x', IMAPFOLDER_NAME_MAX - 2);
    assert_true(specialuse_renamed(&uses, SLICE("c/d"), slice_text(longest)));
    assert_int_equal(specialuse_of(&uses, SLICE("c/d/sent")), 0);
}

/* A dot is five bytes on disk: a name that is short enough may have no room there. */
static void a_name_without_room_on_disk_loses_its_use(void **state)
{
    struct specialuses uses = {0};
    struct imapfolder folder;
    char name[IMAPFOLDER_NAME_MAX + 1] = "a/x";
    size_t size = 3;
    (void)state;
    do {
        name[size++] = '.';
    } while (size < IMAPFOLDER_NAME_MAX && imapfolder_named(slice_of(name, size), &folder));
    specialuse_set(&uses, slice_of(name, size - 1), TRASH);
    assert_true(specialuse_renamed(&uses, SLICE("a"), SLICE("b/long")));
    for (size_t i = 0; i < SPECIALUSE_COUNT; i++)
        assert_int_equal(uses.names[i][0], '\0');
}

static void the_file_is_replaced_under_its_lock(void **state)
{
    (void)state;
    struct specialuses uses, again;
    int lock = specialuse_lock(&uses);
    assert_true(lock >= 0);
    assert_int_equal(specialuse_of(&uses, SLICE("Sent")), SENT);
    specialuse_set(&uses, SLICE("x"), SENT);
    assert_true(specialuse_store(lock, &uses));
    specialuse_unlock(&lock);
    assert_int_equal(lock, -1);
    assert_true(specialuse_load(&again));
    assert_int_equal(specialuse_of(&again, SLICE("x")), SENT);
    assert_int_equal(unlink("Maildir/special-use"), 0);
    assert_false(specialuse_exists());
    assert_true(specialuse_load(&again));
    assert_int_equal(specialuse_of(&again, SLICE("x")), 0);
}

static void make(const char *name)
{
    struct imapfolder folder;
    assert_true(imapfolder_named(slice_text(name), &folder) && foldertree_create(&folder));
}

/* A first login in a Maildir that another server has kept, with and without its list. */
static void folders_that_are_there_are_taken(void **state)
{
    (void)state;
    struct specialuses uses;
    struct subscriptions list;
    for (size_t i = 0; i < SPECIALUSE_COUNT; i++) {
        struct imapfolder folder;
        assert_true(imapfolder_named(slice_text(specialuse_standard(i)), &folder) &&
                    foldertree_remove(&folder));
    }
    make("Deleted Items");
    make("Deleted Messages");
    make("&kAFP4W4IMH8wojCkMMYw4A-");
    make("other");
    assert_int_equal(unlink("Maildir/special-use"), 0);
    account_write_file("Maildir/subscriptions", SLICE("other\n"));
    assert_true(foldertree_prepare() && specialuse_load(&uses));
    assert_int_equal(specialuse_of(&uses, SLICE("Deleted Items")), TRASH);
    assert_int_equal(specialuse_of(&uses, SLICE("&kAFP4W4IMH8wojCkMMYw4A-")), SENT);
    assert_int_equal(specialuse_of(&uses, SLICE("Drafts")), DRAFTS);
    assert_true(subscribe_load(&list));
    assert_slice(str_slice(&list.names), "other\nArchive\nDrafts\nJunk\n");
    subscribe_free(&list);
    assert_int_equal(unlink("Maildir/special-use"), 0);
    assert_int_equal(unlink("Maildir/subscriptions"), 0);
    assert_true(foldertree_prepare() && subscribe_load(&list));
    assert_true(subscribe_has(&list, SLICE("Deleted Messages")));
    assert_false(subscribe_has(&list, SLICE("INBOX")));
    subscribe_free(&list);
}

/* The second time it goes through, and the folder has its use all the while. */
static void a_use_outlives_a_rename_that_failed(void **state)
{
    (void)state;
    struct str output;
    str_init(&output, 65536);
    account_write_file("Maildir/.b.Sent", SLICE("x"));
    account_talk(SLICE("a RENAME Sent a/Sent\r\nb CREATE a/Sent/2026\r\nc RENAME a b\r\n"
                       "d LIST (SPECIAL-USE) \"\" */Sent*\r\n"),
                 &output);
    account_compare("it fails", str_slice(&output),
                    "a OK RENAME completed\nb OK [MAILBOXID ~\nc NO ~\n"
                    "* LIST (\\HasNoChildren \\Sent) \"/\" \"a/Sent\"\nd OK LIST completed\n");
    assert_int_equal(unlink("Maildir/.b.Sent"), 0);
    str_clear(&output);
    account_talk(SLICE("a RENAME a b\r\nb LIST (SPECIAL-USE) \"\" */Sent*\r\nc LIST \"\" a*\r\n"),
                 &output);
    account_compare("it succeeds", str_slice(&output),
                    "a OK RENAME completed\n"
                    "* LIST (\\HasChildren \\Sent) \"/\" \"b/Sent\"\nb OK LIST completed\n"
                    "c OK LIST completed\n");
    str_free(&output);
}

#define IN_ACCOUNT(test) cmocka_unit_test_setup_teardown(test, account_make, account_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attributes),
        cmocka_unit_test(customary_names),
        cmocka_unit_test(content),
        cmocka_unit_test(uses_are_given_and_taken),
        cmocka_unit_test(uses_follow_a_rename),
        cmocka_unit_test(a_name_without_room_on_disk_loses_its_use),
        IN_ACCOUNT(the_file_is_replaced_under_its_lock),
        IN_ACCOUNT(folders_that_are_there_are_taken),
        IN_ACCOUNT(a_use_outlives_a_rename_that_failed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
