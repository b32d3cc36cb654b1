/* tempfolder and scanconfig: made, probed and removed; what counts as a change of signatures */
#include "unit.h"

#include "scanconfig.h"
#include "tempfolder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char base[] = "/tmp/mail-suite-folder-XXXXXX";
static char home[4096];

static int begin(void **state)
{
    (void)state;
    if (!mkdtemp(base) || !getcwd(home, sizeof home) || chdir(base) < 0)
        return -1;
    return mkdir("run", 0700) == 0 && mkdir("run/scand", 0700) == 0 ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    return chdir(home) == 0 && tempfolder_remove(base) ? 0 : -1;
}

static void put(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static bool exists(const char *path)
{
    return access(path, F_OK) == 0;
}

static void makes_and_removes(void **state)
{
    (void)state;
    assert_true(tempfolder_make_base(getuid()));
    assert_true(tempfolder_make_base(getuid()));
    assert_true(tempfolder_make("run/scand/tmp/a"));
    assert_int_equal(mkdir("run/scand/tmp/a/b", 0700), 0);
    put("run/scand/tmp/a/b/c", "x");
    put("kept", "x");
    assert_int_equal(symlink("../../../../kept", "run/scand/tmp/a/link"), 0);
    assert_true(tempfolder_make("run/scand/tmp/a"));
    assert_false(exists("run/scand/tmp/a/b"));
    assert_true(exists("kept"));
    assert_true(tempfolder_remove("run/scand/tmp/a"));
    assert_true(tempfolder_remove("run/scand/tmp/a"));
    assert_false(exists("run/scand/tmp/a"));
}

static void removes_what_dead_processes_left(void **state)
{
    (void)state;
    char dead[TEMPFOLDER_PATH_MAX], alive[TEMPFOLDER_PATH_MAX];
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_true(tempfolder_make_base(getuid()));
    tempfolder_name(pid, dead);
    tempfolder_name(getpid(), alive);
    assert_true(tempfolder_make(dead) && tempfolder_make(alive));
    assert_true(tempfolder_make("run/scand/tmp/other"));
    tempfolder_remove_stale();
    assert_false(exists(dead));
    assert_true(exists(alive) && exists("run/scand/tmp/other"));
}

static void probes(void **state)
{
    (void)state;
    assert_true(tempfolder_make_base(getuid()));
    assert_true(tempfolder_make("run/scand/tmp/p"));
    assert_true(tempfolder_is_usable("run/scand/tmp/p", 1000));
    assert_false(exists("run/scand/tmp/p/probe"));
    assert_false(tempfolder_is_usable("run/scand/tmp/p", UINT64_MAX));
    assert_int_equal(errno, ENOSPC);
    assert_false(tempfolder_is_usable("run/scand/tmp/p", (uint64_t)1 << 60));
    assert_int_equal(errno, ENOSPC);
    assert_false(tempfolder_is_usable("run/scand/tmp/none", 1000));
    assert_int_equal(errno, ENOENT);
    assert_false(tempfolder_is_usable("/proc", 0)); /* not even root writes here */
}

static void notices_changes_of_signatures(void **state)
{
    (void)state;
    assert_int_equal(scanconfig_fingerprint("none"), 0);
    assert_int_equal(mkdir("db", 0700), 0);
    assert_int_equal(scanconfig_fingerprint("db"), 0);
    put("db/a.ndb", "one");
    uint64_t one = scanconfig_fingerprint("db");
    assert_true(one != 0 && one == scanconfig_fingerprint("db"));
    put("db/b.ndb", "two");
    uint64_t two = scanconfig_fingerprint("db");
    assert_true(two != one);
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = 1, .tv_nsec = 1}};
    assert_int_equal(utimensat(AT_FDCWD, "db/b.ndb", times, 0), 0);
    uint64_t older = scanconfig_fingerprint("db");
    assert_true(older != two);
    assert_int_equal(mkdir("db/folder", 0700), 0);
    assert_true(scanconfig_fingerprint("db") == older);
    assert_int_equal(rename("db/b.ndb", "db/c.ndb"), 0);
    assert_true(scanconfig_fingerprint("db") != older);
    assert_int_equal(unlink("db/c.ndb"), 0);
    assert_true(scanconfig_fingerprint("db") == one);
}

static void every_setting_counts(void **state)
{
    (void)state;
    const struct scanconfig base_config = {
        .clamdb = "/a", .workers = 2, .timeout_s = 120, .policy = {true, false}, .files = 7};
    struct scanconfig other[] = {base_config, base_config, base_config,
                                 base_config, base_config, base_config};
    assert_true(scanconfig_is_same(&base_config, &other[0]));
    memcpy(other[0].clamdb, "/b", 3);
    other[1].workers = 3;
    other[2].timeout_s = 60;
    other[3].policy.encrypted_passes = false;
    other[4].policy.limits_pass = true;
    other[5].files = 8;
    for (size_t i = 0; i < sizeof other / sizeof other[0]; i++)
        assert_false(scanconfig_is_same(&base_config, &other[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(makes_and_removes),
        cmocka_unit_test(removes_what_dead_processes_left),
        cmocka_unit_test(probes),
        cmocka_unit_test(notices_changes_of_signatures),
        cmocka_unit_test(every_setting_counts),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
