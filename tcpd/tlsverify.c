/* tlsverify - see tlsverify.h */
#include "tlsverify.h"

#include "peercert.h"

#include <string.h>

enum {
    DAY_SECONDS = 86400,
    DAYS_TO_1970 = 719528, /* BearSSL counts from January 1st, 0 */
    RECORD_HEAD = 3,
    USAGE_TA = 2,
    USAGE_EE = 3,
};

static struct tlsverify *state_of(const br_x509_class **context)
{
    return (struct tlsverify *)(void *)context;
}

/* ---- collecting ------------------------------------------------------------------------------ */

static void start_chain(const br_x509_class **context, const char *server_name)
{
    struct tlsverify *verify = state_of(context);
    (void)server_name; /* the names to be checked are the check's */
    verify->size = verify->count = 0;
    verify->is_too_large = false;
    verify->key = NULL;
    verify->result = TLSREPORT_SUCCESS;
    verify->reason = "";
}

static void start_certificate(const br_x509_class **context, uint32_t length)
{
    struct tlsverify *verify = state_of(context);
    if (verify->count == TLSVERIFY_CHAIN_MAX || length > sizeof verify->bytes - verify->size) {
        verify->is_too_large = true;
        return;
    }
    verify->chain[verify->count++] = slice_of(verify->bytes + verify->size, 0);
}

static void append_certificate(const br_x509_class **context, const unsigned char *bytes,
                               size_t size)
{
    struct tlsverify *verify = state_of(context);
    if (verify->count == 0 || size > sizeof verify->bytes - verify->size)
        verify->is_too_large = true;
    if (verify->is_too_large)
        return;
    memcpy(verify->bytes + verify->size, bytes, size);
    verify->size += size;
    verify->chain[verify->count - 1].size += size;
}

static void end_certificate(const br_x509_class **context)
{
    (void)context;
}

/* ---- judging --------------------------------------------------------------------------------- */

static bool fail(struct tlsverify *verify, enum tlsreport_result result, const char *reason)
{
    verify->result = result;
    verify->reason = reason;
    return false;
}

/* The leaf's key, whoever signed it. BearSSL's error, 0 when it is known. */
static unsigned take_key(struct tlsverify *verify)
{
    br_x509_decoder_init(&verify->leaf, NULL, NULL);
    br_x509_decoder_push(&verify->leaf, verify->chain[0].data, verify->chain[0].size);
    verify->key = br_x509_decoder_get_pkey(&verify->leaf);
    verify->usages = BR_KEYTYPE_SIGN;
    if (verify->key)
        return 0;
    int error = br_x509_decoder_last_error(&verify->leaf);
    return error ? (unsigned)error : BR_ERR_X509_UNSUPPORTED;
}

static void prepare_minimal(struct tlsverify *verify, const br_x509_trust_anchor *anchors,
                            size_t count)
{
    br_x509_minimal_context *minimal = &verify->minimal;
    br_x509_minimal_init(minimal, &br_sha256_vtable, anchors, count);
    br_x509_minimal_set_hash(minimal, br_sha256_ID, &br_sha256_vtable);
    br_x509_minimal_set_hash(minimal, br_sha384_ID, &br_sha384_vtable);
    br_x509_minimal_set_hash(minimal, br_sha512_ID, &br_sha512_vtable);
    br_x509_minimal_set_rsa(minimal, br_rsa_pkcs1_vrfy_get_default());
    br_x509_minimal_set_ecdsa(minimal, br_ec_get_default(), br_ecdsa_vrfy_asn1_get_default());
    br_x509_minimal_set_time(minimal, (uint32_t)(verify->now / DAY_SECONDS + DAYS_TO_1970),
                             (uint32_t)(verify->now % DAY_SECONDS));
}

/* The chain as it should have come: each certificate issued by the next. Servers send more than
 * that, and in disorder (RFC 5246 7.4.2 forbids it, RFC 8446 4.4.2 does not); BearSSL gives up
 * then. The number of certificates, 0 when one is broken. */
