/* replied: who was answered when, in memory and on disk */
#include "unit.h"

#include "replied.h"

#include "io.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { DAY = 86400, NOW = 1000000 };

static const struct {
    const char *name, *text;
    uint64_t sum;
    bool is_first, is_changed;
    const char *fresh;
} cases[] = {
    {"nobody yet", "", 0x1f, true, true, "1000000 000000000000001f\n"},
    {"another", "999999 0000000000000001\n", 2, true, true,
     "999999 0000000000000001\n1000000 0000000000000002\n"},
    {"within a day", "913601 0000000000000001\n", 1, false, false, "913601 0000000000000001\n"},
    {"a day ago", "913600 0000000000000001\n", 1, true, true, "1000000 0000000000000001\n"},
    {"in the future", "1000001 0000000000000001\n", 1, false, true, "1000000 0000000000000001\n"},
    {"another's in the future", "9223372036854775807 0000000000000001\n", 2, true, true,
     "1000000 0000000000000001\n1000000 0000000000000002\n"},
    {"nonsense",
     "x\n\n1 2\n-1 0000000000000001\n999999 000000000000000G\n"
     "99999999999999999999 0000000000000001\n999999 00000000000000011\n",
     1, true, true, "1000000 0000000000000001\n"},
    {"a last line that was cut", "999999 0000000000000001\n999999 00000000000000", 2, true, true,
     "999999 0000000000000001\n1000000 0000000000000002\n"},
    {"no line end", "999999 0000000000000001", 1, false, false, "999999 0000000000000001\n"},
};

static void keeps_entries(void **state)
{
    (void)state;
    struct str fresh;
    str_init(&fresh, REPLIED_FILE_MAX);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        str_clear(&fresh);
        struct replied_answer answer =
            replied_look(slice_text(cases[i].text), cases[i].sum, NOW, DAY, &fresh);
        if (answer.is_first != cases[i].is_first || answer.is_changed != cases[i].is_changed ||
            !slice_equal(str_slice(&fresh), slice_text(cases[i].fresh)))
            fail_msg("%s: %d %d %s", cases[i].name, answer.is_first, answer.is_changed,
                     str_text(&fresh));
    }
    str_free(&fresh);
}

static void is_bounded(void **state)
{
    (void)state;
    struct str one, other;
    str_init(&one, REPLIED_FILE_MAX);
    str_init(&other, REPLIED_FILE_MAX);
    for (uint64_t i = 0; i < REPLIED_MAX + 3; i++) {
        str_clear(&other);
        assert_true(replied_look(str_slice(&one), i, NOW, DAY, &other).is_first);
        assert_false(other.failed);
        struct str swap = one;
        one = other;
        other = swap;
    }
    assert_int_equal(one.size, (size_t)REPLIED_MAX * (7 + 1 + 16 + 1));
    assert_slice(slice_part(str_slice(&one), 0, 24), "1000000 0000000000000003");
    str_clear(&other);
    assert_true(replied_look(str_slice(&one), 2, NOW, DAY, &other).is_first);
    str_clear(&other);
    assert_false(replied_look(str_slice(&one), 3, NOW, DAY, &other).is_first);
    /* One that is longer than we would make it comes down to the latest. */
    str_clear(&other);
    for (size_t i = 0; i < 8000; i++)
        str_append_text(&other, "1000000 00000000000000ff\n");
    str_clear(&one);
    assert_true(replied_look(str_slice(&other), 1, NOW, DAY, &one).is_first);
    assert_int_equal(one.size, (size_t)REPLIED_MAX * (7 + 1 + 16 + 1));
    str_free(&one);
    str_free(&other);
}

static void case_does_not_matter(void **state)
{
    (void)state;
    assert_true(replied_sum(SLICE("A@X.example")) == replied_sum(SLICE("a@x.EXAMPLE")));
    assert_true(replied_sum(SLICE("a@x.example")) != replied_sum(SLICE("b@x.example")));
}

