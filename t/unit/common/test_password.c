/* password: hashes made here and elsewhere, and what must not pass for one */
#include "unit.h"

#include "password.h"

#include <errno.h>
#include <string.h>

static void a_new_hash_is_yescrypt_and_fits_its_password_only(void **state)
{
    (void)state;
    char first[PASSWORD_HASH_MAX], second[PASSWORD_HASH_MAX];
    assert_true(password_hash(SLICE("Correct-Horse-9"), first));
    assert_true(password_hash(SLICE("Correct-Horse-9"), second));
    assert_true(slice_starts(slice_text(first), SLICE("$y$j9T$")));
    assert_string_not_equal(first, second); /* salted */
    assert_true(password_is_hash(slice_text(first)));
    assert_int_equal(password_verify(SLICE("Correct-Horse-9"), slice_text(first)),
                     PASSWORD_MATCHES);
    assert_int_equal(password_verify(SLICE("Correct-Horse-9"), slice_text(second)),
                     PASSWORD_MATCHES);
    assert_int_equal(password_verify(SLICE("correct-Horse-9"), slice_text(first)),
                     PASSWORD_DIFFERS);
    assert_int_equal(password_verify(SLICE(""), slice_text(first)), PASSWORD_DIFFERS);
}

static void a_quick_hash_is_told_from_others(void **state)
{
    (void)state;
    char quick[PASSWORD_HASH_MAX], full[PASSWORD_HASH_MAX];
    assert_true(password_hash_as(SLICE("Correct-Horse-9"), PASSWORD_QUICK, quick));
    assert_true(password_hash_as(SLICE("Correct-Horse-9"), PASSWORD_FULL, full));
    assert_true(password_is_quick(slice_text(quick)));
    assert_true(password_is_hash(slice_text(quick)));
    assert_false(password_is_quick(slice_text(full)));
    assert_true(slice_starts(slice_text(full), SLICE("$y$j9T$")));
    assert_int_equal(password_verify(SLICE("Correct-Horse-9"), slice_text(quick)),
                     PASSWORD_MATCHES);
    assert_int_equal(password_verify(SLICE("Correct-Horse-8"), slice_text(quick)),
                     PASSWORD_DIFFERS);
    static const char *const others[] = {"", "!", "$", "$y$j75", "$y$j85$a$b", "!$y$j75$a$b"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_false(password_is_quick(slice_text(others[i])));
    assert_false(password_hash_as(SLICE("a\0b"), PASSWORD_QUICK, quick));
    assert_int_equal(errno, EINVAL);
}

/* Of other servers: the password is "password" (bcrypt: "U*U", of its own test vectors). */
static const struct {
    const char *scheme, *secret, *hash;
} foreign[] = {
    {"md5", "password", "$1$abcdefgh$G//4keteveJp0qb8z2DxG/"},
    {"des", "password", "abJnggxhB/yWI"},
    {"bcrypt", "U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"},
    {"sha512", "Hello world!",
     "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnI"
     "FNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1"},
    {"sha256", "Hello world!", "$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5"},
};

static void foreign_hashes_are_verified(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++) {
        print_message("    %s\n", foreign[i].scheme);
        assert_true(password_is_hash(slice_text(foreign[i].hash)));
        assert_int_equal(
            password_verify(slice_text(foreign[i].secret), slice_text(foreign[i].hash)),
            PASSWORD_MATCHES);
        assert_int_equal(password_verify(SLICE("else"), slice_text(foreign[i].hash)),
                         PASSWORD_DIFFERS);
    }
}

static const char *const no_hashes[] = {
    "",
    "*",
    "!",
    "x",
    "ab",
    "*0",
    "!$6$saltstring$svn8UoSVapNtMuq1ukKS4",
    "Secret-Pass-9",
    "$6$saltstring$",
    "$y$j9T$",
    "$9$unknown$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "$1$abcdefgh$G//4keteveJp0qb8z2DxG/:1000",
    "$1$abc efgh$G//4keteveJp0qb8z2DxG/",
    "plaintextpassword",
};

static void what_is_no_hash_matches_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof no_hashes / sizeof *no_hashes; i++) {
        struct slice text = slice_text(no_hashes[i]);
        assert_false(password_is_hash(text));
        assert_int_equal(password_verify(text, text), PASSWORD_DIFFERS);
        assert_int_equal(password_verify(SLICE("x"), text), PASSWORD_DIFFERS);
    }
    char large[2000];
    memset(large, 'a', sizeof large);
    memcpy(large, "$6$a$", 5);
    assert_false(password_is_hash(slice_of(large, sizeof large)));
}

static void odd_passwords_are_refused(void **state)
{
    (void)state;
    char hash[PASSWORD_HASH_MAX], large[PASSWORD_SECRET_MAX + 1];
    memset(large, 'p', sizeof large);
    assert_false(password_hash(SLICE(""), hash));
    assert_int_equal(errno, EINVAL);
    assert_false(password_hash(SLICE("a\0b"), hash));
    assert_false(password_hash(slice_of(large, sizeof large), hash));
    assert_true(password_hash(slice_of(large, PASSWORD_SECRET_MAX), hash));
    assert_int_equal(password_verify(slice_of(large, PASSWORD_SECRET_MAX), slice_text(hash)),
                     PASSWORD_MATCHES);
    assert_int_equal(password_verify(slice_of(large, sizeof large), slice_text(hash)),
                     PASSWORD_DIFFERS);
    /* A NUL does not end the password early. */
    assert_true(password_hash(SLICE("a"), hash));
    assert_int_equal(password_verify(SLICE("a\0b"), slice_text(hash)), PASSWORD_DIFFERS);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_hash_is_yescrypt_and_fits_its_password_only),
        cmocka_unit_test(a_quick_hash_is_told_from_others),
        cmocka_unit_test(foreign_hashes_are_verified),
        cmocka_unit_test(what_is_no_hash_matches_nothing),
        cmocka_unit_test(odd_passwords_are_refused),
    };
    return cmocka_run_group_tests_name("password", tests, NULL, NULL);
}
