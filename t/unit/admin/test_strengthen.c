/* Hashes that take the places of quick ones in a users file, and the secrets that wait for them. */
#include "rehash.h"
#include "strengthen.h"
#include "unit.h"

#include <stdio.h>

enum { TEXT_MAX = 1048576, MANY = 3000 };

/* ---- the users file ---- */

static struct rehash rehash(const char *local, const char *was, const char *now)
{
    struct rehash one = {.was = slice_text(was), .now = slice_text(now)};
    assert_true(slice_copy_text(slice_text(local), one.local, sizeof one.local));
    return one;
}

static const struct {
    const char *before, *behind;
    size_t done;
} files[] = {
    {"", "", 0},
    {"\n", "\n", 0},
    {"u1:$q1:\n", "u1:$full1:\n", 1},
    {"u1:$q1:", "u1:$full1:", 1},
    {"u1:$q1:\r\n", "u1:$full1:\r\n", 1},
    {"# u1:$q1:\nU1:$q1: quota=5  comment=\"a:b\"\n",
     "# u1:$q1:\nU1:$full1: quota=5  comment=\"a:b\"\n", 1},
    {"taro:$q2:\nu1:$q1:\nzoe:$q3:\n", "taro:$full2:\nu1:$full1:\nzoe:$full3:\n", 3},
    /* Another password, none, a void one of this and of another password. */
    {"u1:$q2:\n", "u1:$q2:\n", 0},
    {"u1::\n", "u1::\n", 0},
    {"u1:$q1x:\n", "u1:$q1x:\n", 0},
    {"u1:!$q1:\n", "u1:!$full1:\n", 1},
    {"u1:!$q2:\n", "u1:!$q2:\n", 0},
    {"u1:!:\n", "u1:!:\n", 0},
    /* Who went and others; what is no line of a users file. */
    {"u2:$q1:\nu:$q1:\n$q1\nu1\n:$q1:\n", "u2:$q1:\nu:$q1:\n$q1\nu1\n:$q1:\n", 0},
    {"  u1:$q1:\n", "  u1:$full1:\n", 1},
    {"u1:$q1", "u1:$full1", 1},
    {"u1:x:apop-secret=\"$q1:\"\n", "u1:x:apop-secret=\"$q1:\"\n", 0},
};

static void test_files(void **state)
{
    (void)state;
    struct rehash all[] = {rehash("zoe", "$q3", "$full3"), rehash("u1", "$q1", "$full1"),
                           rehash("taro", "$q2", "$full2")};
    struct str fresh;
    str_init(&fresh, TEXT_MAX);
    rehash_sort(all, 3);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        size_t done;
        str_clear(&fresh);
        assert_true(rehash_users(all, 3, slice_text(files[i].before), &fresh, &done));
        if (!slice_equal(str_slice(&fresh), slice_text(files[i].behind)) || done != files[i].done)
            fail_msg("file %zu: %zu done: %s", i, done, str_text(&fresh));
        str_clear(&fresh);
        assert_true(rehash_users(all, 0, slice_text(files[i].before), &fresh, &done));
        assert_true(slice_equal(str_slice(&fresh), slice_text(files[i].before)) && done == 0);
    }
    str_free(&fresh);
}

static void test_no_room(void **state)
{
    (void)state;
    struct rehash one = rehash("u1", "$q1", "$full1");
    size_t done;
    struct str fresh;
    str_init(&fresh, 8);
    assert_false(rehash_users(&one, 1, SLICE("u1:$q1:\n"), &fresh, &done));
    str_free(&fresh);
}

static void test_many(void **state)
{
    (void)state;
    static struct rehash all[MANY];
    struct str before, behind, fresh;
    size_t done;
    str_init(&before, TEXT_MAX);
    str_init(&behind, TEXT_MAX);
    str_init(&fresh, TEXT_MAX);
    for (int i = 0; i < MANY; i++) {
        char local[16];
        snprintf(local, sizeof local, "user%i", (i * 7919) % MANY);
        all[i] = rehash(local, "$quick", "$atfullstrength");
        str_format(&before, "%s:$quick:quota=%i\n# %i\n", local, i, i);
        str_format(&behind, "%s:$atfullstrength:quota=%i\n# %i\n", local, i, i);
    }
    rehash_sort(all, MANY);
    assert_true(rehash_users(all, MANY, str_slice(&before), &fresh, &done));
    assert_int_equal(done, MANY);
    assert_true(slice_equal(str_slice(&fresh), str_slice(&behind)));
    str_free(&before);
    str_free(&behind);
    str_free(&fresh);
}

/* ---- secrets ---- */

static void test_vault(void **state)
{
    (void)state;
    struct vault vault;
    struct slice first, second, none;
    assert_true(vault_open(&vault, 5));
    assert_true(vault_keep(&vault, SLICE("abc"), &first));
    assert_false(vault_keep(&vault, SLICE("abc"), &second));
    assert_true(vault_keep(&vault, SLICE("de"), &second));
    assert_true(vault_keep(&vault, SLICE(""), &none));
    assert_true(slice_equal(first, SLICE("abc")) && slice_equal(second, SLICE("de")));
    assert_int_equal(none.size, 0);
    vault_close(&vault);
    assert_null(vault.bytes);
    vault_close(&vault);
    assert_true(vault_open(&vault, 0));
    vault_close(&vault);
    assert_false(vault_open(&vault, (size_t)1 << 60));
    vault_close(&vault);
}

static void test_what_waits(void **state)
{
    (void)state;
    struct strengthen work = {0};
    strengthen_end(&work);
    assert_true(strengthen_begin(&work, "example.jp", 2, 20));
    assert_true(strengthen_add(&work, "u1", SLICE("secret-1"), SLICE("$q1")));
    assert_false(strengthen_add(&work, "u2", SLICE("secret-2"), SLICE("$q2"))); /* no room for it */
    assert_true(strengthen_add(&work, "u2", SLICE(""), SLICE("")));
    assert_false(strengthen_add(&work, "u3", SLICE(""), SLICE("")));
    assert_int_equal(work.count, 2);
    assert_true(slice_equal(work.of[0].secret, SLICE("secret-1")));
    assert_true(slice_equal(work.of[0].quick, SLICE("$q1")));
    strengthen_end(&work);
    assert_null(work.of);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files),      cmocka_unit_test(test_no_room),
        cmocka_unit_test(test_many),       cmocka_unit_test(test_vault),
        cmocka_unit_test(test_what_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
