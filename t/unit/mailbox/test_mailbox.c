/* mailbox: UIDs, flags, several sessions, other programs' files, what survives a kill */
#include "box.h"

#include "clock.h"
#include "io.h"
#include "mailbox.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- helpers -----------------------------------------------------------------------------------
 */

static void put(struct box *box, const char *path, const char *content)
{
    int fd = openat(box->fd, path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    if (fd < 0)
        fail_msg("%s: %s", path, strerror(errno));
    assert_true(io_write_all(fd, slice_text(content), CLOCK_NEVER));
    io_close(&fd);
}

static void deliver(struct box *box, const char *folder, const char *content)
{
    struct maildir_delivery delivery;
    assert_true(maildir_begin(&delivery, box->fd, folder, NULL, "mail1"));
    assert_true(maildir_write(&delivery, slice_text(content)));
    assert_int_equal(maildir_commit(&delivery), VERDICT_OK);
}

static struct mailbox *open_box(struct box *box, const char *folder, bool read_only)
{
    struct mailbox *mailbox = mailbox_open(box->fd, folder, read_only);
    if (!mailbox)
        fail_msg("open %s: %s", folder, strerror(errno));
    return mailbox;
}

static size_t count_files(struct box *box, const char *folder)
{
    size_t count = 0;
    int fd = openat(box->fd, folder, O_RDONLY | O_DIRECTORY);
    DIR *list = fdopendir(fd);
    assert_non_null(list);
    for (struct dirent *entry; (entry = readdir(list));)
        count += entry->d_name[0] != '.';
    closedir(list);
    return count;
}

static bool is_there(struct box *box, const char *folder, const char *name)
{
    char path[PATH_MAX];
    struct stat info;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return fstatat(box->fd, path, &info, AT_SYMLINK_NOFOLLOW) == 0;
}

static void read_uids(struct box *box, unsigned *uidvalidity, unsigned *uidnext)
{
    char content[128] = "";
    int fd = openat(box->fd, "m/mailbox-uids", O_RDONLY);
    assert_true(read(fd, content, sizeof content - 1) > 0);
    io_close(&fd);
    assert_int_equal(sscanf(content, "uidvalidity %u\nuidnext %u\n", uidvalidity, uidnext), 2);
}

static void write_uids(struct box *box, const char *content)
{
    assert_true(unlinkat(box->fd, "m/mailbox-uids", 0) == 0);
    if (content)
        put(box, "m/mailbox-uids", content);
}

static const char *name_of(const struct mailbox *mailbox, const struct mailbox_message *message)
{
    static char names[2][MAILBOX_NAME_SIZE];
    static unsigned turn;
    char *name = names[turn++ % 2];
    assert_true(mailbox_name(mailbox, message, name));
    return name;
}

/* Sorted, no UID twice, all below uidnext, every file there. */
static void assert_sound(struct box *box, struct mailbox *mailbox)
{
    for (size_t i = 0; i < mailbox->count; i++) {
        const struct mailbox_message *message = &mailbox->messages[i];
        struct maildir_name facts;
        assert_true(i == 0 || mailbox->messages[i - 1].uid < message->uid);
        assert_true(message->uid < mailbox->uidnext);
        assert_true(maildir_parse_name(slice_text(name_of(mailbox, message)), &facts));
        assert_int_equal(facts.uid, message->uid);
        assert_true(message->gone ||
                    is_there(box, message->in_new ? "m/new" : "m/cur", name_of(mailbox, message)));
    }
}

/* ---- new messages ------------------------------------------------------------------------------
 */

static void new_messages_get_uids_in_order_of_arrival(void **state)
{
    struct box *box = *state;
    put(box, "m/new/1000000300.c.h,S=3,W=3", "c\r\n");
    put(box, "m/new/1000000100.b.h,S=3,W=3", "b\r\n");
    put(box, "m/new/1000000100.a.h,S=3,W=3", "a\r\n");
    put(box, "m/new/999999999.z.h,S=3,W=3", "z\r\n");
    struct mailbox *mailbox = open_box(box, "m", false);
    assert_int_equal(mailbox->count, 4);
    assert_int_equal(mailbox->uidnext, 5);
    static const char *const order[] = {"999999999.z", "1000000100.a", "1000000100.b",
                                        "1000000300.c"};
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(mailbox->messages[i].uid, i + 1);
        assert_true(strncmp(name_of(mailbox, &mailbox->messages[i]), order[i], strlen(order[i])) ==
                    0);
        assert_true(mailbox->messages[i].recent);
        assert_false(mailbox->messages[i].in_new);
        assert_int_equal(mailbox->messages[i].size, 3);
        assert_int_equal(mailbox->messages[i].crlf_size, 3);
    }
    assert_int_equal(count_files(box, "m/new"), 0);
    assert_int_equal(count_files(box, "m/cur"), 4);
    assert_sound(box, mailbox);
    mailbox_close(&mailbox);
    assert_null(mailbox);

    mailbox = open_box(box, "m", false);
    assert_int_equal(mailbox->count, 4);
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(mailbox->messages[i].uid, i + 1);
        assert_false(mailbox->messages[i].recent);
    }
    mailbox_close(&mailbox);
}

static void examine_leaves_messages_new(void **state)
{
    struct box *box = *state;
    deliver(box, "m", "a\r\n");
    struct mailbox *mailbox = open_box(box, "m", true);
    assert_int_equal(mailbox->count, 1);
    assert_int_equal(mailbox->messages[0].uid, 1);
    assert_true(mailbox->messages[0].recent && mailbox->messages[0].in_new);
    assert_int_equal(count_files(box, "m/new"), 1);
    assert_sound(box, mailbox);
    assert_false(mailbox_set_flags(mailbox, &mailbox->messages[0], MAILBOX_ADD, MAILDIR_SEEN, 0));
    assert_int_equal(errno, EROFS);
    assert_false(mailbox_remove(mailbox, &mailbox->messages[0]));

    struct mailbox *writer = open_box(box, "m", false);
    assert_int_equal(writer->messages[0].uid, 1);
    assert_true(writer->messages[0].recent);
    assert_int_equal(count_files(box, "m/new"), 0);
    /* The reader finds the message where it went. */
    int fd = mailbox_open_message(mailbox, &mailbox->messages[0]);
    assert_true(fd >= 0);
    io_close(&fd);
    assert_true(mailbox_sync(mailbox));
    assert_int_equal(mailbox->count, 1);
    assert_false(mailbox->messages[0].gone || mailbox->messages[0].in_new);
    mailbox_close(&writer);
    mailbox_close(&mailbox);
}

