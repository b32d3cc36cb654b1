/* test_keyset - certificates found, renewed, kept when the new ones don't hold, removed */
#include "unit.h"

#include "io.h"
#include "keyset.h"
#include "samples.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/test_keyset.XXXXXX";

static void put(const char *host, const char *name, const char *content)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, host);
    assert_true(mkdir(path, 0700) == 0 || access(path, F_OK) == 0);
    int fd = open(path, O_RDONLY | O_DIRECTORY);
    assert_true(fd >= 0);
    assert_true(io_replace_file(fd, name, slice_text(content), 0640, (uid_t)-1, (gid_t)-1));
    close(fd);
}

static void take_away(const char *path)
{
    char whole[256];
    snprintf(whole, sizeof whole, "%s/%s", folder, path);
    assert_int_equal(remove(whole), 0);
}

static void put_ec(const char *host, const char *suffix)
{
    char name[64];
    snprintf(name, sizeof name, "cert%s.pem", suffix);
    put(host, name, SAMPLE_EC_CERTIFICATE);
    snprintf(name, sizeof name, "key%s.pem", suffix);
    put(host, name, SAMPLE_EC_SEC1);
}

static void put_rsa(const char *host, const char *suffix)
{
    char name[64];
    snprintf(name, sizeof name, "cert%s.pem", suffix);
    put(host, name, SAMPLE_RSA_CERTIFICATE);
    snprintf(name, sizeof name, "key%s.pem", suffix);
    put(host, name, SAMPLE_RSA_PKCS1);
}

static const enum key_kind all_kinds[] = {KEY_P256, KEY_P384, KEY_P521, KEY_RSA};
static const enum key_kind rsa_only[] = {KEY_RSA};

static const char *kind_for(const struct keyset *keyset, const char *name)
{
    const struct keypair *pair = keyset_find(keyset, slice_text(name), all_kinds, 4);
    return pair ? key_kind_name(pair->kind) : "none";
}

static int empty(const char *path, const struct stat *info, int type, struct FTW *where)
{
    (void)info;
    (void)type;
    return where->level == 0 ? 0 : remove(path);
}

static int clean(void **state)
{
    (void)state;
    return nftw(folder, empty, 8, FTW_DEPTH | FTW_PHYS);
}

