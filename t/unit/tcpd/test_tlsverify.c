/* test_tlsverify - chains that openssl makes, judged by names and by TLSA records */
#include "unit.h"

#include "clock.h"
#include "io.h"
#include "peercert.h"
#include "tlsverify.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILE_MAX_BYTES = 8192, DAY = 86400, RECORD_SIZE = 3 + 64 };

/* A CA, one below it, a leaf of that one, a leaf of nobody, another CA. */
static const char script[] =
    "cd %s && exec 2> log && "
    "new() { openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj "
    "\"/CN=$2\" -keyout $1.key -out $1.pem -addext \"$3\"; } && "
    "below() { openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj \"/CN=$3\" "
    "-keyout $1.key -out $1.csr && printf '%%b' \"$4\" > $1.ext && openssl x509 -req -in $1.csr "
    "-CA "
    "$2.pem -CAkey $2.key -days 20 -extfile $1.ext -out $1.pem; } && "
    "new root 'The Root' basicConstraints=critical,CA:TRUE && "
    "new other 'Another Root' basicConstraints=critical,CA:TRUE && "
    "new alone mx.alone.example subjectAltName=DNS:mx.alone.example && "
    "below middle root 'In the Middle' 'basicConstraints=critical,CA:TRUE\\n' && "
    "below leaf middle unused.example "
    "'subjectAltName=DNS:mx.example.org,DNS:*.wild.example.org,IP:192.0.2.1\\n' && "
    "below named middle cn.example.org 'basicConstraints=CA:FALSE\\n' && "
    "below wrongly alone mx.example.org 'subjectAltName=DNS:mx.example.org\\n' && "
    "for one in root other alone middle leaf named wrongly; do "
    "openssl x509 -in $one.pem -outform DER -out $one.der || exit 1; done";

enum name { ROOT, OTHER, ALONE, MIDDLE, LEAF, NAMED, WRONGLY, NAMES };
static const char *const names[NAMES] = {"root", "other", "alone",  "middle",
                                         "leaf", "named", "wrongly"};
static char folder[] = "/tmp/test_tlsverify.XXXXXX";
static struct str der[NAMES];
static struct tlsanchors anchors;

static int make_certificates(void **state)
{
    char command[4096], path[128];
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(command, sizeof command, script, folder);
    assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c): a script of our own */
    for (size_t i = 0; i < NAMES; i++) {
        str_init(&der[i], FILE_MAX_BYTES);
        snprintf(path, sizeof path, "%s/%s.der", folder, names[i]);
        assert_true(io_read_file(AT_FDCWD, path, &der[i]));
    }
    snprintf(path, sizeof path, "%s/root.pem", folder);
    assert_true(tlsanchors_load(&anchors, path));
    assert_int_equal(anchors.count, 1);
    return 0;
}

static int remove_certificates(void **state)
{
    char command[128];
    (void)state;
    tlsanchors_free(&anchors);
    for (size_t i = 0; i < NAMES; i++)
        str_free(&der[i]);
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command); /* NOLINT(cert-env33-c) */
}

static unsigned judge_at(struct tlsverify *verify, const struct tls_check *check,
                         const enum name chain[], size_t count, int64_t now)
{
    tlsverify_init(verify, check, &anchors, now);
    const br_x509_class **class = &verify->vtable;
    (*class)->start_chain(class, "ignored");
    for (size_t i = 0; i < count; i++) {
        const struct str *one = &der[chain[i]];
        (*class)->start_cert(class, (uint32_t)one->size);
        for (size_t at = 0; at < one->size; at += 100) { /* as records bring it */
            size_t size = one->size - at < 100 ? one->size - at : 100;
            (*class)->append(class, (const unsigned char *)one->data + at, size);
        }
        (*class)->end_cert(class);
    }
    return (*class)->end_chain(class);
}

struct names_case {
    const char *what;
    const char *reference;
    enum name chain[3];
    size_t count;
    int days; /* from now */
    enum tlsreport_result result;
};

