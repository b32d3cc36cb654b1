/* foldertree: which folder has a use, and how one comes to have it */
#include "accountfolder.h"

#include "subscribe.h"

#include <errno.h>
#include <sys/stat.h>

enum { ARCHIVE_BIT = 1 << SPECIALUSE_ARCHIVE, TRASH_BIT = 1 << SPECIALUSE_TRASH };

static void make(const char *name)
{
    struct imapfolder folder;
    assert_true(imapfolder_named(slice_text(name), &folder) && foldertree_create(&folder));
}

static void take_away(const char *name)
{
    struct imapfolder folder;
    assert_true(imapfolder_named(slice_text(name), &folder) && foldertree_remove(&folder));
}

static void assert_provided(enum specialuse use, const char *name, unsigned wanted_bits)
{
    struct imapfolder folder, found;
    struct stat info;
    unsigned bits = 0, found_bits = 0;
    assert_true(foldertree_provide_use(use, &folder, &bits));
    assert_string_equal(folder.name, name);
    assert_int_equal(bits, wanted_bits);
    assert_int_equal(stat(folder.path, &info), 0);
    assert_true(foldertree_find_use(use, &found, &found_bits));
    assert_string_equal(found.name, name);
    assert_int_equal(found_bits, wanted_bits);
}

static bool is_subscribed(const char *name)
{
    struct subscriptions list;
    assert_true(subscribe_load(&list));
    bool found = subscribe_has(&list, slice_text(name));
    subscribe_free(&list);
    return found;
}

static void in_an_account_that_nobody_has_seen(void **state)
{
    (void)state;
    struct imapfolder folder;
    unsigned bits = ~0U;
    /* There is no Maildir even. */
    assert_false(foldertree_find_use(SPECIALUSE_ARCHIVE, &folder, &bits));
    assert_int_equal(errno, ENOENT);
    assert_int_equal(bits, 0);
    assert_provided(SPECIALUSE_ARCHIVE, "Archive", ARCHIVE_BIT);
    assert_true(is_subscribed("Archive"));
    assert_true(specialuse_exists());
}

static void one_by_a_customary_name_is_taken(void **state)
{
    (void)state;
    struct imapfolder folder;
    unsigned bits;
    struct stat info;
    assert_int_equal(mkdir("Maildir", 0700), 0);
    make("Archives");
    /* To find it changes nothing. */
    assert_true(foldertree_find_use(SPECIALUSE_ARCHIVE, &folder, &bits));
    assert_string_equal(folder.name, "Archives");
    assert_int_equal(bits, ARCHIVE_BIT);
    assert_false(specialuse_exists());
    assert_provided(SPECIALUSE_ARCHIVE, "Archives", ARCHIVE_BIT);
    assert_int_equal(stat("Maildir/.Archive", &info), -1);
}

static void one_that_was_deleted_is_made_again(void **state)
{
    (void)state;
    struct imapfolder folder;
    unsigned bits;
    take_away("Archive");
    assert_true(subscribe_change(SLICE("Archive"), false));
    assert_false(foldertree_find_use(SPECIALUSE_ARCHIVE, &folder, &bits));
    assert_int_equal(errno, ENOENT);
    assert_provided(SPECIALUSE_ARCHIVE, "Archive", ARCHIVE_BIT);
    assert_true(is_subscribed("Archive"));
}

static void what_the_list_says_goes_before_names(void **state)
{
    (void)state;
    struct specialuses uses;
    int lock = specialuse_lock(&uses);
    assert_true(lock >= 0);
    specialuse_set(&uses, SLICE("mine"), ARCHIVE_BIT | TRASH_BIT);
    assert_true(specialuse_store(lock, &uses));
    specialuse_unlock(&lock);
    /* A line whose folder is not there counts for nothing. */
    assert_provided(SPECIALUSE_ARCHIVE, "Archive", ARCHIVE_BIT);
    make("mine");
    assert_provided(SPECIALUSE_TRASH, "mine", TRASH_BIT);
    assert_provided(SPECIALUSE_ARCHIVE, "Archive", ARCHIVE_BIT);
}

