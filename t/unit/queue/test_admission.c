/* admission: who may say what, and envelopes that must not get in */
#include "unit.h"

#include "admission.h"
#include "life.h"
#include "wire.h"

#include <stdio.h>

static void trusts_by_uid(void **state)
{
    (void)state;
    assert_int_equal(admission_trust(life_uid(ROLE_SMTPD)), ADMISSION_TRUSTED);
    assert_int_equal(admission_trust(life_uid(ROLE_QUEUE)), ADMISSION_TRUSTED);
    assert_int_equal(admission_trust(life_uid(ROLE_FIRST_DOMAIN)), ADMISSION_TRUSTED);
    assert_int_equal(admission_trust(life_uid(ROLE_LAST_DOMAIN)), ADMISSION_TRUSTED);
    assert_int_equal(admission_trust(life_uid(ROLE_BOUNCE)), ADMISSION_BOUNCE);
    assert_int_equal(admission_trust(0), ADMISSION_STRANGER);
    assert_int_equal(admission_trust(1000), ADMISSION_STRANGER);
    assert_int_equal(admission_trust(life_uid(ROLE_REMOTE)), ADMISSION_STRANGER);
    assert_int_equal(admission_trust(life_uid(ROLE_LAST_DOMAIN) + 1), ADMISSION_STRANGER);
}

struct read_case {
    const char *name;
    enum admission_trust trust;
    const char *protocol, *origin, *sender, *body, *utf8;
    const char *recipients[3];
    enum admission_result result;
};

static const struct read_case read_cases[] = {
    {"plain",
     ADMISSION_TRUSTED,
     "inject/2",
     "by=smtp",
     "s@example.org",
     "7",
     "0",
     {"u1@example.jp", "u2@example.jp"},
     ADMISSION_OK},
    {"null sender",
     ADMISSION_TRUSTED,
     "inject/2",
     "by=smtp",
     "",
     "8",
     "1",
     {"u1@example.jp"},
     ADMISSION_OK},
    {"carrier's dots",
     ADMISSION_STRANGER,
     "inject/2",
     "",
     "a..b@docomo.ne.jp",
     "7",
     "0",
     {"c.@ezweb.ne.jp"},
     ADMISSION_OK},
    {"other protocol",
     ADMISSION_TRUSTED,
     "inject/1",
     "",
     "",
     "7",
     "0",
     {"u1@example.jp"},
     ADMISSION_BAD},
    {"other body",
     ADMISSION_TRUSTED,
     "inject/2",
     "",
     "",
     "9",
     "0",
     {"u1@example.jp"},
     ADMISSION_BAD},
    {"other utf8",
     ADMISSION_TRUSTED,
     "inject/2",
     "",
     "",
     "7",
     "yes",
     {"u1@example.jp"},
     ADMISSION_BAD},
    {"no recipients",
     ADMISSION_TRUSTED,
     "inject/2",
     "",
     "",
     "7",
     "0",
     {NULL},
     ADMISSION_RECIPIENT_COUNT},
    {"empty recipient", ADMISSION_TRUSTED, "inject/2", "", "", "7", "0", {""}, ADMISSION_RECIPIENT},
    {"recipient without domain",
     ADMISSION_TRUSTED,
     "inject/2",
     "",
     "",
     "7",
     "0",
     {"postmaster"},
     ADMISSION_RECIPIENT},
    {"line break in recipient",
     ADMISSION_TRUSTED,
     "inject/2",
     "",
     "",
     "7",
     "0",
     {"u1@example.jp\nT x@y"},
     ADMISSION_RECIPIENT},
    {"UTF-8 without SMTPUTF8",
     ADMISSION_TRUSTED,
     "inject/2",
     "",
     "",
     "7",
     "0",
     {"\xe3\x81\x82@example.jp"},
     ADMISSION_RECIPIENT},
    {"UTF-8 with SMTPUTF8",
     ADMISSION_TRUSTED,
     "inject/2",
     "",
     "",
     "7",
     "1",
     {"\xe3\x81\x82@example.jp"},
     ADMISSION_OK},
    {"sender is none",
     ADMISSION_TRUSTED,
     "inject/2",
     "",
     "nobody",
     "7",
     "0",
     {"u1@example.jp"},
     ADMISSION_SENDER},
    {"line break in sender",
     ADMISSION_TRUSTED,
     "inject/2",
     "",
     "a@b\nsender c@d",
     "7",
     "0",
     {"u1@example.jp"},
     ADMISSION_SENDER},
    {"line break in origin",
     ADMISSION_TRUSTED,
     "inject/2",
     "by=smtp\nsender x",
     "",
     "7",
     "0",
     {"u1@example.jp"},
     ADMISSION_ORIGIN},
    {"double bounce by bounce",
     ADMISSION_BOUNCE,
     "inject/2",
     "",
     "#@[]",
     "7",
     "0",
     {"u1@example.jp"},
     ADMISSION_OK},
    {"double bounce by another",
     ADMISSION_TRUSTED,
     "inject/2",
     "",
     "#@[]",
     "7",
     "0",
     {"u1@example.jp"},
     ADMISSION_SENDER},
};

static void put_recipient(struct str *fields, const char *address, const char *notify,
                          const char *orcpt)
{
    wire_put_text(fields, address);
    wire_put_text(fields, notify);
    wire_put_text(fields, orcpt);
}