static const struct names_case names_cases[] = {
    {"good", "mx.example.org", {LEAF, MIDDLE}, 2, 0, TLSREPORT_SUCCESS},
    {"with the root", "MX.Example.ORG", {LEAF, MIDDLE, ROOT}, 3, 0, TLSREPORT_SUCCESS},
    {"by wildcard", "a.wild.example.org", {LEAF, MIDDLE}, 2, 0, TLSREPORT_SUCCESS},
    {"below", ".example.org", {LEAF, MIDDLE}, 2, 0, TLSREPORT_SUCCESS},
    {"by common name", "cn.example.org", {NAMED, MIDDLE}, 2, 0, TLSREPORT_SUCCESS},
    {"two labels for one",
     "a.b.wild.example.org",
     {LEAF, MIDDLE},
     2,
     0,
     TLSREPORT_CERTIFICATE_HOST_MISMATCH},
    {"the wildcard's own domain",
     "wild.example.org",
     {LEAF, MIDDLE},
     2,
     0,
     TLSREPORT_CERTIFICATE_HOST_MISMATCH},
    {"common name beside others",
     "unused.example",
     {LEAF, MIDDLE},
     2,
     0,
     TLSREPORT_CERTIFICATE_HOST_MISMATCH},
    {"another name", "mx.example.net", {LEAF, MIDDLE}, 2, 0, TLSREPORT_CERTIFICATE_HOST_MISMATCH},
    {"expired", "mx.example.org", {LEAF, MIDDLE}, 2, 25, TLSREPORT_CERTIFICATE_EXPIRED},
    {"not yet valid", "mx.example.org", {LEAF, MIDDLE}, 2, -5, TLSREPORT_CERTIFICATE_EXPIRED},
    {"a link is missing", "mx.example.org", {LEAF}, 1, 0, TLSREPORT_CERTIFICATE_NOT_TRUSTED},
    {"self-signed", "mx.alone.example", {ALONE}, 1, 0, TLSREPORT_CERTIFICATE_NOT_TRUSTED},
    {"in disorder", "mx.example.org", {LEAF, ROOT, MIDDLE}, 3, 0, TLSREPORT_SUCCESS},
    {"with one of others", "mx.example.org", {LEAF, OTHER, MIDDLE}, 3, 0, TLSREPORT_SUCCESS},
    {"twice the same", "mx.example.org", {LEAF, LEAF, MIDDLE}, 3, 0, TLSREPORT_SUCCESS},
    {"another leaf", "mx.example.org", {MIDDLE, LEAF}, 2, 0, TLSREPORT_CERTIFICATE_HOST_MISMATCH},
};

static void chains_and_names(void **state)
{
    static struct tlsverify verify;
    (void)state;
    for (size_t i = 0; i < sizeof names_cases / sizeof *names_cases; i++) {
        const struct names_case *one = &names_cases[i];
        struct tls_check check = {.kind = TLS_CHECK_NAMES, .name_count = 1};
        check.names[0] = slice_text(one->reference);
        unsigned error = judge_at(&verify, &check, one->chain, one->count,
                                  clock_seconds() + (int64_t)one->days * DAY);
        if (verify.result != one->result || (error == 0) != (one->result == TLSREPORT_SUCCESS))
            fail_msg("%s: %s (%s), error %u", one->what, tlsreport_result_name(verify.result),
                     verify.reason, error);
        check.is_lenient = true;
        error = judge_at(&verify, &check, one->chain, one->count,
                         clock_seconds() + (int64_t)one->days * DAY);
        unsigned usages;
        if (error != 0 || verify.result != one->result ||
            !verify.vtable->get_pkey(&verify.vtable, &usages) || !(usages & BR_KEYTYPE_SIGN))
            fail_msg("%s: lenient and yet error %u", one->what, error);
    }
}

