/* ledger and journal: what is replayed is what was, and a torn or damaged file costs the least */
#include "unit.h"

#include "journal.h"
#include "ledger.h"

#include "io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NOW = 1000000 };
static const struct failures_limits limits = {.limit = 10, .window_s = 600, .lock_s = 900};

static bool apply_to(void *owner, struct slice record)
{
    return ledger_apply(owner, record, NULL);
}

static void append_line(void *owner, struct slice record)
{
    str_append(owner, record);
    str_append_byte(owner, '\n');
}

/* All records of a ledger, one a line. */
static void dump(const struct ledger *ledger, int64_t now, struct str *text)
{
    str_init(text, 1000000);
    ledger_walk(ledger, now, append_line, text);
    assert_false(text->failed);
}

/* A ledger with some of everything, and names with every kind of byte. */
static void fill(struct ledger *ledger, struct journal *journal)
{
    struct str record;
    str_init(&record, LEDGER_RECORD_MAX);
    for (int i = 0; i < 30; i++) {
        char client[32];
        snprintf(client, sizeof client, "192.0.2.%d", i % 3);
        str_clear(&record);
        if (i % 7 == 0)
            ledger_put_good(&record, NOW + i, SLICE("u1@a"), slice_text(client));
        else
            ledger_put_failed(&record, NOW + i, SLICE("odd \n%\xff name@a"), slice_text(client),
                              &(struct failures_own){.limit = (unsigned)i % 2 * 20, .lock_s = 0});
        assert_true(ledger_apply(ledger, str_slice(&record), NULL));
        if (journal)
            assert_true(journal_append(journal, str_slice(&record)));
    }
    str_clear(&record);
    ledger_put_set(&record, SLICE("u1@a"), STATES_SEND_LOCK, NOW, NOW + 86400, SLICE(""));
    assert_true(ledger_apply(ledger, str_slice(&record), NULL));
    if (journal)
        assert_true(journal_append(journal, str_slice(&record)));
    str_free(&record);
}

static void walking_and_applying_gives_the_same(void **state)
{
    (void)state;
    struct ledger first, second;
    struct str before, after;
    assert_true(ledger_init(&first, 1, &limits) && ledger_init(&second, 2, &limits));
    fill(&first, NULL);
    dump(&first, NOW + 50, &before);
    assert_true(before.size > 100);
    struct slice rest = str_slice(&before);
    while (rest.size > 0)
        assert_true(ledger_apply(&second, slice_cut(&rest, '\n'), NULL));
    dump(&second, NOW + 50, &after);
    assert_true(slice_equal(str_slice(&before), str_slice(&after)));
    str_free(&before);
    str_free(&after);
    /* What is over is left out: windows, locks, states; good places stay for a month. */
    dump(&second, NOW + 86400 * 2, &after);
    assert_slice(slice_part(str_slice(&after), 0, 9), "pair u1@a");
    assert_false(slice_has(str_slice(&after), '%'));
    str_free(&after);
    ledger_free(&first);
    ledger_free(&second);
}

static const char *const bad_records[] = {
    "",
    " ",
    "failed",
    "failed 1 a",
    "failed 1 a b c",
    "rate sent @a 600 3 1",
    "rate sideways @a 600 3 1 1",
    "rate sent % 600 3 1 1",
    "rate sent @a 0 3 1 1",
    "rate sent @a 600 3 9223372036854775807 1",
    "rate sent @a 600 3 1 99999999999",
    "restart sideways @a",
    "restart sent",
    "failed x a b",
    "failed 1 % b",
    "failed -1 a b",
    "failed 99999999999999999999 a b",
    "failed 1  a b",
    "failed 1 a b ",
    "failed 1 %4 b",
    "failed 1 %zz b",
    "failed 1 %4",
    "unknown 1 a b",
    "good 1 a%00 b",
    "set a nonsense 1 2 c",
    "set a send-lock 1 2",
    "set % send-lock 1 2 c",
    "clear a send-lock",
    "clear a",
    "forgive a",
    "pair a b 1 2 3 4",
    "pair a b 1 4294967295 3 4 5",
    "account a 1 2 3",
    "account a 1 2 3 4 x",
    "account a 1 2 3 4 5 6",
    "client a 1 x 3 4",
    "a b c d e f g h i j k",
};

