/* mailboxadopt: a Maildir of Dovecot or Courier keeps UIDs, UIDVALIDITY, keywords, dates, POP3 names */
#include "box.h"

#include "clock.h"
#include "io.h"
#include "mailbox.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void put(struct box *box, const char *path, const char *content)
{
    int fd = openat(box->fd, path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0 && io_write_all(fd, slice_text(content), CLOCK_NEVER));
    io_close(&fd);
}

/* A message with the date that another server gave it. */
static void put_message(struct box *box, const char *path, time_t date)
{
    struct timespec times[2] = {{.tv_sec = date}, {.tv_sec = date}};
    put(box, path, "a: b\n\n");
    assert_int_equal(utimensat(box->fd, path, times, 0), 0);
}

static struct mailbox *open_box(struct box *box)
{
    struct mailbox *mailbox = mailbox_open(box->fd, "m", false);
    assert_non_null(mailbox);
    return mailbox;
}

static void assert_message(const struct mailbox *mailbox, size_t at, uint32_t uid, unsigned flags,
                           uint32_t keywords)
{
    assert_true(at < mailbox->count);
    assert_int_equal(mailbox->messages[at].uid, uid);
    assert_int_equal(mailbox->messages[at].flags, flags);
    assert_int_equal(mailbox->messages[at].keywords, keywords);
}

static void assert_file(struct box *box, const char *path, const char *content)
{
    struct str got;
    str_init(&got, 65536);
    bool is_there = io_read_file(box->fd, path, &got);
    assert_int_equal(is_there, content != NULL);
    assert_slice(str_slice(&got), content ? content : "");
    str_free(&got);
}

static const char uidlist[] = "3 V1700000001 N8 Gff\n"
                              "2 :1700000010.M1P1.h,S=6,W=8\n"
                              "5 Px-5 :1700000011.M2P1.h,S=6,W=8\n"
                              "6 :1700000012.M3P1.h\n";

static void put_dovecot(struct box *box)
{
    put(box, "m/dovecot-uidlist", uidlist);
    put(box, "m/dovecot-keywords", "0 $Forwarded\n3 NonJunk\n");
    put_message(box, "m/cur/1700000010.M1P1.h,S=6,W=8:2,Sad", 1600000000);
    put_message(box, "m/cur/1700000011.M2P1.h,S=6,W=8:2,", 1700000011);
    put_message(box, "m/new/1700000012.M3P1.h", 1700000030);
    put_message(box, "m/cur/1700000013.M4P1.h,S=7,W=9:2,F", 1700000013); /* not in the list */
}

static void assert_dovecot(struct box *box)
{
    struct mailbox *mailbox = open_box(box);
    assert_int_equal(mailbox->uidvalidity, 1700000001);
    assert_int_equal(mailbox->uidnext, 9);
    assert_int_equal(mailbox->count, 4);
    assert_message(mailbox, 0, 2, MAILDIR_SEEN, 9);
    assert_message(mailbox, 1, 5, 0, 0);
    assert_message(mailbox, 2, 6, 0, 0);
    assert_message(mailbox, 3, 8, MAILDIR_FLAGGED, 0);
    assert_int_equal(mailbox->messages[0].date, 1600000000);
    assert_int_equal(mailbox->messages[1].date, 1700000011);
    assert_int_equal(mailbox->messages[2].date, 1700000030);
    assert_int_equal(mailbox->messages[0].crlf_size, 8);
    assert_int_equal(mailbox->messages[3].size, 6); /* the name lied */
    assert_int_equal(mailbox_keyword(mailbox, SLICE("$forwarded"), false), 1);
    assert_int_equal(mailbox_keyword(mailbox, SLICE("NonJunk"), false), 8);
    mailbox_close(&mailbox);
}

static void dovecot(void **state)
{
    struct box *box = *state;
    put_dovecot(box);
    assert_dovecot(box);
    assert_file(box, "m/dovecot-uidlist", uidlist);
    assert_file(box, "m/mailbox-keywords", "$Forwarded\n\n\nNonJunk\n");
    assert_file(box, "m/mailbox-uidls", "5 x-5\n");
}

/* A folder is taken over once: what the other server writes later is nothing to us. */
static void afterwards_our_own_numbers_count(void **state)
{
    struct box *box = *state;
    put_dovecot(box);
    struct mailbox *mailbox = open_box(box);
    mailbox_close(&mailbox);
    put(box, "m/dovecot-uidlist", "3 V1800000000 N100 Gff\n50 :1700000020.M9P1.h\n");
    put_message(box, "m/new/1700000020.M9P1.h", 1700000020);
    mailbox = open_box(box);
    assert_int_equal(mailbox->uidvalidity, 1700000001);
    assert_int_equal(mailbox->count, 5);
    assert_message(mailbox, 4, 9, 0, 0);
    mailbox_close(&mailbox);
}

