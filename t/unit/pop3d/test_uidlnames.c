/* uidlnames: POP3 names that another server gave */
#include "unit.h"

#include "uidlnames.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void assert_names(const char *content, uint32_t uid, const char *wanted)
{
    struct uidlnames names;
    uidlnames_init(&names);
    assert_true(uidlnames_parse(&names, slice_text(content)));
    assert_slice(uidlnames_find(&names, uid), wanted);
    uidlnames_free(&names);
}

static void names(void **state)
{
    static const char content[] = "3 UID4-1038161234\n17 <x@y>\n4294967295 z\n";
    (void)state;
    assert_names(content, 3, "UID4-1038161234");
    assert_names(content, 17, "<x@y>");
    assert_names(content, 4294967295, "z");
    assert_names(content, 4, "");
    assert_names(content, 0, "");
    assert_names("", 1, "");
}

/* Torn, out of order, too long, with bytes that would break the protocol. */
static void ugly_lines(void **state)
{
    char content[128] = "1 ";
    (void)state;
    static const char *const lines[] = {
        "1 torn",  "1\n",          "1 \n",    "x a\n",      "-1 a\n", "1 a b\n",
        "1 a\r\n", "1 \xc3\xa4\n", "01x a\n", "2 b\n1 a\n", "\n\n",   "4294967297 a\n",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        assert_names(lines[i], 1, "");
    memset(content + 2, 'a', 70);
    memcpy(content + 72, "\n", 2);
    assert_names(content, 1,
                 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    memcpy(content + 72, "a\n", 3);
    assert_names(content, 1, "");
}

static void no_file(void **state)
{
    struct uidlnames none;
    (void)state;
    uidlnames_init(&none);
    int folder = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(uidlnames_load(&none, folder));
    assert_int_equal(none.count, 0);
    close(folder);
    uidlnames_free(&none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),
        cmocka_unit_test(ugly_lines),
        cmocka_unit_test(no_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
