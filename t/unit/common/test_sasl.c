/* sasl: exchanges of PLAIN and LOGIN as SMTP, POP3 and IMAP clients have them, good and bad */
#include "unit.h"

#include "encode.h"
#include "sasl.h"

#include <string.h>

/* Lines of base64 of these, with "initial" the first that comes with the command. */
struct exchange {
    const char *name;
    const char *mechanism;
    const char *initial;  /* NULL: none */
    const char *lines[3]; /* what the client answers */
    enum sasl_result result;
    const char *user, *secret;
    const char *challenges[3]; /* before each line */
};

static const struct exchange exchanges[] = {
    {"PLAIN with initial response",
     "PLAIN",
     "AHUxAHNlY3JldA==",
     {NULL},
     SASL_DONE,
     "u1",
     "secret",
     {NULL}},
    {"plain in lower case", "plain", "AHUxAHNlY3JldA==", {NULL}, SASL_DONE, "u1", "secret", {NULL}},
    {"PLAIN without initial response",
     "PLAIN",
     NULL,
     {"AHUxAHNlY3JldA=="},
     SASL_DONE,
     "u1",
     "secret",
     {""}},
    {"authzid that is the user",
     "PLAIN",
     "dTEAdTEAc2VjcmV0",
     {NULL},
     SASL_DONE,
     "u1",
     "secret",
     {NULL}},
    {"authzid in other case",
     "PLAIN",
     "VTEAdTEAc2VjcmV0",
     {NULL},
     SASL_DONE,
     "u1",
     "secret",
     {NULL}},
    {"authzid of somebody else",
     "PLAIN",
     "cm9vdAB1MQBzZWNyZXQ=",
     {NULL},
     SASL_DENIED,
     NULL,
     NULL,
     {NULL}},
    {"empty password", "PLAIN", "AHUxAA==", {NULL}, SASL_DONE, "u1", "", {NULL}},
    {"no user", "PLAIN", "AABzZWNyZXQ=", {NULL}, SASL_BAD, NULL, NULL, {NULL}},
    {"one NUL only", "PLAIN", "dTEAc2VjcmV0", {NULL}, SASL_BAD, NULL, NULL, {NULL}},
    {"NUL in the password", "PLAIN", "AHUxAGEAYg==", {NULL}, SASL_BAD, NULL, NULL, {NULL}},
    {"empty initial response", "PLAIN", "=", {NULL}, SASL_BAD, NULL, NULL, {NULL}},
    {"empty line", "PLAIN", NULL, {""}, SASL_BAD, NULL, NULL, {""}},
    {"= later on is not base64", "PLAIN", NULL, {"="}, SASL_BAD, NULL, NULL, {""}},
    {"not base64", "PLAIN", "AHUxAHNlY3JldA", {NULL}, SASL_BAD, NULL, NULL, {NULL}},
    {"cancelled", "PLAIN", NULL, {"*"}, SASL_CANCELLED, NULL, NULL, {""}},
    {"LOGIN",
     "LOGIN",
     NULL,
     {"dTE=", "c2VjcmV0"},
     SASL_DONE,
     "u1",
     "secret",
     {"VXNlcm5hbWU6", "UGFzc3dvcmQ6"}},
    {"LOGIN with initial response",
     "LOGIN",
     "dTE=",
     {"c2VjcmV0"},
     SASL_DONE,
     "u1",
     "secret",
     {"UGFzc3dvcmQ6"}},
    {"LOGIN, empty password", "LOGIN", "dTE=", {""}, SASL_DONE, "u1", "", {"UGFzc3dvcmQ6"}},
    {"LOGIN, no user", "LOGIN", NULL, {""}, SASL_BAD, NULL, NULL, {"VXNlcm5hbWU6"}},
    {"LOGIN, empty initial response", "LOGIN", "=", {NULL}, SASL_BAD, NULL, NULL, {NULL}},
    {"LOGIN, NUL in the user", "LOGIN", "dQAx", {NULL}, SASL_BAD, NULL, NULL, {NULL}},
    {"LOGIN, NUL in the password",
     "LOGIN",
     "dTE=",
     {"AAA="},
     SASL_BAD,
     NULL,
     NULL,
     {"UGFzc3dvcmQ6"}},
    {"LOGIN cancelled at the user",
     "LOGIN",
     NULL,
     {"*"},
     SASL_CANCELLED,
     NULL,
     NULL,
     {"VXNlcm5hbWU6"}},
    {"LOGIN cancelled at the password",
     "LOGIN",
     "dTE=",
     {"*"},
     SASL_CANCELLED,
     NULL,
     NULL,
     {"UGFzc3dvcmQ6"}},
    {"unknown mechanism", "CRAM-MD5", NULL, {NULL}, SASL_UNKNOWN, NULL, NULL, {NULL}},
    {"no mechanism", "", NULL, {NULL}, SASL_UNKNOWN, NULL, NULL, {NULL}},
};