static size_t put_in_order(const struct tlsverify *verify,
                           struct slice ordered[TLSVERIFY_CHAIN_MAX])
{
    struct peercert all[TLSVERIFY_CHAIN_MAX] = {{.der = {NULL, 0}}};
    bool is_used[TLSVERIFY_CHAIN_MAX] = {true};
    size_t count = 0;
    for (size_t i = 0; i < verify->count; i++)
        if (!peercert_parse(verify->chain[i], &all[i]))
            return 0;
    for (size_t next = 0; next < verify->count; count++) {
        struct slice issuer = all[next].issuer;
        ordered[count] = all[next].der;
        is_used[next] = true;
        next = 0;
        while (next < verify->count && (is_used[next] || !slice_equal(all[next].subject, issuer)))
            next++;
    }
    return count;
}

/* Signatures, dates, constraints up to one of the anchors. */
static bool is_chain_good(struct tlsverify *verify, const br_x509_trust_anchor *anchors,
                          size_t count)
{
    const br_x509_class **minimal = &verify->minimal.vtable;
    struct slice ordered[TLSVERIFY_CHAIN_MAX];
    size_t length = put_in_order(verify, ordered);
    prepare_minimal(verify, anchors, count);
    (*minimal)->start_chain(minimal, NULL);
    for (size_t i = 0; i < length; i++) {
        struct slice one = ordered[i];
        (*minimal)->start_cert(minimal, (uint32_t)one.size);
        (*minimal)->append(minimal, (const unsigned char *)one.data, one.size);
        (*minimal)->end_cert(minimal);
    }
    switch ((*minimal)->end_chain(minimal)) {
    case 0:
        verify->key = (*minimal)->get_pkey(minimal, &verify->usages);
        return true;
    case BR_ERR_X509_EXPIRED:
        return fail(verify, TLSREPORT_CERTIFICATE_EXPIRED, "certificate expired or not yet valid");
    case BR_ERR_X509_NOT_TRUSTED:
        return fail(verify, TLSREPORT_CERTIFICATE_NOT_TRUSTED, "certificate untrusted");
    case BR_ERR_X509_BAD_SIGNATURE:
        return fail(verify, TLSREPORT_CERTIFICATE_NOT_TRUSTED,
                    "a signature in the certificate's chain is wrong");
    case BR_ERR_X509_NOT_CA:
        return fail(verify, TLSREPORT_CERTIFICATE_NOT_TRUSTED,
                    "the certificate was signed by one that is no CA");
    default:
        return fail(verify, TLSREPORT_VALIDATION_FAILURE,
                    "certificate broken, or with something that is not supported");
    }
}

static bool is_name_good(struct tlsverify *verify)
{
    struct peercert leaf;
    if (!peercert_parse(verify->chain[0], &leaf))
        return fail(verify, TLSREPORT_VALIDATION_FAILURE, "certificate broken");
    for (size_t i = 0; i < verify->check->name_count; i++)
        if (peercert_has_name(&leaf, verify->check->names[i]))
            return true;
    return fail(verify, TLSREPORT_CERTIFICATE_HOST_MISMATCH, "certificate name does not match");
}

static bool is_pkix_good(struct tlsverify *verify)
{
    if (verify->anchors->count == 0)
        return fail(verify, TLSREPORT_CERTIFICATE_NOT_TRUSTED, "this host has no trust anchors");
    return is_chain_good(verify, verify->anchors->list, verify->anchors->count) &&
           is_name_good(verify);
}

/* ---- DANE ------------------------------------------------------------------------------------ */

static unsigned record_byte(struct slice record, size_t at)
{
    return (unsigned char)record.data[at];
}

static struct slice record_data(struct slice record)
{
    return slice_from(record, RECORD_HEAD);
}

bool tlsverify_record_matches(struct slice record, struct slice der)
{
    struct peercert certificate;
    unsigned char hash[br_sha512_SIZE];
    br_sha256_context sha256;
    br_sha512_context sha512;
    struct slice selected = der, shown;
    if (record.size <= RECORD_HEAD)
        return false;
    if (record_byte(record, 1) == 1) {
        if (!peercert_parse(der, &certificate))
            return false;
        selected = certificate.key;
    } else if (record_byte(record, 1) != 0) {
        return false;
    }
    switch (record_byte(record, 2)) {
    case 0:
        shown = selected;
        break;
    case 1:
        br_sha256_init(&sha256);
        br_sha256_update(&sha256, selected.data, selected.size);
        br_sha256_out(&sha256, hash);
        shown = slice_of(hash, br_sha256_SIZE);
        break;
    case 2:
        br_sha512_init(&sha512);
        br_sha512_update(&sha512, selected.data, selected.size);
        br_sha512_out(&sha512, hash);
        shown = slice_of(hash, br_sha512_SIZE);
        break;
    default:
        return false;
    }
    return slice_equal(shown, record_data(record));
}