/* A folder that has the name and another use has both then. */
static void uses_meet_in_one_folder(void **state)
{
    (void)state;
    struct specialuses uses;
    int lock = specialuse_lock(&uses);
    assert_true(lock >= 0);
    specialuse_set(&uses, SLICE("Archive"), TRASH_BIT);
    assert_true(specialuse_store(lock, &uses));
    specialuse_unlock(&lock);
    assert_provided(SPECIALUSE_ARCHIVE, "Archive", ARCHIVE_BIT | TRASH_BIT);
}

static void a_file_in_its_place_is_an_error(void **state)
{
    (void)state;
    struct imapfolder folder;
    unsigned bits;
    take_away("Archive");
    account_write_file("Maildir/.Archive", SLICE("x"));
    assert_false(foldertree_provide_use(SPECIALUSE_ARCHIVE, &folder, &bits));
    assert_true(errno != 0 && errno != ENOENT);
}

static void names_are(const char *wanted)
{
    struct foldertree tree;
    struct str names;
    str_init(&names, 4096);
    assert_true(foldertree_read(&tree));
    for (size_t i = 0; i < tree.count; i++)
        if (tree.entries[i].exists)
            str_append_texts(&names, tree.entries[i].name, " ");
    assert_slice(str_slice(&names), wanted);
    foldertree_free(&tree);
    str_free(&names);
}

/* What is in the way of one of the folders stops the others in the middle, as a crash would. */
static void a_rename_that_was_interrupted_is_finished(void **state)
{
    (void)state;
    struct imapfolder from, to;
    assert_int_equal(mkdir("Maildir", 0700), 0);
    make("a");
    make("a/x");
    make("a/y");
    make("a/y/z");
    make("ab");
    assert_true(imapfolder_named(SLICE("a"), &from) && imapfolder_named(SLICE("b"), &to));
    account_write_file("Maildir/.b.y", SLICE("x"));
    assert_false(foldertree_rename(&from, &to));
    names_are("INBOX a a/x a/y ab b/y/z ");
    assert_int_equal(unlink("Maildir/.b.y"), 0);
    assert_true(foldertree_rename(&from, &to));
    names_are("INBOX ab b b/x b/y b/y/z ");
    assert_false(foldertree_rename(&from, &to));
    assert_int_equal(errno, ENOENT);
}

static void an_open_folder_is_found_by_its_new_name(void **state)
{
    (void)state;
    struct imapfolder from, to, found = {.name = "x"};
    assert_int_equal(mkdir("Maildir", 0700), 0);
    make("a/b");
    assert_true(imapfolder_named(SLICE("a"), &from) && imapfolder_named(SLICE("c"), &to));
    int folder = open("Maildir/.a.b", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(foldertree_rename(&from, &to));
    make("a/b");
    assert_true(foldertree_find_open(folder, &found));
    assert_string_equal(found.name, "c/b");
    assert_string_equal(found.path, "Maildir/.c.b");
    take_away("c/b");
    assert_false(foldertree_find_open(folder, &found));
    assert_int_equal(errno, ENOENT);
    assert_string_equal(found.name, "c/b");
    io_close(&folder);
    assert_false(foldertree_find_open(folder, &found));
    assert_int_equal(errno, EBADF);
}

#define IN_ACCOUNT(test) cmocka_unit_test_setup_teardown(test, account_make, account_remove)
#define IN_BARE(test)    cmocka_unit_test_setup_teardown(test, account_make_bare, account_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_BARE(in_an_account_that_nobody_has_seen),
        IN_BARE(one_by_a_customary_name_is_taken),
        IN_ACCOUNT(one_that_was_deleted_is_made_again),
        IN_ACCOUNT(what_the_list_says_goes_before_names),
        IN_ACCOUNT(uses_meet_in_one_folder),
        IN_ACCOUNT(a_file_in_its_place_is_an_error),
        IN_BARE(a_rename_that_was_interrupted_is_finished),
        IN_BARE(an_open_folder_is_found_by_its_new_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
