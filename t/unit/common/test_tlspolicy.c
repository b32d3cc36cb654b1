/* test_tlspolicy - lines of control/tlspolicy, and which one holds for a destination */
#include "unit.h"

#include "tlspolicy.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void lines(void **state)
{
    static const struct {
        const char *line, *key, *value; /* key NULL: refused, `value` is in the reason */
    } cases[] = {
        {"example.org encrypt", "example.org", "encrypt"},
        {"Example.ORG\tmay", "example.org", "may"},
        {".example.org dane-only", ".example.org", "dane-only"},
        {"* none", "*", "none"},
        {"[192.0.2.1] encrypt", "[192.0.2.1]", "encrypt"},
        {"[2001:DB8::1] encrypt", "[2001:db8::1]", "encrypt"},
        {"bücher.example secure", "xn--bcher-kva.example", "secure"},
        {"relay verify", "relay", "verify"},
        {"example.org verify match=mx.example.net", "example.org", "verify mx.example.net"},
        {"example.org secure match=nexthop:.Example.Net:hostname", "example.org",
         "secure nexthop:.example.net:hostname"},
        {"example.org secure names=dot-nexthop", "example.org", "secure dot-nexthop"},
        {"example.org", NULL, "no level"},
        {"example.org Encrypt", NULL, "no level"},
        {"example.org encrypt match=x.y", NULL, "verify and secure only"},
        {"example.org secure ciphers=high", NULL, "not known here"},
        {"example.org secure match=", NULL, "stand names"},
        {"example.org secure match=a..b", NULL, "no name to match"},
        {"example.org secure match=a.b c.d", NULL, "too much"},
        {"exa..mple may", NULL, "no destination"},
        {"[example.org] may", NULL, "no destination"},
        {"[192.0.2.1 may", NULL, "no destination"},
        {"[ may", NULL, "no destination"},
        {"a/b may", NULL, "no destination"},
        {"example.org secure match=a:b:c:d:e:f:g:h:i", NULL, "too many"},
    };
    struct str key, value, reason;
    (void)state;
    str_init(&key, 2048);
    str_init(&value, 2048);
    str_init(&reason, 2048);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        str_clear(&key);
        str_clear(&value);
        str_clear(&reason);
        bool good = tlspolicy_parse_line(slice_text(cases[i].line), &key, &value, &reason);
        if (good != (cases[i].key != NULL))
            fail_msg("%s: %s", cases[i].line, str_text(&reason));
        if (good) {
            assert_slice(str_slice(&key), cases[i].key);
            assert_slice(str_slice(&value), cases[i].value);
        } else if (!strstr(str_text(&reason), cases[i].value)) {
            fail_msg("%s: %s", cases[i].line, str_text(&reason));
        }
    }
    str_free(&key);
    str_free(&value);
    str_free(&reason);
}

/* The table of the lines given, in a file of its own. */
static void compile(struct cdbfile *file, const char *const table[], size_t count)
{
    char path[] = "/tmp/test_tlspolicy.XXXXXX";
    struct cdb_make make;
    struct str key, value, reason;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(cdb_make_start(&make, fd), 0);
    for (size_t i = 0; i < count; i++) {
        str_init(&key, 2048);
        str_init(&value, 2048);
        str_init(&reason, 2048);
        assert_true(tlspolicy_parse_line(slice_text(table[i]), &key, &value, &reason));
        assert_int_equal(
            cdb_make_add(&make, key.data, (unsigned)key.size, value.data, (unsigned)value.size), 0);
        str_free(&key);
        str_free(&value);
        str_free(&reason);
    }
    assert_int_equal(cdb_make_finish(&make), 0);
    close(fd);
    assert_true(cdbfile_open(file, AT_FDCWD, path));
    unlink(path);
}

static void the_longest_fit(void **state)
{
    static const char *const table[] = {"example.org encrypt",      ".example.org secure",
                                        ".deep.example.org none",   "[192.0.2.1] verify",
                                        "host verify match=a.b:.c", "* dane-only"};
    static const struct {
        const char *destination;
        enum tlspolicy_level level;
        const char *names;
    } cases[] = {
        {"example.org", TLSPOLICY_ENCRYPT, ""},     {"a.example.org", TLSPOLICY_SECURE, ""},
        {"a.b.example.org", TLSPOLICY_SECURE, ""},  {"deep.example.org", TLSPOLICY_SECURE, ""},
        {"x.deep.example.org", TLSPOLICY_NONE, ""}, {"[192.0.2.1]", TLSPOLICY_VERIFY, ""},
        {"[192.0.2.2]", TLSPOLICY_DANE_ONLY, ""},   {"host", TLSPOLICY_VERIFY, "a.b:.c"},
        {"other", TLSPOLICY_DANE_ONLY, ""},         {"badexample.org", TLSPOLICY_DANE_ONLY, ""},
    };
    struct cdbfile file;
    struct tlspolicy policy;
    (void)state;
    compile(&file, table, 6);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(tlspolicy_find(&file, slice_text(cases[i].destination), &policy),
                         TLSPOLICY_FOUND);
        if (policy.level != cases[i].level || strcmp(policy.names, cases[i].names) != 0)
            fail_msg("%s: level %d, names \"%s\"", cases[i].destination, (int)policy.level,
                     policy.names);
    }
    cdbfile_close(&file);
    compile(&file, table, 2);
    assert_int_equal(tlspolicy_find(&file, SLICE("example.net"), &policy), TLSPOLICY_MISSING);
    assert_int_equal(tlspolicy_find(&file, SLICE("[192.0.2.1]"), &policy), TLSPOLICY_MISSING);
    cdbfile_close(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines),
        cmocka_unit_test(the_longest_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