static void keeps_a_file(void **state)
{
    (void)state;
    char folder[] = "/tmp/test-replied-XXXXXX", path[64];
    struct slice sender = SLICE("a@x.example");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/replied", folder);
    assert_int_equal(replied_note(folder, sender, NOW, DAY), REPLIED_FIRST);
    assert_int_equal(replied_note(folder, sender, NOW, DAY), REPLIED_BEFORE);
    assert_int_equal(replied_note(folder, SLICE("b@x.example"), NOW, DAY), REPLIED_FIRST);
    assert_int_equal(replied_note(folder, sender, NOW + DAY - 1, DAY), REPLIED_BEFORE);
    assert_int_equal(replied_note(folder, sender, NOW + DAY, DAY), REPLIED_FIRST);
    /* Another has it. */
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    assert_int_equal(replied_note(folder, SLICE("c@x.example"), NOW, DAY), REPLIED_TROUBLE);
    assert_int_equal(flock(fd, LOCK_UN), 0);
    /* What can't be ours is not read into memory. */
    assert_int_equal(truncate(path, REPLIED_FILE_MAX + 1), 0);
    assert_int_equal(replied_note(folder, sender, NOW, DAY), REPLIED_TROUBLE);
    assert_int_equal(errno, EFBIG);
    assert_int_equal(unlink(path), 0);
    /* Trouble is no permission. */
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(replied_note(folder, sender, NOW, DAY), REPLIED_TROUBLE);
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(rmdir(folder), 0);
    assert_int_equal(replied_note(folder, sender, NOW, DAY), REPLIED_TROUBLE);
    io_close(&fd);
}

/* Notes one sender after the other, and tells who was the first time there, till it is killed. */
static void note_for_ever(const char *folder, unsigned round, int told)
{
    for (unsigned i = 0;; i++) {
        char sender[40];
        snprintf(sender, sizeof sender, "%u.%u@x.example", round, i);
        if (replied_note(folder, slice_text(sender), NOW, DAY) != REPLIED_FIRST ||
            write(told, &i, sizeof i) != (ssize_t)sizeof i)
            _exit(1);
    }
}

/* Whoever was noted is so after kill -9, whatever it hit; the lock is free, and at most one file is left
 * over. */
static void survives_kill_9(void **state)
{
    enum { ROUNDS = 25 };
    (void)state;
    char folder[] = "/tmp/test-replied-XXXXXX", path[64], sender[40];
    assert_non_null(mkdtemp(folder));
    for (unsigned round = 0; round < ROUNDS; round++) {
        int told[2], status;
        unsigned last = 0;
        assert_int_equal(pipe(told), 0);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0)
            note_for_ever(folder, round, told[1]);
        close(told[1]);
        for (unsigned i = 0; i <= round; i++)
            assert_int_equal(read(told[0], &last, sizeof last), (ssize_t)sizeof last);
        assert_int_equal(kill(child, SIGKILL), 0);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
        while (read(told[0], &last, sizeof last) == (ssize_t)sizeof last)
            ;
        close(told[0]);
        for (unsigned i = 0; i <= last; i++) {
            snprintf(sender, sizeof sender, "%u.%u@x.example", round, i);
            assert_int_equal(replied_note(folder, slice_text(sender), NOW, DAY), REPLIED_BEFORE);
        }
        assert_int_equal(replied_note(folder, SLICE("0.0@x.example"), NOW, DAY), REPLIED_BEFORE);
    }
    snprintf(path, sizeof path, "%s/replied", folder);
    assert_int_equal(unlink(path), 0);
    snprintf(path, sizeof path, "%s/.replied", folder);
    assert_true(unlink(path) == 0 || errno == ENOENT);
    assert_int_equal(rmdir(folder), 0);
}

/* It never counts more than the interval from when it was set back, however often. */
static void a_clock_set_back(void **state)
{
    (void)state;
    char folder[] = "/tmp/test-replied-XXXXXX", path[64];
    const struct slice sender = SLICE("a@x.example");
    assert_non_null(mkdtemp(folder));
    assert_int_equal(replied_note(folder, sender, NOW, DAY), REPLIED_FIRST);
    assert_int_equal(replied_note(folder, sender, NOW - 500000, DAY), REPLIED_BEFORE);
    assert_int_equal(replied_note(folder, sender, NOW - 900000, DAY), REPLIED_BEFORE);
    assert_int_equal(replied_note(folder, sender, NOW - 900000 + DAY - 1, DAY), REPLIED_BEFORE);
    assert_int_equal(replied_note(folder, sender, NOW - 900000 + DAY, DAY), REPLIED_FIRST);
    assert_int_equal(replied_note(folder, sender, -1, DAY), REPLIED_BEFORE);
    assert_int_equal(replied_note(folder, sender, INT64_MAX, DAY), REPLIED_FIRST);
    assert_int_equal(replied_note(folder, sender, NOW, DAY), REPLIED_BEFORE);
    snprintf(path, sizeof path, "%s/replied", folder);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_entries),        cmocka_unit_test(is_bounded),
        cmocka_unit_test(case_does_not_matter), cmocka_unit_test(keeps_a_file),
        cmocka_unit_test(survives_kill_9),      cmocka_unit_test(a_clock_set_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
