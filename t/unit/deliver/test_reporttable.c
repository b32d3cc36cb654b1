/* test_reporttable - sessions counted by day, and the file they are kept in */
#include "unit.h"

#include "io.h"
#include "reporttable.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DAY = 86400, NOON = 1795348800 /* 2026-11-22 12:00 */ };

static char folder[] = "/tmp/test_reporttable.XXXXXX";
static int fd = -1;

static int make_folder(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(folder));
    fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0;
}

static int remove_folder(void **state)
{
    char command[64];
    (void)state;
    io_close(&fd);
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command); /* NOLINT(cert-env33-c) */
}

static const struct tlsreport_line success = {.domain = {"example.org", 11},
                                              .policy_type = {"sts", 3},
                                              .policy = {{"version: STSv1", 14}},
                                              .policy_count = 1};
static const struct tlsreport_line failure = {.domain = {"example.org", 11},
                                              .policy_type = {"tlsa", 4},
                                              .result = TLSREPORT_CERTIFICATE_EXPIRED,
                                              .sending_ip = {"192.0.2.1", 9},
                                              .mx = {"mx.example.org", 14},
                                              .mx_ip = {"192.0.2.25", 10},
                                              .reason = {"too\told\n", 8}};

static void assert_file(const char *date, const char *content)
{
    struct str text;
    str_init(&text, TLSREPORT_FILE_MAX);
    assert_true(io_read_file(fd, date, &text));
    assert_slice(str_slice(&text), content);
    str_free(&text);
}

static void equal_sessions_are_one_line(void **state)
{
    struct reporttable table;
    (void)state;
    reporttable_open(&table, fd, NOON);
    for (int i = 0; i < 3; i++)
        assert_true(reporttable_add(&table, &success, NOON));
    assert_true(reporttable_add(&table, &failure, NOON));
    assert_true(reporttable_flush(&table));
    assert_file("2026-11-22",
                "3\texample.org\tsts\tsuccess\t\t\t\t\tversion: STSv1\n"
                "1\texample.org\ttlsa\tcertificate-expired\t192.0.2.1\tmx.example.org\t"
                "192.0.2.25\ttoo?old?\n");
    reporttable_free(&table);
    /* A new start goes on where the file ends. */
    reporttable_open(&table, fd, NOON + 1);
    assert_true(reporttable_add(&table, &failure, NOON + 1));
    assert_true(reporttable_flush(&table));
    assert_file("2026-11-22",
                "3\texample.org\tsts\tsuccess\t\t\t\t\tversion: STSv1\n"
                "2\texample.org\ttlsa\tcertificate-expired\t192.0.2.1\tmx.example.org\t"
                "192.0.2.25\ttoo?old?\n");
    reporttable_free(&table);
}

static void a_new_day_has_a_new_file(void **state)
{
    struct reporttable table;
    (void)state;
    reporttable_open(&table, fd, NOON + 2 * DAY);
    assert_true(reporttable_add(&table, &success, NOON + 2 * DAY));
    assert_true(reporttable_add(&table, &failure, NOON + 3 * DAY)); /* writes the day before */
    assert_file("2026-11-24", "1\texample.org\tsts\tsuccess\t\t\t\t\tversion: STSv1\n");
    assert_true(reporttable_flush(&table));
    assert_int_equal(faccessat(fd, "2026-11-25", F_OK, 0), 0);
    reporttable_free(&table);
    reporttable_sweep(fd, NOON + (2 + REPORTTABLE_DAYS) * DAY);
    assert_int_equal(faccessat(fd, "2026-11-22", F_OK, 0), -1);
    assert_int_equal(faccessat(fd, "2026-11-24", F_OK, 0), 0);
}

static void a_day_has_its_limit(void **state)
{
    struct reporttable table;
    char name[32];
    (void)state;
    reporttable_open(&table, fd, NOON + 60 * (int64_t)DAY);
    for (int i = 0; i < TLSREPORT_LINES_MAX + 10; i++) {
        struct tlsreport_line line = success;
        snprintf(name, sizeof name, "d%d.example", i);
        line.domain = slice_text(name);
        assert_int_equal(reporttable_add(&table, &line, NOON + 60 * (int64_t)DAY),
                         i < TLSREPORT_LINES_MAX);
    }
    assert_int_equal(table.lost, 10);
    assert_int_equal(table.count, TLSREPORT_LINES_MAX);
    reporttable_free(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_sessions_are_one_line),
        cmocka_unit_test(a_new_day_has_a_new_file),
        cmocka_unit_test(a_day_has_its_limit),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
