/* agemailbox: what of an account's mail is archived and removed, and what stays */
#include "accountfolder.h"

#include "agemailbox.h"
#include "mailbox.h"
#include "specialuse.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

enum { DAY_S = 24 * 60 * 60, PATH_MAX_SIZE = 256, MANY = 3 * AGEMAILBOX_BATCH + 5 };
static const int64_t now = INT64_C(1795305600); /* 2026-11-22 00:00 UTC */

#define CONTENT "Subject: x\r\n\r\nx\r\n"

/* A message that came into the folder, and was received, so many seconds ago; as another program puts it
 * there, whose date of receipt is the file's time. */
static void put_into(const char *folder, const char *flags, unsigned number, int64_t saved_ago,
                     int64_t received_ago)
{
    char path[PATH_MAX_SIZE];
    struct timespec times[2] = {{.tv_sec = now - received_ago}, {.tv_sec = now - received_ago}};
    snprintf(path, sizeof path, "%s/%" PRId64 ".M%u.host,S=%zu,W=%zu%s", folder, now - saved_ago,
             number, sizeof CONTENT - 1, sizeof CONTENT - 1, flags);
    account_write_file(path, SLICE(CONTENT));
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void put(const char *folder, unsigned number, int64_t saved_ago, int64_t received_ago)
{
    char cur[PATH_MAX_SIZE];
    snprintf(cur, sizeof cur, "%s/cur", folder);
    put_into(cur, ":2,FSa", number, saved_ago, received_ago);
}

static size_t count(const char *folder)
{
    struct mailbox *mailbox = mailbox_open(AT_FDCWD, folder, true);
    if (!mailbox)
        return 0;
    size_t found = mailbox->count;
    mailbox_close(&mailbox);
    return found;
}

static bool always(void *owner)
{
    (void)owner;
    return true;
}

static struct agemailbox begin(uint64_t archive, uint64_t trash)
{
    return (struct agemailbox){
        .days = {.archive = archive, .trash = trash}, .now = now, .goes_on = always};
}

static void assert_done(const struct agemailbox *work, uint64_t archived, uint64_t deleted)
{
    assert_int_equal(work->result.archived, archived);
    assert_int_equal(work->result.archived_bytes, archived * (sizeof CONTENT - 1));
    assert_int_equal(work->result.deleted, deleted);
    assert_int_equal(work->result.deleted_bytes, deleted * (sizeof CONTENT - 1));
}

static void run(struct agemailbox *work, uint64_t archived, uint64_t deleted)
{
    if (!agemailbox_run(work))
        fail_msg("%s: %s", work->trouble, strerror(errno));
    assert_done(work, archived, deleted);
}

static void give_use(enum specialuse use, const char *name)
{
    struct specialuses uses;
    int lock = specialuse_lock(&uses);
    assert_true(lock >= 0);
    snprintf(uses.names[use], sizeof uses.names[use], "%s", name);
    assert_true(specialuse_store(lock, &uses));
    specialuse_unlock(&lock);
}

static void an_account_without_mail_needs_none(void **state)
{
    (void)state;
    struct agemailbox work = begin(180, 31);
    struct stat info;
    run(&work, 0, 0);
    assert_int_equal(stat("Maildir", &info), -1);
}

static void the_days_begin_at_receipt_and_at_the_trash(void **state)
{
    (void)state;
    struct agemailbox work = begin(180, 31);
    /* INBOX: the date of receipt counts, whenever it came here. */
    put("Maildir", 1, 0, 180 * DAY_S + 1);
    put("Maildir", 2, 400 * DAY_S, 180 * DAY_S);
    /* The trash: when it came here counts, whenever it was received. */
    put("Maildir/.Trash", 3, 31 * DAY_S + 1, 0);
    put("Maildir/.Trash", 4, 31 * DAY_S, 4000 * DAY_S);
    run(&work, 1, 1);
    assert_int_equal(count("Maildir"), 1);
    assert_int_equal(count("Maildir/.Archive"), 1);
    assert_int_equal(count("Maildir/.Trash"), 1);
    run(&work, 0, 0);
    work.now++;
    run(&work, 1, 1);
}

static void days_of_nothing_leave_it_out(void **state)
{
    (void)state;
    static const struct {
        uint64_t archive, trash, archived, deleted;
    } cases[] = {{0, 0, 0, 0}, {0, 36500, 0, 0}, {36500, 0, 0, 0}, {0, 1, 0, 1}, {1, 0, 1, 0}};
    put("Maildir", 1, 4000 * DAY_S, 4000 * DAY_S);
    put("Maildir/.Trash", 2, 4000 * DAY_S, 4000 * DAY_S);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct agemailbox work = begin(cases[i].archive, cases[i].trash);
        run(&work, cases[i].archived, cases[i].deleted);
    }
}

