/* test_stspolicy - MTA-STS records and policies, good and ugly; the files they are kept in */
#include "unit.h"

#include "io.h"
#include "stscache.h"
#include "stspolicy.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void records(void **state)
{
    static const struct {
        const char *text, *id; /* NULL: refused */
    } cases[] = {
        {"v=STSv1; id=20160831085700Z;", "20160831085700Z"},
        {"v=STSv1;id=1", "1"},
        {"v=STSv1 ; other=x; id = a1 ;", "a1"},
        {"v=STSv1; id=12345678901234567890123456789012;", "12345678901234567890123456789012"},
        {"v=STSv1; id=123456789012345678901234567890123;", NULL},
        {"v=STSv1; id=;", NULL},
        {"v=STSv1; id=a-b;", NULL},
        {"v=STSv1;", NULL},
        {"v=STSv2; id=1;", NULL},
        {"v=stsv1; id=1;", NULL},
        {"id=1; v=STSv1;", NULL},
        {"v=spf1 -all", NULL},
        {"", NULL},
    };
    char id[STSPOLICY_ID_MAX + 1];
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bool good = stspolicy_parse_record(slice_text(cases[i].text), id);
        if (good != (cases[i].id != NULL) || (good && strcmp(id, cases[i].id) != 0))
            fail_msg("%s: %d %s", cases[i].text, good, id);
    }
}

#define HEAD "version: STSv1\r\nmode: enforce\r\n"

static void policies(void **state)
{
    static const struct {
        const char *text, *ours; /* NULL: refused */
    } cases[] = {
        {HEAD "mx: mail.example.com\r\nmx: *.example.net\r\nmax_age: 604800\r\n",
         "version: STSv1\nmode: enforce\nmx: mail.example.com\nmx: *.example.net\nmax_age: "
         "604800\n"},
        {"max_age:1\nmx:MAIL.example.com\nmode:testing\nversion:STSv1",
         "version: STSv1\nmode: testing\nmx: mail.example.com\nmax_age: 1\n"},
        {"version: STSv1\nmode: none\nmax_age: 5\n", "version: STSv1\nmode: none\nmax_age: 5\n"},
        {HEAD "unknown: x\nmx: a.b\nmax_age: 9999999999\n",
         "version: STSv1\nmode: enforce\nmx: a.b\nmax_age: 31557600\n"},
        {HEAD "mode: none\nmax_age: 10\nmax_age: 20\nmx: a.b\n", /* the first one counts */
         "version: STSv1\nmode: enforce\nmx: a.b\nmax_age: 10\n"},
        {HEAD "max_age: 604800\r\n", NULL},
        {HEAD "mx: a.b\r\n", NULL},
        {"version: STSv1\nmx: a.b\nmax_age: 1\n", NULL},
        {"mode: enforce\nmx: a.b\nmax_age: 1\n", NULL},
        {"version: STSv2\nmode: enforce\nmx: a.b\nmax_age: 1\n", NULL},
        {"version: STSv1\nmode: Enforce\nmx: a.b\nmax_age: 1\n", NULL},
        {HEAD "mx: a.b\nmax_age: -1\n", NULL},
        {HEAD "mx: a.b\nmax_age: 99999999999\n", NULL},
        {HEAD "mx: a.b\nmax_age:\n", NULL},
        {HEAD "mx: a..b\nmax_age: 1\n", NULL},
        {HEAD "mx: *\nmax_age: 1\n", NULL},
        {HEAD "mx: a.*.b\nmax_age: 1\n", NULL},
        {HEAD "mx: a b\nmax_age: 1\n", NULL},
        {"<html>not a policy</html>", NULL},
        {"", NULL},
    };
    static struct stspolicy policy, again;
    struct str text;
    const char *reason;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bool good = stspolicy_parse(slice_text(cases[i].text), &policy, &reason);
        if (good != (cases[i].ours != NULL) || good != (reason[0] == '\0'))
            fail_msg("%s: %d %s", cases[i].text, good, reason);
        if (!good)
            continue;
        str_init(&text, STSPOLICY_TEXT_MAX);
        assert_true(stspolicy_put(&policy, &text));
        assert_slice(str_slice(&text), cases[i].ours);
        assert_true(stspolicy_parse(str_slice(&text), &again, &reason));
        assert_int_equal(again.mx_count, policy.mx_count);
        str_free(&text);
    }
}

