/* board: what it says while stated writes it, before, after, and when there is none */
#include "unit.h"

#include "board.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct board_rule rule_of(const char *account, const char *name)
{
    return (struct board_rule){.account = slice_text(account),
                               .action = SLICE("send"),
                               .name = slice_text(name),
                               .limit = 200,
                               .window_s = 3600,
                               .lasts_s = 7200};
}

static bool has_room(const struct board *board, const char *account, const char *name)
{
    struct board_rule rule = rule_of(account, name);
    return board_has_room(board, &rule);
}

static void note_room(struct board *board, const char *account, const char *name)
{
    struct board_rule rule = rule_of(account, name);
    board_note_room(board, &rule);
}

static void knows_nothing_unless_stated_keeps_it(void **state)
{
    struct board reader, writer;
    (void)state;
    assert_false(board_open(&reader));
    assert_int_equal(errno, ENOENT);
    assert_true(board_has_state(&reader, SLICE("u1@a.jp")));
    assert_false(has_room(&reader, "u1@a.jp", "domain"));
    assert_int_equal(board_maker(&reader), 0);

    assert_true(board_make(&writer, getgid()));
    assert_true(board_open(&reader));
    note_room(&writer, "u1@a.jp", "domain");
    assert_true(board_has_state(&reader, SLICE("u1@a.jp")));
    assert_false(has_room(&reader, "u1@a.jp", "domain"));

    board_begin(&writer);
    assert_false(board_has_state(&reader, SLICE("u1@a.jp")));
    assert_false(has_room(&reader, "u1@a.jp", "domain"));
    note_room(&writer, "u1@a.jp", "domain");
    assert_true(has_room(&reader, "u1@a.jp", "domain"));

    board_end(&writer);
    assert_true(board_has_state(&reader, SLICE("u1@a.jp")));
    assert_false(has_room(&reader, "u1@a.jp", "domain"));
    board_note_state(&writer, SLICE("u1@a.jp")); /* it has none any more: nothing happens */
    board_forget_rooms(&writer);
    board_close(&reader);
}

/* Who has the file open sees the successor's. */
static void a_successor_takes_it_over(void **state)
{
    struct board reader, first, second;
    (void)state;
    assert_true(board_make(&first, getgid()));
    board_begin(&first);
    board_note_state(&first, SLICE("u1@a.jp"));
    note_room(&first, "u1@a.jp", "domain");
    assert_true(board_open(&reader));
    assert_true(has_room(&reader, "u1@a.jp", "domain"));
    uint64_t maker = board_maker(&reader);
    assert_int_equal(board_maker(&first), maker);
    assert_true(board_make(&second, getgid())); /* after kill -9 */
    assert_int_not_equal(board_maker(&reader), maker);
    assert_false(has_room(&reader, "u1@a.jp", "domain"));
    assert_true(board_has_state(&reader, SLICE("u2@a.jp")));
    board_begin(&second);
    assert_false(board_has_state(&reader, SLICE("u1@a.jp")));
    assert_false(has_room(&reader, "u1@a.jp", "domain"));
    note_room(&second, "u1@a.jp", "domain");
    assert_true(has_room(&reader, "u1@a.jp", "domain"));
    board_end(&second);
    board_close(&first);
    board_close(&reader);
}

static void rules_are_told_apart(void **state)
{
    struct board board;
    struct board_rule rule = rule_of("u1@a.jp", "messages");
    (void)state;
    assert_true(board_make(&board, getgid()));
    board_begin(&board);
    board_note_room(&board, &rule);
    assert_true(has_room(&board, "u1@a.jp", "messages"));
    assert_false(has_room(&board, "u2@a.jp", "messages"));
    assert_false(has_room(&board, "u1@a.jp", "recipients"));
    note_room(&board, "u1@b.jp", "domain");
    assert_true(has_room(&board, "u2@b.jp", "domain"));
    assert_false(has_room(&board, "u2@c.jp", "domain"));
    struct board_rule others[] = {rule, rule, rule, rule};
    others[0].action = SLICE("receive");
    others[1].limit = 201;
    others[2].window_s = 3601;
    others[3].lasts_s = 7201;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_false(board_has_room(&board, &others[i]));
    board_end(&board);
}

