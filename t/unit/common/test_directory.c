/* The compiled directory as programs see it, in a temporary ROOT. */
#include "directory.h"
#include "unit.h"
#include "wire.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char old_folder[PATH_MAX];
static char root[] = "/tmp/test-directory-XXXXXX";

/* A record: key, value; NULL ends. */
static void write_cdb(const char *path, const char *const *records)
{
    struct cdb_make make;
    char temporary[PATH_MAX];
    snprintf(temporary, sizeof temporary, "%s.new", path);
    int fd = open(temporary, O_RDWR | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(cdb_make_start(&make, fd), 0);
    for (; records[0]; records += 2)
        assert_int_equal(cdb_make_add(&make, records[0], (unsigned)strlen(records[0]), records[1],
                                      (unsigned)strlen(records[1])),
                         0);
    assert_int_equal(cdb_make_finish(&make), 0);
    close(fd);
    assert_int_equal(rename(temporary, path), 0);
}

static void write_example(const char *postmaster, const char *admin, const char *catch_all)
{
    const char *const records[] = {"simap",
                                   "on",
                                   "squota",
                                   "100",
                                   "scomment",
                                   "",
                                   "splus-addressing",
                                   "on",
                                   "spostmaster",
                                   postmaster,
                                   "sadmin",
                                   admin,
                                   "scatch-all",
                                   catch_all,
                                   "apostmaster",
                                   "",
                                   "au1",
                                   "5:quota,2:10,",
                                   "au2",
                                   "4:imap,3:off,7:comment,5:a b c,",
                                   "au2+own",
                                   "",
                                   "abroken",
                                   "5:quota,2:1",
                                   "au4",
                                   "15:plus-addressing,3:off,",
                                   NULL};
    write_cdb("cdb/domain/example.jp.cdb", records);
}

static int set_up(void **state)
{
    static const char *const domains[] = {"example.jp",
                                          "10:example.jp,5:70100,",
                                          "sub.example.jp",
                                          "10:example.jp,5:70100,",
                                          "\xe6\x97\xa5.jp",
                                          "10:example.jp,5:70100,",
                                          "lost.jp",
                                          "7:lost.jp,5:70101,",
                                          "bad.jp",
                                          "6:bad.jp,",
                                          "evil.jp",
                                          "7:../evil,5:70102,",
                                          "root.jp",
                                          "7:root.jp,1:0,",
                                          NULL};
    static const char *const host[] = {"me", "mail.example.jp", "databytes", "1000", "word", "x",
                                       NULL};
    (void)state;
    if (!getcwd(old_folder, sizeof old_folder) || !mkdtemp(root) || chdir(root) < 0 ||
        mkdir("cdb", 0700) < 0 || mkdir("cdb/domain", 0700) < 0)
        return -1;
    write_cdb("cdb/domains.cdb", domains);
    write_cdb("cdb/host.cdb", host);
    write_example("admin", "", "");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    static const char *const files[] = {"cdb/domains.cdb", "cdb/host.cdb",
                                        "cdb/domain/example.jp.cdb"};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        unlink(files[i]);
    return rmdir("cdb/domain") + rmdir("cdb") + chdir(old_folder) + rmdir(root);
}

static void test_domains(void **state)
{
    (void)state;
    struct directory directory;
    struct directory_domain domain;
    static const struct {
        const char *name;
        enum directory_result result;
    } cases[] = {
        {"example.jp", DIRECTORY_FOUND},
        {"EXAMPLE.JP", DIRECTORY_FOUND},
        {"sub.example.jp", DIRECTORY_FOUND},
        {"\xe6\x97\xa5.jp", DIRECTORY_FOUND},
        {"example.com", DIRECTORY_UNKNOWN_DOMAIN},
        {"", DIRECTORY_UNKNOWN_DOMAIN},
        {"bad.jp", DIRECTORY_TROUBLE},
        {"evil.jp", DIRECTORY_TROUBLE},
        {"root.jp", DIRECTORY_TROUBLE},
    };
    directory_init(&directory);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        enum directory_result result =
            directory_domain(&directory, slice_text(cases[i].name), &domain);
        if (result != cases[i].result)
            fail_msg("%s: %d", cases[i].name, (int)result);
        if (result == DIRECTORY_FOUND) {
            assert_string_equal(domain.name, "example.jp");
            assert_int_equal(domain.uid, 70100);
        }
    }
    char longest[300];
    memset(longest, 'a', sizeof longest);
    assert_int_equal(directory_domain(&directory, slice_of(longest, sizeof longest), &domain),
                     DIRECTORY_UNKNOWN_DOMAIN);
    assert_int_equal(directory_domain(&directory, SLICE("example.jp\0x"), &domain),
                     DIRECTORY_UNKNOWN_DOMAIN);
    directory_close(&directory);
}

