/* mailbox-index: cut at any point, any byte flipped, of another day or folder - no UID and no flag is lost */
#include "unit.h"

#include "clock.h"
#include "hash.h"
#include "io.h"
#include "mailboxdeliver.h"
#include "mailboxindex.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FEW = 5, MANY = 90, INDEX_MAX = 1 << 20 };

/* A folder, and what a session that found all as it was would see. */
struct box {
    char path[64];
    int fd;
    size_t count;
    uint32_t uidvalidity, uidnext;
    struct mailbox_message messages[MANY];
    char *index;
    size_t index_size;
    struct timespec times[2]; /* of cur/ and new/ */
};

static void put(const struct box *box, const char *path, struct slice content)
{
    int fd = openat(box->fd, path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0 && io_write_all(fd, content, CLOCK_NEVER));
    io_close(&fd);
}

static void say(void *owner, const char *text)
{
    (void)owner;
    print_message("check: %s\n", text);
}

static uint64_t count_findings(const struct box *box, mailbox_tell *tell)
{
    struct mailbox_checked checked;
    assert_true(mailbox_check(box->fd, "m", tell, NULL, &checked));
    return checked.findings;
}

static void say_nothing(void *owner, const char *text)
{
    (void)owner;
    (void)text;
}

static void keep(struct box *box)
{
    struct str content;
    struct stat info;
    str_init(&content, INDEX_MAX);
    assert_true(io_read_file(box->fd, "m/mailbox-index", &content));
    free(box->index);
    box->index_size = content.size;
    box->index = malloc(content.size);
    assert_non_null(box->index);
    memcpy(box->index, content.data, content.size);
    str_free(&content);
    assert_int_equal(fstatat(box->fd, "m/cur", &info, 0), 0);
    box->times[0] = info.st_mtim;
    assert_int_equal(fstatat(box->fd, "m/new", &info, 0), 0);
    box->times[1] = info.st_mtim;
}

/* All as it was, but for the index, which is `content`. */
static void put_back(const struct box *box, struct slice content)
{
    struct timespec cur[2] = {{.tv_nsec = UTIME_OMIT}, box->times[0]};
    struct timespec new[2] = {{.tv_nsec = UTIME_OMIT}, box->times[1]};
    (void)unlinkat(box->fd, "m/mailbox-index", 0);
    put(box, "m/mailbox-index", content);
    assert_int_equal(utimensat(box->fd, "m/cur", cur, 0), 0);
    assert_int_equal(utimensat(box->fd, "m/new", new, 0), 0);
}

static void remember(struct box *box)
{
    struct mailbox *mailbox = mailbox_open(box->fd, "m", true);
    assert_non_null(mailbox);
    box->count = mailbox->count;
    box->uidvalidity = mailbox->uidvalidity;
    box->uidnext = mailbox->uidnext;
    memcpy(box->messages, mailbox->messages, mailbox->count * sizeof *mailbox->messages);
    mailbox_close(&mailbox);
}

/* What a session sees now. */
static void assert_kept(const struct box *box, const char *what, size_t at)
{
    struct mailbox *mailbox = mailbox_open(box->fd, "m", true);
    if (!mailbox)
        fail_msg("%s at %zu: can't be opened", what, at);
    bool is_kept = mailbox->count == box->count && mailbox->uidvalidity == box->uidvalidity &&
                   mailbox->uidnext >= box->uidnext;
    for (size_t i = 0; is_kept && i < box->count; i++) {
        const struct mailbox_message *message = &mailbox->messages[i];
        is_kept = message->uid == box->messages[i].uid &&
                  message->flags == box->messages[i].flags &&
                  message->keywords == box->messages[i].keywords &&
                  message->size == box->messages[i].size && message->date == box->messages[i].date;
    }
    mailbox_close(&mailbox);
    if (!is_kept)
        fail_msg("%s at %zu: something was lost", what, at);
}

static void assert_good(const struct box *box, const char *what, size_t at)
{
    if (count_findings(box, say) > 0)
        fail_msg("%s at %zu: not good afterwards", what, at);
}

