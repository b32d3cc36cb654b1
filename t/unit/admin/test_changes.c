/* Changes of control files: all of them or none, nobody's edit overwritten, owner and mode kept. */
#include "io.h"
#include "rebuild.h"
#include "replacement.h"
#include "unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char old_folder[PATH_MAX];
static char base[] = "/tmp/test-changes-XXXXXX";
static int root = -1, control = -1;

static void write_file(const char *path, const char *content)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(content, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void check_file(const char *path, const char *content)
{
    struct str text;
    str_init(&text, 65536);
    assert_true(io_read_file(AT_FDCWD, path, &text));
    assert_slice(str_slice(&text), content);
    str_free(&text);
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *where)
{
    (void)info;
    (void)kind;
    (void)where;
    return remove(path);
}

static int set_up(void **state)
{
    (void)state;
    memcpy(base, "/tmp/test-changes-XXXXXX", sizeof base);
    if (!getcwd(old_folder, sizeof old_folder) || !mkdtemp(base) || chdir(base) < 0 ||
        mkdir("control", 0755) < 0 || mkdir("control/domains", 0755) < 0 ||
        mkdir("control/domains/example.jp", 0755) < 0)
        return -1;
    write_file("control/me", "mail.example.jp\n");
    write_file("control/domains/example.jp/uid", "70100\n");
    write_file("control/domains/example.jp/users", "u1::\n");
    root = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    control = open("control", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return root < 0 || control < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
    (void)state;
    io_close(&root);
    io_close(&control);
    return chdir(old_folder) + nftw(base, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* One run of a verb: the files are read, changed, compiled. */
struct run {
    struct sources sources;
    struct findings findings;
};

static void begin(struct run *run)
{
    sources_init(&run->sources, control);
    findings_init(&run->findings);
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

static enum rebuild_result compile(struct run *run, const char *name)
{
    return rebuild(root, &run->sources, &name, name ? 1 : 0, &run->findings);
}

static bool has_error(const struct run *run, const char *part)
{
    const struct str *text = &run->findings.errors;
    return text->data && memmem(text->data, text->size, part, strlen(part));
}

static void end(struct run *run)
{
    findings_free(&run->findings);
    sources_free(&run->sources);
}

static void compile_all(void)
{
    struct run run;
    begin(&run);
    assert_int_equal(compile(&run, NULL), REBUILD_DONE);
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
    compile_all();
    struct stat before, after;
    assert_int_equal(stat("cdb/domain/example.jp.cdb", &before), 0);
    begin(&run);
    read_users(&run);
    change(&run, "domains/example.jp/users", "u1::\nu2::\n");
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
    compile_all();
}

static void test_edit_by_hand_is_noticed(void **state)
{
    (void)state;
    struct run run;
    compile_all();
    begin(&run);
    read_users(&run);
    change(&run, "domains/example.jp/users", "u1::\nu2::\n");
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
    compile_all();
    begin(&run);
    str_init(&text, 100);
    assert_int_equal(sources_read(&run.sources, "domains/example.jp/settings", &text),
                     SOURCES_MISSING);
    str_free(&text);
    change(&run, "domains/example.jp/settings", "imap off\n");
    write_file("control/domains/example.jp/settings", "imap on\n");
    assert_int_equal(compile(&run, "example.jp"), REBUILD_TROUBLE);
    end(&run);
    check_file("control/domains/example.jp/settings", "imap on\n");

    begin(&run);
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
    compile_all();
    begin(&run);
    read_users(&run);
    change(&run, "domains/example.jp/users", "u1::\nu2::\n");
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
    struct run run;
    struct stat info;
    const char *path = "control/domains/example.jp/users";
    compile_all();
    assert_int_equal(chmod(path, 0640), 0);
    /* Only root can give a file away. */
    bool given = chown(path, 12345, 12346) == 0;
    begin(&run);
    read_users(&run);
    change(&run, "domains/example.jp/users", "u1::\nu2::\n");
    assert_int_equal(compile(&run, "example.jp"), REBUILD_DONE);
    end(&run);
    check_file(path, "u1::\nu2::\n");
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0640);
    assert_true(!given || (info.st_uid == 12345 && info.st_gid == 12346));
}

static void test_symbolic_link_is_refused(void **state)
{
    (void)state;
    struct run run;
    const char *path = "control/domains/example.jp/users";
    compile_all();
    assert_int_equal(rename(path, "elsewhere"), 0);
    assert_int_equal(symlink("../../../elsewhere", path), 0);
    begin(&run);
    read_users(&run);
    change(&run, "domains/example.jp/users", "u1::\nu2::\n");
    assert_int_equal(compile(&run, "example.jp"), REBUILD_TROUBLE);
    end(&run);
    check_file("elsewhere", "u1::\n");
}

/* Another one was killed between writing and naming. */
static void test_leftover_of_a_killed_one(void **state)
{
    (void)state;
    struct run run;
    compile_all();
    write_file("control/domains/example.jp/.users.new", "half of a li");
    assert_int_equal(link("control/domains/example.jp/.users.new", "kept"), 0);
    begin(&run);
    read_users(&run);
    change(&run, "domains/example.jp/users", "u1::\nu2::\n");
    assert_int_equal(compile(&run, "example.jp"), REBUILD_DONE);
    end(&run);
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

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