struct address_case {
    const char *address;
    const char *local; /* NULL: unknown */
};

static void check_addresses(const struct address_case *cases, size_t count)
{
    struct directory directory;
    struct directory_account account;
    directory_init(&directory);
    for (size_t i = 0; i < count; i++) {
        enum directory_result result =
            directory_address(&directory, slice_text(cases[i].address), &account);
        if (result != (cases[i].local ? DIRECTORY_FOUND : DIRECTORY_UNKNOWN_USER))
            fail_msg("%s: %d", cases[i].address, (int)result);
        if (cases[i].local)
            assert_string_equal(account.local, cases[i].local);
        assert_string_equal(account.domain.name, "example.jp");
    }
    directory_close(&directory);
}

#define CHECK_ADDRESSES(cases) check_addresses(cases, sizeof(cases) / sizeof((cases)[0]))

static void test_accounts(void **state)
{
    (void)state;
    static const struct address_case cases[] = {
        {"u1@example.jp", "u1"},
        {"U1@Example.JP", "u1"},
        {"u1@sub.example.jp", "u1"},
        {"u3@example.jp", NULL},
        {"@example.jp", NULL},
        {"u1+tag@example.jp", "u1"},
        {"u1+a+b@example.jp", "u1"},
        {"u2+own@example.jp", "u2+own"},
        {"u2+other@example.jp", "u2"},
        {"+tag@example.jp", NULL},
        {"u3+tag@example.jp", NULL},
        {"imap@example.jp", NULL}, /* a setting is no account */
        {"postmaster@example.jp", "postmaster"},
        {"Postmaster@sub.example.jp", "postmaster"},
        {"nobody@example.jp", "postmaster"},
        {"a@b@example.jp", NULL},
    };
    write_example("admin", "", "");
    CHECK_ADDRESSES(cases);
}

static void test_admin_gets_reserved_names(void **state)
{
    (void)state;
    static const struct address_case cases[] = {
        {"postmaster@example.jp", "u1"},
        {"nobody@example.jp", "u1"},
        {"POSTMASTER+x@example.jp", "u1"},
        {"u2@example.jp", "u2"},
    };
    write_example("admin", "u1", "");
    CHECK_ADDRESSES(cases);
}

/* An admin that is gone must not cost mail to postmaster (RFC 5321 4.5.1). */
static void test_admin_that_is_gone(void **state)
{
    (void)state;
    static const struct address_case cases[] = {
        {"postmaster@example.jp", "postmaster"},
        {"nobody@example.jp", "postmaster"},
    };
    write_example("admin", "gone", "");
    CHECK_ADDRESSES(cases);
}

static void test_postmaster_as_a_box(void **state)
{
    (void)state;
    static const struct address_case cases[] = {
        {"postmaster@example.jp", "postmaster"},
        {"nobody@example.jp", NULL},
    };
    write_example("box", "u1", "");
    CHECK_ADDRESSES(cases);
}

/* As mailaddress.h has it: 255 bytes. */
#define BYTES_50    "abcdefghijabcdefghijabcdefghijabcdefghijabcdefghij"
#define LONGEST_TAG BYTES_50 BYTES_50 BYTES_50 BYTES_50 BYTES_50 "ab"
#define LONGEST     LONGEST_TAG "cde"

static void test_catch_all(void **state)
{
    (void)state;
    static const struct address_case cases[] = {
        {"anything@example.jp", "u2"},
        {"x+y@sub.example.jp", "u2"},
        {"u1@example.jp", "u1"},
        {"nobody@example.jp", "u2"},
        {"a-local-part-of-sixty-four-bytes-which-is-all-that-rfc-5321-gives@example.jp", "u2"},
        {LONGEST "@sub.example.jp", "u2"},
        {"u1+" LONGEST_TAG "@example.jp", "u1"},
        {LONGEST "x@example.jp", NULL},
    };
    write_example("box", "", "u2");
    CHECK_ADDRESSES(cases);
}

/* Who switched plus-addressing off has no such addresses, his administrator neither. */
static void test_without_plus(void **state)
{
    (void)state;
    static const struct address_case refused[] = {
        {"u4@example.jp", "u4"},         {"u4+tag@example.jp", NULL},
        {"u4+@sub.example.jp", NULL},    {"postmaster+x@example.jp", NULL},
        {"postmaster@example.jp", "u4"}, {"nobody+x@sub.example.jp", NULL},
        {"u1+tag@example.jp", "u1"},
    };
    static const struct address_case caught[] = {
        {"u4@example.jp", "u4"},         {"u4+tag@example.jp", "u2"},
        {"u4+@sub.example.jp", "u2"},    {"postmaster+x@example.jp", "u2"},
        {"nobody@sub.example.jp", "u4"}, {"u1+tag@example.jp", "u1"},
        {"+tag@example.jp", "u2"},       {"gone+tag@sub.example.jp", "u2"},
    };
    write_example("admin", "u4", "");
    CHECK_ADDRESSES(refused);
    write_example("admin", "u4", "u2");
    CHECK_ADDRESSES(caught);
}