static void run(const struct exchange *exchange)
{
    struct sasl sasl;
    struct slice initial = slice_text(exchange->initial);
    sasl_init(&sasl);
    enum sasl_result result =
        sasl_begin(&sasl, slice_text(exchange->mechanism), exchange->initial ? &initial : NULL);
    for (int i = 0; result == SASL_CONTINUE; i++) {
        assert_non_null(exchange->lines[i]);
        assert_string_equal(sasl.challenge, exchange->challenges[i]);
        result = sasl_step(&sasl, slice_text(exchange->lines[i]));
    }
    assert_int_equal(result, exchange->result);
    if (result == SASL_DONE) {
        assert_slice(sasl.user, exchange->user);
        assert_slice(sasl.secret, exchange->secret);
    }
    sasl_free(&sasl);
}

static void exchanges_end_as_they_should(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof exchanges / sizeof *exchanges; i++) {
        print_message("    %s\n", exchanges[i].name);
        run(&exchanges[i]);
    }
}

/* Base64 of NUL, `user` times 'u', NUL, `secret` times 's'. */
static enum sasl_result plain_of_sizes(size_t user, size_t secret)
{
    struct str bytes, text;
    struct sasl sasl;
    str_init(&bytes, 100000);
    str_init(&text, 200000);
    str_append_byte(&bytes, '\0');
    for (size_t i = 0; i < user; i++)
        str_append_byte(&bytes, 'u');
    str_append_byte(&bytes, '\0');
    for (size_t i = 0; i < secret; i++)
        str_append_byte(&bytes, 's');
    assert_true(encode_base64(str_slice(&bytes), &text));
    sasl_init(&sasl);
    struct slice initial = str_slice(&text);
    enum sasl_result result = sasl_begin(&sasl, SLICE("PLAIN"), &initial);
    if (result == SASL_DONE) {
        assert_int_equal(sasl.user.size, user);
        assert_int_equal(sasl.secret.size, secret);
    }
    sasl_free(&sasl);
    str_free(&bytes);
    str_free(&text);
    return result;
}

static void limits_are_exact(void **state)
{
    (void)state;
    assert_int_equal(plain_of_sizes(SASL_USER_MAX, SASL_SECRET_MAX), SASL_DONE);
    assert_int_equal(plain_of_sizes(SASL_USER_MAX + 1, 1), SASL_TOO_LONG);
    assert_int_equal(plain_of_sizes(1, SASL_SECRET_MAX + 1), SASL_TOO_LONG);
    assert_int_equal(plain_of_sizes(1, 8000), SASL_TOO_LONG);
    assert_int_equal(plain_of_sizes(1, 90000), SASL_TOO_LONG);
}

static void one_struct_serves_many_exchanges(void **state)
{
    (void)state;
    struct sasl sasl;
    struct slice initial = SLICE("dTE=");
    sasl_init(&sasl);
    assert_int_equal(sasl_step(&sasl, SLICE("dTE=")), SASL_UNKNOWN); /* not begun */
    assert_int_equal(sasl_begin(&sasl, SLICE("LOGIN"), &initial), SASL_CONTINUE);
    /* The client gave up and begins anew: nothing of the first user is left. */
    assert_int_equal(sasl_begin(&sasl, SLICE("LOGIN"), NULL), SASL_CONTINUE);
    assert_int_equal(sasl_step(&sasl, SLICE("dTI=")), SASL_CONTINUE);
    assert_int_equal(sasl_step(&sasl, SLICE("cA==")), SASL_DONE);
    assert_slice(sasl.user, "u2");
    assert_slice(sasl.secret, "p");
    sasl_free(&sasl);
    assert_int_equal(sasl.user.size, 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(exchanges_end_as_they_should),
        cmocka_unit_test(limits_are_exact),
        cmocka_unit_test(one_struct_serves_many_exchanges),
    };
    return cmocka_run_group_tests_name("sasl", tests, NULL, NULL);
}