static void many_messages_are_taken_at_once(void **state)
{
    struct box *box = *state;
    enum { MANY = 3000 };
    for (int i = 0; i < MANY; i++) {
        char path[64];
        snprintf(path, sizeof path, "m/new/%d.M%dP1.h,S=2,W=2", 1000000000 + i / 10, i);
        put(box, path, "\r\n");
    }
    int64_t start = clock_ms();
    struct mailbox *mailbox = open_box(box, "m", false);
    /* A sync for each would take longer by far. */
    assert_true(clock_ms() - start < 3000);
    assert_int_equal(mailbox->count, MANY);
    assert_int_equal(mailbox->uidnext, MANY + 1);
    assert_sound(box, mailbox);
    for (uint32_t uid = 0; uid <= MANY + 1; uid++)
        assert_true((mailbox_find(mailbox, uid) != NULL) == (uid >= 1 && uid <= MANY));
    mailbox_close(&mailbox);
}

/* ---- files of other programs -------------------------------------------------------------------
 */

static void foreign_files_are_handled(void **state)
{
    struct box *box = *state;
    char longest[NAME_MAX + 1], path[NAME_MAX + 16];
    memset(longest, 'x', NAME_MAX);
    longest[NAME_MAX] = '\0';
    snprintf(path, sizeof path, "m/new/%s", longest);
    put(box, path, "long\n");
    memcpy(longest, "1000000001.", 11);
    memcpy(longest + NAME_MAX - 5, ":2,FS", 5);
    snprintf(path, sizeof path, "m/cur/%s", longest);
    put(box, path, "flagged\n");
    put(box, "m/cur/1276528487.M364837P9451.kurkku,S=2,W=3:2,RS", "d\n");
    put(box, "m/cur/1024000000.M1P2V3I4.host,S=2:2,T", "c\n");
    put(box, "m/cur/message", "no time\n");
    put(box, "m/new/a\nb", "newline\n");
    put(box, "m/new/1.a:2,S", "flags in new\n");
    put(box, "m/cur/.hidden", "");
    assert_int_equal(mkdirat(box->fd, "m/cur/1.folder:2,", 0700), 0);
    assert_int_equal(mkfifoat(box->fd, "m/new/1.fifo", 0600), 0);
    assert_int_equal(symlinkat("/etc/passwd", box->fd, "m/new/1.link"), 0);

    struct mailbox *mailbox = open_box(box, "m", false);
    assert_int_equal(mailbox->count, 7);
    assert_sound(box, mailbox);
    assert_true(is_there(box, "m/cur", ".hidden") && is_there(box, "m/cur", "1.folder:2,"));
    assert_true(is_there(box, "m/new", "1.fifo") && is_there(box, "m/new", "1.link"));
    for (size_t i = 0; i < mailbox->count; i++) {
        struct mailbox_message *message = &mailbox->messages[i];
        struct str text;
        uint64_t size = 0;
        str_init(&text, 100);
        assert_true(mailbox_read_message(mailbox, message, &text));
        assert_true(mailbox_crlf_size(mailbox, message, &size));
        assert_int_equal(size, text.size);
        assert_true(slice_ends(str_slice(&text), SLICE("\r\n")));
        if (slice_equal(str_slice(&text), SLICE("flagged\r\n")))
            assert_int_equal(message->flags, MAILDIR_FLAGGED | MAILDIR_SEEN);
        if (slice_equal(str_slice(&text), SLICE("d\r\n")))
            assert_int_equal(message->flags, MAILDIR_REPLIED | MAILDIR_SEEN);
        if (slice_equal(str_slice(&text), SLICE("flags in new\r\n")))
            assert_int_equal(message->flags, MAILDIR_SEEN);
        str_free(&text);
    }
    mailbox_close(&mailbox);
    mailbox = open_box(box, "m", false);
    assert_int_equal(mailbox->count, 7);
    assert_int_equal(mailbox->uidnext, 8);
    mailbox_close(&mailbox);
}

static void the_date_of_the_file_counts_where_the_name_differs(void **state)
{
    struct box *box = *state;
    put(box, "m/cur/1276528487.M364837P9451.kurkku,S=2,W=3:2,S", "d\n");
    struct timespec times[2] = {{.tv_sec = 1200000000}, {.tv_sec = 1200000000}};
    assert_int_equal(
        utimensat(box->fd, "m/cur/1276528487.M364837P9451.kurkku,S=2,W=3:2,S", times, 0), 0);
    put(box, "m/cur/1276528487.close,S=2,W=3:2,S", "d\n");
    times[1].tv_sec = 1276528490;
    assert_int_equal(utimensat(box->fd, "m/cur/1276528487.close,S=2,W=3:2,S", times, 0), 0);
    for (int round = 0; round < 2; round++) { /* the second time it stands in the name */
        struct mailbox *mailbox = open_box(box, "m", false);
        assert_int_equal(mailbox->messages[0].date, 1200000000);
        assert_int_equal(mailbox->messages[1].date, 1276528487);
        mailbox_close(&mailbox);
    }
}

static void a_uid_in_two_files_is_kept_by_one(void **state)
{
    struct box *box = *state;
    put(box, "m/cur/1000000001.a,S=3,W=3,U=5:2,", "a\r\n");
    put(box, "m/cur/1000000002.b,S=3,W=3,U=5:2,", "b\r\n");
    put(box, "m/cur/1000000001.a,S=3,W=3,U=5:2,S", "c\r\n");
    put(box, "m/cur/1000000003.d,S=3,W=3,U=4294967295:2,", "d\r\n");
    struct mailbox *mailbox = open_box(box, "m", false);
    assert_int_equal(mailbox->count, 4);
    assert_sound(box, mailbox);
    assert_int_equal(mailbox->messages[0].uid, 5);
    assert_int_equal(mailbox->messages[3].uid, 8);

    /* A copy made by hand while a session is open, of an old UID and of the highest one. */
    put(box, "m/cur/1000000009.e,S=3,W=3,U=5:2,", "e\r\n");
    put(box, "m/cur/1000000009.f,S=3,W=3,U=2:2,", "f\r\n");
    usleep(120000);
    put(box, "m/cur/1000000009.g,S=3,W=3,U=8:2,", "g\r\n");
    assert_true(mailbox_sync(mailbox));
    assert_int_equal(mailbox->count, 7);
    assert_sound(box, mailbox);
    assert_int_equal(mailbox->messages[0].uid, 5);
    assert_int_equal(mailbox->messages[6].uid, 11);
    mailbox_close(&mailbox);
}