static void fill(struct box *box, unsigned count)
{
    char path[96];
    for (unsigned i = 1; i <= count; i++) {
        snprintf(path, sizeof path, "m/%s/17000000%02u.M%uP1.host", i % 2 ? "new" : "cur", i, i);
        put(box, path, SLICE("a: b\r\n\r\nc\r\n"));
    }
}

static int make_box(void **state)
{
    static struct box box;
    box = (struct box){.fd = -1};
    snprintf(box.path, sizeof box.path, "/tmp/test_mailboxindex.XXXXXX");
    if (!mkdtemp(box.path))
        return -1;
    box.fd = open(box.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    *state = &box;
    return box.fd >= 0 && maildir_create(box.fd, "m") ? 0 : -1;
}

static int remove_box(void **state)
{
    struct box *box = *state;
    char command[128];
    io_close(&box->fd);
    free(box->index);
    snprintf(command, sizeof command, "rm -rf '%s'", box->path);
    return system(command);
}

/* Flags, a keyword, a removal, a fact in the cache: something of each kind in the log. */
static void use(struct box *box)
{
    fill(box, FEW + 1);
    struct mailbox *mailbox = mailbox_open(box->fd, "m", false);
    assert_non_null(mailbox);
    uint32_t bit = mailbox_keyword(mailbox, SLICE("$Forwarded"), true);
    assert_true(mailbox_set_flags(mailbox, &mailbox->messages[0], MAILBOX_ADD, MAILDIR_SEEN, bit));
    assert_true(mailbox_set_flags(mailbox, &mailbox->messages[3], MAILBOX_ADD, MAILDIR_FLAGGED, 0));
    assert_true(mailbox_remove(mailbox, &mailbox->messages[1]));
    mailbox_cache(mailbox, &mailbox->messages[2], MAILBOX_ENVELOPE, SLICE("(envelope)"));
    mailbox_close(&mailbox);
    remember(box);
    keep(box);
    assert_int_equal(box->count, FEW);
    assert_good(box, "at the beginning", 0);
}

static void cut_anywhere(void **state)
{
    struct box *box = *state;
    use(box);
    struct mailbox_index_header header;
    memcpy(&header, box->index, sizeof header);
    for (size_t size = 0; size <= box->index_size; size += size < header.log_at ? 5 : 1) {
        put_back(box, slice_of(box->index, size));
        assert_kept(box, "cut", size);
        assert_good(box, "cut", size);
    }
}

/* The middle of a run of zeros is like its beginning. */
static bool is_padding(const struct box *box, size_t at)
{
    static const char zeros[64];
    return at % sizeof zeros != 0 && at > sizeof zeros &&
           memcmp(box->index + at - sizeof zeros, zeros, sizeof zeros) == 0;
}

static void any_byte_flipped(void **state)
{
    struct box *box = *state;
    use(box);
    for (size_t at = 0; at < box->index_size; at++) {
        if (is_padding(box, at))
            continue;
        box->index[at] = (char)(box->index[at] ^ (at % 3 == 0 ? 0xff : 1 << at % 8));
        put_back(box, slice_of(box->index, box->index_size));
        box->index[at] = (char)(box->index[at] ^ (at % 3 == 0 ? 0xff : 1 << at % 8));
        assert_kept(box, "flipped", at);
        assert_good(box, "flipped", at);
    }
}

/* A session was killed after it answered that all flags are set, and before the names said so. */
static void use_and_die(struct box *box)
{
    int status;
    fill(box, MANY);
    pid_t child = fork();
    if (child == 0) {
        struct mailbox *mailbox = mailbox_open(box->fd, "m", false);
        bool done = mailbox && mailbox_lock(mailbox);
        for (size_t i = 0; done && i < mailbox->count; i++)
            done = mailbox_set_flags(mailbox, &mailbox->messages[i], MAILBOX_ADD, MAILDIR_SEEN, 0);
        done = done && mailbox_unlock(mailbox) && mailbox_lock(mailbox);
        for (size_t i = 0; done && i < mailbox->count; i += 2)
            done =
                mailbox_set_flags(mailbox, &mailbox->messages[i], MAILBOX_ADD, MAILDIR_FLAGGED, 0);
        _exit(done && mailbox_unlock(mailbox) ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(faccessat(box->fd, "m/mailbox-pending", F_OK, 0), 0);
    remember(box);
    keep(box);
    for (size_t i = 0; i < box->count; i++)
        assert_int_equal(box->messages[i].flags, MAILDIR_SEEN | (i % 2 == 0 ? MAILDIR_FLAGGED : 0));
}

static void cut_while_changes_are_pending(void **state)
{
    struct box *box = *state;
    use_and_die(box);
    for (size_t size = 0; size <= box->index_size; size += size < 4096 ? 512 : 24) {
        put_back(box, slice_of(box->index, size));
        assert_kept(box, "cut", size);
        assert_good(box, "cut", size);
    }
}

static void flipped_while_changes_are_pending(void **state)
{
    struct box *box = *state;
    use_and_die(box);
    for (size_t at = 0; at < box->index_size; at += 11) {
        box->index[at] = (char)~box->index[at];
        put_back(box, slice_of(box->index, box->index_size));
        box->index[at] = (char)~box->index[at];
        assert_kept(box, "flipped", at);
        assert_good(box, "flipped", at);
    }
}

static void rubbish_among_what_is_pending(void **state)
{
    struct box *box = *state;
    use_and_die(box);
    int fd = openat(box->fd, "m/mailbox-pending", O_WRONLY | O_APPEND);
    assert_true(io_write_all(fd,
                             SLICE("flags 0 T\nremove 3 ../../x\nflags x\n\n\x01\nremove 7\n"
                                   "remove 99999 cur/../mailbox-uids\nflags 5 DT"),
                             CLOCK_NEVER));
    io_close(&fd);
    assert_true(count_findings(box, say_nothing) > 0);
    struct mailbox *mailbox = mailbox_open(box->fd, "m", false);
    assert_non_null(mailbox);
    assert_true(mailbox->uidvalidity == box->uidvalidity);
    for (size_t i = 0; i < mailbox->count; i++)
        assert_int_equal(mailbox->messages[i].flags & MAILDIR_SEEN, MAILDIR_SEEN);
    mailbox_close(&mailbox);
    assert_int_equal(faccessat(box->fd, "m/mailbox-uids", F_OK, 0), 0);
    assert_good(box, "rubbish", 0);
}

static void an_index_of_another_day(void **state)
{
    struct box *box = *state;
    use(box);
    struct mailbox *mailbox = mailbox_open(box->fd, "m", false);
    assert_non_null(mailbox);
    assert_true(mailbox_remove(mailbox, &mailbox->messages[4]));
    assert_true(mailbox_set_flags(mailbox, &mailbox->messages[1], MAILBOX_ADD, MAILDIR_REPLIED, 0));
    put(box, "m/new/1800000000.M1P1.host", SLICE("d: e\r\n\r\n"));
    assert_true(mailbox_sync(mailbox));
    mailbox_close(&mailbox);
    remember(box);
    (void)unlinkat(box->fd, "m/mailbox-index", 0);
    put(box, "m/mailbox-index", slice_of(box->index, box->index_size));
    assert_kept(box, "another day", 0);
    assert_good(box, "another day", 0);
}

/* An appended message's UID. */
static uint32_t append(struct mailbox *mailbox)
{
    struct mailbox_append append = {0};
    uint32_t uid;
    assert_true(mailbox_append_begin(mailbox, &append));
    assert_true(mailbox_append_write(&append, SLICE("b\r\n")));
    assert_true(mailbox_append_commit(mailbox, &append, &uid));
    return uid;
}

/* What leaves no trace but in the index: a message that came and went. */
static uint32_t append_and_remove(struct box *box, uint64_t *modseq)
{
    struct mailbox *mailbox = mailbox_open(box->fd, "m", false);
    assert_non_null(mailbox);
    uint32_t uid = append(mailbox);
    assert_true(mailbox_remove(mailbox, mailbox_find(mailbox, uid)));
    *modseq = mailbox_highest_modseq(mailbox);
    mailbox_close(&mailbox);
    return uid;
}

/* The clock of files ticks slowly. */
static void pass_a_tick(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 30000000}, NULL);
}

static void deliver_with_index(const struct box *box)
{
    struct maildir_delivery delivery;
    assert_true(maildir_begin(&delivery, box->fd, "m", "0cw9x2k4m7q1a", "host"));
    assert_true(maildir_write(&delivery, SLICE("d\r\n")));
    assert_true(mailboxdeliver_place(&delivery, false));
    assert_int_equal(delivery.uid, 0);
    assert_int_equal(maildir_commit(&delivery), VERDICT_OK);
}

static void assert_nothing_given_again(struct box *box, uint32_t uid, uint64_t modseq)
{
    deliver_with_index(box);
    struct mailbox *mailbox = mailbox_open(box->fd, "m", false);
    assert_non_null(mailbox);
    for (size_t i = 0; i < box->count; i++)
        assert_int_equal(mailbox->messages[i].uid, box->messages[i].uid);
    assert_int_equal(mailbox->count, box->count + 1);
    assert_true(mailbox->messages[box->count].uid > uid);
    assert_true(append(mailbox) > uid + 1);
    assert_true(mailbox_highest_modseq(mailbox) > modseq);
    size_t count;
    assert_null(mailbox_vanished_since(mailbox, modseq - 1, &count));
    mailbox_close(&mailbox);
    assert_good(box, "afterwards", 0);
}

/* RFC 3501 2.3.1.1, RFC 7162 3.1.2.2: whatever becomes of the index. */
static void an_older_index_gives_nothing_out_again(void **state)
{
    struct box *box = *state;
    uint64_t modseq;
    use(box);
    uint32_t uid = append_and_remove(box, &modseq);
    pass_a_tick();
    put(box, "m/mailbox-index", slice_of(box->index, box->index_size));
    assert_nothing_given_again(box, uid, modseq);
}

static void a_log_that_was_cut_gives_nothing_out_again(void **state)
{
    struct box *box = *state;
    struct mailbox_index_header header;
    uint64_t modseq;
    use(box);
    uint32_t uid = append_and_remove(box, &modseq);
    pass_a_tick();
    int fd = openat(box->fd, "m/mailbox-index", O_RDWR);
    assert_true(io_pread_all(fd, &header, sizeof header, 0));
    assert_int_equal(ftruncate(fd, (off_t)header.log_at), 0);
    io_close(&fd);
    assert_nothing_given_again(box, uid, modseq);
}

/* An index as it was written last, that says another `boot`, and another time of cur/. */
static void forge(struct box *box, int64_t boot_ago, int64_t cur_ago)
{
    struct mailbox_index_header header;
    assert_true(mailbox_rebuild(box->fd, "m"));
    remember(box);
    keep(box);
    memcpy(&header, box->index, sizeof header);
    assert_int_equal(header.log_at, box->index_size);
    header.state.boot -= boot_ago;
    header.state.cur_stamp -= cur_ago * 1000000000;
    header.sum = hash_add_block(HASH_START, &header, offsetof(struct mailbox_index_header, sum));
    memcpy(box->index, &header, sizeof header);
}

/* A power cut took the end of the log, and not the names. */
static void uids_in_names_count_behind_a_power_cut(void **state)
{
    struct box *box = *state;
    use(box);
    forge(box, 1000000, 0);
    struct mailbox *mailbox = mailbox_open(box->fd, "m", false);
    assert_non_null(mailbox);
    uint32_t uid = append(mailbox);
    mailbox_close(&mailbox);
    remember(box);
    put(box, "m/mailbox-index", slice_of(box->index, box->index_size));
    assert_kept(box, "a power cut", 0);
    mailbox = mailbox_open(box->fd, "m", false);
    assert_non_null(mailbox);
    assert_true(append(mailbox) > uid);
    mailbox_close(&mailbox);
    assert_good(box, "afterwards", 0);
}

/* rsync -a gives cur/ the time that it had, and leaves what came since. */
static void a_time_that_was_put_back_is_not_believed(void **state)
{
    struct box *box = *state;
    struct stat info;
    use(box);
    forge(box, 0, 3600);
    put_back(box, slice_of(box->index, box->index_size));
    put(box, "m/cur/1800000000.M1P1.host,S=3,W=3,U=5000:2,F", SLICE("d\r\n"));
    assert_int_equal(fstatat(box->fd, "m/cur", &info, 0), 0);
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, box->times[0]};
    times[1].tv_sec -= 3600;
    assert_int_equal(utimensat(box->fd, "m/cur", times, 0), 0);
    struct mailbox *mailbox = mailbox_open(box->fd, "m", false);
    assert_non_null(mailbox);
    assert_int_equal(mailbox->count, box->count + 1);
    assert_int_equal(mailbox->messages[box->count].uid, 5000);
    mailbox_close(&mailbox);
    assert_good(box, "afterwards", 0);
}

