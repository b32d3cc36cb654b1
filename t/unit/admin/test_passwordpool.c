/* Many passwords hashed at once; and compared with what was made void. */
#include "newpassword.h"
#include "passwordpool.h"
#include "unit.h"

#include <errno.h>
#include <stdio.h>

enum { JOBS = 9 };

static void test_every_job_is_done(void **state)
{
    (void)state;
    char secrets[JOBS][32], hashes[JOBS][PASSWORD_HASH_MAX] = {{0}};
    struct passwordpool_job jobs[JOBS];
    for (size_t i = 0; i < JOBS; i++) {
        snprintf(secrets[i], sizeof secrets[i], "Correct-Horse-%zu", i);
        jobs[i] = (struct passwordpool_job){.secret = slice_text(secrets[i]), .hash = hashes[i]};
    }
    assert_true(passwordpool_hash(jobs, JOBS, PASSWORD_FULL));
    for (size_t i = 0; i < JOBS; i++) {
        assert_false(jobs[i].is_like_old);
        assert_int_equal(password_verify(slice_text(secrets[i]), slice_text(hashes[i])),
                         PASSWORD_MATCHES);
    }
    assert_true(passwordpool_hash(jobs, 0, PASSWORD_FULL));
}

static void test_one_that_fails_fails_all(void **state)
{
    (void)state;
    char hashes[2][PASSWORD_HASH_MAX];
    struct passwordpool_job jobs[] = {{.secret = SLICE("Correct-Horse-1"), .hash = hashes[0]},
                                      {.secret = SLICE("a\0b"), .hash = hashes[1]}};
    assert_false(passwordpool_hash(jobs, 2, PASSWORD_FULL));
    assert_int_equal(errno, EINVAL);
}

static void test_quick_ones(void **state)
{
    (void)state;
    char hashes[JOBS][PASSWORD_HASH_MAX] = {{0}};
    struct passwordpool_job jobs[JOBS];
    for (size_t i = 0; i < JOBS; i++)
        jobs[i] = (struct passwordpool_job){.secret = SLICE("Correct-Horse-1"), .hash = hashes[i]};
    assert_true(passwordpool_hash(jobs, JOBS, PASSWORD_QUICK));
    for (size_t i = 0; i < JOBS; i++)
        assert_true(password_is_quick(slice_text(hashes[i])));
    assert_string_not_equal(hashes[0], hashes[1]);
}

static void test_how_long(void **state)
{
    (void)state;
    assert_int_equal(passwordpool_ms(0), 0);
    assert_int_equal(passwordpool_ms(1), PASSWORD_HASH_MS);
    assert_true(passwordpool_ms(10000) >= 10000 / PASSWORDPOOL_THREADS_MAX * PASSWORD_HASH_MS);
    assert_true(passwordpool_ms(10000) <= INT64_C(10000) * PASSWORD_HASH_MS);
}

/* MD5-crypt of "password", which costs nothing. */
#define OLD "$1$abcdefgh$G//4keteveJp0qb8z2DxG/"

static void test_like_the_old_one(void **state)
{
    (void)state;
    char void_hash[PASSWORD_HASH_MAX], hashes[3][PASSWORD_HASH_MAX] = {{0}};
    snprintf(void_hash, sizeof void_hash, "%s%s", USERLINE_VOID, OLD);
    assert_int_equal(password_verify(SLICE("password"), SLICE(OLD)), PASSWORD_MATCHES);
    struct passwordpool_job jobs[] = {
        {.secret = SLICE("PASSWORD"), .old = slice_text(void_hash), .hash = hashes[0]},
        {.secret = SLICE("another"), .old = slice_text(void_hash), .hash = hashes[1]},
        {.secret = SLICE("password"), .old = SLICE(OLD), .hash = hashes[2]}};
    assert_true(passwordpool_hash(jobs, 3, PASSWORD_FULL));
    assert_true(jobs[0].is_like_old && hashes[0][0] == '\0');
    assert_true(!jobs[1].is_like_old && hashes[1][0] == '$');
    assert_true(!jobs[2].is_like_old && hashes[2][0] == '$');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_job_is_done), cmocka_unit_test(test_one_that_fails_fails_all),
        cmocka_unit_test(test_quick_ones),        cmocka_unit_test(test_how_long),
        cmocka_unit_test(test_like_the_old_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