/* ---- mailbox-uids ------------------------------------------------------------------------------
 */

static void uids_never_come_back(void **state)
{
    struct box *box = *state;
    deliver(box, "m", "a\r\n");
    deliver(box, "m", "b\r\n");
    struct mailbox *mailbox = open_box(box, "m", false);
    uint32_t uidvalidity = mailbox->uidvalidity;
    assert_true(uidvalidity > 1000000000);
    assert_true(mailbox_remove(mailbox, &mailbox->messages[1]));
    assert_true(mailbox->messages[1].gone);
    mailbox_close(&mailbox);
    mailbox = open_box(box, "m", false);
    assert_int_equal(mailbox->count, 1);
    assert_int_equal(mailbox->uidnext, 3);
    assert_int_equal(mailbox->uidvalidity, uidvalidity);
    deliver(box, "m", "c\r\n");
    assert_true(mailbox_sync(mailbox));
    assert_int_equal(mailbox->messages[1].uid, 3);
    mailbox_close(&mailbox);
}

static void lost_numbers_are_made_again(void **state)
{
    struct box *box = *state;
    unsigned uidvalidity, uidnext;
    put(box, "m/cur/1000000001.a,S=3,W=3,U=41:2,", "a\r\n");
    put(box, "m/mailbox-uids", "uidvalidity 0000000077\nuidnext 0000000050\n");
    struct mailbox *mailbox = open_box(box, "m", false);
    assert_int_equal(mailbox->uidvalidity, 77);
    assert_int_equal(mailbox->uidnext, 50);
    mailbox_close(&mailbox);

    write_uids(box, NULL);
    mailbox = open_box(box, "m", false);
    assert_true(mailbox->uidvalidity > 77);
    assert_int_equal(mailbox->messages[0].uid, 41);
    assert_int_equal(mailbox->uidnext, 42);
    mailbox_close(&mailbox);

    /* Where UIDVALIDITY can be read, it stays, and UIDs keep clear of those that may be in use. */
    static const char *const damaged[] = {"uidvalidity 78\n", "uidvalidity 78\nuidnext x\n",
                                          "uidvalidity 78\nuidnext 0\n",
                                          "uidvalidity 78\nuidnext 99999999999\n"};
    for (size_t i = 0; i < sizeof damaged / sizeof *damaged; i++) {
        write_uids(box, damaged[i]);
        mailbox = open_box(box, "m", false);
        assert_int_equal(mailbox->uidvalidity, 78);
        assert_true(mailbox->uidnext > 1000000);
        mailbox_close(&mailbox);
        read_uids(box, &uidvalidity, &uidnext);
        assert_int_equal(uidvalidity, 78);
        assert_true(uidnext > 1000000);
    }
    static const char *const garbage[] = {"", "\n\n\n", "uidvalidity\n", "uidnext 5\n",
                                          "uidvalidity -1\nuidnext 5\n"};
    for (size_t i = 0; i < sizeof garbage / sizeof *garbage; i++) {
        write_uids(box, garbage[i]);
        mailbox = open_box(box, "m", false);
        assert_true(mailbox->uidvalidity > 78);
        assert_int_equal(mailbox->uidnext, 42);
        mailbox_close(&mailbox);
    }
    /* Written by hand. */
    write_uids(box, "uidvalidity 5\nuidnext 100\n");
    deliver(box, "m", "b\r\n");
    mailbox = open_box(box, "m", false);
    assert_int_equal(mailbox->uidvalidity, 5);
    assert_int_equal(mailbox->messages[1].uid, 100);
    assert_int_equal(mailbox->uidnext, 101);
    mailbox_close(&mailbox);
}

static void names_tell_what_the_file_has_missed(void **state)
{
    struct box *box = *state;
    put(box, "m/cur/1000000001.a,S=3,W=3,U=60:2,", "a\r\n");
    put(box, "m/mailbox-uids", "uidvalidity 0000000077\nuidnext 0000000050\n");
    deliver(box, "m", "b\r\n");
    struct mailbox *mailbox = open_box(box, "m", false);
    assert_int_equal(mailbox->uidvalidity, 77);
    assert_int_equal(mailbox->messages[1].uid, 61);
    assert_int_equal(mailbox->uidnext, 62);
    mailbox_close(&mailbox);
}

/* ---- several sessions --------------------------------------------------------------------------
 */

static void sessions_see_each_other(void **state)
{
    struct box *box = *state;
    deliver(box, "m", "a\r\n");
    deliver(box, "m", "b\r\n");
    deliver(box, "m", "c\r\n");
    struct mailbox *one = open_box(box, "m", false), *two = open_box(box, "m", false);
    uint32_t keyword = mailbox_keyword(one, SLICE("$Forwarded"), true);
    assert_int_equal(keyword, 1);
    assert_true(mailbox_set_flags(one, &one->messages[0], MAILBOX_ADD, MAILDIR_SEEN, keyword));
    assert_false(one->messages[0].changed);
    assert_true(mailbox_remove(one, &one->messages[1]));
    deliver(box, "m", "d\r\n");

    assert_true(mailbox_sync(two));
    assert_int_equal(two->count, 4);
    assert_true(two->messages[0].changed);
    assert_int_equal(two->messages[0].flags, MAILDIR_SEEN);
    assert_int_equal(two->messages[0].keywords, 1);
    assert_string_equal(two->keywords[0], "$Forwarded");
    assert_int_equal(mailbox_keyword(two, SLICE("$FORWARDED"), false), 1);
    assert_true(two->messages[1].gone);
    assert_false(two->messages[2].changed || two->messages[2].gone);
    assert_true(two->messages[3].recent);
    mailbox_forget_gone(two);
    assert_int_equal(two->count, 3);
    assert_int_equal(two->messages[1].uid, 3);

    assert_true(mailbox_sync(one));
    assert_int_equal(one->count, 4);
    assert_false(one->messages[0].changed);
    assert_false(one->messages[3].recent);
    assert_sound(box, one);
    assert_sound(box, two);
    mailbox_close(&one);
    mailbox_close(&two);
}