static void names(void **state)
{
    struct keyset keyset;
    (void)state;
    put_rsa("default", "");
    put_ec("mail.example.jp", "");
    put("_.example.org", "cert-any.pem", SAMPLE_EC_P384_CERTIFICATE);
    put("_.example.org", "key-any.pem", SAMPLE_EC_P384);
    put("_.example.org", "chain.pem", "not ours");
    put("_.example.org", "cert-any.pem~", "not ours");
    keyset_init(&keyset);
    assert_true(keyset_look(&keyset, folder, false));
    assert_int_equal(keyset_pairs(&keyset), 3);
    static const struct {
        const char *name;
        const char *kind;
    } cases[] = {
        {"mail.example.jp", "p256"}, {"MAIL.Example.JP", "p256"}, {"", "rsa"},
        {"a.example.org", "p384"},   {"a.b.example.org", "rsa"},  {"example.org", "rsa"},
        {"_.example.org", "p384"},   {"other.test", "rsa"},       {".", "rsa"},
        {".example.org", "p384"},    {"../default", "rsa"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(kind_for(&keyset, cases[i].name), cases[i].kind);
    /* A client that can do nothing but RSA gets the default instead of a failure. */
    const struct keypair *pair = keyset_find(&keyset, SLICE("mail.example.jp"), rsa_only, 1);
    assert_non_null(pair);
    assert_int_equal(pair->kind, KEY_RSA);
    assert_null(keyset_find(&keyset, SLICE("mail.example.jp"), NULL, 0));
    keyset_free(&keyset);
}

static void two_kinds(void **state)
{
    static const enum key_kind rsa_first[] = {KEY_RSA, KEY_P256};
    struct keyset keyset;
    (void)state;
    put_rsa("default", "");
    put_ec("default", "-ecdsa");
    keyset_init(&keyset);
    assert_true(keyset_look(&keyset, folder, false));
    assert_int_equal(keyset_pairs(&keyset), 2);
    assert_string_equal(kind_for(&keyset, "x"), "p256"); /* the asker's order rules */
    assert_int_equal(keyset_find(&keyset, SLICE("x"), rsa_first, 2)->kind, KEY_RSA);
    keyset_free(&keyset);
}

static void renewal(void **state)
{
    struct keyset keyset;
    (void)state;
    put_ec("default", "");
    keyset_init(&keyset);
    assert_true(keyset_look(&keyset, folder, false));
    assert_false(keyset_look(&keyset, folder, true));
    /* The new certificate is there, its key not yet: one look of patience. */
    put("default", "cert.pem", SAMPLE_RSA_CERTIFICATE);
    assert_false(keyset_look(&keyset, folder, true));
    put("default", "key.pem", SAMPLE_RSA_PKCS1);
    assert_false(keyset_look(&keyset, folder, true));
    assert_string_equal(kind_for(&keyset, ""), "p256");
    assert_true(keyset_look(&keyset, folder, true));
    assert_string_equal(kind_for(&keyset, ""), "rsa");
    /* What does not hold leaves the old one in force. */
    put("default", "key.pem", SAMPLE_EC_SEC1);
    for (int i = 0; i < 3; i++)
        assert_false(keyset_look(&keyset, folder, true));
    assert_string_equal(kind_for(&keyset, ""), "rsa");
    put("default", "cert.pem", "garbage");
    for (int i = 0; i < 3; i++)
        assert_false(keyset_look(&keyset, folder, true));
    take_away("default/cert.pem");
    for (int i = 0; i < 3; i++)
        assert_false(keyset_look(&keyset, folder, true));
    assert_string_equal(kind_for(&keyset, ""), "rsa");
    put("default", "cert.pem", SAMPLE_EC_CERTIFICATE);
    assert_false(keyset_look(&keyset, folder, true));
    assert_true(keyset_look(&keyset, folder, true));
    assert_string_equal(kind_for(&keyset, ""), "p256");
    keyset_free(&keyset);
}

static void coming_and_going(void **state)
{
    struct keyset keyset;
    (void)state;
    keyset_init(&keyset);
    assert_false(keyset_look(&keyset, folder, false));
    assert_string_equal(kind_for(&keyset, ""), "none");
    put_ec("default", "");
    put_rsa("default", "-rsa");
    put("default", "cert-old.pem", SAMPLE_RSA_CERTIFICATE); /* without a key */
    assert_false(keyset_look(&keyset, folder, true));
    assert_true(keyset_look(&keyset, folder, true));
    assert_int_equal(keyset_pairs(&keyset), 2);
    take_away("default/cert.pem");
    take_away("default/key.pem");
    assert_true(keyset_look(&keyset, folder, true));
    assert_string_equal(kind_for(&keyset, ""), "rsa");
    keyset_free(&keyset);
}

/* The folder gone, a file in its place, an empty host, a stray file: nothing falls over. */
static void odd_folders(void **state)
{
    struct keyset keyset;
    char path[256];
    (void)state;
    keyset_init(&keyset);
    snprintf(path, sizeof path, "%s/nowhere", folder);
    assert_false(keyset_look(&keyset, path, false));
    put_ec("default", "");
    put("empty.example.jp", "README", "nothing");
    put(".", "stray.pem", "x");
    assert_true(keyset_look(&keyset, folder, false));
    assert_int_equal(keyset_pairs(&keyset), 1);
    assert_false(keyset_look(&keyset, path, true)); /* what was known stays */
    assert_string_equal(kind_for(&keyset, ""), "p256");
    keyset_free(&keyset);
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(names, clean),
        cmocka_unit_test_teardown(two_kinds, clean),
        cmocka_unit_test_teardown(renewal, clean),
        cmocka_unit_test_teardown(coming_and_going, clean),
        cmocka_unit_test_teardown(odd_folders, clean),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
