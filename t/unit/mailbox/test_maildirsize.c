/* maildirsize: the file of Maildir++, its faults, and several writers at once */
#include "unit.h"

#include "io.h"
#include "maildirsize.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utime.h>

enum { PATH_ROOM = 256, LIMIT = 10000 };

static char root[64];
static int maildir = -1;

static void make_folder(const char *name)
{
    char path[PATH_ROOM];
    static const char *const parts[] = {"", "/new", "/cur", "/tmp"};
    for (size_t i = 0; i < 4; i++) {
        snprintf(path, sizeof path, "%s/%s%s", root, name, parts[i]);
        mkdir(path, 0700);
    }
}

static int begin(void **state)
{
    (void)state;
    snprintf(root, sizeof root, "/tmp/test_maildirsize.XXXXXX");
    if (!mkdtemp(root))
        return -1;
    make_folder("");
    maildir = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return maildir >= 0 ? 0 : -1;
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *place)
{
    (void)info;
    (void)kind;
    (void)place;
    return remove(path);
}

static int end(void **state)
{
    (void)state;
    io_close(&maildir);
    return nftw(root, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static void put(const char *name, const char *content)
{
    int fd = openat(maildir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0 && io_write_all(fd, slice_text(content), INT64_MAX));
    io_close(&fd);
}

static void assert_file(const char *content)
{
    struct str got;
    str_init(&got, 1 << 20);
    assert_true(io_read_file(maildir, "maildirsize", &got));
    assert_slice(str_slice(&got), content);
    str_free(&got);
}

static void assert_read(uint64_t bytes, uint64_t messages)
{
    struct maildirsize size;
    assert_true(maildirsize_read(maildir, LIMIT, &size));
    assert_int_equal(size.bytes, bytes);
    assert_int_equal(size.messages, messages);
    assert_int_equal(size.limit, LIMIT);
}

static void add(int64_t bytes, int64_t messages)
{
    struct maildirsize_change change;
    maildirsize_begin(maildir, &change);
    maildirsize_end(maildir, &change, bytes, messages);
}

static const struct {
    const char *what, *content;
    bool sound;
    uint64_t limit, bytes, messages;
} contents[] = {
    {"ours", "100S\n10 1\n-4 -1\n", true, 100, 6, 0},
    {"no lines", "100S\n", true, 100, 0, 0},
    {"no limit", "\n5 1\n", true, 0, 5, 1},
    {"Courier", "10000000S,1000C\n        1024            1\n", true, 10000000, 1024, 1},
    {"only messages", "1000C\n1 1\n", true, 0, 1, 1},
    {"empty", "", false, 0, 0, 0},
    {"torn last line", "100S\n10 1\n20 ", false, 0, 0, 0},
    {"torn, but a number", "100S\n10 1\n20 1", false, 0, 0, 0},
    {"torn first line", "10", false, 0, 0, 0},
    {"one number", "100S\n10\n", false, 0, 0, 0},
    {"three numbers", "100S\n10 1 1\n", false, 0, 0, 0},
    {"empty line", "100S\n\n10 1\n", false, 0, 0, 0},
    {"words", "100S\nten one\n", false, 0, 0, 0},
    {"unknown limit", "100X\n10 1\n", false, 0, 0, 0},
    {"limit without number", "S\n10 1\n", false, 0, 0, 0},
    {"negative bytes", "100S\n10 1\n-11 0\n", false, 0, 0, 0},
    {"negative messages", "100S\n10 1\n0 -2\n", false, 0, 0, 0},
    {"negative on the way", "100S\n-10 -1\n10 1\n", true, 100, 0, 0},
    {"plus", "100S\n+10 1\n", false, 0, 0, 0},
    {"too large", "100S\n9223372036854775808 1\n", false, 0, 0, 0},
    {"sum too large", "100S\n9223372036854775807 1\n1 1\n", false, 0, 0, 0},
    {"begun and done", "100S\n0 0 +\n10 1 =\n", true, 100, 10, 1},
    {"two at a time", "100S\n0 0 +\n0 0 +\n10 1 =\n5 1 =\n", true, 100, 15, 2},
    {"done and not begun", "100S\n10 1 =\n", false, 0, 0, 0},
    {"unknown mark", "100S\n10 1 *\n", false, 0, 0, 0},
    {"two marks", "100S\n10 1 + =\n", false, 0, 0, 0},
    {"NULs of a power cut", "100S\n10 1\n\1\1\1\n", false, 0, 0, 0},
};

static void content_is_parsed(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof contents / sizeof *contents; i++) {
        struct maildirsize size;
        bool sound = maildirsize_parse(slice_text(contents[i].content), &size);
        if (sound != contents[i].sound)
            fail_msg("%s", contents[i].what);
        if (!sound)
            continue;
        assert_int_equal(size.limit, contents[i].limit);
        assert_int_equal(size.bytes, contents[i].bytes);
        assert_int_equal(size.messages, contents[i].messages);
    }
    struct maildirsize size;
    assert_false(maildirsize_parse(slice_of("1S\n1\0 1\n", 8), &size));
}

/* Torn at any byte, a file is either sound with whole lines or told apart. */
static void every_split_point(void **state)
{
    (void)state;
    static const char text[] = "100S\n10 1\n20 1\n-10 -1\n";
    for (size_t i = 0; i < sizeof text; i++) {
        struct maildirsize size;
        struct slice part = slice_of(text, i);
        bool whole = slice_ends(part, SLICE("\n"));
        assert_int_equal(maildirsize_parse(part, &size), whole);
    }
}

static void all_folders_count(void **state)
{
    (void)state;
    make_folder(".Work");
    make_folder(".Work.2026");
    make_folder("..removed-1-2");
    put("new/1.a,S=100,W=100", "");
    put("cur/2.a,S=50:2,ST", "");
    put("cur/3.a:2,", "seven..");
    put("cur/.hidden", "x");
    put("tmp/4.a", "not yet");
    put(".Work/cur/5.a,S=1000,U=7:2,", "");
    put(".Work.2026/new/6.a,S=2000", "");
    put("..removed-1-2/cur/7.a,S=4000", "");
    assert_read(3157, 5);
    assert_file("10000S\n3157 5\n");
    add(10, 1);
    add(-100, -1);
    add(0, 0);
    assert_file("10000S\n3157 5\n0 0 +\n10 1 =\n0 0 +\n-100 -1 =\n0 0 +\n0 0 =\n");
    assert_read(3067, 5);
}

static void without_a_file_nothing_is_kept(void **state)
{
    (void)state;
    add(10, 1);
    assert_int_equal(faccessat(maildir, "maildirsize", F_OK, 0), -1);
}

static void faults_are_counted_away(void **state)
{
    (void)state;
    put("new/1.a,S=100,W=100", "");
    for (size_t i = 0; i < sizeof contents / sizeof *contents; i++) {
        if (contents[i].sound)
            continue;
        put("maildirsize", contents[i].content);
        assert_read(100, 1);
        assert_file("10000S\n100 1\n");
    }
}

static void another_limit_keeps_the_sums(void **state)
{
    (void)state;
    struct maildirsize size;
    put("maildirsize", "5S,7C\n40 4\n2 1\n");
    assert_read(42, 5);
    assert_file("10000S\n42 5\n");
    assert_true(maildirsize_read(maildir, 0, &size));
    assert_true(maildirsize_has_room(&size, UINT64_MAX));
    assert_file("0S\n42 5\n");
}

static void a_long_file_is_folded(void **state)
{
    (void)state;
    put("maildirsize", "10000S\n");
    int64_t sum = 0;
    for (int i = 0; i < 2000; i++) {
        add(i, 1);
        sum += i;
        struct stat info;
        assert_true(fstatat(maildir, "maildirsize", &info, 0) == 0);
        assert_true(info.st_size <= MAILDIRSIZE_FILE_MAX);
    }
    assert_read((uint64_t)sum, 2000);
}

/* A full account is looked at again, but not at every message. */
static void what_seems_full_is_counted_again(void **state)
{
    (void)state;
    char path[PATH_ROOM];
    put("new/1.a,S=100,W=100", "");
    put("maildirsize", "10000S\n20000 9\n");
    assert_read(20000, 9);
    snprintf(path, sizeof path, "%s/maildirsize", root);
    assert_int_equal(utime(path, &(struct utimbuf){.actime = 1, .modtime = 1}), 0);
    assert_read(100, 1);
}

static void room(void **state)
{
    (void)state;
    struct maildirsize size = {.limit = 100, .bytes = 90};
    assert_true(maildirsize_has_room(&size, 10));
    assert_false(maildirsize_has_room(&size, 11));
    assert_false(maildirsize_has_room(&size, UINT64_MAX));
    size.bytes = 101;
    assert_false(maildirsize_has_room(&size, 0));
}

/* Writers that fold under each other's feet lose nothing. */
static void many_writers(void **state)
{
    (void)state;
    enum { WRITERS = 6, LINES = 1500 };
    put("maildirsize", "10000S\n");
    for (int i = 0; i < WRITERS; i++) {
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid > 0)
            continue;
        for (int line = 0; line < LINES; line++)
            add(line % 3 ? 7 : -7, line % 3 ? 1 : -1);
        _exit(0);
    }
    for (int i = 0; i < WRITERS; i++) {
        int status;
        assert_true(wait(&status) > 0);
        assert_int_equal(status, 0);
    }
    assert_read((uint64_t)WRITERS * LINES / 3 * 7, (uint64_t)WRITERS * LINES / 3);
}

