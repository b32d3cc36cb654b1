/* test_keypair - certificates with their keys, what they sign; the table of sessions */
#include "unit.h"

#include "keypair.h"
#include "samples.h"
#include "sessiontable.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void pairs(void **state)
{
    static const struct {
        const char *name;
        const char *certificate;
        const char *key;
        const char *error; /* a part of it; NULL: good */
        enum key_kind kind;
        size_t chain;
    } cases[] = {
        {"EC, SEC1", SAMPLE_EC_CERTIFICATE, SAMPLE_EC_SEC1, NULL, KEY_P256, 1},
        {"EC, PKCS#8", SAMPLE_EC_CERTIFICATE, SAMPLE_EC_PKCS8, NULL, KEY_P256, 1},
        {"RSA, PKCS#1", SAMPLE_RSA_CERTIFICATE, SAMPLE_RSA_PKCS1, NULL, KEY_RSA, 1},
        {"RSA, PKCS#8", SAMPLE_RSA_CERTIFICATE, SAMPLE_RSA_PKCS8, NULL, KEY_RSA, 1},
        {"P-384", SAMPLE_EC_P384_CERTIFICATE, SAMPLE_EC_P384, NULL, KEY_P384, 1},
        {"a chain", SAMPLE_EC_CERTIFICATE SAMPLE_RSA_CERTIFICATE, SAMPLE_EC_SEC1, NULL, KEY_P256,
         2},
        {"both in one file", SAMPLE_EC_PKCS8 SAMPLE_EC_CERTIFICATE,
         SAMPLE_EC_CERTIFICATE SAMPLE_EC_PKCS8, NULL, KEY_P256, 1},
        {"another EC key", SAMPLE_EC_P384_CERTIFICATE, SAMPLE_EC_SEC1, "does not belong", 0, 0},
        {"an RSA key", SAMPLE_EC_CERTIFICATE, SAMPLE_RSA_PKCS1, "does not belong", 0, 0},
        {"an EC key", SAMPLE_RSA_CERTIFICATE, SAMPLE_EC_SEC1, "does not belong", 0, 0},
        {"chain in wrong order", SAMPLE_RSA_CERTIFICATE SAMPLE_EC_CERTIFICATE, SAMPLE_EC_SEC1,
         "does not belong", 0, 0},
        {"encrypted", SAMPLE_EC_CERTIFICATE, SAMPLE_ENCRYPTED_SEC1, "passphrase", 0, 0},
        {"encrypted, PKCS#8", SAMPLE_EC_CERTIFICATE, SAMPLE_ENCRYPTED_PKCS8, "passphrase", 0, 0},
        {"Ed25519", SAMPLE_EC_CERTIFICATE, SAMPLE_ED25519, "Ed25519", 0, 0},
        {"short RSA", SAMPLE_RSA_CERTIFICATE, SAMPLE_RSA_SHORT, "shorter than 2048", 0, 0},
        {"no key", SAMPLE_EC_CERTIFICATE, SAMPLE_EC_CERTIFICATE, "no private key", 0, 0},
        {"no certificate", SAMPLE_EC_SEC1, SAMPLE_EC_SEC1, "no certificate", 0, 0},
        {"empty", "", "", "no certificate", 0, 0},
        {"empty key", SAMPLE_EC_CERTIFICATE, "", "no private key", 0, 0},
        {"cut certificate", "-----BEGIN CERTIFICATE-----\nMIIB", SAMPLE_EC_SEC1, "broken", 0, 0},
        {"broken base64", "-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n",
         SAMPLE_EC_SEC1, "broken", 0, 0},
        {"garbage in PEM", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
         SAMPLE_EC_SEC1, "can't be decoded", 0, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char error[KEYPAIR_ERROR_MAX] = "";
        struct keypair *pair =
            keypair_make(slice_text(cases[i].certificate), slice_text(cases[i].key), error);
        if ((pair != NULL) != (cases[i].error == NULL) ||
            (cases[i].error && !strstr(error, cases[i].error)))
            fail_msg("%s: \"%s\"", cases[i].name, error);
        if (pair) {
            assert_int_equal(pair->kind, cases[i].kind);
            assert_int_equal(pair->chain_length, cases[i].chain);
        }
        keypair_free(&pair);
        assert_null(pair);
    }
}

/* BearSSL's PEM decoder is not strict about how the last line ends. */
static size_t end_mark(struct slice pem)
{
    return slice_find_last(slice_part(pem, 0, pem.size - 8), '\n') + sizeof "-----END";
}

/* Cut at any byte before its last line, a file is no key and no certificate; without just its line
 * end it is. */
static void cut_files(void **state)
{
    struct slice key = slice_text(SAMPLE_EC_SEC1);
    struct slice certificate = slice_text(SAMPLE_EC_CERTIFICATE);
    char error[KEYPAIR_ERROR_MAX];
    (void)state;
    for (size_t size = 0; size <= key.size; size++) {
        struct keypair *pair = keypair_make(certificate, slice_part(key, 0, size), error);
        assert_true(pair == NULL || size >= end_mark(key));
        assert_true(pair != NULL || size < key.size - 1);
        keypair_free(&pair);
    }
    for (size_t size = 0; size <= certificate.size; size += 7) {
        struct keypair *pair = keypair_make(slice_part(certificate, 0, size), key, error);
        assert_true(pair == NULL || size >= end_mark(certificate));
        assert_true(pair != NULL || size < certificate.size - 1);
        keypair_free(&pair);
    }
}

static void too_many_certificates(void **state)
{
    struct str text;
    char error[KEYPAIR_ERROR_MAX];
    (void)state;
    str_init(&text, KEYPAIR_FILE_MAX);
    for (int i = 0; i <= KEY_CHAIN_MAX; i++)
        str_append_text(&text, SAMPLE_EC_CERTIFICATE);
    assert_null(keypair_make(str_slice(&text), slice_text(SAMPLE_EC_SEC1), error));
    assert_non_null(strstr(error, "more than"));
    str_free(&text);
}

/* What a server signs: randoms, named curve, point. */
static void messages(void **state)
{
    char message[256] = {0};
    (void)state;
    message[64] = 3;
    message[66] = 23;
    message[67] = 65;
    assert_true(keypair_is_message(slice_of(message, 64 + 4 + 65)));
    assert_false(keypair_is_message(slice_of(message, 64 + 4 + 64)));
    assert_false(keypair_is_message(slice_of(message, 64 + 4 + 66)));
    assert_false(keypair_is_message(slice_of(message, 32))); /* a bare hash */
    assert_false(keypair_is_message(slice_of(message, 0)));
    message[64] = 1; /* explicit curve */
    assert_false(keypair_is_message(slice_of(message, 64 + 4 + 65)));
    message[64] = 3;
    message[65] = 1; /* a curve above 255 */
    assert_false(keypair_is_message(slice_of(message, 64 + 4 + 65)));
}

static void signatures(void **state)
{
    static const struct {
        unsigned algorithm;
        bool rsa;
        bool ec;
    } cases[] = {
        {KEY_RSA_SHA256, true, false},
        {KEY_RSA_SHA384, true, false},
        {KEY_RSA_SHA512, true, false},
        {KEY_ECDSA_SHA256, false, true},
        {KEY_ECDSA_SHA384, false, true},
        {KEY_ECDSA_SHA512, false, true},
        {0x0201, false, false}, /* SHA-1 */
        {0x0203, false, false},
        {0x0101, false, false},
        {0, false, false},
        {0x0804, false, false}, /* RSA-PSS */
        {0xffff, false, false},
        {0xff04, false, false},
    };
    char message[64 + 4 + 65] = {0};
    char error[KEYPAIR_ERROR_MAX];
    unsigned char signature[KEY_SIGNATURE_MAX];
    (void)state;
    message[64] = 3;
    message[67] = 65;
    struct slice good = slice_of(message, sizeof message);
    struct keypair *rsa =
        keypair_make(slice_text(SAMPLE_RSA_CERTIFICATE), slice_text(SAMPLE_RSA_PKCS1), error);
    struct keypair *ec =
        keypair_make(slice_text(SAMPLE_EC_CERTIFICATE), slice_text(SAMPLE_EC_SEC1), error);
    assert_non_null(rsa);
    assert_non_null(ec);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t size = keypair_sign(rsa, cases[i].algorithm, good, signature);
        assert_int_equal(size, cases[i].rsa ? 256 : 0);
        size = keypair_sign(ec, cases[i].algorithm, good, signature);
        assert_int_equal(size > 0, cases[i].ec);
    }
    assert_int_equal(keypair_sign(ec, KEY_ECDSA_SHA256, SLICE("anything else"), signature), 0);
    keypair_free(&rsa);
    keypair_free(&ec);
}