static void changes_of_both_sessions_are_kept(void **state)
{
    struct box *box = *state;
    deliver(box, "m", "a\r\n");
    struct mailbox *one = open_box(box, "m", false), *two = open_box(box, "m", false);
    assert_true(mailbox_set_flags(one, &one->messages[0], MAILBOX_ADD, MAILDIR_SEEN, 0));
    /* Two knows nothing of it: the file has another name now. */
    assert_true(mailbox_set_flags(two, &two->messages[0], MAILBOX_ADD, MAILDIR_FLAGGED, 0));
    assert_int_equal(two->messages[0].flags, MAILDIR_SEEN | MAILDIR_FLAGGED);
    assert_true(mailbox_set_flags(one, &one->messages[0], MAILBOX_REMOVE, MAILDIR_SEEN, 0));
    assert_int_equal(one->messages[0].flags, MAILDIR_FLAGGED);
    int fd = mailbox_open_message(two, &two->messages[0]);
    assert_true(fd >= 0);
    io_close(&fd);
    assert_true(mailbox_set_flags(two, &two->messages[0], MAILBOX_REPLACE, 0, 0));
    assert_int_equal(two->messages[0].flags, 0);

    assert_true(mailbox_remove(one, &one->messages[0]));
    assert_int_equal(mailbox_open_message(two, &two->messages[0]), -1);
    assert_int_equal(errno, ENOENT);
    assert_true(two->messages[0].gone);
    assert_true(mailbox_remove(two, &two->messages[0]));
    assert_false(mailbox_set_flags(two, &two->messages[0], MAILBOX_ADD, MAILDIR_SEEN, 0));
    assert_int_equal(count_files(box, "m/cur"), 0);
    mailbox_close(&one);
    mailbox_close(&two);
}

static void a_following_of_names_loses_no_new_message(void **state)
{
    struct box *box = *state;
    deliver(box, "m", "a\r\n");
    struct mailbox *one = open_box(box, "m", false), *two = open_box(box, "m", false);
    assert_true(mailbox_set_flags(one, &one->messages[0], MAILBOX_ADD, MAILDIR_SEEN, 0));
    deliver(box, "m", "b\r\n");
    int fd = mailbox_open_message(two, &two->messages[0]);
    assert_true(fd >= 0);
    io_close(&fd);
    assert_true(mailbox_set_flags(two, &two->messages[0], MAILBOX_ADD, MAILDIR_REPLIED, 0));
    assert_true(mailbox_sync(two));
    assert_int_equal(two->count, 2);
    mailbox_close(&one);
    mailbox_close(&two);
}

/* A program without our lock: mutt on the server. */
static void foreign_renames_are_followed(void **state)
{
    struct box *box = *state;
    char old[NAME_MAX + 8], new[NAME_MAX + 16];
    deliver(box, "m", "a\r\n");
    struct mailbox *mailbox = open_box(box, "m", false);
    snprintf(old, sizeof old, "m/cur/%s", name_of(mailbox, &mailbox->messages[0]));
    snprintf(new, sizeof new, "%sFS", old);
    usleep(120000); /* another tick of the folder's clock */
    assert_int_equal(renameat(box->fd, old, box->fd, new), 0);
    assert_true(mailbox_sync(mailbox));
    assert_int_equal(mailbox->count, 1);
    assert_int_equal(mailbox->messages[0].flags, MAILDIR_FLAGGED | MAILDIR_SEEN);
    assert_true(mailbox->messages[0].changed);
    assert_int_equal(unlinkat(box->fd, new, 0), 0);
    assert_true(mailbox_sync(mailbox));
    assert_true(mailbox->messages[0].gone);
    mailbox_close(&mailbox);
}

/* A folder whose time is that of the last look is not listed: a file that vanished from it and left
 * the time as it was is still believed to be there. */
static void an_unchanged_folder_is_not_listed(void **state)
{
    struct box *box = *state;
    struct stat info;
    char path[NAME_MAX + 8];
    deliver(box, "m", "a\r\n");
    deliver(box, "m", "b\r\n");
    struct mailbox *mailbox = open_box(box, "m", false);
    assert_true(mailbox_set_flags(mailbox, &mailbox->messages[1], MAILBOX_ADD, MAILDIR_SEEN, 0));
    assert_int_equal(fstat(mailbox->cur, &info), 0);
    struct timespec times[2] = {info.st_atim, info.st_mtim};
    snprintf(path, sizeof path, "m/cur/%s", name_of(mailbox, &mailbox->messages[0]));
    assert_int_equal(unlinkat(box->fd, path, 0), 0);
    assert_int_equal(futimens(mailbox->cur, times), 0);
    assert_true(mailbox_sync(mailbox));
    assert_false(mailbox->messages[0].gone);
    times[1].tv_nsec ^= 1;
    assert_int_equal(futimens(mailbox->cur, times), 0);
    assert_true(mailbox_sync(mailbox));
    assert_true(mailbox->messages[0].gone);
    mailbox_close(&mailbox);
}

static void a_lock_file_that_was_removed_is_no_lock(void **state)
{
    struct box *box = *state;
    deliver(box, "m", "a\r\n");
    struct mailbox *one = open_box(box, "m", false);
    assert_int_equal(unlinkat(box->fd, "m/mailbox-lock", 0), 0);
    struct mailbox *two = open_box(box, "m", false);
    assert_true(mailbox_lock(two));
    assert_true(mailbox_unlock(two));
    assert_true(mailbox_lock(one));
    struct stat mine, there;
    assert_int_equal(fstat(one->lock, &mine), 0);
    assert_int_equal(fstatat(box->fd, "m/mailbox-lock", &there, 0), 0);
    assert_int_equal(mine.st_ino, there.st_ino);
    assert_true(mailbox_unlock(one));
    mailbox_close(&one);
    mailbox_close(&two);
}

/* ---- reading -----------------------------------------------------------------------------------
 */

static const struct {
    const char *stored, *wire;
} forms[] = {
    {"", ""},
    {"\n", "\r\n"},
    {"\r\n", "\r\n"},
    {"a\nb\n", "a\r\nb\r\n"},
    {"a\r\nb\r\n", "a\r\nb\r\n"},
    {"a\r\nb\nc", "a\r\nb\r\nc"},
    {"\n\n\r\n\n", "\r\n\r\n\r\n\r\n"},
    {"a\r\r\n\r", "a\r\r\n\r"},
    {"a\rb\nc", "a\rb\r\nc"},
};