/* ---- changes that are cut off ------------------------------------------------------------------ */

static void begin_and_die(const char *name)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct maildirsize_change change;
        maildirsize_begin(maildir, &change);
        put(name, "");
        _exit(0);
    }
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void a_change_that_was_cut_off_is_counted(void **state)
{
    (void)state;
    put("maildirsize", "10000S\n0 0\n");
    begin_and_die("new/1.a,S=100");
    assert_file("10000S\n0 0\n0 0 +\n");
    assert_read(100, 1);
    assert_file("10000S\n100 1\n");
    begin_and_die("new/2.a,S=50");
    add(7, 1); /* knows nothing of it, and hides nothing */
    put("new/3.a,S=7", "");
    struct maildirsize size;
    assert_true(maildirsize_peek(maildir, &size));
    assert_int_equal(size.bytes, 157);
    assert_file("10000S\n157 3\n");
}

static void a_change_under_way_is_waited_for_by_nobody(void **state)
{
    (void)state;
    struct maildirsize_change change, other;
    put("maildirsize", "10000S\n5 1\n");
    maildirsize_begin(maildir, &change);
    maildirsize_begin(maildir, &other);
    put("new/1.a,S=100", "");
    assert_read(5, 1);
    struct maildirsize size;
    assert_true(maildirsize_count(maildir, LIMIT, &size));
    assert_int_equal(size.bytes, 100);
    maildirsize_end(maildir, &other, 1, 1);
    assert_read(6, 2);
    maildirsize_end(maildir, &change, 100, 1);
    assert_file("10000S\n5 1\n0 0 +\n0 0 +\n1 1 =\n100 1 =\n");
    assert_read(106, 3);
}