static void any_certificate_without_a_check(void **state)
{
    static struct tlsverify verify;
    const struct tls_check check = {.kind = TLS_CHECK_NONE};
    (void)state;
    for (enum name one = 0; one < NAMES; one++)
        assert_int_equal(judge_at(&verify, &check, &one, 1, 0), 0);
    assert_int_equal(judge_at(&verify, &check, NULL, 0, 0), BR_ERR_X509_EMPTY_CHAIN);
}

/* Usage, selector, matching type and what they make of a certificate. */
static struct slice make_record(unsigned char record[FILE_MAX_BYTES], const char kind[4],
                                enum name one)
{
    struct peercert certificate;
    struct slice selected = str_slice(&der[one]);
    br_sha256_context sha256;
    br_sha512_context sha512;
    size_t size;
    assert_true(peercert_parse(selected, &certificate));
    if (kind[1] == '1')
        selected = certificate.key;
    for (size_t i = 0; i < 3; i++)
        record[i] = (unsigned char)(kind[i] - '0');
    switch (kind[2]) {
    case '1':
        br_sha256_init(&sha256);
        br_sha256_update(&sha256, selected.data, selected.size);
        br_sha256_out(&sha256, record + 3);
        size = br_sha256_SIZE;
        break;
    case '2':
        br_sha512_init(&sha512);
        br_sha512_update(&sha512, selected.data, selected.size);
        br_sha512_out(&sha512, record + 3);
        size = br_sha512_SIZE;
        break;
    default:
        memcpy(record + 3, selected.data, selected.size);
        size = selected.size;
    }
    return slice_of(record, size + 3);
}

struct dane_case {
    const char *what;
    const char *kind; /* "311" */
    enum name recorded;
    enum name chain[3];
    size_t count;
    const char *reference;
    int days;
    enum tlsreport_result result;
};

static const struct dane_case dane_cases[] = {
    {"certificate", "300", LEAF, {LEAF}, 1, "no.such", 0, TLSREPORT_SUCCESS},
    {"certificate, SHA-256", "301", LEAF, {LEAF}, 1, "no.such", 0, TLSREPORT_SUCCESS},
    {"certificate, SHA-512", "302", LEAF, {LEAF}, 1, "no.such", 0, TLSREPORT_SUCCESS},
    {"key", "310", LEAF, {LEAF}, 1, "no.such", 0, TLSREPORT_SUCCESS},
    {"key, SHA-256", "311", LEAF, {LEAF, MIDDLE}, 2, "no.such", 0, TLSREPORT_SUCCESS},
    {"key, SHA-512", "312", LEAF, {LEAF}, 1, "no.such", 0, TLSREPORT_SUCCESS},
    {"neither dates", "311", ALONE, {ALONE}, 1, "no.such", 1000, TLSREPORT_SUCCESS},
    {"another's key", "311", ALONE, {LEAF}, 1, "mx.example.org", 0, TLSREPORT_VALIDATION_FAILURE},
    {"usage 3 above the leaf",
     "311",
     MIDDLE,
     {LEAF, MIDDLE},
     2,
     "mx.example.org",
     0,
     TLSREPORT_VALIDATION_FAILURE},
    {"anchor", "201", ROOT, {LEAF, MIDDLE, ROOT}, 3, "mx.example.org", 0, TLSREPORT_SUCCESS},
    {"anchor's key", "211", ROOT, {LEAF, MIDDLE, ROOT}, 3, "mx.example.org", 0, TLSREPORT_SUCCESS},
    {"anchor in the middle",
     "211",
     MIDDLE,
     {LEAF, MIDDLE},
     2,
     "mx.example.org",
     0,
     TLSREPORT_SUCCESS},
    {"anchor for another name",
     "211",
     MIDDLE,
     {LEAF, MIDDLE},
     2,
     "mx.example.net",
     0,
     TLSREPORT_CERTIFICATE_HOST_MISMATCH},
    {"anchor, expired",
     "211",
     MIDDLE,
     {LEAF, MIDDLE},
     2,
     "mx.example.org",
     25,
     TLSREPORT_CERTIFICATE_EXPIRED},
    {"anchor that is not sent",
     "211",
     ROOT,
     {LEAF, MIDDLE},
     2,
     "mx.example.org",
     0,
     TLSREPORT_VALIDATION_FAILURE},
    {"anchor in the record",
     "200",
     ROOT,
     {LEAF, MIDDLE},
     2,
     "mx.example.org",
     0,
     TLSREPORT_SUCCESS},
    {"anchor that signed nothing here",
     "201",
     OTHER,
     {LEAF, MIDDLE, OTHER},
     3,
     "mx.example.org",
     0,
     TLSREPORT_CERTIFICATE_NOT_TRUSTED},
    {"usage 2 for the leaf",
     "211",
     ALONE,
     {ALONE},
     1,
     "mx.alone.example",
     0,
     TLSREPORT_VALIDATION_FAILURE},
    {"usage 1", "111", LEAF, {LEAF}, 1, "mx.example.org", 0, TLSREPORT_VALIDATION_FAILURE},
    {"unknown selector", "321", LEAF, {LEAF}, 1, "mx.example.org", 0, TLSREPORT_VALIDATION_FAILURE},
    {"unknown type", "313", LEAF, {LEAF}, 1, "mx.example.org", 0, TLSREPORT_VALIDATION_FAILURE},
};

