/* Changes of control files: all of them or none, nobody's edit overwritten, owner and mode kept. */
#include "controlroot.h"

#include "replacement.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static void check_file(const char *path, const char *content)
{
    struct str text;
    str_init(&text, 65536);
    assert_true(io_read_file(AT_FDCWD, path, &text));
    assert_slice(str_slice(&text), content);
    str_free(&text);
}

static int set_up(void **state)
{
    (void)state;
    if (!controlroot_enter())
        return -1;
    write_file("control/domains/example.jp/uid", "70100\n");
    write_file("control/domains/example.jp/users", "u1::\n");
    return 0;
}

/* As a verb does: what changes meanwhile is noticed. */
static void begin_verb(struct run *run)
{
    begin(run);
    assert_true(sources_watch(&run->sources));
}

static void read_users(struct run *run)
{
    struct str text;
    str_init(&text, 65536);
    assert_int_equal(sources_read(&run->sources, "domains/example.jp/users", &text), SOURCES_READ);
    str_free(&text);
}

static void change(struct run *run, const char *path, const char *content)
{
    assert_true(sources_change(&run->sources, path, slice_text(content)));
}

/* A verb that adds an account, up to its compiling. */
static void begin_change(struct run *run)
{
    begin_verb(run);
    read_users(run);
    change(run, "domains/example.jp/users", "u1::\nu2::\n");
}

/* The whole of it. */
static void do_change(enum rebuild_result wanted)
{
    struct run run;
    begin_change(&run);
    assert_int_equal(compile(&run, "example.jp"), wanted);
    end(&run);
}

/* What stands below `path`, hidden names too, and nothing of ours beside the files themselves. */
static int count_names(const char *path)
{
    int count = 0;
    struct dirent *entry;
    DIR *open = opendir(path);
    assert_non_null(open);
    while ((entry = readdir(open)))
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(open);
    return count;
}

/* A write behind this size fails, as on a full disk. */
static void limit_files(rlim_t size)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = size;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void test_full_disk_leaves_everything(void **state)
{
    (void)state;
    struct run run;
    compile_well(NULL);
    struct stat before, after;
    assert_int_equal(stat("cdb/domain/example.jp.cdb", &before), 0);
    begin_change(&run);
    change(&run, "domains/example.org/users", "u9::\n");
    change(&run, "domains/example.org/uid", "70101\n");
    signal(SIGXFSZ, SIG_IGN);
    /* The text has room, the databases have none; and a database grows in memory, which counts too. */
    limit_files(16);
    enum rebuild_result result = compile(&run, "example.jp");
    limit_files(RLIM_INFINITY);
    assert_int_equal(result, REBUILD_TROUBLE);
    end(&run);
    check_file("control/domains/example.jp/users", "u1::\n");
    assert_int_equal(count_names("control/domains/example.jp"), 2);
    assert_int_equal(count_names("control/domains"), 1); /* the new folder went again */
    assert_int_equal(stat("cdb/domain/example.jp.cdb", &after), 0);
    assert_true(before.st_ino == after.st_ino);
    compile_well(NULL);
}

static void test_edit_by_hand_is_noticed(void **state)
{
    (void)state;
    struct run run;
    compile_well(NULL);
    begin_change(&run);
    write_file("control/domains/example.jp/users", "u1::\nbyhand::\n");
    assert_int_equal(compile(&run, "example.jp"), REBUILD_TROUBLE);
    assert_true(has_error(&run, "control/domains/example.jp/users: somebody changed it"));
    end(&run);
    check_file("control/domains/example.jp/users", "u1::\nbyhand::\n");
    assert_int_equal(count_names("control/domains/example.jp"), 2);
}

/* Also when it appears, or goes. */
static void test_file_that_appears_or_goes(void **state)
{
    (void)state;
    struct run run;
    struct str text;
    compile_well(NULL);
    begin_verb(&run);
    str_init(&text, 100);
    assert_int_equal(sources_read(&run.sources, "domains/example.jp/settings", &text),
                     SOURCES_MISSING);
    str_free(&text);
    change(&run, "domains/example.jp/settings", "imap off\n");
    write_file("control/domains/example.jp/settings", "imap on\n");
    assert_int_equal(compile(&run, "example.jp"), REBUILD_TROUBLE);
    end(&run);
    check_file("control/domains/example.jp/settings", "imap on\n");

    begin_verb(&run);
    read_users(&run);
    change(&run, "domains/example.jp/users", "u2::\n");
    assert_int_equal(unlink("control/domains/example.jp/users"), 0);
    assert_int_equal(compile(&run, "example.jp"), REBUILD_TROUBLE);
    end(&run);
    assert_int_equal(access("control/domains/example.jp/users", F_OK), -1);
}