/* Killed before mailbox-uids was written: some files have their UIDs in their names. */
static void half_done_it_is_done_to_the_end(void **state)
{
    struct box *box = *state;
    put_dovecot(box);
    assert_int_equal(renameat(box->fd, "m/cur/1700000010.M1P1.h,S=6,W=8:2,Sad", box->fd,
                              "m/cur/1700000010.M1P1.h,S=6,W=8,T=1600000000,U=2:2,Sad"),
                     0);
    assert_int_equal(renameat(box->fd, "m/cur/1700000011.M2P1.h,S=6,W=8:2,", box->fd,
                              "m/cur/1700000011.M2P1.h,S=6,W=8,U=5:2,"),
                     0);
    struct mailbox *mailbox = open_box(box);
    assert_int_equal(mailbox->uidvalidity, 1700000001);
    assert_message(mailbox, 0, 2, MAILDIR_SEEN, 9);
    assert_message(mailbox, 1, 5, 0, 0);
    assert_message(mailbox, 2, 6, 0, 0);
    assert_true(mailbox->uidnext >= 9);
    assert_file(box, "m/mailbox-uidls", "5 x-5\n");
    mailbox_close(&mailbox);
}

/* Clients need not fetch everything again, and no UID is given out twice. */
static void a_lost_file_of_numbers_is_no_new_beginning(void **state)
{
    struct box *box = *state;
    put_dovecot(box);
    struct mailbox *mailbox = open_box(box);
    mailbox_close(&mailbox);
    put_message(box, "m/new/1700000040.M9P1.h", 1700000040);
    mailbox = open_box(box); /* has UID 9 now */
    mailbox_close(&mailbox);
    assert_int_equal(unlinkat(box->fd, "m/mailbox-uids", 0), 0);
    mailbox = open_box(box);
    assert_int_equal(mailbox->uidvalidity, 1700000001);
    assert_int_equal(mailbox->count, 5);
    assert_message(mailbox, 4, 9, 0, 0);
    assert_true(mailbox->uidnext > 1000000);
    mailbox_close(&mailbox);
}

static void one_uid_for_two_files_is_kept_by_one(void **state)
{
    struct box *box = *state;
    put(box, "m/dovecot-uidlist", "3 V77 N4\n3 :a\n3 :b\n1 :c\n");
    put_message(box, "m/cur/a:2,S", 1000000000);
    put_message(box, "m/cur/b:2,S", 1000000000);
    put_message(box, "m/cur/c:2,S", 1000000000);
    put_message(box, "m/new/c", 1000000000); /* and a name in both folders */
    struct mailbox *mailbox = open_box(box);
    assert_int_equal(mailbox->uidvalidity, 77);
    assert_int_equal(mailbox->count, 4);
    assert_int_equal(mailbox->messages[0].uid, 1);
    assert_int_equal(mailbox->messages[1].uid, 3);
    assert_int_equal(mailbox->messages[2].uid, 4);
    assert_int_equal(mailbox->messages[3].uid, 5);
    mailbox_close(&mailbox);
}

static void what_is_no_list_is_passed_over(void **state)
{
    struct box *box = *state;
    put(box, "m/dovecot-uidlist", "garbage\n");
    put(box, "m/courierimapuiddb", "1 55 9\n8 a\n");
    put_message(box, "m/cur/a:2,S", 1000000000);
    struct mailbox *mailbox = open_box(box);
    assert_int_equal(mailbox->uidvalidity, 55);
    assert_message(mailbox, 0, 8, MAILDIR_SEEN, 0);
    mailbox_close(&mailbox);
}

static void a_folder_or_link_is_no_list(void **state)
{
    struct box *box = *state;
    assert_int_equal(mkdirat(box->fd, "m/dovecot-uidlist", 0700), 0);
    assert_int_equal(symlinkat("/etc/passwd", box->fd, "m/courierimapuiddb"), 0);
    assert_int_equal(mkfifoat(box->fd, "m/courierpop3dsizelist", 0600), 0);
    put_message(box, "m/cur/a:2,S", 1000000000);
    struct mailbox *mailbox = open_box(box);
    assert_message(mailbox, 0, 1, MAILDIR_SEEN, 0);
    mailbox_close(&mailbox);
}