static void messages_are_read_in_wire_form(void **state)
{
    struct box *box = *state;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        char path[64];
        snprintf(path, sizeof path, "m/new/%zu.x", 1000000000 + i);
        put(box, path, forms[i].stored);
    }
    struct mailbox *mailbox = open_box(box, "m", false);
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        struct mailbox_message *message = &mailbox->messages[i];
        struct str text;
        uint64_t size;
        str_init(&text, 100);
        str_append_text(&text, "in front ");
        assert_true(mailbox_read_message(mailbox, message, &text));
        assert_slice(slice_from(str_slice(&text), 9), forms[i].wire);
        assert_int_equal(message->crlf_size, strlen(forms[i].wire));
        assert_true(mailbox_crlf_size(mailbox, message, &size));
        assert_int_equal(size, strlen(forms[i].wire));
        str_free(&text);

        str_init(&text, strlen(forms[i].wire));
        assert_true(mailbox_read_message(mailbox, message, &text));
        str_free(&text);
        str_init(&text, strlen(forms[i].wire) > 0 ? strlen(forms[i].wire) - 1 : 0);
        if (forms[i].wire[0] != '\0') {
            assert_false(mailbox_read_message(mailbox, message, &text));
            assert_int_equal(errno, EFBIG);
            assert_int_equal(text.size, 0);
        }
        str_free(&text);
    }
    mailbox_close(&mailbox);
    /* What was found out stands in the names. */
    mailbox = open_box(box, "m", false);
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        assert_int_equal(mailbox->messages[i].crlf_size, strlen(forms[i].wire));
    mailbox_close(&mailbox);
}

static void a_name_that_lies_is_not_believed(void **state)
{
    struct box *box = *state;
    put(box, "m/cur/1000000001.a,S=500,W=500,U=1:2,", "a\nb\n");
    struct mailbox *mailbox = open_box(box, "m", false);
    struct str text;
    str_init(&text, 1000);
    assert_true(mailbox_read_message(mailbox, &mailbox->messages[0], &text));
    assert_slice(str_slice(&text), "a\r\nb\r\n");
    assert_int_equal(mailbox->messages[0].crlf_size, 6);
    assert_int_equal(mailbox->messages[0].size, 4);
    str_free(&text);
    mailbox_close(&mailbox);
}

/* ---- keywords ----------------------------------------------------------------------------------
 */

static void there_are_26_keywords(void **state)
{
    struct box *box = *state;
    struct mailbox *mailbox = open_box(box, "m", false);
    char longest[MAILBOX_KEYWORD_MAX + 2];
    memset(longest, 'k', sizeof longest);
    assert_int_equal(mailbox_keyword(mailbox, SLICE("k0"), false), 0);
    for (unsigned i = 0; i < MAILDIR_KEYWORDS; i++) {
        char name[16];
        snprintf(name, sizeof name, "k%u", i);
        assert_int_equal(mailbox_keyword(mailbox, slice_text(name), true), 1u << i);
        assert_int_equal(mailbox_keyword(mailbox, slice_text(name), true), 1u << i);
    }
    assert_int_equal(mailbox_keyword(mailbox, SLICE("k26"), true), 0);
    assert_int_equal(mailbox_keyword(mailbox, SLICE("K25"), true), 1u << 25);
    mailbox_close(&mailbox);
    mailbox = open_box(box, "m", false);
    assert_string_equal(mailbox->keywords[0], "k0");
    assert_string_equal(mailbox->keywords[25], "k25");
    mailbox_close(&mailbox);
}

static void odd_keywords_are_refused(void **state)
{
    struct box *box = *state;
    struct mailbox *mailbox = open_box(box, "m", false);
    char longest[MAILBOX_KEYWORD_MAX + 1];
    memset(longest, 'k', sizeof longest);
    static const char *const odd[] = {"",       "a b", "a\nb",     "a(b", "a\"",
                                      "\\Seen", "a]",  "\xc3\xa4", "*"};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
        assert_int_equal(mailbox_keyword(mailbox, slice_text(odd[i]), true), 0);
    assert_int_equal(mailbox_keyword(mailbox, slice_of(longest, sizeof longest), true), 0);
    assert_int_equal(mailbox_keyword(mailbox, slice_of(longest, sizeof longest - 1), true), 1);
    mailbox_close(&mailbox);
    assert_false(is_there(box, "m", "mailbox-keywords.tmp"));
}

static void letters_in_use_get_no_new_meaning(void **state)
{
    struct box *box = *state;
    put(box, "m/cur/1000000001.a,S=3,W=3,U=1:2,ac", "a\r\n");
    put(box, "m/mailbox-keywords", "\n\xff\nbad one\n");
    struct mailbox *mailbox = open_box(box, "m", false);
    assert_null(mailbox->keywords[0]);
    assert_int_equal(mailbox_keyword(mailbox, SLICE("one"), true), 1u << 1);
    assert_int_equal(mailbox_keyword(mailbox, SLICE("two"), true), 1u << 3);
    mailbox_close(&mailbox);
}

/* ---- APPEND, COPY, MOVE ------------------------------------------------------------------------
 */

static uint32_t append(struct mailbox *mailbox, const char *content, unsigned flags,
                       uint32_t keywords, int64_t date)
{
    struct mailbox_append append = {.flags = flags, .keywords = keywords, .date = date};
    uint32_t uid = 0;
    assert_true(mailbox_append_begin(mailbox, &append));
    assert_true(mailbox_append_write(&append, slice_text(content)));
    assert_true(mailbox_append_commit(mailbox, &append, &uid));
    return uid;
}

/* RFC 3501 6.3.11, 6.4.7: what APPEND and COPY bring is recent, and so stays what was delivered. */
static void what_is_put_in_is_recent_for_who_selects(void **state)
{
    struct box *box = *state;
    deliver(box, "m", "a\r\n");
    struct mailbox *from = open_box(box, "m", false);
    deliver(box, "m", "delivered\r\n");
    struct mailbox *filled = mailbox_open_to_fill(box->fd, "m");
    assert_non_null(filled);
    assert_int_equal(append(filled, "b\r\n", MAILDIR_SEEN, 0, 0), 3);
    uint32_t uid;
    assert_true(mailbox_lock_both(from, filled));
    for (uint32_t i = 0; i < 3; i++) {
        assert_true(mailbox_copy(from, &from->messages[0], filled, false, &uid));
        assert_int_equal(uid, 4 + i);
    }
    assert_true(mailbox_unlock_both(from, filled));
    assert_int_equal(count_files(box, "m/cur"), 1);
    assert_int_equal(count_files(box, "m/new"), 5);
    assert_true(mailbox_remove(filled, mailbox_find(filled, 6)));
    mailbox_close(&filled);

    struct mailbox *mailbox = open_box(box, "m", false);
    assert_int_equal(mailbox->count, 5);
    for (size_t i = 0; i < mailbox->count; i++) {
        assert_int_equal(mailbox->messages[i].uid, i + 1);
        assert_int_equal(mailbox->messages[i].recent, i > 0);
    }
    assert_int_equal(mailbox->messages[2].flags, MAILDIR_SEEN);
    assert_int_equal(count_files(box, "m/new"), 0);
    assert_true(mailbox_sync(from));
    mailbox_forget_gone(from);
    assert_int_equal(from->count, 5);
    assert_sound(box, mailbox);
    mailbox_close(&mailbox);
    mailbox_close(&from);
}