static void put_uids_back(const struct box *box)
{
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = 1700000000}};
    assert_int_equal(utimensat(box->fd, "m/mailbox-uids", times, 0), 0);
}

/* All of it put back, with its times: how much was given out since nobody knows. */
static void numbers_of_another_day_are_left_behind(void **state)
{
    struct box *box = *state;
    use(box);
    for (int turn = 0; turn < 2; turn++) {
        forge(box, turn == 0 ? 1000000 : 0, 0);
        put_back(box, slice_of(box->index, box->index_size));
        if (turn == 1)
            assert_int_equal(unlinkat(box->fd, "m/mailbox-index", 0), 0);
        put_uids_back(box);
        uint32_t uidnext = box->uidnext;
        assert_kept(box, "put back", (size_t)turn);
        remember(box);
        assert_in_range(box->uidnext, uidnext + 50000, uidnext + 200000);
        uidnext = box->uidnext;
        remember(box);
        assert_int_equal(box->uidnext, uidnext);
    }
}

static void what_is_no_file_is_no_index(void **state)
{
    struct box *box = *state;
    use(box);
    for (int kind = 0; kind < 4; kind++) {
        (void)unlinkat(box->fd, "m/mailbox-index", 0);
        if (kind == 0)
            assert_int_equal(mkdirat(box->fd, "m/mailbox-index", 0700), 0);
        else if (kind == 1)
            assert_int_equal(mkfifoat(box->fd, "m/mailbox-index", 0600), 0);
        else
            assert_int_equal(
                symlinkat(kind == 2 ? "mailbox-uids" : "none", box->fd, "m/mailbox-index"), 0);
        assert_true(count_findings(box, say_nothing) > 0);
        if (kind % 2 == 0)
            assert_true(mailbox_rebuild(box->fd, "m"));
        assert_kept(box, "no file", (size_t)kind);
        assert_good(box, "no file", (size_t)kind);
    }
    assert_int_equal(unlinkat(box->fd, "m/mailbox-index", 0), 0);
    assert_true(maildir_create(box->fd, "m/mailbox-index"));
    assert_kept(box, "a folder with something in it", 0);
    assert_false(mailbox_rebuild(box->fd, "m"));
}