static void tlsa_records(void **state)
{
    static struct tlsverify verify;
    static unsigned char record[FILE_MAX_BYTES];
    (void)state;
    for (size_t i = 0; i < sizeof dane_cases / sizeof *dane_cases; i++) {
        const struct dane_case *one = &dane_cases[i];
        struct tls_check check = {.kind = TLS_CHECK_DANE, .name_count = 1, .record_count = 1};
        check.names[0] = slice_text(one->reference);
        check.records[0] = make_record(record, one->kind, one->recorded);
        unsigned error = judge_at(&verify, &check, one->chain, one->count,
                                  clock_seconds() + (int64_t)one->days * DAY);
        if (verify.result != one->result || (error == 0) != (one->result == TLSREPORT_SUCCESS))
            fail_msg("%s: %s (%s), error %u", one->what, tlsreport_result_name(verify.result),
                     verify.reason, error);
        if (strcmp(one->kind, "200") == 0) /* whose own signature nobody looks at */
            continue;
        /* One bit of the data, and nothing fits any more. */
        record[check.records[0].size - 1] ^= 1;
        if (judge_at(&verify, &check, one->chain, one->count, clock_seconds()) == 0)
            fail_msg("%s: a changed record matches", one->what);
    }
}

static void one_of_several_records(void **state)
{
    static struct tlsverify verify;
    static unsigned char records[3][FILE_MAX_BYTES];
    static const enum name chain[] = {LEAF, MIDDLE};
    struct tls_check check = {.kind = TLS_CHECK_DANE, .name_count = 1, .record_count = 3};
    (void)state;
    check.names[0] = SLICE("no.such");
    check.records[0] = make_record(records[0], "211", OTHER);
    check.records[1] = make_record(records[1], "211", MIDDLE);
    check.records[2] = make_record(records[2], "311", LEAF);
    assert_int_equal(judge_at(&verify, &check, chain, 2, clock_seconds()), 0);
    check.record_count = 2;
    assert_int_not_equal(judge_at(&verify, &check, chain, 2, clock_seconds()), 0);
    assert_int_equal(verify.result, TLSREPORT_CERTIFICATE_HOST_MISMATCH);
}