static void a_look_changes_nothing(void **state)
{
    (void)state;
    struct agemailbox work = begin(1, 1);
    struct stat info;
    work.only_looks = true;
    put("Maildir", 1, 0, 2 * DAY_S);
    put("Maildir/.Trash", 2, 2 * DAY_S, 0);
    run(&work, 1, 1);
    run(&work, 1, 1);
    assert_int_equal(count("Maildir"), 1);
    assert_int_equal(count("Maildir/.Trash"), 1);
    assert_int_equal(count("Maildir/.Archive"), 0);
    /* Nor is a folder made. */
    put("Maildir", 3, 0, 2 * DAY_S);
    struct imapfolder archive;
    assert_true(imapfolder_named(SLICE("Archive"), &archive) && foldertree_remove(&archive));
    run(&work, 2, 1);
    assert_int_equal(stat("Maildir/.Archive", &info), -1);
}

static void flags_keywords_and_date_go_along(void **state)
{
    (void)state;
    struct agemailbox work = begin(1, 0);
    account_write_file("Maildir/mailbox-keywords", SLICE("$label\n"));
    put("Maildir", 1, 0, 2 * DAY_S);
    run(&work, 1, 0);
    struct mailbox *archive = mailbox_open(AT_FDCWD, "Maildir/.Archive", true);
    assert_non_null(archive);
    assert_int_equal(archive->count, 1);
    assert_int_equal(archive->messages[0].flags, MAILDIR_FLAGGED | MAILDIR_SEEN);
    assert_int_equal(archive->messages[0].date, now - 2 * DAY_S);
    assert_int_equal(archive->messages[0].keywords, 1);
    assert_string_equal(archive->keywords[0], "$label");
    /* It came here now, not then. */
    assert_true(mailbox_save_date(archive, &archive->messages[0]) != now - 2 * DAY_S);
    mailbox_close(&archive);
}

static void inbox_is_neither_archive_nor_trash(void **state)
{
    (void)state;
    struct agemailbox work = begin(1, 1);
    give_use(SPECIALUSE_ARCHIVE, "INBOX");
    give_use(SPECIALUSE_TRASH, "INBOX");
    put("Maildir", 1, 4000 * DAY_S, 4000 * DAY_S);
    run(&work, 0, 0);
    assert_int_equal(count("Maildir"), 1);
}

static void what_is_archive_too_loses_nothing(void **state)
{
    (void)state;
    struct agemailbox work = begin(1, 1);
    give_use(SPECIALUSE_ARCHIVE, "Trash");
    put("Maildir", 1, 0, 2 * DAY_S);
    put("Maildir/.Trash", 2, 4000 * DAY_S, 4000 * DAY_S);
    run(&work, 1, 0);
    assert_int_equal(count("Maildir/.Trash"), 2);
}

static void folders_below_the_trash_are_left_alone(void **state)
{
    (void)state;
    struct agemailbox work = begin(1, 1);
    struct imapfolder folder;
    assert_true(imapfolder_named(SLICE("Trash/deep"), &folder) && foldertree_create(&folder));
    put("Maildir/.Trash.deep", 1, 4000 * DAY_S, 4000 * DAY_S);
    run(&work, 0, 0);
    assert_int_equal(count("Maildir/.Trash.deep"), 1);
}

/* What has no date in its name is dated by its file: that says nothing of when it came here. */
static void who_knows_no_date_removes_nothing(void **state)
{
    (void)state;
    struct agemailbox work = begin(0, 1);
    account_write_file("Maildir/.Trash/cur/odd:2,", SLICE(CONTENT));
    run(&work, 0, 0);
    assert_int_equal(count("Maildir/.Trash"), 1);
}