/* The file was made while the change was under way, and may have counted a part of it. */
static void a_file_that_is_made_meanwhile_is_made_again(void **state)
{
    (void)state;
    struct maildirsize_change change;
    maildirsize_begin(maildir, &change);
    assert_read(0, 0);
    put("new/1.a,S=100", "");
    maildirsize_end(maildir, &change, 100, 1);
    assert_read(100, 1);
    maildirsize_begin(maildir, &change);
    put("new/2.a,S=11", "");
    maildirsize_end_uncounted(maildir, &change);
    assert_read(111, 2);
    put("new/3.a,S=1", "");
    maildirsize_forget(maildir);
    assert_read(112, 3);
}

static void a_long_file_is_kept_while_others_are_at_work(void **state)
{
    (void)state;
    struct maildirsize_change change;
    struct stat info;
    put("maildirsize", "10000S\n");
    maildirsize_begin(maildir, &change);
    for (int i = 0; i < 600; i++)
        add(1, 1);
    assert_true(fstatat(maildir, "maildirsize", &info, 0) == 0 &&
                info.st_size > MAILDIRSIZE_FILE_MAX);
    assert_read(600, 600);
    maildirsize_end(maildir, &change, 1, 1);
    assert_read(601, 601);
    assert_file("10000S\n601 601\n");
}

static void no_descriptor_is_left(void **state)
{
    (void)state;
    struct maildirsize_change change;
    int before = dup(0);
    close(before);
    put("maildirsize", "10000S\n");
    for (int i = 0; i < 600; i++) {
        maildirsize_begin(maildir, &change);
        if (i % 3 == 0)
            maildirsize_end_uncounted(maildir, &change);
        else
            maildirsize_end(maildir, &change, 1, 1);
        if (i % 7 == 0)
            assert_read(0, 0);
    }
    int after = dup(0);
    close(after);
    assert_int_equal(before, after);
}

static void a_link_is_no_file(void **state)
{
    (void)state;
    assert_int_equal(symlinkat("/etc/passwd", maildir, "maildirsize"), 0);
    add(1, 1);
    assert_read(0, 0);
    assert_file("10000S\n0 0\n");
}

#define IN_MAILDIR(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(content_is_parsed),
        cmocka_unit_test(every_split_point),
        cmocka_unit_test(room),
        IN_MAILDIR(all_folders_count),
        IN_MAILDIR(without_a_file_nothing_is_kept),
        IN_MAILDIR(faults_are_counted_away),
        IN_MAILDIR(another_limit_keeps_the_sums),
        IN_MAILDIR(a_long_file_is_folded),
        IN_MAILDIR(what_seems_full_is_counted_again),
        IN_MAILDIR(many_writers),
        IN_MAILDIR(a_change_that_was_cut_off_is_counted),
        IN_MAILDIR(a_change_under_way_is_waited_for_by_nobody),
        IN_MAILDIR(a_file_that_is_made_meanwhile_is_made_again),
        IN_MAILDIR(a_long_file_is_kept_while_others_are_at_work),
        IN_MAILDIR(no_descriptor_is_left),
        IN_MAILDIR(a_link_is_no_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