static void courier(void **state)
{
    struct box *box = *state;
    put(box, "m/courierimapuiddb", "1 1038161234 7\n2 1038161300.1_0.h,S=6\n6 1038161301.1_0.h\n");
    put(box, "m/courierpop3dsizelist",
        "/3 9 1038161200\n1038161300.1_0.h,S=6:2,S 8 4:1038161200:0\n");
    assert_int_equal(mkdirat(box->fd, "m/courierimapkeywords", 0700), 0);
    put(box, "m/courierimapkeywords/:list",
        "$Label1\nWork\n\n1038161300.1_0.h,S=6:0 1\n1038161301.1_0.h:1\n");
    put(box, "m/courierimapkeywords/1038161301.1_0.h", "Later\n$Label1\n");
    put(box, "m/courierimapkeywords/.1.1038161300.1_0.h,S=6", "Old\n");
    put_message(box, "m/cur/1038161300.1_0.h,S=6:2,RS", 1038161300);
    put_message(box, "m/new/1038161301.1_0.h", 1038161301);
    struct mailbox *mailbox = open_box(box);
    assert_int_equal(mailbox->uidvalidity, 1038161234);
    assert_int_equal(mailbox->uidnext, 7);
    assert_message(mailbox, 0, 2, MAILDIR_SEEN | MAILDIR_REPLIED, 3);
    assert_message(mailbox, 1, 6, 0, 5);
    assert_int_equal(mailbox_keyword(mailbox, SLICE("Later"), false), 4);
    mailbox_close(&mailbox);
    assert_file(box, "m/mailbox-uidls", "2 UID4-1038161200\n");
    /* What stands in the names now outlasts the index. */
    assert_int_equal(unlinkat(box->fd, "m/mailbox-index", 0), 0);
    mailbox = open_box(box);
    assert_message(mailbox, 1, 6, 0, 5);
    mailbox_close(&mailbox);
}

static void twenty_thousand(void **state)
{
    enum { COUNT = 20000 };
    struct box *box = *state;
    struct str list;
    char path[96];
    str_init(&list, 1 << 24);
    str_append_text(&list, "3 V9 N5\n");
    for (unsigned i = 1; i <= COUNT; i++) {
        str_format(&list, "%u :17%08u.M%uP1.h,S=0,W=0\n", i * 3, (COUNT - i) * 7, i);
        snprintf(path, sizeof path, "m/cur/17%08u.M%uP1.h,S=0,W=0:2,S", (COUNT - i) * 7, i);
        put(box, path, "");
    }
    assert_non_null(str_text(&list));
    put(box, "m/dovecot-uidlist", str_text(&list));
    str_free(&list);
    int64_t begin = clock_microseconds();
    struct mailbox *mailbox = open_box(box);
    assert_true(clock_microseconds() - begin < INT64_C(30000000));
    assert_int_equal(mailbox->count, COUNT);
    for (unsigned i = 0; i < COUNT; i++)
        assert_int_equal(mailbox->messages[i].uid, (i + 1) * 3);
    mailbox_close(&mailbox);
}

/* kill -9 at any moment: what comes next does the rest, and all comes to the same. */
static void killed_at_any_moment(void **state)
{
    enum { COUNT = 400, KILLS = 40 };
    struct box *box = *state;
    struct str list;
    char path[96];
    str_init(&list, 1 << 20);
    str_append_text(&list, "3 V9 N5000\n");
    for (unsigned i = 1; i <= COUNT; i++) {
        if (i % 10 != 0)
            str_format(&list, "%u Pname-%u :17%08u.M%uP1.h\n", i * 3, i, COUNT - i, i);
        snprintf(path, sizeof path, "m/%s/17%08u.M%uP1.h", i % 7 ? "cur" : "new", COUNT - i, i);
        put(box, path, "x");
    }
    assert_non_null(str_text(&list));
    put(box, "m/dovecot-uidlist", str_text(&list));
    str_free(&list);
    for (unsigned i = 0; i < KILLS; i++) {
        struct timespec wait = {.tv_nsec = 50000 + i * 200000};
        int status;
        pid_t child = fork();
        if (child == 0)
            _exit(mailbox_open(box->fd, "m", false) ? 0 : 1);
        nanosleep(&wait, NULL);
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, &status, 0), child);
    }
    struct mailbox *mailbox = open_box(box);
    assert_int_equal(mailbox->uidvalidity, 9);
    assert_int_equal(mailbox->count, COUNT);
    unsigned named = 0;
    for (size_t i = 0; i < COUNT; i++) {
        char name[MAILBOX_NAME_SIZE];
        unsigned number;
        assert_true(mailbox_name(mailbox, &mailbox->messages[i], name));
        assert_int_equal(sscanf(strchr(name, 'M'), "M%uP1", &number), 1);
        if (number % 10 != 0)
            assert_int_equal(mailbox->messages[i].uid, number * 3);
        else
            assert_true(mailbox->messages[i].uid >= 5000);
    }
    mailbox_close(&mailbox);
    struct str names;
    str_init(&names, 1 << 20);
    assert_true(io_read_file(box->fd, "m/mailbox-uidls", &names));
    for (struct slice rest = str_slice(&names); rest.size > 0; named++)
        (void)slice_cut(&rest, '\n');
    assert_int_equal(named, COUNT - COUNT / 10);
    str_free(&names);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(dovecot),
        TEST(afterwards_our_own_numbers_count),
        TEST(half_done_it_is_done_to_the_end),
        TEST(a_lost_file_of_numbers_is_no_new_beginning),
        TEST(one_uid_for_two_files_is_kept_by_one),
        TEST(what_is_no_list_is_passed_over),
        TEST(a_folder_or_link_is_no_list),
        TEST(courier),
        TEST(twenty_thousand),
        TEST(killed_at_any_moment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