/* A date that lies ahead, as after a clock was set back. */
static void what_comes_from_the_future_stays(void **state)
{
    (void)state;
    struct agemailbox work = begin(1, 1);
    put("Maildir", 1, 0, -400 * DAY_S);
    put("Maildir/.Trash", 2, -400 * DAY_S, 0);
    run(&work, 0, 0);
}

static bool counted_down(void *owner)
{
    unsigned *left = owner;
    return *left > 0 && (*left)-- > 0;
}

static void it_goes_in_batches_and_can_be_broken_off(void **state)
{
    (void)state;
    struct agemailbox work = begin(1, 1);
    unsigned left = 2;
    for (unsigned i = 0; i < MANY; i++)
        put("Maildir", i, 0, 2 * DAY_S);
    put("Maildir", MANY, 0, 0);
    work.goes_on = counted_down;
    work.owner = &left;
    run(&work, 2 * AGEMAILBOX_BATCH, 0);
    assert_int_equal(count("Maildir"), MANY + 1 - 2 * AGEMAILBOX_BATCH);
    /* A second run does the rest. */
    left = 100;
    run(&work, MANY - 2 * AGEMAILBOX_BATCH, 0);
    assert_int_equal(count("Maildir"), 1);
    assert_int_equal(count("Maildir/.Archive"), MANY);
}

/* Who selects INBOX next is told that they are recent. */
static void new_messages_stay_new(void **state)
{
    (void)state;
    struct agemailbox work = begin(1, 0);
    put_into("Maildir/new", "", 1, 0, 0);
    put_into("Maildir/new", "", 2, 0, 2 * DAY_S);
    run(&work, 1, 0);
    struct mailbox *inbox = mailbox_open_to_fill(AT_FDCWD, "Maildir");
    assert_non_null(inbox);
    assert_int_equal(inbox->totals.messages, 1);
    assert_int_equal(inbox->totals.in_new, 1);
    mailbox_close(&inbox);
}

/* One half that fails does not keep the other from being done. */
static void a_broken_inbox_keeps_no_trash(void **state)
{
    (void)state;
    struct agemailbox work = begin(1, 1);
    put("Maildir", 1, 0, 2 * DAY_S);
    put("Maildir/.Trash", 2, 2 * DAY_S, 0);
    struct imapfolder archive;
    assert_true(imapfolder_named(SLICE("Archive"), &archive) && foldertree_remove(&archive));
    /* A file in its place. */
    account_write_file("Maildir/.Archive", SLICE(""));
    assert_false(agemailbox_run(&work));
    assert_non_null(work.trouble);
    assert_true(errno != 0);
    assert_done(&work, 0, 1);
    assert_int_equal(count("Maildir"), 1);
}

static void an_archive_that_is_missing_is_made(void **state)
{
    (void)state;
    struct agemailbox work = begin(1, 1);
    assert_int_equal(mkdir("Maildir", 0700) | mkdir("Maildir/cur", 0700) |
                         mkdir("Maildir/new", 0700) | mkdir("Maildir/tmp", 0700),
                     0);
    put("Maildir", 1, 0, 2 * DAY_S);
    run(&work, 1, 0);
    assert_int_equal(count("Maildir/.Archive"), 1);
}

#define IN_ACCOUNT(test) cmocka_unit_test_setup_teardown(test, account_make, account_remove)
#define IN_BARE(test)    cmocka_unit_test_setup_teardown(test, account_make_bare, account_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_BARE(an_account_without_mail_needs_none),
        IN_ACCOUNT(the_days_begin_at_receipt_and_at_the_trash),
        IN_ACCOUNT(days_of_nothing_leave_it_out),
        IN_ACCOUNT(a_look_changes_nothing),
        IN_ACCOUNT(flags_keywords_and_date_go_along),
        IN_ACCOUNT(inbox_is_neither_archive_nor_trash),
        IN_ACCOUNT(what_is_archive_too_loses_nothing),
        IN_ACCOUNT(folders_below_the_trash_are_left_alone),
        IN_ACCOUNT(who_knows_no_date_removes_nothing),
        IN_ACCOUNT(what_comes_from_the_future_stays),
        IN_ACCOUNT(it_goes_in_batches_and_can_be_broken_off),
        IN_ACCOUNT(new_messages_stay_new),
        IN_ACCOUNT(a_broken_inbox_keeps_no_trash),
        IN_BARE(an_archive_that_is_missing_is_made),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