/* Ageing and purging work on what is there, also where another program was at the folder since. */
static void who_tends_a_folder_sees_all_and_leaves_it_new(void **state)
{
    struct box *box = *state;
    deliver(box, "m", "a\r\n");
    struct mailbox *mailbox = open_box(box, "m", false);
    assert_int_equal(mailbox->messages[0].uid, 1);
    mailbox_close(&mailbox);
    put(box, "m/new/900000000.foreign.host", "foreign\r\n");
    for (int time = 0; time < 2; time++) {
        mailbox = mailbox_open_to_tend(box->fd, "m");
        assert_non_null(mailbox);
        assert_int_equal(mailbox->count, 2);
        assert_int_equal(mailbox->uidnext, 3);
        assert_int_equal(count_files(box, "m/new"), 1);
        mailbox_close(&mailbox);
    }
    mailbox = open_box(box, "m", false);
    assert_true(mailbox->messages[1].recent);
    mailbox_close(&mailbox);
}

static void an_append_has_flags_date_and_uid(void **state)
{
    struct box *box = *state;
    deliver(box, "m", "a\r\n");
    struct mailbox *mailbox = open_box(box, "m", false), *other = open_box(box, "m", false);
    uint32_t uid = append(mailbox, "b\n", MAILDIR_FLAGGED | MAILDIR_SEEN, 2, 1000000000);
    assert_int_equal(uid, 2);
    assert_int_equal(mailbox->count, 2);
    deliver(box, "m", "c\r\n");
    /* The other one has seen neither; its append comes behind both. */
    assert_int_equal(append(other, "d\r\n", 0, 0, 0), 4);
    assert_int_equal(other->count, 4);
    assert_sound(box, other);
    struct mailbox_message *message = mailbox_find(other, 2);
    assert_int_equal(message->flags, MAILDIR_FLAGGED | MAILDIR_SEEN);
    assert_int_equal(message->keywords, 2);
    assert_int_equal(message->date, 1000000000);
    assert_int_equal(message->size, 2);
    assert_int_equal(message->crlf_size, 3);
    assert_true(mailbox_find(other, 4)->date >= clock_seconds() - 60);
    assert_true(mailbox_sync(mailbox));
    assert_int_equal(mailbox->count, 4);
    assert_sound(box, mailbox);

    struct mailbox_append aborted = {.flags = 0};
    assert_true(mailbox_append_begin(mailbox, &aborted));
    mailbox_append_abort(&aborted);
    assert_int_equal(count_files(box, "m/tmp"), 0);
    mailbox_close(&mailbox);
    mailbox_close(&other);
}

static void a_copy_is_a_link_with_mapped_keywords(void **state)
{
    struct box *box = *state;
    struct stat info;
    uint32_t uid;
    assert_true(maildir_create(box->fd, "m/.Archive"));
    deliver(box, "m", "a\r\n");
    struct mailbox *from = open_box(box, "m", false), *to = open_box(box, "m/.Archive", false);
    assert_int_equal(mailbox_keyword(to, SLICE("other"), true), 1);
    uint32_t keyword = mailbox_keyword(from, SLICE("$Label1"), true);
    assert_true(mailbox_set_flags(from, &from->messages[0], MAILBOX_ADD, MAILDIR_SEEN, keyword));
    assert_true(mailbox_copy(from, &from->messages[0], to, false, &uid));
    assert_int_equal(uid, 1);
    assert_int_equal(to->count, 1);
    assert_int_equal(to->messages[0].flags, MAILDIR_SEEN);
    assert_int_equal(to->messages[0].keywords, 2);
    assert_string_equal(to->keywords[1], "$Label1");
    assert_int_equal(to->messages[0].date, from->messages[0].date);
    assert_int_equal(fstatat(to->cur, name_of(to, &to->messages[0]), &info, 0), 0);
    assert_int_equal(info.st_nlink, 2);
    assert_false(from->messages[0].gone);
    assert_true(mailbox_email_id(from, &from->messages[0]) != 0);
    assert_true(mailbox_email_id(to, &to->messages[0]) ==
                mailbox_email_id(from, &from->messages[0]));

    /* Both ways at once, and again: no lock is left, no order is wrong. */
    assert_true(mailbox_copy(to, &to->messages[0], from, false, &uid));
    assert_int_equal(uid, 2);
    assert_true(mailbox_copy(from, &from->messages[0], from, false, &uid));
    assert_int_equal(uid, 3);
    assert_int_equal(from->count, 3);
    assert_sound(box, from);
    assert_int_equal(from->lock_depth, 0);
    assert_int_equal(to->lock_depth, 0);
    mailbox_close(&from);
    mailbox_close(&to);
    from = open_box(box, "m", false);
    assert_int_equal(from->count, 3);
    assert_int_equal(from->uidnext, 4);
    mailbox_close(&from);
}

/* Many under one lock: names differ, each copy is one with its own message, and the list is what a
 * listing of the folder finds. */
static void many_copies_are_what_their_names_say(void **state)
{
    enum { COUNT = 3000 };
    struct box *box = *state;
    uint32_t uid;
    assert_true(maildir_create(box->fd, "m/.Archive"));
    for (int i = 0; i < 3; i++)
        deliver(box, "m", i == 0 ? "a\r\n" : i == 1 ? "b\r\n" : "c\r\n");
    struct mailbox *from = open_box(box, "m", false), *to = open_box(box, "m/.Archive", false);
    uint32_t first = mailbox_keyword(from, SLICE("first"), true);
    uint32_t second = mailbox_keyword(from, SLICE("second"), true);
    assert_true(mailbox_set_flags(from, &from->messages[0], MAILBOX_ADD, 0, second));
    assert_true(mailbox_set_flags(from, &from->messages[1], MAILBOX_ADD, 0, first | second));
    assert_true(mailbox_lock_both(from, to));
    assert_true(mailbox_expect(to, COUNT));
    uint32_t reserved = to->uids_on_disk;
    for (uint32_t i = 0; i < COUNT; i++) {
        assert_true(mailbox_copy(from, &from->messages[i % 3], to, false, &uid));
        assert_int_equal(uid, i + 1);
    }
    assert_int_equal(to->uids_on_disk, reserved);
    assert_true(mailbox_unlock_both(from, to));
    assert_int_equal(count_files(box, "m/.Archive/cur"), COUNT);
    mailbox_close(&to);
    assert_int_equal(unlinkat(box->fd, "m/.Archive/mailbox-index", 0), 0);
    to = open_box(box, "m/.Archive", false);
    assert_int_equal(to->count, COUNT);
    for (uint32_t i = 0; i < COUNT; i++) {
        const struct mailbox_message *copy = &to->messages[i], *message = &from->messages[i % 3];
        assert_int_equal(copy->uid, i + 1);
        assert_int_equal(copy->size, message->size);
        assert_int_equal(copy->date, message->date);
        assert_int_equal(copy->keywords, i % 3 == 0 ? 1 : i % 3 == 1 ? 3 : 0);
        assert_true(mailbox_email_id(to, copy) == mailbox_email_id(from, message));
    }
    assert_string_equal(to->keywords[0], "second");
    assert_string_equal(to->keywords[1], "first");
    assert_true(to->uidnext >= reserved);
    mailbox_close(&from);
    mailbox_close(&to);
}

