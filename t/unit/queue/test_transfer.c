#include "unit.h"

#include "transfer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Two folders, "from" and "to". */
struct place {
    char folder[64];
    int from, to;
};

static int set_up(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    assert_non_null(place);
    snprintf(place->folder, sizeof place->folder, "/tmp/test_transfer.XXXXXX");
    assert_non_null(mkdtemp(place->folder));
    int base = open(place->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(mkdirat(base, "from", 0700), 0);
    assert_int_equal(mkdirat(base, "to", 0700), 0);
    place->from = openat(base, "from", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    place->to = openat(base, "to", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(place->from >= 0 && place->to >= 0);
    close(base);
    *state = place;
    return 0;
}

static int tear_down(void **state)
{
    struct place *place = *state;
    unlinkat(place->from, "id", 0);
    unlinkat(place->to, "id", 0);
    close(place->from);
    close(place->to);
    int base = open(place->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(unlinkat(base, "from", AT_REMOVEDIR), 0);
    assert_int_equal(unlinkat(base, "to", AT_REMOVEDIR), 0);
    close(base);
    rmdir(place->folder);
    free(place);
    return 0;
}

static void put(int folder)
{
    int fd = openat(folder, "id", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    close(fd);
}

static bool has(int folder)
{
    return faccessat(folder, "id", F_OK, 0) == 0;
}

static void a_file_is_moved(void **state)
{
    struct place *place = *state;
    put(place->from);
    assert_false(transfer_is_half_done(place->from, "id", place->to));
    assert_true(transfer_file(place->from, "id", place->to));
    assert_false(has(place->from));
    assert_true(has(place->to));
}

static void one_that_is_not_there_is_not(void **state)
{
    struct place *place = *state;
    assert_false(transfer_file(place->from, "id", place->to));
    assert_int_equal(errno, ENOENT);
}

static void another_file_of_the_name_stays(void **state)
{
    struct place *place = *state;
    put(place->from);
    put(place->to);
    assert_false(transfer_is_half_done(place->from, "id", place->to));
    assert_false(transfer_file(place->from, "id", place->to));
    assert_int_equal(errno, EEXIST);
    assert_true(has(place->from) && has(place->to));
}

static void what_a_crash_left_half_done_is_finished(void **state)
{
    struct place *place = *state;
    put(place->from);
    assert_int_equal(linkat(place->from, "id", place->to, "id", 0), 0);
    assert_true(transfer_is_half_done(place->from, "id", place->to));
    assert_true(transfer_file(place->from, "id", place->to));
    assert_false(has(place->from));
    assert_true(has(place->to));
}

/* A descriptor that can't be synced: the file is where it was, and only there. */
static void after_a_failed_sync_it_is_where_it_was(void **state)
{
    struct place *place = *state;
    char path[96];
    put(place->from);
    snprintf(path, sizeof path, "%s/to", place->folder);
    int to = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    assert_false(transfer_file(place->from, "id", to));
    assert_int_equal(errno, EBADF);
    assert_true(has(place->from));
    assert_false(has(place->to));
    close(to);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(a_file_is_moved),
        TEST(one_that_is_not_there_is_not),
        TEST(another_file_of_the_name_stays),
        TEST(what_a_crash_left_half_done_is_finished),
        TEST(after_a_failed_sync_it_is_where_it_was),
    };
    return cmocka_run_group_tests_name("transfer", tests, NULL, NULL);
}
