/* store and loaded: into queue/message and back; failures leave nothing behind */
#include "folder.h"

#include "failure.h"
#include "loaded.h"
#include "store.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>

static void fill(struct envelope *envelope)
{
    envelope_init(envelope);
    str_append_text(&envelope->origin, "by=test");
    str_append_text(&envelope->sender, "s@example.org");
    envelope_add_recipient(envelope, SLICE("u1@example.jp"));
    envelope_add_recipient(envelope, SLICE("u2@example.jp"));
}

/* Stores `size` bytes in pieces of `step`; returns the verdict and the id. */
static enum verdict put(int folder, size_t size, size_t step, char *id)
{
    struct store store;
    struct envelope envelope;
    char *bytes = malloc(size + 1);
    assert_non_null(bytes);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (char)('a' + i % 26);
    fill(&envelope);
    store_init(&store, folder);
    store_begin(&store, &envelope);
    for (size_t at = 0; at < size; at += step)
        store_write(&store, slice_part(slice_of(bytes, size), at, step));
    enum verdict verdict = store_commit(&store);
    memcpy(id, store.id, sizeof store.id);
    store_free(&store);
    envelope_free(&envelope);
    free(bytes);
    return verdict;
}

static void clear_messages(void)
{
    DIR *list = opendir("queue/message");
    assert_non_null(list);
    for (struct dirent *entry; (entry = readdir(list));)
        if (entry->d_name[0] != '.')
            unlinkat(dirfd(list), entry->d_name, 0);
    closedir(list);
}

static void keeps_small_and_large(void **state)
{
    (void)state;
    static const size_t sizes[] = {
        1, 100, 65536, STORE_BUFFER_MAX - 1, STORE_BUFFER_MAX, STORE_BUFFER_MAX + 1, 1000000};
    int folder = store_open_folder();
    assert_true(folder >= 0);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char id[QUEUEFILE_ID_SIZE + 1];
        struct loaded *loaded;
        assert_int_equal(put(folder, sizes[i], 60000, id), VERDICT_OK);
        assert_int_equal(draft_count(), 0);
        assert_int_equal(loaded_open(folder, id, &loaded), LOADED_OK);
        assert_int_equal(loaded->file.size, sizes[i]);
        assert_slice(loaded->file.sender, "s@example.org");
        char first;
        assert_int_equal(pread(loaded->fd, &first, 1, loaded->file.start), 1);
        assert_int_equal(first, 'a');
        loaded_close(&loaded);
        assert_null(loaded);
    }
    clear_messages();
    close(folder);
}

static void leaves_nothing_when_given_up(void **state)
{
    (void)state;
    int folder = store_open_folder();
    struct store store;
    struct envelope envelope;
    static char bytes[STORE_BUFFER_MAX + 10];
    assert_true(folder >= 0);
    fill(&envelope);
    store_init(&store, folder);
    store_begin(&store, &envelope);
    store_write(&store, slice_of(bytes, sizeof bytes));
    assert_int_equal(draft_count(), 1);
    store_abort(&store);
    assert_int_equal(draft_count(), 0);
    store_begin(&store, &envelope);
    store_write(&store, slice_of(bytes, sizeof bytes));
    store_free(&store); /* as when the peer goes away */
    assert_int_equal(draft_count() + folder_count("queue/message"), 0);
    envelope_free(&envelope);
    close(folder);
}

/* A disk that is full at any point of the file: RLIMIT_FSIZE stands for it. */
static void leaves_nothing_when_the_disk_is_full(void **state)
{
    (void)state;
    static const rlim_t limits[] = {0, 1, 50, 200, 1000, 262144, 262200, 400000};
    int folder = store_open_folder();
    struct rlimit before, now;
    signal(SIGXFSZ, SIG_IGN);
    assert_true(folder >= 0);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        char id[QUEUEFILE_ID_SIZE + 1];
        now = before;
        now.rlim_cur = limits[i];
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &now), 0);
        enum verdict verdict = put(folder, 500000, 65536, id);
        setrlimit(RLIMIT_FSIZE, &before);
        assert_int_equal(verdict, VERDICT_TEMP);
        assert_int_equal(draft_count() + folder_count("queue/message"), 0);
    }
    close(folder);
}

static void says_so_without_a_folder(void **state)
{
    (void)state;
    int folder = -1;
    char id[QUEUEFILE_ID_SIZE + 1];
    assert_int_equal(put(folder, 10, 10, id), VERDICT_TEMP);
}

static void finds_files_that_were_cut(void **state)
{
    (void)state;
    int folder = store_open_folder();
    struct loaded *loaded;
    char id[QUEUEFILE_ID_SIZE + 1], path[64];
    struct stat info;
    assert_true(folder >= 0);
    assert_int_equal(put(folder, 100, 100, id), VERDICT_OK);
    snprintf(path, sizeof path, "queue/message/%s", id);
    assert_int_equal(stat(path, &info), 0);
    for (off_t size = info.st_size - 1; size >= 0; size--) {
        assert_int_equal(truncate(path, size), 0);
        assert_int_equal(loaded_open(folder, id, &loaded), LOADED_BROKEN);
        assert_null(loaded);
    }
    unlink(path);
    assert_int_equal(loaded_open(folder, id, &loaded), LOADED_GONE);
    close(folder);
}