/* The same size and nearly the same time: another inode, or another time of change. */
static void test_edit_of_the_same_size(void **state)
{
    (void)state;
    struct run run;
    compile_well(NULL);
    begin_change(&run);
    write_file("control/domains/example.jp/fresh", "u3::\n");
    assert_int_equal(rename("control/domains/example.jp/fresh", "control/domains/example.jp/users"),
                     0);
    assert_int_equal(compile(&run, "example.jp"), REBUILD_TROUBLE);
    end(&run);
    check_file("control/domains/example.jp/users", "u3::\n");
}

static void test_owner_and_mode_stay(void **state)
{
    (void)state;
    struct stat info;
    const char *path = "control/domains/example.jp/users";
    compile_well(NULL);
    assert_int_equal(chmod(path, 0640), 0);
    /* Only root can give a file away. */
    bool given = chown(path, 12345, 12346) == 0;
    do_change(REBUILD_DONE);
    check_file(path, "u1::\nu2::\n");
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0640);
    assert_true(!given || (info.st_uid == 12345 && info.st_gid == 12346));
}

static void test_symbolic_link_is_refused(void **state)
{
    (void)state;
    const char *path = "control/domains/example.jp/users";
    compile_well(NULL);
    assert_int_equal(rename(path, "elsewhere"), 0);
    assert_int_equal(symlink("../../../elsewhere", path), 0);
    do_change(REBUILD_TROUBLE);
    check_file("elsewhere", "u1::\n");
}

/* Another one was killed between writing and naming. */
static void test_leftover_of_a_killed_one(void **state)
{
    (void)state;
    compile_well(NULL);
    write_file("control/domains/example.jp/.users.new", "half of a li");
    assert_int_equal(link("control/domains/example.jp/.users.new", "kept"), 0);
    do_change(REBUILD_DONE);
    check_file("control/domains/example.jp/users", "u1::\nu2::\n");
    check_file("kept", "half of a li"); /* never written through another name */
    assert_int_equal(count_names("control/domains/example.jp"), 2);
}

static void test_lock_waits_and_gives_up(void **state)
{
    (void)state;
    struct sources one, other;
    sources_init(&one, control);
    sources_init(&other, control);
    assert_true(sources_lock(&one, 0));
    assert_false(sources_lock(&other, 10));
    assert_int_equal(errno, ETIMEDOUT);
    sources_free(&other);
    sources_free(&one);
    sources_init(&other, control);
    assert_true(sources_lock(&other, 10));
    sources_free(&other);
}

/* More files than are synced one by one. */
static void test_many_at_once(void **state)
{
    (void)state;
    struct replacements replacements = {0};
    char name[32];
    bool begun = false;
    assert_int_equal(mkdir("many", 0700), 0);
    int folder = open("many", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(folder >= 0);
    for (int i = 0; i < 3 * REPLACEMENT_FEW; i++) {
        snprintf(name, sizeof name, "file-%d", i);
        assert_true(replacement_add(&replacements, i % 2 == 0 ? folder : root, name,
                                    slice_text(name), 0640, (uid_t)-1, (gid_t)-1));
    }
    assert_int_equal(access("many/file-0", F_OK), -1);
    assert_true(replacement_commit(&replacements, &begun));
    assert_true(begun);
    check_file("many/file-0", "file-0");
    check_file("file-47", "file-47");
    assert_int_equal(count_names("many"), 3 * REPLACEMENT_FEW / 2);
    for (int i = 1; i < 3 * REPLACEMENT_FEW; i += 2) {
        snprintf(name, sizeof name, "file-%d", i);
        assert_int_equal(unlink(name), 0);
    }
    io_close(&folder);
}

static void test_given_up(void **state)
{
    (void)state;
    struct replacements replacements = {0};
    char name[NAME_MAX + 1];
    memset(name, 'n', NAME_MAX);
    name[NAME_MAX] = '\0';
    assert_int_equal(mkdir("made", 0700), 0);
    assert_true(replacement_add_folder(&replacements, root, "made"));
    int folder = open("made", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(
        replacement_add(&replacements, folder, "x", SLICE("1"), 0600, (uid_t)-1, (gid_t)-1));
    assert_false(
        replacement_add(&replacements, folder, name, SLICE("1"), 0600, (uid_t)-1, (gid_t)-1));
    assert_int_equal(errno, ENAMETOOLONG);
    replacement_drop(&replacements);
    io_close(&folder);
    assert_int_equal(access("made", F_OK), -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, controlroot_leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_full_disk_leaves_everything),
        TEST(test_edit_by_hand_is_noticed),
        TEST(test_file_that_appears_or_goes),
        TEST(test_edit_of_the_same_size),
        TEST(test_owner_and_mode_stay),
        TEST(test_symbolic_link_is_refused),
        TEST(test_leftover_of_a_killed_one),
        TEST(test_lock_waits_and_gives_up),
        TEST(test_many_at_once),
        TEST(test_given_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
