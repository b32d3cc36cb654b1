/* mailboxdeliver: a delivery is in the index at once; without one, or in doubt, it is a plain one */
#include "box.h"

#include "io.h"
#include "mailbox.h"
#include "mailboxdeliver.h"
#include "mailboxindex.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum { MANY = 80 };

static void deliver(struct box *box, const char *id, bool repeats)
{
    struct maildir_delivery delivery;
    assert_true(maildir_begin(&delivery, box->fd, "m", id, "mail1"));
    assert_true(maildir_write(&delivery, SLICE("a\r\n")));
    assert_true(mailboxdeliver_place(&delivery, repeats));
    assert_int_equal(maildir_commit(&delivery), VERDICT_OK);
}

/* How many names in new/ have this text in them. */
static size_t count_named(struct box *box, const char *part)
{
    size_t count = 0;
    int fd = openat(box->fd, "m/new", O_RDONLY | O_DIRECTORY);
    DIR *list = fdopendir(fd);
    assert_non_null(list);
    for (struct dirent *entry; (entry = readdir(list));)
        count += entry->d_name[0] != '.' && strstr(entry->d_name, part) != NULL;
    closedir(list);
    return count;
}

static void open_and_close(struct box *box)
{
    struct mailbox *mailbox = mailbox_open(box->fd, "m", false);
    assert_non_null(mailbox);
    mailbox_close(&mailbox);
}

static void a_delivery_has_its_uid_at_once(void **state)
{
    struct box *box = *state;
    open_and_close(box);
    struct mailbox *reader = mailbox_open(box->fd, "m", false);
    deliver(box, "0cw9x2k4m7q1a", false);
    deliver(box, "0cw9x2k4m7q1b", false);
    assert_int_equal(count_named(box, ",U=1"), 1);
    assert_int_equal(count_named(box, ",U=2"), 1);
    /* Another session's delivery and an append go on behind them. */
    struct mailbox_append append = {0};
    uint32_t uid;
    assert_true(mailbox_append_begin(reader, &append));
    assert_true(mailbox_append_write(&append, SLICE("b\r\n")));
    assert_true(mailbox_append_commit(reader, &append, &uid));
    assert_int_equal(uid, 3);
    deliver(box, "0cw9x2k4m7q1c", false);
    assert_true(mailbox_sync(reader));
    assert_int_equal(reader->count, 4);
    for (uint32_t i = 0; i < 4; i++) {
        assert_int_equal(reader->messages[i].uid, i + 1);
        assert_true(reader->messages[i].recent);
        assert_int_equal(reader->messages[i].size, 3);
        int fd = mailbox_open_message(reader, &reader->messages[i]);
        assert_true(fd >= 0);
        io_close(&fd);
    }
    assert_int_equal(reader->uidnext, 5);
    assert_true(mailbox_modseq(reader, &reader->messages[3]) >
                mailbox_modseq(reader, &reader->messages[0]));
    mailbox_close(&reader);
}

/* The mailbox is as it would be from its names alone. */
static void an_index_that_is_lost_loses_nothing(void **state)
{
    struct box *box = *state;
    open_and_close(box);
    for (int i = 0; i < 5; i++) {
        char id[] = "0cw9x2k4m7q10";
        id[12] = (char)('a' + i);
        deliver(box, id, false);
    }
    assert_int_equal(unlinkat(box->fd, "m/" MAILBOX_INDEX_NAME, 0), 0);
    deliver(box, "0cw9x2k4m7q2a", false);
    struct mailbox *mailbox = mailbox_open(box->fd, "m", false);
    assert_non_null(mailbox);
    assert_int_equal(mailbox->count, 6);
    for (uint32_t i = 0; i < 5; i++)
        assert_int_equal(mailbox->messages[i].uid, i + 1);
    assert_true(mailbox->messages[5].uid > 5);
    mailbox_close(&mailbox);
}

static void in_doubt_it_is_a_plain_delivery(void **state)
{
    struct box *box = *state;
    deliver(box, "0cw9x2k4m7q1a", false); /* nobody was here */
    assert_int_equal(count_named(box, ",U="), 0);
    open_and_close(box);
    deliver(box, "0cw9x2k4m7q1b", true); /* it may be there already */
    assert_int_equal(count_named(box, ",U="), 0);
    int lock = openat(box->fd, "m/mailbox-lock", O_RDWR);
    assert_int_equal(flock(lock, LOCK_EX), 0);
    deliver(box, "0cw9x2k4m7q1c", false); /* a session is busy */
    assert_int_equal(count_named(box, ",U="), 0);
    io_close(&lock);
    int index = openat(box->fd, "m/" MAILBOX_INDEX_NAME, O_WRONLY | O_APPEND);
    assert_int_equal(write(index, "torn", 4), 4);
    io_close(&index);
    deliver(box, "0cw9x2k4m7q1d", false); /* the end of the log makes no sense */
    assert_int_equal(count_named(box, ",U="), 0);
    struct mailbox *mailbox = mailbox_open(box->fd, "m", false);
    assert_int_equal(mailbox->count, 4);
    mailbox_close(&mailbox);
    deliver(box, "0cw9x2k4m7q1e", false);
    assert_int_equal(count_named(box, ",U=5"), 1);
}

/* The session's own change gives new/ its time, and new/ is too long to be listed each time. */
static void one_without_the_lock_is_seen_behind_a_change_of_ours(void **state)
{
    struct box *box = *state;
    open_and_close(box);
    for (int i = 0; i < MANY; i++) {
        char id[] = "0cw9x2k4m7q00";
        id[11] = (char)('a' + i / 10);
        id[12] = (char)('0' + i % 10);
        deliver(box, id, false);
    }
    struct mailbox *mailbox = mailbox_open_to_fill(box->fd, "m");
    assert_non_null(mailbox);
    for (unsigned repeats = 0; repeats < 2; repeats++) {
        assert_true(mailbox_sync(mailbox));
        size_t count = mailbox->count;
        assert_true(mailbox_lock(mailbox));
        deliver(box, repeats ? "0cw9x2k4m7q1b" : "0cw9x2k4m7q1a", repeats);
        assert_true(mailbox_set_flags(mailbox, &mailbox->messages[repeats], MAILBOX_ADD,
                                      MAILDIR_FLAGGED, 0));
        assert_true(mailbox_unlock(mailbox));
        assert_true(mailbox_sync(mailbox));
        assert_int_equal(mailbox->count, count + 1);
    }
    assert_int_equal(mailbox->totals.in_new, MANY + 2);
    mailbox_close(&mailbox);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_delivery_has_its_uid_at_once),
        TEST(an_index_that_is_lost_loses_nothing),
        TEST(in_doubt_it_is_a_plain_delivery),
        TEST(one_without_the_lock_is_seen_behind_a_change_of_ours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