static void a_move_leaves_nothing_behind(void **state)
{
    struct box *box = *state;
    uint32_t uid;
    assert_true(maildir_create(box->fd, "m/.Trash"));
    deliver(box, "m", "a\r\n");
    deliver(box, "m", "b\r\n");
    struct mailbox *from = open_box(box, "m", false), *to = open_box(box, "m/.Trash", false);
    struct mailbox *other = open_box(box, "m", false);
    assert_true(mailbox_lock_both(from, to));
    assert_true(mailbox_copy(from, &from->messages[1], to, true, &uid));
    assert_true(mailbox_copy(from, &from->messages[0], to, true, &uid));
    assert_true(mailbox_unlock_both(from, to));
    assert_int_equal(uid, 2);
    assert_true(from->messages[0].gone && from->messages[1].gone);
    assert_int_equal(count_files(box, "m/cur"), 0);
    assert_int_equal(count_files(box, "m/.Trash/cur"), 2);
    assert_false(mailbox_copy(other, &other->messages[0], to, true, &uid));
    assert_int_equal(errno, ENOENT);
    assert_true(other->messages[0].gone);
    /* The highest UID has gone: it stays used. */
    mailbox_close(&from);
    deliver(box, "m", "c\r\n");
    from = open_box(box, "m", false);
    assert_int_equal(from->messages[0].uid, 3);
    mailbox_close(&other);
    mailbox_close(&from);
    mailbox_close(&to);
}

/* In a child that is killed with the locks in its hands, or right after it gave them back. */
static void move_all_and_die(struct box *box, bool unlocks)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        uint32_t uid;
        struct mailbox *from = open_box(box, "m", false), *to = open_box(box, "m/.Trash", false);
        assert_true(mailbox_lock_both(from, to));
        for (size_t i = 0; i < from->count; i++)
            assert_true(mailbox_copy(from, &from->messages[i], to, true, &uid));
        assert_true(!unlocks || mailbox_unlock_both(from, to));
        kill(getpid(), SIGKILL);
    }
    waitpid(child, NULL, 0);
}

/* Of many, all but the first lose their old names after the answer, by whoever comes next. */
static void a_move_of_many_is_carried_out_afterwards(void **state)
{
    enum { COUNT = 300 };
    struct box *box = *state;
    assert_true(maildir_create(box->fd, "m/.Trash"));
    for (int i = 0; i < COUNT; i++)
        deliver(box, "m", "a\r\n");
    move_all_and_die(box, false); /* some are in both folders now, none is lost */
    struct mailbox *to = open_box(box, "m/.Trash", false), *from = open_box(box, "m", false);
    assert_int_equal(to->count, COUNT);
    assert_true(from->count > 0 && from->count < COUNT);
    size_t kept = from->count;
    mailbox_close(&from);
    mailbox_close(&to);
    move_all_and_die(box, true);
    assert_true(is_there(box, "m", "mailbox-pending"));
    assert_true(count_files(box, "m/cur") > 0);
    assert_int_equal(count_files(box, "m/.Trash/cur"), COUNT + kept);
    /* Gone for everybody, with an index and without. */
    from = open_box(box, "m", true);
    assert_int_equal(from->count, 0);
    mailbox_close(&from);
    assert_int_equal(unlinkat(box->fd, "m/mailbox-index", 0), 0);
    from = open_box(box, "m", false);
    assert_int_equal(from->count, 0);
    while (mailbox_settle(from, 64))
        ;
    assert_int_equal(count_files(box, "m/cur"), 0);
    assert_false(is_there(box, "m", "mailbox-pending"));
    mailbox_close(&from);
    to = open_box(box, "m/.Trash", false);
    assert_int_equal(to->count, COUNT + kept);
    mailbox_close(&to);
}

static void two_objects_of_one_folder_do_not_block_each_other(void **state)
{
    struct box *box = *state;
    uint32_t uid;
    deliver(box, "m", "a\r\n");
    struct mailbox *one = open_box(box, "m", false), *two = open_box(box, "m", false);
    assert_true(mailbox_copy(one, &one->messages[0], two, false, &uid));
    assert_int_equal(uid, 2);
    assert_true(mailbox_copy(two, &two->messages[0], one, true, &uid));
    assert_int_equal(uid, 3);
    assert_true(mailbox_sync(one) && mailbox_sync(two));
    mailbox_forget_gone(one);
    mailbox_forget_gone(two);
    assert_int_equal(one->count, 2);
    assert_int_equal(two->count, 2);
    assert_sound(box, one);
    assert_sound(box, two);
    mailbox_close(&one);
    mailbox_close(&two);
}

/* ---- trouble -----------------------------------------------------------------------------------
 */

static void what_is_missing_is_said_or_made(void **state)
{
    struct box *box = *state;
    assert_null(mailbox_open(box->fd, "none", false));
    assert_int_equal(errno, ENOENT);
    put(box, "file", "");
    assert_null(mailbox_open(box->fd, "file", false));
    assert_int_equal(errno, ENOTDIR);
    assert_int_equal(mkdirat(box->fd, "bare", 0700), 0);
    struct mailbox *mailbox = open_box(box, "bare", false);
    assert_int_equal(mailbox->count, 0);
    assert_int_equal(mailbox->uidnext, 1);
    assert_true(is_there(box, "bare", "new") && is_there(box, "bare", "tmp"));
    mailbox_close(&mailbox);
    mailbox_close(&mailbox);
    struct stat info;
    assert_int_equal(fstatat(box->fd, "bare/mailbox-uids", &info, 0), 0);
    assert_int_equal(info.st_mode & 07777, 0600);
    assert_int_equal(fstatat(box->fd, "bare/mailbox-lock", &info, 0), 0);
    assert_int_equal(info.st_mode & 07777, 0600);
}