static void an_index_of_another_folder(void **state)
{
    struct box *box = *state;
    char uids[64];
    use(box);
    assert_true(maildir_create(box->fd, "other"));
    put(box, "other/cur/1600000000.M1P1.host:2,S", SLICE("d: e\r\n\r\n"));
    /* Accounts that were made in one second have one UIDVALIDITY. */
    snprintf(uids, sizeof uids, "uidvalidity %010u\nuidnext 0000000003\n", box->uidvalidity);
    put(box, "other/mailbox-uids", slice_text(uids));
    struct mailbox *mailbox = mailbox_open(box->fd, "other", false);
    assert_non_null(mailbox);
    mailbox_close(&mailbox);
    assert_int_equal(renameat(box->fd, "other/mailbox-index", box->fd, "m/mailbox-index"), 0);
    assert_true(count_findings(box, say_nothing) > 0);
    assert_kept(box, "another folder", 0);
    assert_good(box, "another folder", 0);
}

static void a_cache_that_was_cut(void **state)
{
    struct box *box = *state;
    use(box);
    int fd = openat(box->fd, "m/mailbox-cache", O_RDWR);
    assert_true(fd >= 0 && ftruncate(fd, 40) == 0);
    io_close(&fd);
    assert_int_equal(count_findings(box, say_nothing), 1);
    assert_kept(box, "the cache cut", 0);
    assert_true(mailbox_rebuild(box->fd, "m"));
    assert_good(box, "rebuilt", 0);
    assert_kept(box, "rebuilt", 0);
}