static void finds_what_is_no_queue_file(void **state)
{
    (void)state;
    int folder = store_open_folder();
    struct loaded *loaded;
    char id[QUEUEFILE_ID_SIZE + 1], from[64];
    assert_true(folder >= 0);
    assert_int_equal(put(folder, 100, 100, id), VERDICT_OK);
    snprintf(from, sizeof from, "queue/message/%s", id);
    assert_int_equal(rename(from, "queue/message/0000000000000"), 0); /* another name than inside */
    assert_int_equal(loaded_open(folder, "0000000000000", &loaded), LOADED_BROKEN);
    folder_write("queue/message/0000000000001", "garbage\0\n\xff", 10);
    assert_int_equal(loaded_open(folder, "0000000000001", &loaded), LOADED_BROKEN);
    folder_write("queue/message/0000000000002", "", 0);
    assert_int_equal(loaded_open(folder, "0000000000002", &loaded), LOADED_BROKEN);
    assert_int_equal(symlink("0000000000000", "queue/message/0000000000003"), 0);
    assert_int_equal(loaded_open(folder, "0000000000003", &loaded), LOADED_BROKEN);
    assert_int_equal(mkdir("queue/message/0000000000004", 0700), 0);
    assert_int_equal(loaded_open(folder, "0000000000004", &loaded), LOADED_BROKEN);
    assert_int_equal(rmdir("queue/message/0000000000004"), 0);
    assert_int_equal(mkfifo("queue/message/0000000000005", 0600), 0);
    assert_int_equal(loaded_open(folder, "0000000000005", &loaded), LOADED_BROKEN);
    clear_messages();
    close(folder);
}

static void writes_status_bytes_in_place(void **state)
{
    (void)state;
    int folder = store_open_folder();
    struct loaded *loaded;
    char id[QUEUEFILE_ID_SIZE + 1];
    assert_true(folder >= 0);
    assert_int_equal(put(folder, 100, 100, id), VERDICT_OK);
    assert_int_equal(loaded_open(folder, id, &loaded), LOADED_OK);
    assert_int_equal(loaded_count(loaded, QUEUEFILE_TODO), 2);
    assert_true(loaded_set_status(loaded, 1, QUEUEFILE_FAILED));
    assert_true(loaded_sync(loaded));
    assert_int_equal(loaded_count(loaded, QUEUEFILE_FAILED), 1);
    loaded_close(&loaded);
    assert_int_equal(loaded_open(folder, id, &loaded), LOADED_OK);
    assert_int_equal(loaded->file.recipients[0].status, QUEUEFILE_TODO);
    assert_int_equal(loaded->file.recipients[1].status, QUEUEFILE_FAILED);
    loaded_close(&loaded);
    clear_messages();
    close(folder);
}

static void keeps_failures(void **state)
{
    (void)state;
    struct str lines, content;
    struct failure failure = {SLICE("u1@example.jp"), SLICE("5.1.1"), SLICE("no\r\nsuch, user"),
                              SLICE("mx.example.org")};
    int folder = open("queue/failure", O_RDONLY | O_DIRECTORY);
    str_init(&lines, FAILURE_LINE_MAX);
    str_init(&content, FAILURE_FILE_MAX);
    assert_true(failure_read(folder, "0000000000000", &content));
    assert_int_equal(content.size, 0);
    assert_true(failure_format(&lines, &failure));
    assert_true(failure_append(folder, "0000000000000", str_slice(&lines)));
    size_t one = lines.size;
    /* A crash cut the second line at any point; the third comes behind what is whole. */
    for (size_t cut = 0; cut <= one; cut++) {
        struct failure found;
        assert_int_equal(truncate("queue/failure/0000000000000", (off_t)one), 0);
        int fd = open("queue/failure/0000000000000", O_WRONLY | O_APPEND);
        assert_int_equal(write(fd, lines.data, cut), (ssize_t)cut);
        close(fd);
        assert_true(failure_append(folder, "0000000000000", str_slice(&lines)));
        str_clear(&content);
        assert_true(failure_read(folder, "0000000000000", &content));
        assert_int_equal(content.size, cut == one ? 3 * one : 2 * one);
        struct slice rest = str_slice(&content);
        assert_true(failure_next(&rest, &found));
        assert_slice(found.recipient, "u1@example.jp");
        assert_slice(found.status, "5.1.1");
        assert_slice(found.text, "no  such, user");
        assert_true(failure_next(&rest, &found));
    }
    unlink("queue/failure/0000000000000");
    close(folder);
    str_free(&lines);
    str_free(&content);
}

/* The size is written last, into the block: of its digits only five fit. */
static void half_a_size_is_no_success(void **state)
{
    (void)state;
    int folder = store_open_folder();
    struct store store;
    struct envelope envelope;
    struct rlimit before;
    char *bytes = calloc(1, STORE_BUFFER_MAX);
    assert_non_null(bytes);
    assert_true(folder >= 0);
    fill(&envelope);
    store_init(&store, folder);
    store_begin(&store, &envelope);
    store_write(&store, slice_of(bytes, STORE_BUFFER_MAX));
    assert_true(store.fd >= 0);
    assert_int_equal(store.buffer.size, 0);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    struct rlimit little = {.rlim_cur = (rlim_t)store.seal_offset + 5, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
    errno = 0;
    enum verdict verdict = store_commit(&store);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(verdict, VERDICT_TEMP);
    assert_int_equal(folder_count("queue/message") + draft_count(), 0);
    store_free(&store);
    envelope_free(&envelope);
    free(bytes);
    close(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(half_a_size_is_no_success),
        cmocka_unit_test(keeps_small_and_large),
        cmocka_unit_test(leaves_nothing_when_given_up),
        cmocka_unit_test(leaves_nothing_when_the_disk_is_full),
        cmocka_unit_test(says_so_without_a_folder),
        cmocka_unit_test(finds_files_that_were_cut),
        cmocka_unit_test(finds_what_is_no_queue_file),
        cmocka_unit_test(writes_status_bytes_in_place),
        cmocka_unit_test(keeps_failures),
    };
    return cmocka_run_group_tests(tests, folder_enter, folder_leave);
}
