/* maildir: names of our own and of other programs, delivery, repeats */
#include "unit.h"

#include "io.h"
#include "maildir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- names -------------------------------------------------------------------------------------
 */

enum { D = MAILDIR_DRAFT, F = MAILDIR_FLAGGED, P = MAILDIR_PASSED };
enum { R = MAILDIR_REPLIED, S = MAILDIR_SEEN, T = MAILDIR_TRASHED };

static const struct {
    const char *what, *name, *unique;
    int64_t size, crlf_size; /* -1: not there */
    uint32_t uid;
    unsigned flags;
    uint32_t keywords;
    int64_t date; /* -1: not there */
} names[] = {
    {"ours", "1763766000.M123456Q0cw9x2k4m7q1p.mail1,S=2048,W=2048,U=17:2,FSab",
     "1763766000.M123456Q0cw9x2k4m7q1p.mail1", 2048, 2048, 17, F | S, 3, 1763766000},
    {"all flags, all letters", "1.a:2,DFPRSTabcdefghijklmnopqrstuvwxyz", "1.a", -1, -1, 0,
     D | F | P | R | S | T, 0x3ffffff, 1},
    {"Dovecot", "1276528487.M364837P9451.kurkku,S=1355,W=1394:2,", "1276528487.M364837P9451.kurkku",
     1355, 1394, 0, 0, 0, 1276528487},
    {"Courier", "1024000000.M1P2V3I4.host,S=9:2,RS", "1024000000.M1P2V3I4.host", 9, -1, 0, R | S, 0,
     1024000000},
    {"qmail in new", "1000000000.123.host", "1000000000.123.host", -1, -1, 0, 0, 0, 1000000000},
    {"foreign fields", "1.a,X=9,S=5,Sx,,=,S=,Q:2,S", "1.a", 5, -1, 0, S, 0, 1},
    {"foreign letters", "1.a:2,S!ZA9a", "1.a", -1, -1, 0, S, 1, 1},
    {"fields behind the flags", "1.a:2,S,Fb", "1.a", -1, -1, 0, S, 0, 1},
    {"experimental info", "1.a:1,S", "1.a", -1, -1, 0, 0, 0, 1},
    {"no info", "1.a:", "1.a", -1, -1, 0, 0, 0, 1},
    {"date apart", "1.a,T=77", "1.a", -1, -1, 0, 0, 0, 77},
    {"no time", "message", "message", -1, -1, 0, 0, 0, -1},
    {"no number", "x1.y", "x1.y", -1, -1, 0, 0, 0, -1},
    {"a newline", "1.a\nb:2,S", "1.a\nb", -1, -1, 0, S, 0, 1},
    {"only fields", ",S=1,U=2", "", 1, -1, 2, 0, 0, -1},
    {"size too large", "1.a,S=99999999999999999999", "1.a", -1, -1, 0, 0, 0, 1},
    {"negative size", "1.a,S=-1", "1.a", -1, -1, 0, 0, 0, 1},
    {"highest UID", "1.a,U=4293918719", "1.a", -1, -1, MAILDIR_UID_MAX, 0, 0, 1},
    {"UID that would use up all", "1.a,U=4294967295", "1.a", -1, -1, 0, 0, 0, 1},
    {"UID zero", "1.a,U=0", "1.a", -1, -1, 0, 0, 0, 1},
};

static void names_are_parsed(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct maildir_name parsed;
        if (!maildir_parse_name(slice_text(names[i].name), &parsed))
            fail_msg("%s: not parsed", names[i].what);
        assert_slice(parsed.unique, names[i].unique);
        assert_int_equal(parsed.has_size ? (int64_t)parsed.size : -1, names[i].size);
        assert_int_equal(parsed.has_crlf_size ? (int64_t)parsed.crlf_size : -1, names[i].crlf_size);
        assert_int_equal(parsed.uid, names[i].uid);
        assert_int_equal(parsed.flags, names[i].flags);
        assert_int_equal(parsed.keywords, names[i].keywords);
        assert_int_equal(parsed.has_date ? parsed.date : -1, names[i].date);
    }
}

static void what_is_no_message_is_refused(void **state)
{
    (void)state;
    struct maildir_name parsed;
    assert_false(maildir_parse_name(SLICE(""), &parsed));
    assert_false(maildir_parse_name(SLICE(".hidden"), &parsed));
    assert_false(maildir_parse_name(SLICE("."), &parsed));
    assert_false(maildir_parse_name(SLICE("../cur/x"), &parsed));
    assert_false(maildir_parse_name(SLICE("a\0b"), &parsed));
}