/* A session goes on over a rebuild, and sees what it made. */
static void rebuilt_under_a_session(void **state)
{
    struct box *box = *state;
    use(box);
    struct mailbox *mailbox = mailbox_open(box->fd, "m", false);
    assert_non_null(mailbox);
    assert_true(mailbox_rebuild(box->fd, "m"));
    put(box, "m/new/1800000000.M1P1.host", SLICE("d: e\r\n\r\n"));
    assert_true(mailbox_sync(mailbox));
    assert_int_equal(mailbox->count, FEW + 1);
    for (size_t i = 0; i < FEW; i++) {
        assert_int_equal(mailbox->messages[i].uid, box->messages[i].uid);
        assert_int_equal(mailbox->messages[i].flags, box->messages[i].flags);
    }
    assert_true(mailbox_set_flags(mailbox, &mailbox->messages[0], MAILBOX_ADD, MAILDIR_DRAFT, 0));
    mailbox_close(&mailbox);
    assert_good(box, "after the session", 0);
}

/* It did not wait for the lock, and came while we changed new/ ourselves. */
static void a_delivery_under_our_lock_is_seen(void **state)
{
    struct box *box = *state;
    fill(box, FEW);
    struct mailbox *mailbox = mailbox_open_to_fill(box->fd, "m");
    assert_non_null(mailbox);
    size_t count = mailbox->count;
    struct mailbox_message *message = &mailbox->messages[0];
    assert_true(message->in_new);
    assert_true(mailbox_lock(mailbox));
    put(box, "m/new/1900000000.M1P1.host", SLICE("d: e\r\n\r\n"));
    assert_true(mailbox_set_flags(mailbox, message, MAILBOX_ADD, MAILDIR_FLAGGED, 0));
    assert_true(mailbox_unlock(mailbox));
    assert_true(mailbox_sync(mailbox));
    assert_int_equal(mailbox->count, count + 1);
    mailbox_close(&mailbox);
    assert_good(box, "afterwards", 0);
}