/* The domain is listed, but its file is not there: never "unknown user". */
static void test_trouble(void **state)
{
    (void)state;
    struct directory directory;
    struct directory_account account;
    directory_init(&directory);
    assert_int_equal(directory_address(&directory, SLICE("u1@lost.jp"), &account),
                     DIRECTORY_TROUBLE);
    assert_int_equal(directory_address(&directory, SLICE("u1@example.com"), &account),
                     DIRECTORY_UNKNOWN_DOMAIN);
    assert_int_equal(directory_address(&directory, SLICE("u1"), &account),
                     DIRECTORY_UNKNOWN_DOMAIN);
    directory_close(&directory);
}

static void check_setting(struct directory *directory, const struct directory_account *account,
                          const char *name, const char *value)
{
    struct str found;
    str_init(&found, DIRECTORY_VALUE_MAX);
    assert_true(directory_setting(directory, account, name, &found) == (value != NULL));
    if (value)
        assert_slice(str_slice(&found), value);
    str_free(&found);
}

static void test_settings(void **state)
{
    (void)state;
    struct directory directory;
    struct directory_account u1, u2, broken, domain = {0};
    uint64_t number;
    bool on;
    write_example("admin", "", "");
    directory_init(&directory);
    assert_int_equal(directory_address(&directory, SLICE("u1@example.jp"), &u1), DIRECTORY_FOUND);
    assert_int_equal(directory_address(&directory, SLICE("u2@example.jp"), &u2), DIRECTORY_FOUND);
    assert_int_equal(directory_address(&directory, SLICE("broken@example.jp"), &broken),
                     DIRECTORY_FOUND);
    domain.domain = u1.domain;
    check_setting(&directory, &u1, "quota", "10");
    check_setting(&directory, &u2, "quota", "100");
    check_setting(&directory, &domain, "quota", "100");
    check_setting(&directory, &u2, "comment", "a b c");
    check_setting(&directory, &u1, "comment", "");
    check_setting(&directory, &u1, "nosuch", NULL);
    check_setting(&directory, &broken, "quota", NULL);
    assert_true(directory_setting_is_on(&directory, &u1, "imap", &on) && on);
    assert_true(directory_setting_is_on(&directory, &u2, "imap", &on) && !on);
    assert_false(directory_setting_is_on(&directory, &u2, "nosuch", &on));
    assert_true(directory_setting_number(&directory, &u1, "quota", &number) && number == 10);
    assert_false(directory_setting_number(&directory, &u1, "imap", &number));
    directory_close(&directory);
}

/* A rebuild is seen by programs that run. */
static void test_changes_are_seen(void **state)
{
    (void)state;
    struct directory directory;
    struct directory_account account;
    write_example("admin", "", "");
    directory_init(&directory);
    assert_int_equal(directory_address(&directory, SLICE("new@example.jp"), &account),
                     DIRECTORY_UNKNOWN_USER);
    write_example("admin", "", "u1");
    assert_int_equal(directory_address(&directory, SLICE("new@example.jp"), &account),
                     DIRECTORY_FOUND);
    check_setting(&directory, &account, "catch-all", "u1");
    assert_int_equal(rename("cdb/domain/example.jp.cdb", "cdb/domain/away"), 0);
    assert_int_equal(directory_address(&directory, SLICE("u1@example.jp"), &account),
                     DIRECTORY_TROUBLE);
    assert_int_equal(rename("cdb/domain/away", "cdb/domain/example.jp.cdb"), 0);
    directory_close(&directory);
}

static void test_host(void **state)
{
    (void)state;
    struct directory directory;
    struct str value;
    uint64_t number;
    directory_init(&directory);
    str_init(&value, 100);
    assert_true(directory_host(&directory, "me", &value));
    assert_slice(str_slice(&value), "mail.example.jp");
    assert_true(directory_host_number(&directory, "databytes", &number) && number == 1000);
    assert_false(directory_host_number(&directory, "word", &number));
    assert_false(directory_host(&directory, "nosuch", &value));
    str_free(&value);
    directory_close(&directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_domains),
        cmocka_unit_test(test_accounts),
        cmocka_unit_test(test_admin_gets_reserved_names),
        cmocka_unit_test(test_admin_that_is_gone),
        cmocka_unit_test(test_postmaster_as_a_box),
        cmocka_unit_test(test_catch_all),
        cmocka_unit_test(test_without_plus),
        cmocka_unit_test(test_trouble),
        cmocka_unit_test(test_settings),
        cmocka_unit_test(test_changes_are_seen),
        cmocka_unit_test(test_host),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