enum { KILL_ROUNDS = 15, KILL_MESSAGES = 300 };

/* Opens, flags, appends, removes, till it is killed. */
_Noreturn static void work_till_killed(int directory)
{
    for (;;) {
        struct mailbox *mailbox = mailbox_open(directory, "m", false);
        if (!mailbox)
            _exit(1);
        for (size_t i = 0; i < mailbox->count; i += 7)
            (void)mailbox_set_flags(mailbox, &mailbox->messages[i], MAILBOX_REPLACE,
                                    (unsigned)(i % 64), 0);
        struct mailbox_append append = {.flags = MAILDIR_SEEN};
        uint32_t uid;
        if (mailbox_append_begin(mailbox, &append)) {
            mailbox_append_write(&append, SLICE("appended\r\n"));
            mailbox_append_commit(mailbox, &append, &uid);
        }
        if (mailbox->count > 0)
            (void)mailbox_remove(mailbox, &mailbox->messages[mailbox->count - 1]);
        mailbox_close(&mailbox);
    }
}

static void a_kill_at_any_moment_does_no_harm(void **state)
{
    struct box *box = *state;
    uint32_t uidvalidity = 0, uidnext = 0;
    size_t delivered = 0;
    for (int round = 0; round < KILL_ROUNDS; round++) {
        for (int i = 0; i < KILL_MESSAGES; i++) {
            char path[64];
            snprintf(path, sizeof path, "m/new/%d.r%dn%d,S=9,W=9", 1000000000 + i, round, i);
            put(box, path, "message\r\n");
            delivered++;
        }
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0)
            work_till_killed(box->fd);
        usleep((useconds_t)(300 + 900 * round));
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);

        struct mailbox *mailbox = open_box(box, "m", false);
        assert_sound(box, mailbox);
        assert_true(round == 0 || mailbox->uidvalidity == uidvalidity);
        assert_true(mailbox->uidnext >= uidnext);
        uidvalidity = mailbox->uidvalidity;
        uidnext = mailbox->uidnext;
        size_t kept = 0;
        for (size_t i = 0; i < mailbox->count; i++)
            kept += mailbox->messages[i].size == 9;
        /* Only appended messages were removed. */
        assert_int_equal(kept, delivered);
        mailbox_close(&mailbox);
    }
}

enum { WORKERS = 3, WORKER_MESSAGES = 60 };

static void sessions_at_once_agree(void **state)
{
    struct box *box = *state;
    pid_t workers[WORKERS];
    for (int worker = 0; worker < WORKERS; worker++) {
        workers[worker] = fork();
        assert_true(workers[worker] >= 0);
        if (workers[worker] > 0)
            continue;
        struct mailbox *mailbox = mailbox_open(box->fd, "m", false);
        for (int i = 0; mailbox && i < WORKER_MESSAGES; i++) {
            struct maildir_delivery delivery;
            if (!maildir_begin(&delivery, box->fd, "m", NULL, "h") ||
                !maildir_write(&delivery, SLICE("x\r\n")) ||
                maildir_commit(&delivery) != VERDICT_OK || !mailbox_sync(mailbox))
                _exit(2);
            for (size_t k = (size_t)worker; k < mailbox->count; k += 11)
                if (!mailbox_set_flags(mailbox, &mailbox->messages[k], MAILBOX_ADD,
                                       1u << (worker + 1), 0))
                    _exit(3);
        }
        _exit(mailbox ? 0 : 1);
    }
    struct mailbox *watcher = open_box(box, "m", false);
    for (int worker = 0; worker < WORKERS; worker++) {
        int status = -1;
        while (waitpid(workers[worker], &status, WNOHANG) == 0) {
            assert_true(mailbox_sync(watcher));
            usleep(1000);
        }
        assert_int_equal(status, 0);
    }
    struct mailbox *mailbox = open_box(box, "m", false);
    assert_int_equal(mailbox->count, WORKERS * WORKER_MESSAGES);
    assert_int_equal(mailbox->uidnext, WORKERS * WORKER_MESSAGES + 1);
    assert_sound(box, mailbox);
    /* A session that was there all the time has the same list. */
    assert_true(mailbox_sync(watcher));
    assert_int_equal(watcher->count, mailbox->count);
    for (size_t i = 0; i < mailbox->count; i++) {
        assert_int_equal(watcher->messages[i].uid, mailbox->messages[i].uid);
        assert_false(watcher->messages[i].gone);
        assert_string_equal(name_of(watcher, &watcher->messages[i]),
                            name_of(mailbox, &mailbox->messages[i]));
        assert_int_equal(watcher->messages[i].flags, mailbox->messages[i].flags);
    }
    mailbox_close(&watcher);
    mailbox_close(&mailbox);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(new_messages_get_uids_in_order_of_arrival),
        TEST(examine_leaves_messages_new),
        TEST(many_messages_are_taken_at_once),
        TEST(foreign_files_are_handled),
        TEST(the_date_of_the_file_counts_where_the_name_differs),
        TEST(a_uid_in_two_files_is_kept_by_one),
        TEST(uids_never_come_back),
        TEST(lost_numbers_are_made_again),
        TEST(names_tell_what_the_file_has_missed),
        TEST(sessions_see_each_other),
        TEST(changes_of_both_sessions_are_kept),
        TEST(a_following_of_names_loses_no_new_message),
        TEST(foreign_renames_are_followed),
        TEST(an_unchanged_folder_is_not_listed),
        TEST(a_lock_file_that_was_removed_is_no_lock),
        TEST(messages_are_read_in_wire_form),
        TEST(a_name_that_lies_is_not_believed),
        TEST(there_are_26_keywords),
        TEST(odd_keywords_are_refused),
        TEST(letters_in_use_get_no_new_meaning),
        TEST(what_is_put_in_is_recent_for_who_selects),
        TEST(who_tends_a_folder_sees_all_and_leaves_it_new),
        TEST(an_append_has_flags_date_and_uid),
        TEST(a_copy_is_a_link_with_mapped_keywords),
        TEST(many_copies_are_what_their_names_say),
        TEST(a_move_leaves_nothing_behind),
        TEST(a_move_of_many_is_carried_out_afterwards),
        TEST(two_objects_of_one_folder_do_not_block_each_other),
        TEST(what_is_missing_is_said_or_made),
        TEST(a_kill_at_any_moment_does_no_harm),
        TEST(sessions_at_once_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