static void bad_records_are_refused(void **state)
{
    (void)state;
    struct ledger ledger;
    assert_true(ledger_init(&ledger, 1, &limits));
    for (size_t i = 0; i < sizeof bad_records / sizeof *bad_records; i++)
        if (ledger_apply(&ledger, slice_text(bad_records[i]), NULL))
            fail_msg("taken: \"%s\"", bad_records[i]);
    char large[LEDGER_RECORD_MAX + 100];
    memset(large, 'a', sizeof large);
    assert_false(ledger_apply(&ledger, slice_of(large, sizeof large), NULL));
    memcpy(large, "failed 1 ", 9);
    large[1000] = ' ';
    assert_false(ledger_apply(&ledger, slice_of(large, 1002), NULL)); /* account too long */
    ledger_free(&ledger);
}

static void older_records_say_not_since_when(void **state)
{
    (void)state;
    struct ledger ledger;
    assert_true(ledger_init(&ledger, 1, &limits));
    assert_true(ledger_apply(&ledger, SLICE("account u1@a 1000 3 2000 2"), NULL));
    assert_true(ledger_apply(&ledger, SLICE("account u2@a 1000 3 2000 2 1900"), NULL));
    assert_true(ledger_apply(&ledger, SLICE("client 192.0.2.1 1000 3 2000 2 1900"), NULL));
    assert_int_equal(tally_find(&ledger.failures.accounts, SLICE("u1@a"))->counted, 0);
    assert_int_equal(tally_find(&ledger.failures.accounts, SLICE("u2@a"))->counted, 1900);
    assert_int_equal(tally_find(&ledger.failures.accounts, SLICE("u2@a"))->locked_until, 2000);
    ledger_free(&ledger);
}

/* ---- the file --------------------------------------------------------------------------------- */

struct fixture {
    char path[64];
    int folder;
    struct ledger ledger;
    struct journal journal;
    struct journal_replay replay;
};

static int begin(void **state)
{
    static struct fixture fixture;
    snprintf(fixture.path, sizeof fixture.path, "/tmp/test_ledger.XXXXXX");
    if (!mkdtemp(fixture.path))
        return -1;
    fixture.folder = open(fixture.path, O_RDONLY | O_DIRECTORY);
    *state = &fixture;
    return ledger_init(&fixture.ledger, 1, &limits) ? 0 : -1;
}

static int finish(void **state)
{
    struct fixture *fixture = *state;
    journal_close(&fixture->journal);
    unlinkat(fixture->folder, "journal", 0);
    unlinkat(fixture->folder, "journal.damaged", 0);
    io_close(&fixture->folder);
    rmdir(fixture->path);
    ledger_free(&fixture->ledger);
    return 0;
}

/* Opens anew, as after a restart. */
static void reopen(struct fixture *fixture)
{
    journal_close(&fixture->journal);
    ledger_free(&fixture->ledger);
    assert_true(ledger_init(&fixture->ledger, 3, &limits));
    assert_true(journal_open(&fixture->journal, fixture->folder, "journal", apply_to,
                             &fixture->ledger, &fixture->replay));
}

static void read_journal(struct fixture *fixture, struct str *content)
{
    str_init(content, 1000000);
    assert_true(io_read_file(fixture->folder, "journal", content));
}

static void write_journal(struct fixture *fixture, struct slice content)
{
    int fd = openat(fixture->folder, "journal", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0 && io_write_all(fd, content, INT64_MAX));
    close(fd);
}

static void a_restart_forgets_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct str before, after;
    reopen(fixture);
    assert_int_equal(fixture->replay.records, 0);
    fill(&fixture->ledger, &fixture->journal);
    assert_true(journal_sync(&fixture->journal));
    dump(&fixture->ledger, NOW + 50, &before);
    reopen(fixture);
    assert_int_equal(fixture->replay.records, 31);
    assert_int_equal(fixture->replay.damaged + fixture->replay.refused + fixture->replay.cut_size,
                     0);
    dump(&fixture->ledger, NOW + 50, &after);
    assert_true(slice_equal(str_slice(&before), str_slice(&after)));
    str_free(&before);
    str_free(&after);
}

/* The file cut at every byte: what is whole is replayed, the rest is cut off, and the journal goes
 * on from there. */
static void a_torn_tail_is_cut_wherever_it_tears(void **state)
{
    struct fixture *fixture = *state;
    struct str content;
    reopen(fixture);
    fill(&fixture->ledger, &fixture->journal);
    read_journal(fixture, &content);
    struct slice last_lines = str_slice(&content);
    last_lines.size--;
    size_t line_start = slice_find_last(last_lines, '\n') + 1;
    for (size_t size = line_start; size < content.size; size++) {
        write_journal(fixture, slice_part(str_slice(&content), 0, size));
        reopen(fixture);
        assert_int_equal(fixture->replay.records, 30);
        assert_int_equal(fixture->replay.damaged, 0);
        assert_int_equal(fixture->replay.cut_size, size - line_start);
        assert_true(journal_append(&fixture->journal, SLICE("good 1000001 u9@a 192.0.2.9")));
        reopen(fixture);
        assert_int_equal(fixture->replay.records, 31);
        assert_int_equal(fixture->replay.cut_size, 0);
    }
    str_free(&content);
}

