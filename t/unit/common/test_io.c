/* io, control, log: files replaced whole, settings with file and line, lines that can't be forged
 */
#include "unit.h"

#include "control.h"
#include "io.h"
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int folder = -1;
static char folder_path[] = "/tmp/mail-suite-io-XXXXXX";

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder_path))
        return -1;
    folder = open(folder_path, O_RDONLY | O_DIRECTORY);
    return folder < 0 ? -1 : 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlinkat(folder, "setting", 0);
    close(folder);
    return rmdir(folder_path);
}

static void put(const char *text)
{
    assert_true(io_replace_file(folder, "setting", slice_text(text), 0644, (uid_t)-1, (gid_t)-1));
}

static void replaces_and_reads(void **state)
{
    (void)state;
    struct stat info;
    put("first, and longer");
    assert_true(io_replace_file(folder, "setting", SLICE("second"), 0600, (uid_t)-1, (gid_t)-1));
    struct str content;
    str_init(&content, 6);
    assert_true(io_read_file(folder, "setting", &content));
    assert_slice(str_slice(&content), "second");
    assert_int_equal(fstatat(folder, "setting", &info, 0), 0);
    assert_int_equal(info.st_mode & 07777, 0600);
    str_free(&content);
    str_init(&content, 5);
    assert_false(io_read_file(folder, "setting", &content));
    assert_int_equal(errno, EFBIG);
    str_free(&content);
    assert_false(io_read_file(folder, "missing", &content));
    assert_int_equal(errno, ENOENT);
}

static void a_failed_replace_leaves_the_old(void **state)
{
    (void)state;
    put("old");
    char name[NAME_MAX + 1];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    assert_false(io_replace_file(folder, name, SLICE("x"), 0600, (uid_t)-1, (gid_t)-1));
    assert_int_equal(errno, ENAMETOOLONG);
    struct str content;
    str_init(&content, 100);
    assert_true(io_read_file(folder, "setting", &content));
    assert_slice(str_slice(&content), "old");
    str_free(&content);
}

static void settings_say_file_and_line(void **state)
{
    (void)state;
    struct control control;
    uint64_t number = 0;
    control_init(&control, folder);
    put("# comment\n\n  20MB \n");
    assert_false(control_number(&control, "setting", 1, 1000, 50, &number));
    assert_string_equal(control.error, "control/setting line 3: \"20MB\" is not a number from 1 "
                                       "to 1000 (try 50)");
    put("1001\n");
    assert_false(control_number(&control, "setting", 1, 1000, 50, &number));
    put("0\n");
    assert_false(control_number(&control, "setting", 1, 1000, 50, &number));
    put(" 1000");
    assert_true(control_number(&control, "setting", 1, 1000, 50, &number));
    assert_int_equal(number, 1000);
    put("#nothing\n");
    assert_true(control_number(&control, "setting", 1, 1000, 50, &number));
    assert_int_equal(number, 50);
    assert_true(control_number(&control, "missing", 1, 1000, 51, &number));
    assert_int_equal(number, 51);
    struct str text;
    str_init(&text, 100);
    assert_true(control_text(&control, "missing", "otherwise", &text));
    assert_slice(str_slice(&text), "otherwise");
    str_free(&text);
}

/* What log wrote, through a pipe in the place of standard error. */
static void read_log(void (*write_lines)(void), char *text, size_t size)
{
    int pipes[2];
    int kept = dup(STDERR_FILENO);
    assert_int_equal(pipe(pipes), 0);
    dup2(pipes[1], STDERR_FILENO);
    write_lines();
    dup2(kept, STDERR_FILENO);
    close(kept);
    close(pipes[1]);
    ssize_t got = read(pipes[0], text, size - 1);
    assert_true(got > 0);
    text[got] = '\0';
    close(pipes[0]);
}

static void write_hostile(void)
{
    struct log_line line;
    log_begin(&line, "refused");
    log_value(&line, "helo", SLICE("a b\"\\\n\r\x01=\xe3\x81\x82 \xc2\x9b \xe2\x80\xae"));
    log_text(&line, "empty", "");
    log_number(&line, "count", -5);
    log_number(&line, "most", INT64_MAX);
    log_number(&line, "least", INT64_MIN);
    log_end(&line);
}

static void log_lines_can_not_be_forged(void **state)
{
    (void)state;
    char text[LOG_LINE_MAX];
    log_init("test");
    read_log(write_hostile, text, sizeof text);
    const char *body = strstr(text, "]: ");
    assert_non_null(body);
    assert_string_equal(body + 3, "refused helo=\"a b\\\"\\\\\\n\\x0d\\x01=\xe3\x81\x82 \\xc2\\x9b "
                                  "\\xe2\\x80\\xae\" empty=\"\" count=-5"
                                  " most=9223372036854775807 least=-9223372036854775808\n");
}

static void write_long(void)
{
    static char much[LOG_LINE_MAX * 2];
    memset(much, 'x', sizeof much);
    struct log_line line;
    log_begin(&line, "long");
    log_value(&line, "text", slice_of(much, sizeof much));
    log_text(&line, "more", "lost");
    log_end(&line);
}

static void long_log_lines_are_cut(void **state)
{
    (void)state;
    char text[LOG_LINE_MAX + 2];
    read_log(write_long, text, sizeof text);
    assert_int_equal(strlen(text), LOG_LINE_MAX);
    assert_string_equal(text + LOG_LINE_MAX - 4, "...\n");
}

static void end_later(const char *event, size_t size)
{
    static char much[LOG_LINE_MAX];
    memset(much, 'x', sizeof much);
    struct log_line line;
    log_begin(&line, event);
    log_value(&line, "text", slice_of(much, size));
    log_end_later(&line);
}

static void write_first_and_last(void)
{
    end_later("first", 1);
    log_event("last", NULL, NULL);
    log_event("own", NULL, NULL);
}

static void write_three_long(void)
{
    for (int i = 0; i < 3; i++)
        end_later("long", LOG_LINE_MAX - 100);
    log_flush();
    log_flush();
}

static size_t count_lines(const char *text)
{
    size_t count = 0;
    for (const char *at = strchr(text, '\n'); at; at = strchr(at + 1, '\n'))
        count++;
    return count;
}

static void waiting_log_lines_leave_in_order(void **state)
{
    (void)state;
    char text[4 * LOG_LINE_MAX];
    read_log(write_first_and_last, text, sizeof text);
    assert_int_equal(count_lines(text), 3);
    const char *first = strstr(text, "]: first text=x\n");
    const char *last = strstr(text, "]: last\n");
    const char *own = strstr(text, "]: own\n");
    assert_true(first && last && own && first < last && last < own);
    read_log(write_three_long, text, sizeof text);
    assert_int_equal(count_lines(text), 3);
    assert_null(strstr(text, "..."));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replaces_and_reads),
        cmocka_unit_test(a_failed_replace_leaves_the_old),
        cmocka_unit_test(settings_say_file_and_line),
        cmocka_unit_test(log_lines_can_not_be_forged),
        cmocka_unit_test(long_log_lines_are_cut),
        cmocka_unit_test(waiting_log_lines_leave_in_order),
    };
    return cmocka_run_group_tests_name("io", tests, make_folder, remove_folder);
}