/* A record that holds the whole certificate of a TA, which may be missing in the chain (RFC 7671
 * 5.2.2). */
static bool has_whole_certificate(struct slice record)
{
    return record_byte(record, 1) == 0 && record_byte(record, 2) == 0;
}

static bool is_good_below(struct tlsverify *verify, struct slice anchor_der)
{
    struct tlsanchors anchors = {.count = 0};
    if (!tlsanchors_add(&anchors, (const unsigned char *)anchor_der.data, anchor_der.size))
        return fail(verify, TLSREPORT_VALIDATION_FAILURE, "the trust anchor is broken");
    /* BearSSL looks at the anchor while the chain comes, and not afterwards. */
    bool done = is_chain_good(verify, anchors.list, anchors.count) && is_name_good(verify);
    tlsanchors_free(&anchors);
    return done;
}

/* Usage 2: a certificate above the leaf is the anchor. */
static bool is_ta_good(struct tlsverify *verify, struct slice record)
{
    for (size_t i = 1; i < verify->count; i++)
        if (tlsverify_record_matches(record, verify->chain[i]))
            return is_good_below(verify, verify->chain[i]);
    return has_whole_certificate(record) && is_good_below(verify, record_data(record));
}

/* Usage 3: neither names nor dates are looked at (RFC 7672 3.1.1). */
static bool is_dane_good(struct tlsverify *verify)
{
    const struct tls_check *check = verify->check;
    fail(verify, TLSREPORT_VALIDATION_FAILURE, "no TLSA record matches the certificate");
    for (size_t i = 0; i < check->record_count; i++)
        if (record_byte(check->records[i], 0) == USAGE_EE &&
            tlsverify_record_matches(check->records[i], verify->chain[0]))
            return take_key(verify) == 0 || fail(verify, TLSREPORT_VALIDATION_FAILURE,
                                                 "the certificate's key is of an unknown kind");
    for (size_t i = 0; i < check->record_count; i++)
        if (record_byte(check->records[i], 0) == USAGE_TA && is_ta_good(verify, check->records[i]))
            return true;
    return false;
}

/* ---- the class ------------------------------------------------------------------------------- */

static bool is_good(struct tlsverify *verify)
{
    switch (verify->check->kind) {
    case TLS_CHECK_NAMES:
        return is_pkix_good(verify);
    case TLS_CHECK_DANE:
        return is_dane_good(verify);
    case TLS_CHECK_NONE:
        break;
    }
    return true;
}

static unsigned end_chain(const br_x509_class **context)
{
    struct tlsverify *verify = state_of(context);
    if (verify->count == 0)
        return BR_ERR_X509_EMPTY_CHAIN;
    if (verify->is_too_large) {
        fail(verify, TLSREPORT_VALIDATION_FAILURE, "the certificate's chain is too large");
        return BR_ERR_X509_LIMIT_EXCEEDED;
    }
    if (is_good(verify)) {
        verify->result = TLSREPORT_SUCCESS;
        verify->reason = "";
    } else if (!verify->check->is_lenient) {
        return BR_ERR_X509_NOT_TRUSTED;
    } else {
        verify->key = NULL;
    }
    return verify->key ? 0 : take_key(verify);
}

static const br_x509_pkey *get_key(const br_x509_class *const *context, unsigned *usages)
{
    const struct tlsverify *verify = (const struct tlsverify *)(const void *)context;
    if (usages)
        *usages = verify->usages;
    return verify->key;
}

static const br_x509_class verify_class = {
    .context_size = sizeof(struct tlsverify),
    .start_chain = start_chain,
    .start_cert = start_certificate,
    .append = append_certificate,
    .end_cert = end_certificate,
    .end_chain = end_chain,
    .get_pkey = get_key,
};

void tlsverify_init(struct tlsverify *verify, const struct tls_check *check,
                    const struct tlsanchors *anchors, int64_t now)
{
    verify->vtable = &verify_class;
    verify->check = check;
    verify->anchors = anchors;
    verify->now = now;
    start_chain(&verify->vtable, NULL);
}