static void names_survive_a_round(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct maildir_name parsed, again;
        struct str name;
        str_init(&name, NAME_MAX);
        assert_true(maildir_parse_name(slice_text(names[i].name), &parsed));
        assert_true(maildir_format_name(&name, &parsed));
        if (parsed.unique.size == 0)
            assert_int_equal(name.data[0], ',');
        assert_true(maildir_parse_name(str_slice(&name), &again));
        assert_true(slice_equal(parsed.unique, again.unique));
        assert_int_equal(parsed.size, again.size);
        assert_int_equal(parsed.crlf_size, again.crlf_size);
        assert_int_equal(parsed.uid, again.uid);
        assert_int_equal(parsed.flags, again.flags);
        assert_int_equal(parsed.keywords, again.keywords);
        assert_int_equal(parsed.date, again.date);
        assert_int_equal(parsed.has_info, again.has_info);
        str_free(&name);
    }
}

static void a_name_is_written_in_order(void **state)
{
    (void)state;
    struct str name;
    struct maildir_name facts = {.unique = SLICE("1763766000.x"),
                                 .has_size = true,
                                 .size = 10,
                                 .has_crlf_size = true,
                                 .crlf_size = 12,
                                 .uid = 3,
                                 .flags = S | D,
                                 .keywords = 1u << 25,
                                 .has_date = true,
                                 .date = 1763766000};
    str_init(&name, NAME_MAX);
    assert_true(maildir_format_name(&name, &facts));
    assert_slice(str_slice(&name), "1763766000.x,S=10,W=12,U=3:2,DSz");
    str_clear(&name);
    facts = (struct maildir_name){
        .unique = SLICE("5.x"), .has_info = true, .has_date = true, .date = 6};
    assert_true(maildir_format_name(&name, &facts));
    assert_slice(str_slice(&name), "5.x,T=6:2,");
    str_free(&name);
}

static void a_queue_id_gives_the_same_name_each_time(void **state)
{
    (void)state;
    struct str first, second;
    str_init(&first, NAME_MAX);
    str_init(&second, NAME_MAX);
    assert_true(maildir_queue_unique(&first, "1j5q2k4m7q1ab", "mail1"));
    assert_true(maildir_queue_unique(&second, "1j5q2k4m7q1ab", "mail1"));
    assert_true(slice_equal(str_slice(&first), str_slice(&second)));
    assert_slice(str_slice(&first), "1765509226.M438369Q1j5q2k4m7q1ab.mail1");
    str_clear(&first);
    assert_true(maildir_queue_unique(&first, "short", "a/b:c,d"));
    assert_slice(str_slice(&first), "0.M000000Qshort.a_b_c_d");
    assert_false(maildir_queue_unique(&second, "../../etc", "mail1"));
    assert_int_equal(errno, EINVAL);
    assert_false(maildir_queue_unique(&second, "", "mail1"));
    str_free(&first);
    str_free(&second);
}

/* ---- delivery ----------------------------------------------------------------------------------
 */

struct box {
    char path[64];
    int fd;
};