/* What check is there to find. */
static void findings(void **state)
{
    struct box *box = *state;
    use(box);
    assert_int_equal(count_findings(box, say), 0);
    /* News is no fault. */
    put(box, "m/new/1900000000.M1P1.host", SLICE("d: e\r\n\r\n"));
    assert_int_equal(count_findings(box, say), 0);
    struct mailbox *mailbox = mailbox_open(box->fd, "m", false);
    assert_non_null(mailbox);
    char name[MAILBOX_NAME_SIZE], path[MAILBOX_NAME_SIZE + 16];
    assert_true(mailbox_name(mailbox, &mailbox->messages[0], name));
    mailbox_close(&mailbox);
    keep(box);
    /* A file that grew. */
    snprintf(path, sizeof path, "m/cur/%s", name);
    int fd = openat(box->fd, path, O_WRONLY | O_APPEND);
    assert_true(io_write_all(fd, SLICE("more\r\n"), CLOCK_NEVER));
    io_close(&fd);
    assert_true(count_findings(box, say_nothing) > 0);
    /* A file that is gone, while the times say that nothing was changed. */
    assert_int_equal(unlinkat(box->fd, path, 0), 0);
    put_back(box, slice_of(box->index, box->index_size));
    assert_int_equal(count_findings(box, say_nothing), 1);
    assert_int_equal(unlinkat(box->fd, "m/mailbox-uids", 0), 0);
    assert_true(count_findings(box, say_nothing) > 0);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, make_box, remove_box)
    const struct CMUnitTest tests[] = {
        TEST(cut_anywhere),
        TEST(any_byte_flipped),
        TEST(cut_while_changes_are_pending),
        TEST(flipped_while_changes_are_pending),
        TEST(rubbish_among_what_is_pending),
        TEST(an_index_of_another_day),
        TEST(an_older_index_gives_nothing_out_again),
        TEST(a_log_that_was_cut_gives_nothing_out_again),
        TEST(uids_in_names_count_behind_a_power_cut),
        TEST(a_time_that_was_put_back_is_not_believed),
        TEST(numbers_of_another_day_are_left_behind),
        TEST(what_is_no_file_is_no_index),
        TEST(an_index_of_another_folder),
        TEST(a_cache_that_was_cut),
        TEST(rebuilt_under_a_session),
        TEST(a_delivery_under_our_lock_is_seen),
        TEST(findings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