static struct key_session session_of(unsigned char first, unsigned char last)
{
    struct key_session session = {.version = 0x0303, .suite = 0xc02b};
    session.id[0] = first;
    session.id[KEY_SESSION_ID_SIZE - 1] = last;
    session.secret[0] = last;
    return session;
}

static void sessions(void **state)
{
    struct sessiontable *table = sessiontable_make();
    struct key_session session = session_of(1, 1);
    struct key_session found;
    (void)state;
    assert_non_null(table);
    assert_false(sessiontable_load(table, session.id, 1000, &found));
    sessiontable_save(table, &session, 1000);
    assert_true(sessiontable_load(table, session.id, 1000, &found));
    assert_memory_equal(&found, &session, sizeof found);
    assert_true(sessiontable_load(table, session.id, 999 + SESSIONTABLE_LIFE_MS, &found));
    assert_false(sessiontable_load(table, session.id, 1000 + SESSIONTABLE_LIFE_MS, &found));
    /* A crowded place gives up its oldest. */
    for (unsigned char i = 2; i <= SESSIONTABLE_PLACES + 1; i++) {
        struct key_session more = session_of(1, i);
        sessiontable_save(table, &more, 1000 + i);
    }
    assert_false(sessiontable_load(table, session.id, 1010, &found));
    session = session_of(1, 2);
    assert_true(sessiontable_load(table, session.id, 1010, &found));
    assert_int_equal(found.secret[0], 2);
    sessiontable_sweep(table, 1002 + SESSIONTABLE_LIFE_MS);
    assert_false(sessiontable_load(table, session.id, 1010, &found)); /* even looked at earlier */
    session = session_of(1, 3);
    assert_true(sessiontable_load(table, session.id, 1010, &found));
    sessiontable_free(&table);
    assert_null(table);
}

/* What one process saves, others load; one that is killed takes nobody along. */
static void shared_sessions(void **state)
{
    struct sessiontable *table = sessiontable_make();
    struct key_session session = session_of(7, 7);
    struct key_session found;
    int status;
    (void)state;
    assert_non_null(table);
    pid_t pid = fork();
    if (pid == 0) {
        sessiontable_save(table, &session, 1000);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(sessiontable_load(table, session.id, 1000, &found));
    pid = fork();
    if (pid == 0)
        for (;;)
            sessiontable_sweep(table, 0);
    usleep(20000);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    sessiontable_save(table, &session, 2000);
    assert_true(sessiontable_load(table, session.id, 2000, &found));
    sessiontable_free(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pairs),           cmocka_unit_test(cut_files),
        cmocka_unit_test(messages),        cmocka_unit_test(too_many_certificates),
        cmocka_unit_test(signatures),      cmocka_unit_test(sessions),
        cmocka_unit_test(shared_sessions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