static int make_box(void **state)
{
    static struct box box;
    snprintf(box.path, sizeof box.path, "/tmp/test_maildir.XXXXXX");
    if (!mkdtemp(box.path))
        return -1;
    box.fd = open(box.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    *state = &box;
    return box.fd < 0 ? -1 : 0;
}

static int remove_box(void **state)
{
    struct box *box = *state;
    char command[128];
    io_close(&box->fd);
    snprintf(command, sizeof command, "rm -rf '%s'", box->path);
    return system(command);
}

/* The one file in a folder; "" when there is none, "*" for more. */
static void only_name(struct box *box, const char *folder, char name[NAME_MAX + 1])
{
    int fd = openat(box->fd, folder, O_RDONLY | O_DIRECTORY);
    DIR *list = fd < 0 ? NULL : fdopendir(fd);
    assert_non_null(list);
    name[0] = '\0';
    for (struct dirent *entry; (entry = readdir(list));)
        if (entry->d_name[0] != '.')
            snprintf(name, NAME_MAX + 1, "%s", name[0] ? "*" : entry->d_name);
    closedir(list);
}

static void deliver(struct box *box, const char *id, struct slice text, size_t piece,
                    bool *repeated)
{
    struct maildir_delivery delivery;
    assert_true(maildir_begin(&delivery, box->fd, "u1/Maildir", id, "mail1"));
    for (size_t at = 0; at < text.size; at += piece)
        assert_true(maildir_write(&delivery, slice_part(text, at, piece)));
    assert_int_equal(maildir_commit(&delivery), VERDICT_OK);
    *repeated = delivery.repeated;
}

static void a_delivery_lands_in_new(void **state)
{
    struct box *box = *state;
    char name[NAME_MAX + 1], path[NAME_MAX + 32];
    struct stat info;
    bool repeated;
    deliver(box, "1j5q2k4m7q1ab", SLICE("a: b\r\n\r\nc\r\n"), 100, &repeated);
    assert_false(repeated);
    only_name(box, "u1/Maildir/new", name);
    assert_string_equal(name, "1765509226.M438369Q1j5q2k4m7q1ab.mail1,S=11,W=11");
    snprintf(path, sizeof path, "u1/Maildir/new/%s", name);
    assert_int_equal(fstatat(box->fd, path, &info, 0), 0);
    assert_int_equal(info.st_mode & 07777, 0600);
    assert_int_equal(info.st_size, 11);
    assert_int_equal(info.st_nlink, 1);
    only_name(box, "u1/Maildir/tmp", name);
    assert_string_equal(name, "");
    assert_int_equal(fstatat(box->fd, "u1/Maildir", &info, 0), 0);
    assert_int_equal(info.st_mode & 07777, 0700);
}

static void a_repeat_is_noticed(void **state)
{
    struct box *box = *state;
    char name[NAME_MAX + 1];
    bool repeated;
    deliver(box, "1j5q2k4m7q1ab", SLICE("x\r\n"), 100, &repeated);
    assert_false(repeated);
    deliver(box, "1j5q2k4m7q1ab", SLICE("x\r\n"), 100, &repeated);
    assert_true(repeated);
    only_name(box, "u1/Maildir/new", name);
    assert_string_not_equal(name, "*");
    only_name(box, "u1/Maildir/tmp", name);
    assert_string_equal(name, "");
    deliver(box, "1j5q2k4m7q1ac", SLICE("x\r\n"), 100, &repeated);
    assert_false(repeated);
    deliver(box, NULL, SLICE("x\r\n"), 100, &repeated);
    assert_false(repeated);
    deliver(box, NULL, SLICE("x\r\n"), 100, &repeated);
    assert_false(repeated);
}

static const struct {
    const char *text;
    unsigned crlf_size;
} texts[] = {{"", 0},       {"a", 1},           {"\n", 2},        {"\r\n", 2},
             {"\n\n", 4},   {"a\nb\r\nc\n", 9}, {"a\r\r\n\n", 6}, {"\r", 1},
             {"a\rb\n", 5}, {"\r\n\r\n", 4}};

static void both_sizes_are_right_at_every_split(void **state)
{
    struct box *box = *state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct slice text = slice_text(texts[i].text);
        for (size_t piece = 1; piece <= text.size + 1; piece++) {
            struct maildir_delivery delivery;
            assert_true(maildir_begin(&delivery, box->fd, "m", NULL, "h"));
            for (size_t at = 0; at < text.size; at += piece)
                assert_true(maildir_write(&delivery, slice_part(text, at, piece)));
            assert_int_equal(delivery.size, text.size);
            assert_int_equal(delivery.crlf_size, texts[i].crlf_size);
            maildir_abort(&delivery);
        }
    }
    char name[NAME_MAX + 1];
    only_name(box, "m/tmp", name);
    assert_string_equal(name, "");
}

static void a_part_of_a_file_is_copied(void **state)
{
    struct box *box = *state;
    struct maildir_delivery delivery;
    char name[NAME_MAX + 1], content[64] = "";
    int file = openat(box->fd, "queue", O_RDWR | O_CREAT, 0600);
    assert_true(io_write_all(file, SLICE("envelope\n\nSubject: x\r\n\r\nbody\r\nrest"), 0));
    assert_true(maildir_begin(&delivery, box->fd, "m", "1j5q2k4m7q1ab", "h"));
    assert_true(maildir_write(&delivery, SLICE("Delivered-To: u1\r\n")));
    assert_true(maildir_copy(&delivery, file, 10, 20));
    assert_int_equal(maildir_commit(&delivery), VERDICT_OK);
    only_name(box, "m/new", name);
    assert_non_null(strstr(name, ",S=38,W=38"));
    int new = openat(box->fd, "m/new", O_RDONLY | O_DIRECTORY);
    int message = openat(new, name, O_RDONLY);
    assert_int_equal(read(message, content, sizeof content - 1), 38);
    assert_string_equal(content, "Delivered-To: u1\r\nSubject: x\r\n\r\nbody\r\n");
    io_close(&message);
    io_close(&new);

    /* A queue file that ends too early is no message. */
    assert_true(maildir_begin(&delivery, box->fd, "m", "1j5q2k4m7q1ac", "h"));
    assert_false(maildir_copy(&delivery, file, 10, 2000));
    assert_int_equal(maildir_commit(&delivery), VERDICT_TEMP);
    only_name(box, "m/new", name);
    assert_string_not_equal(name, "*");
    only_name(box, "m/tmp", name);
    assert_string_equal(name, "");
    io_close(&file);
}