static void put(struct str *fields, const struct read_case *one)
{
    wire_put_text(fields, one->protocol);
    wire_put_text(fields, one->origin);
    wire_put_text(fields, one->sender);
    wire_put_text(fields, one->body);
    wire_put_text(fields, one->utf8);
    wire_put_text(fields, "");
    wire_put_text(fields, "");
    for (size_t i = 0; i < 3 && one->recipients[i]; i++)
        put_recipient(fields, one->recipients[i], "", "");
}

static void reads_envelopes(void **state)
{
    (void)state;
    struct envelope envelope;
    envelope_init(&envelope);
    for (size_t i = 0; i < sizeof read_cases / sizeof *read_cases; i++) {
        struct str fields;
        str_init(&fields, 10000);
        put(&fields, &read_cases[i]);
        enum admission_result result =
            admission_read(str_slice(&fields), read_cases[i].trust, 42, &envelope);
        if (result != read_cases[i].result)
            fail_msg("%s: %d", read_cases[i].name, (int)result);
        assert_non_null(admission_answer(result));
        if (result == ADMISSION_OK && read_cases[i].trust == ADMISSION_STRANGER)
            assert_slice(str_slice(&envelope.origin), "by=sendmail uid=42");
        str_free(&fields);
    }
    envelope_free(&envelope);
}

static void refuses_what_was_cut(void **state)
{
    (void)state;
    struct envelope envelope;
    struct str fields;
    envelope_init(&envelope);
    str_init(&fields, 10000);
    put(&fields, &read_cases[0]);
    for (size_t size = 0; size < fields.size; size++) {
        enum admission_result result = admission_read(slice_part(str_slice(&fields), 0, size),
                                                      ADMISSION_TRUSTED, 0, &envelope);
        /* Between two recipients it is whole. */
        if (result == ADMISSION_OK)
            assert_int_equal(envelope.recipient_count, 1);
        else
            assert_true(result == ADMISSION_BAD || result == ADMISSION_RECIPIENT_COUNT);
    }
    str_free(&fields);
    envelope_free(&envelope);
}

static void lowers_domains_and_counts(void **state)
{
    (void)state;
    struct envelope envelope;
    struct str fields;
    struct read_case one = read_cases[0];
    one.recipients[0] = "User@EXAMPLE.jp";
    envelope_init(&envelope);
    str_init(&fields, 1000000);
    put(&fields, &one);
    assert_int_equal(admission_read(str_slice(&fields), ADMISSION_TRUSTED, 0, &envelope),
                     ADMISSION_OK);
    assert_slice(str_slice(&envelope.recipients[0].address), "User@example.jp");
    /* Again, but for the domain's case: one copy. */
    for (int i = 0; i < ENVELOPE_RECIPIENTS_MAX; i++)
        put_recipient(&fields, "User@example.JP", "", "");
    envelope_clear(&envelope);
    assert_int_equal(admission_read(str_slice(&fields), ADMISSION_TRUSTED, 0, &envelope),
                     ADMISSION_OK);
    assert_int_equal(envelope.recipient_count, 2);
    for (int i = 0; i < ENVELOPE_RECIPIENTS_MAX; i++) {
        char address[32];
        snprintf(address, sizeof address, "u%d@example.jp", i);
        put_recipient(&fields, address, "", "");
    }
    envelope_clear(&envelope);
    assert_int_equal(admission_read(str_slice(&fields), ADMISSION_TRUSTED, 0, &envelope),
                     ADMISSION_RECIPIENT_COUNT);
    str_free(&fields);
    envelope_free(&envelope);
}

static void reads_what_the_sender_wants_to_hear(void **state)
{
    (void)state;
    static const struct {
        const char *ret, *envid, *notify, *orcpt;
        enum admission_result result;
    } cases[] = {
        {"FULL", "QQ314159", "SUCCESS,FAILURE", "rfc822;u+2B1@example.com", ADMISSION_OK},
        {"ALL", "", "", "", ADMISSION_BAD},
        {"", "a b", "", "", ADMISSION_BAD},
        {"", "", "NEVER,DELAY", "", ADMISSION_RECIPIENT},
        {"", "", "", "no type", ADMISSION_RECIPIENT},
    };
    struct envelope envelope;
    envelope_init(&envelope);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct str fields;
        str_init(&fields, 10000);
        const char *const first[] = {"inject/2", "by=test", "s@x", "B", "0"};
        for (size_t j = 0; j < sizeof first / sizeof *first; j++)
            wire_put_text(&fields, first[j]);
        wire_put_text(&fields, cases[i].ret);
        wire_put_text(&fields, cases[i].envid);
        put_recipient(&fields, "u@x", cases[i].notify, cases[i].orcpt);
        assert_int_equal(admission_read(str_slice(&fields), ADMISSION_TRUSTED, 0, &envelope),
                         cases[i].result);
        if (i == 0) {
            assert_int_equal(envelope.body, ENVELOPE_BODY_BINARY);
            assert_int_equal(envelope.ret, DSN_RETURN_FULL);
            assert_slice(str_slice(&envelope.envid), "QQ314159");
            assert_int_equal(envelope.recipients[0].notify,
                             DSN_NOTIFY_SUCCESS | DSN_NOTIFY_FAILURE);
            assert_slice(str_slice(&envelope.recipients[0].orcpt), "rfc822;u+2B1@example.com");
        }
        str_free(&fields);
    }
    envelope_free(&envelope);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trusts_by_uid),
        cmocka_unit_test(reads_envelopes),
        cmocka_unit_test(refuses_what_was_cut),
        cmocka_unit_test(lowers_domains_and_counts),
        cmocka_unit_test(reads_what_the_sender_wants_to_hear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