static void policies_have_bounds(void **state)
{
    static struct stspolicy policy;
    struct str text;
    const char *reason;
    (void)state;
    str_init(&text, 2 * STSPOLICY_FILE_MAX);
    str_append_text(&text, HEAD "max_age: 1\n");
    for (int i = 0; i < STSPOLICY_MX_MAX; i++)
        str_format(&text, "mx: mx%d.example.org\n", i);
    assert_true(stspolicy_parse(str_slice(&text), &policy, &reason));
    assert_int_equal(policy.mx_count, STSPOLICY_MX_MAX);
    str_append_text(&text, "mx: one.more\n");
    assert_false(stspolicy_parse(str_slice(&text), &policy, &reason));
    assert_string_equal(reason, "too many mx");
    str_clear(&text);
    str_append_text(&text, HEAD "max_age: 1\nmx: a.b\n");
    while (text.size <= STSPOLICY_FILE_MAX)
        str_append_text(&text, "filler: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n");
    assert_false(stspolicy_parse(str_slice(&text), &policy, &reason));
    assert_string_equal(reason, "too large");
    str_free(&text);
}

static void hosts(void **state)
{
    static struct stspolicy policy;
    static const char text[] = HEAD "mx: mail.example.com\nmx: *.example.net\nmax_age: 1\n";
    const char *reason;
    (void)state;
    assert_true(stspolicy_parse(slice_text(text), &policy, &reason));
    assert_true(stspolicy_allows(&policy, "mail.example.com"));
    assert_true(stspolicy_allows(&policy, "Mail.Example.Com"));
    assert_true(stspolicy_allows(&policy, "a.example.net"));
    assert_false(stspolicy_allows(&policy, "a.b.example.net"));
    assert_false(stspolicy_allows(&policy, "example.net"));
    assert_false(stspolicy_allows(&policy, ".example.net"));
    assert_false(stspolicy_allows(&policy, "a.mail.example.com"));
    assert_false(stspolicy_allows(&policy, "xmail.example.com"));
    assert_false(stspolicy_allows(&policy, ""));
}

/* ---- kept ----*/

static void kept_till_they_are_too_old(void **state)
{
    static struct stscache_entry entry, found;
    char folder[] = "/tmp/test_stscache.XXXXXX";
    const char *reason;
    (void)state;
    assert_non_null(mkdtemp(folder));
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_true(
        stspolicy_parse(slice_text(HEAD "mx: a.b\nmax_age: 100\n"), &entry.policy, &reason));
    strcpy(entry.id, "id1"); /* NOLINT: a literal that fits */
    entry.fetched = 1000;
    assert_true(stscache_save(fd, "example.org", &entry));
    assert_true(stscache_load(fd, "example.org", 1099, &found));
    assert_string_equal(found.id, "id1");
    assert_int_equal(found.fetched, 1000);
    assert_true(stspolicy_allows(&found.policy, "a.b"));
    assert_false(stscache_load(fd, "example.net", 1000, &found));
    stscache_sweep(fd, 1099);
    assert_true(stscache_load(fd, "example.org", 1099, &found));
    stscache_sweep(fd, 1100);
    assert_int_equal(faccessat(fd, "example.org", F_OK, 0), -1);
    assert_true(io_replace_file(fd, "broken.org", SLICE("nonsense"), 0600, (uid_t)-1, (gid_t)-1));
    assert_false(stscache_load(fd, "broken.org", 1000, &found));
    assert_int_equal(faccessat(fd, "broken.org", F_OK, 0), -1);
    io_close(&fd);
    assert_int_equal(rmdir(folder), 0);
}

static void what_may_name_a_file(void **state)
{
    (void)state;
    assert_true(stscache_is_domain(SLICE("example.org")));
    assert_true(stscache_is_domain(SLICE("xn--bcher-kva.example")));
    assert_false(stscache_is_domain(SLICE("Example.org")));
    assert_false(stscache_is_domain(SLICE("..")));
    assert_false(stscache_is_domain(SLICE(".hidden")));
    assert_false(stscache_is_domain(SLICE("a/b")));
    assert_false(stscache_is_domain(SLICE("")));
    assert_false(stscache_is_domain(SLICE("a\0b")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records),
        cmocka_unit_test(policies),
        cmocka_unit_test(policies_have_bounds),
        cmocka_unit_test(hosts),
        cmocka_unit_test(kept_till_they_are_too_old),
        cmocka_unit_test(what_may_name_a_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