/* However often: the marks of a round don't come back. */
static void forgets_all_rooms(void **state)
{
    struct board board;
    (void)state;
    assert_true(board_make(&board, getgid()));
    board_begin(&board);
    note_room(&board, "u1@a.jp", "domain");
    for (int i = 0; i < 200000; i++) {
        board_forget_rooms(&board);
        if (has_room(&board, "u1@a.jp", "domain"))
            fail_msg("it has room again after %d times", i + 1);
    }
    assert_false(board_has_state(&board, SLICE("u1@a.jp")));
    note_room(&board, "u1@a.jp", "domain");
    assert_true(has_room(&board, "u1@a.jp", "domain"));
    board_end(&board);
}

static void states_of_accounts_and_domains(void **state)
{
    struct board board;
    struct board_states states = {{0}};
    (void)state;
    assert_true(board_make(&board, getgid()));
    board_begin(&board);
    board_note_state(&board, SLICE("u1@a.jp"));
    board_note_state(&board, SLICE("@b.jp"));
    assert_true(board_has_state(&board, SLICE("u1@a.jp")));
    assert_false(board_has_state(&board, SLICE("u2@a.jp")));
    assert_true(board_has_state(&board, SLICE("u2@b.jp")));
    board_add_state(&board, &states, SLICE("u2@a.jp"));
    board_replace_states(&board, &states);
    assert_false(board_has_state(&board, SLICE("u1@a.jp")));
    assert_true(board_has_state(&board, SLICE("u2@a.jp")));
    assert_false(board_has_state(&board, SLICE("u2@b.jp")));
    board_end(&board);
}

/* Of the account, or of its whole domain; over a restart of stated, too. */
static void sessions_end(void **state)
{
    struct board reader, writer;
    (void)state;
    assert_true(board_make(&writer, getgid()));
    assert_true(board_open(&reader));
    uint64_t before = board_moment(&reader);
    assert_false(board_has_ended(&reader, SLICE("u1@a.jp"), before));
    board_end_sessions(&writer, SLICE("u1@a.jp"));
    assert_true(board_has_ended(&reader, SLICE("u1@a.jp"), before));
    assert_false(board_has_ended(&reader, SLICE("u2@a.jp"), before));
    uint64_t after = board_moment(&reader);
    assert_false(board_has_ended(&reader, SLICE("u1@a.jp"), after));
    board_end(&writer);
    assert_true(board_make(&writer, getgid()));
    assert_true(board_has_ended(&reader, SLICE("u1@a.jp"), before));
    board_begin(&writer);
    board_end_sessions(&writer, SLICE("@a.jp"));
    assert_true(board_has_ended(&reader, SLICE("u1@a.jp"), after));
    assert_true(board_has_ended(&reader, SLICE("u2@a.jp"), after));
    assert_false(board_has_ended(&reader, SLICE("u2@b.jp"), after));
    board_end(&writer);
    board_close(&reader);
    assert_int_equal(board_moment(&reader), 0);
    assert_false(board_has_ended(&reader, SLICE("u1@a.jp"), before));
}

/* As another build's: it is not read, and made anew. */
static void a_file_of_another_size_is_none(void **state)
{
    struct board reader, writer;
    struct stat info;
    (void)state;
    int fd = open(BOARD_FILE, O_RDWR | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "a longer one", 12), 12);
    assert_false(board_open(&reader));
    assert_int_equal(errno, EPROTO);
    assert_false(has_room(&reader, "u1@a.jp", "domain"));
    assert_true(board_make(&writer, getgid()));
    char round[8] = "x";
    assert_int_equal(pread(fd, round, sizeof round, 0), sizeof round);
    assert_memory_equal(round, "\0\0\0\0\0\0\0\0", sizeof round); /* and who has it knows */
    assert_int_equal(fstat(fd, &info), 0);
    assert_int_equal(info.st_size, 12);
    assert_true(board_open(&reader));
    assert_int_equal(stat(BOARD_FILE, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0640); /* its secret is not everybody's */
    board_end(&writer);
    board_close(&reader);
    close(fd);
}

static int enter_folder(void **state)
{
    static char folder[32];
    strcpy(folder, "/tmp/test_board.XXXXXX");
    *state = mkdtemp(folder);
    return !*state || chdir(*state) < 0 || mkdir("run", 0700) < 0 || mkdir("run/stated", 0700) < 0;
}

static int leave_folder(void **state)
{
    (void)unlink(BOARD_FILE);
    return rmdir("run/stated") || rmdir("run") || chdir("/") || rmdir(*state);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, enter_folder, leave_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(knows_nothing_unless_stated_keeps_it),
        CASE(a_successor_takes_it_over),
        CASE(rules_are_told_apart),
        CASE(forgets_all_rooms),
        CASE(states_of_accounts_and_domains),
        CASE(sessions_end),
        CASE(a_file_of_another_size_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
