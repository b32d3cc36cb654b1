/* draft: what a crash left in queue/message - whole, torn anywhere, being written, half renamed */
#include "folder.h"
#include "unit.h"

#include "clock.h"
#include "draft.h"
#include "store.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MESSAGE = 3000 };

struct fixture {
    int folder;
    char id[QUEUEFILE_ID_SIZE + 1];
    char draft[QUEUEFILE_ID_SIZE + 2];
};

/* A message as queue-inject leaves it, under the name of a draft again. */
static void make_draft(struct fixture *fixture)
{
    struct store store;
    struct envelope envelope;
    char bytes[MESSAGE];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)('a' + i % 26);
    envelope_init(&envelope);
    envelope_add_recipient(&envelope, SLICE("u1@example.jp"));
    fixture->folder = store_open_folder();
    assert_true(fixture->folder >= 0);
    store_init(&store, fixture->folder);
    store_begin(&store, &envelope);
    store_write(&store, slice_of(bytes, sizeof bytes));
    assert_int_equal(store_commit(&store), VERDICT_OK);
    snprintf(fixture->id, sizeof fixture->id, "%s", store.id);
    queuefile_draft_name(fixture->id, fixture->draft);
    assert_int_equal(renameat(fixture->folder, fixture->id, fixture->folder, fixture->draft), 0);
    store_free(&store);
    envelope_free(&envelope);
}

static void remove_all(struct fixture *fixture)
{
    unlinkat(fixture->folder, fixture->id, 0);
    unlinkat(fixture->folder, fixture->draft, 0);
    close(fixture->folder);
}

static void adopts_what_is_whole(void **state)
{
    (void)state;
    struct fixture fixture;
    make_draft(&fixture);
    draft_adopt_all(fixture.folder, clock_seconds());
    assert_int_equal(draft_count(), 0);
    assert_int_equal(folder_count("queue/message"), 1);
    assert_int_equal(faccessat(fixture.folder, fixture.id, F_OK, 0), 0);
    remove_all(&fixture);
}

/* A power cut may leave zeros for any part, or less than was written. */
static void leaves_what_is_torn(void **state)
{
    (void)state;
    struct fixture fixture;
    struct stat info;
    make_draft(&fixture);
    int fd = openat(fixture.folder, fixture.draft, O_RDWR);
    assert_int_equal(fstat(fd, &info), 0);
    for (off_t at = 0; at < info.st_size; at += at < 200 ? 1 : 97) {
        char kept;
        assert_int_equal(pread(fd, &kept, 1, at), 1);
        assert_int_equal(pwrite(fd, "", 1, at), 1);
        draft_adopt_all(fixture.folder, clock_seconds());
        if (draft_count() != 1)
            fail_msg("a zero at %lld is taken for a message", (long long)at);
        assert_int_equal(pwrite(fd, &kept, 1, at), 1);
    }
    for (off_t size = 0; size < info.st_size; size += 111) {
        char rest[MESSAGE * 2];
        ssize_t got = pread(fd, rest, sizeof rest, size);
        assert_int_equal(ftruncate(fd, size), 0);
        draft_adopt_all(fixture.folder, clock_seconds());
        assert_int_equal(draft_count(), 1);
        assert_int_equal(pwrite(fd, rest, (size_t)got, size), got);
    }
    draft_adopt_all(fixture.folder, clock_seconds());
    assert_int_equal(draft_count(), 0);
    close(fd);
    remove_all(&fixture);
}

static void removes_what_nobody_writes_any_more(void **state)
{
    (void)state;
    struct fixture fixture;
    make_draft(&fixture);
    int fd = openat(fixture.folder, fixture.draft, O_RDWR);
    assert_int_equal(ftruncate(fd, 100), 0);
    close(fd);
    draft_adopt_all(fixture.folder, clock_seconds() + DRAFT_AGE_MAX - 100);
    assert_int_equal(draft_count(), 1);
    draft_adopt_all(fixture.folder, clock_seconds() + DRAFT_AGE_MAX + 100);
    assert_int_equal(draft_count(), 0);
    assert_int_equal(folder_count("queue/message"), 0);
    remove_all(&fixture);
}

static void ends_a_rename_that_was_done_by_half(void **state)
{
    (void)state;
    struct fixture fixture;
    make_draft(&fixture);
    assert_int_equal(linkat(fixture.folder, fixture.draft, fixture.folder, fixture.id, 0), 0);
    draft_adopt_all(fixture.folder, clock_seconds());
    assert_int_equal(draft_count(), 0);
    assert_int_equal(folder_count("queue/message"), 1);
    remove_all(&fixture);
}

static void looks_at_nothing_else(void **state)
{
    (void)state;
    struct fixture fixture;
    make_draft(&fixture);
    folder_write("queue/message/.other", "x", 1);
    assert_int_equal(symlinkat(fixture.draft, fixture.folder, ".0cw9x2k4m7q1p"), 0);
    draft_adopt_all(fixture.folder, clock_seconds());
    assert_int_equal(draft_count(), 2);
    assert_int_equal(folder_count("queue/message"), 1);
    unlink("queue/message/.other");
    unlink("queue/message/.0cw9x2k4m7q1p");
    remove_all(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adopts_what_is_whole),
        cmocka_unit_test(leaves_what_is_torn),
        cmocka_unit_test(removes_what_nobody_writes_any_more),
        cmocka_unit_test(ends_a_rename_that_was_done_by_half),
        cmocka_unit_test(looks_at_nothing_else),
    };
    return cmocka_run_group_tests(tests, folder_enter, folder_leave);
}