static void chains_beyond_the_limits(void **state)
{
    static struct tlsverify verify;
    const struct tls_check check = {.kind = TLS_CHECK_NONE};
    enum name chain[TLSVERIFY_CHAIN_MAX + 1];
    (void)state;
    for (size_t i = 0; i < TLSVERIFY_CHAIN_MAX + 1; i++)
        chain[i] = LEAF;
    assert_int_equal(judge_at(&verify, &check, chain, TLSVERIFY_CHAIN_MAX, 0), 0);
    assert_int_equal(judge_at(&verify, &check, chain, TLSVERIFY_CHAIN_MAX + 1, 0),
                     BR_ERR_X509_LIMIT_EXCEEDED);
    const br_x509_class **class = &verify.vtable;
    (*class)->start_chain(class, "");
    (*class)->start_cert(class, TLSVERIFY_CHAIN_SIZE_MAX + 1);
    (*class)->append(class, (const unsigned char *)der[LEAF].data, der[LEAF].size);
    (*class)->end_cert(class);
    assert_int_not_equal((*class)->end_chain(class), 0);
}

static void certificates_are_taken_apart(void **state)
{
    struct peercert certificate;
    (void)state;
    assert_true(peercert_parse(str_slice(&der[LEAF]), &certificate));
    assert_slice(certificate.common_name, "unused.example");
    assert_true(certificate.key.size == 91); /* of a P-256 key */
    for (size_t size = 0; size < der[LEAF].size; size++)
        assert_false(peercert_parse(slice_of(der[LEAF].data, size), &certificate));
    for (size_t at = 0; at < der[LEAF].size; at++) { /* no crash, whatever comes of it */
        der[LEAF].data[at] ^= 0x15;
        if (peercert_parse(str_slice(&der[LEAF]), &certificate))
            (void)peercert_has_name(&certificate, SLICE("mx.example.org"));
        der[LEAF].data[at] ^= 0x15;
    }
}

static void names_fit(void **state)
{
    static const struct {
        const char *presented, *reference;
        bool fits;
    } cases[] = {
        {"mx.example.org", "mx.example.org", true},
        {"MX.EXAMPLE.org", "mx.example.org", true},
        {"mx.example.org.", "mx.example.org", true},
        {"mx.example.org", "mx.example.org.", true},
        {"mx.example.org", "x.example.org", false},
        {"", "", false},
        {"*", "org", false},
        {"*.org", "example.org", false},
        {"*.example.org", "mx.example.org", true},
        {"*.example.org", "example.org", false},
        {"*.example.org", "a.b.example.org", false},
        {"*.example.org", ".example.org", true},
        {"m*.example.org", "mx.example.org", false},
        {"mx.*.org", "mx.example.org", false},
        {"*.*.org", "mx.example.org", false},
        {"mx.example.org", ".example.org", true},
        {"a.b.example.org", ".example.org", true},
        {"example.org", ".example.org", false},
        {"badexample.org", ".example.org", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (peercert_name_fits(slice_text(cases[i].presented), slice_text(cases[i].reference)) !=
            cases[i].fits)
            fail_msg("%s for %s", cases[i].presented, cases[i].reference);
    assert_false(
        peercert_name_fits(SLICE("mx.example.org\0.evil.example"), SLICE("mx.example.org")));
}

static void anchors_from_files(void **state)
{
    struct tlsanchors none;
    char path[128];
    (void)state;
    snprintf(path, sizeof path, "%s/missing", folder);
    assert_false(tlsanchors_load(&none, path));
    snprintf(path, sizeof path, "%s/root.key", folder); /* PEM, but no certificate */
    assert_false(tlsanchors_load(&none, path));
    assert_false(tlsanchors_add(&none, (const unsigned char *)"\x30\x00", 2));
    assert_int_equal(none.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chains_and_names),
        cmocka_unit_test(any_certificate_without_a_check),
        cmocka_unit_test(tlsa_records),
        cmocka_unit_test(one_of_several_records),
        cmocka_unit_test(chains_beyond_the_limits),
        cmocka_unit_test(certificates_are_taken_apart),
        cmocka_unit_test(names_fit),
        cmocka_unit_test(anchors_from_files),
    };
    return cmocka_run_group_tests(tests, make_certificates, remove_certificates);
}