static void missing_parts_are_made(void **state)
{
    struct box *box = *state;
    bool repeated;
    char name[NAME_MAX + 1];
    assert_true(maildir_create(box->fd, "u1/Maildir"));
    assert_int_equal(unlinkat(box->fd, "u1/Maildir/tmp", AT_REMOVEDIR), 0);
    assert_int_equal(unlinkat(box->fd, "u1/Maildir/new", AT_REMOVEDIR), 0);
    deliver(box, NULL, SLICE("x\r\n"), 100, &repeated);
    only_name(box, "u1/Maildir/new", name);
    assert_string_not_equal(name, "");
    assert_true(maildir_create(box->fd, "u1/Maildir"));
}

static void what_can_not_work_is_said(void **state)
{
    struct box *box = *state;
    struct maildir_delivery delivery;
    assert_false(maildir_begin(&delivery, box->fd, "m", "bad/id", "h"));
    assert_int_equal(delivery.error, EINVAL);
    int file = openat(box->fd, "file", O_WRONLY | O_CREAT, 0600);
    io_close(&file);
    assert_false(maildir_begin(&delivery, box->fd, "file", NULL, "h"));
    assert_int_equal(delivery.error, ENOTDIR);
    assert_false(maildir_begin(&delivery, box->fd, "file/Maildir", NULL, "h"));
    assert_int_equal(delivery.error, ENOTDIR);
}

static void a_rename_replaces_nothing(void **state)
{
    struct box *box = *state;
    int file = openat(box->fd, "a", O_WRONLY | O_CREAT, 0600);
    io_close(&file);
    file = openat(box->fd, "b", O_WRONLY | O_CREAT, 0600);
    io_close(&file);
    assert_false(maildir_rename(box->fd, "a", box->fd, "b"));
    assert_int_equal(errno, EEXIST);
    assert_true(maildir_rename(box->fd, "a", box->fd, "c"));
    assert_false(maildir_rename(box->fd, "a", box->fd, "d"));
    assert_int_equal(errno, ENOENT);
}

static void a_delivery_under_way_is_not_cleaned_away(void **state)
{
    struct box *box = *state;
    struct maildir_delivery delivery;
    assert_true(maildir_begin(&delivery, box->fd, "m", NULL, "h"));
    maildir_clean_tmp(delivery.folder);
    assert_true(maildir_write(&delivery, SLICE("x\r\n")));
    assert_int_equal(maildir_commit(&delivery), VERDICT_OK);
}

static void unique_parts_of_a_series_differ_in_a_number(void **state)
{
    struct maildir_series series;
    char text[MAILDIR_UNIQUE_MAX + 1], host[200];
    (void)state;
    assert_true(maildir_series_begin(&series, 1700000000, "mail1"));
    series.number = UINT64_MAX;
    assert_true(slice_copy_text(maildir_series_next(&series), text, sizeof text));
    assert_non_null(strstr(text, "Rffffffffffffffff.mail1"));
    assert_true(slice_copy_text(maildir_series_next(&series), text, sizeof text));
    assert_non_null(strstr(text, "R0000000000000000.mail1"));
    assert_true(slice_starts(slice_text(text), SLICE("1700000000.M")));

    memset(host, 'h', sizeof host - 1);
    host[sizeof host - 1] = '\0';
    assert_true(maildir_series_begin(&series, INT64_MAX, host));
    assert_true(slice_starts(maildir_series_next(&series), SLICE("9223372036854775807.M")));
    assert_true(maildir_series_begin(&series, -5, NULL));
    assert_true(slice_starts(maildir_series_next(&series), SLICE("0.M")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_parsed),
        cmocka_unit_test(what_is_no_message_is_refused),
        cmocka_unit_test(names_survive_a_round),
        cmocka_unit_test(a_name_is_written_in_order),
        cmocka_unit_test(unique_parts_of_a_series_differ_in_a_number),
        cmocka_unit_test(a_queue_id_gives_the_same_name_each_time),
        cmocka_unit_test_setup_teardown(a_delivery_lands_in_new, make_box, remove_box),
        cmocka_unit_test_setup_teardown(a_repeat_is_noticed, make_box, remove_box),
        cmocka_unit_test_setup_teardown(both_sizes_are_right_at_every_split, make_box, remove_box),
        cmocka_unit_test_setup_teardown(a_part_of_a_file_is_copied, make_box, remove_box),
        cmocka_unit_test_setup_teardown(missing_parts_are_made, make_box, remove_box),
        cmocka_unit_test_setup_teardown(what_can_not_work_is_said, make_box, remove_box),
        cmocka_unit_test_setup_teardown(a_rename_replaces_nothing, make_box, remove_box),
        cmocka_unit_test_setup_teardown(a_delivery_under_way_is_not_cleaned_away, make_box,
                                        remove_box),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