static void damage_in_the_middle_costs_its_line_only(void **state)
{
    struct fixture *fixture = *state;
    struct str content, lines;
    reopen(fixture);
    fill(&fixture->ledger, &fixture->journal);
    read_journal(fixture, &content);
    content.data[slice_find(str_slice(&content), '\n') + 15] ^= 1;
    write_journal(fixture, str_slice(&content));
    reopen(fixture);
    assert_int_equal(fixture->replay.records, 30);
    assert_int_equal(fixture->replay.damaged, 1);
    assert_int_equal(fixture->replay.cut_size, 0);
    assert_int_equal(faccessat(fixture->folder, "journal.damaged", F_OK, 0), 0);
    /* The next compaction cleans it. */
    assert_true(journal_wants_compaction(&fixture->journal));
    str_init(&lines, 1000000);
    journal_put_line(&lines, SLICE("good 1000001 u9@a 192.0.2.9"));
    assert_true(journal_replace(&fixture->journal, str_slice(&lines)));
    assert_false(journal_wants_compaction(&fixture->journal));
    assert_true(journal_append(&fixture->journal, SLICE("good 1000001 u8@a 192.0.2.9")));
    reopen(fixture);
    assert_int_equal(fixture->replay.records, 2);
    assert_int_equal(fixture->replay.damaged, 0);
    str_free(&content);
    str_free(&lines);
}

/* The check value of CRC-32: a journal of today is read by tomorrow's suite. */
static void the_checksum_is_what_it_says(void **state)
{
    (void)state;
    struct str line;
    str_init(&line, 100);
    journal_put_line(&line, SLICE("123456789"));
    assert_true(slice_equal_nocase(str_slice(&line), SLICE("cbf43926 123456789\n")));
    str_free(&line);
}

static void garbage_is_no_journal(void **state)
{
    struct fixture *fixture = *state;
    static const char *const garbage[] = {"\n\n\n", "not a journal\n", "00000000 x\n", "\xff\xff"};
    for (size_t i = 0; i < sizeof garbage / sizeof *garbage; i++) {
        write_journal(fixture, slice_text(garbage[i]));
        reopen(fixture);
        assert_int_equal(fixture->replay.records, 0);
        assert_int_equal(fixture->replay.cut_size, strlen(garbage[i]));
    }
}

static void a_record_that_is_too_long_is_refused(void **state)
{
    struct fixture *fixture = *state;
    char large[JOURNAL_RECORD_MAX + 1];
    memset(large, 'a', sizeof large);
    reopen(fixture);
    assert_false(journal_append(&fixture->journal, slice_of(large, sizeof large)));
    assert_int_equal(errno, EINVAL);
    assert_int_equal(fixture->journal.size, 0);
}

static void a_full_disk_leaves_the_journal_whole(void **state)
{
    struct fixture *fixture = *state;
    reopen(fixture);
    assert_true(journal_append(&fixture->journal, SLICE("good 1000001 u9@a 192.0.2.9")));
    int file = fixture->journal.fd;
    fixture->journal.fd = open("/dev/full", O_WRONLY);
    assert_false(journal_append(&fixture->journal, SLICE("good 1000001 u8@a 192.0.2.9")));
    close(fixture->journal.fd);
    fixture->journal.fd = file;
    assert_true(journal_append(&fixture->journal, SLICE("good 1000001 u7@a 192.0.2.9")));
    reopen(fixture);
    assert_int_equal(fixture->replay.records, 2);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, finish)
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(walking_and_applying_gives_the_same),
        cmocka_unit_test(bad_records_are_refused),
        cmocka_unit_test(older_records_say_not_since_when),
        CASE(a_restart_forgets_nothing),
        CASE(a_torn_tail_is_cut_wherever_it_tears),
        CASE(damage_in_the_middle_costs_its_line_only),
        cmocka_unit_test(the_checksum_is_what_it_says),
        CASE(garbage_is_no_journal),
        CASE(a_record_that_is_too_long_is_refused),
        CASE(a_full_disk_leaves_the_journal_whole),
    };
    return cmocka_run_group_tests_name("ledger", tests, NULL, NULL);
}
