/* keypair - see keypair.h */
#include "keypair.h"

#include "pem.h"

#include <bearssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RANDOMS_SIZE = 64, PARAMETERS_HEAD = 4, NAMED_CURVE = 3 };

/* The object identifiers that PKCS#1 signatures name their hash by. */
struct hash {
    const br_hash_class *class;
    const unsigned char *object;
    size_t size;
};

static const char *const kind_names[] = {
    [KEY_P256] = "p256", [KEY_P384] = "p384", [KEY_P521] = "p521", [KEY_RSA] = "rsa"};

static const int curve_of_kind[] = {
    [KEY_P256] = BR_EC_secp256r1, [KEY_P384] = BR_EC_secp384r1, [KEY_P521] = BR_EC_secp521r1};

const char *key_kind_name(enum key_kind kind)
{
    return kind_names[kind];
}

__attribute__((format(printf, 2, 3))) static bool fail(char *error, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    vsnprintf(error, KEYPAIR_ERROR_MAX, format, list);
    va_end(list);
    return false;
}

/* ---- the two files --------------------------------------------------------------------------- */

struct reading {
    struct keypair *pair;
    char *error;
    bool has_key;
};

static bool take_certificate(const char *name, struct slice der, void *owner)
{
    struct reading *reading = owner;
    struct keypair *pair = reading->pair;
    if (strcmp(name, "CERTIFICATE") != 0 && strcmp(name, "X509 CERTIFICATE") != 0)
        return true; /* a key in the same file is no harm, but it is not read here */
    if (pair->chain_length == KEY_CHAIN_MAX)
        return fail(reading->error, "the certificate file holds more than %d certificates",
                    KEY_CHAIN_MAX);
    size_t start = pair->chain_bytes.size;
    if (!str_append(&pair->chain_bytes, der))
        return fail(reading->error, "the certificates are larger than %d bytes",
                    KEY_CHAIN_SIZE_MAX);
    /* Made whole at once by str_reserve, the bytes don't move. */
    pair->chain[pair->chain_length++] = slice_from(str_slice(&pair->chain_bytes), start);
    return true;
}

static bool read_certificates(struct reading *reading, struct slice text)
{
    struct keypair *pair = reading->pair;
    str_init(&pair->chain_bytes, KEY_CHAIN_SIZE_MAX);
    if (!str_reserve(&pair->chain_bytes, KEY_CHAIN_SIZE_MAX))
        return fail(reading->error, "out of memory");
    switch (pem_walk(text, take_certificate, reading)) {
    case PEM_ENDED:
        return false;
    case PEM_BROKEN:
        return fail(reading->error, "the certificate file is broken (PEM)");
    case PEM_ENCRYPTED: /* of no matter when there is a certificate, too; but none was read */
    case PEM_DONE:
        break;
    }
    return pair->chain_length > 0 ||
           fail(reading->error, "the certificate file holds no certificate (PEM)");
}

static bool find_form(const char *name, enum der_form *form)
{
    static const char *const names[] = {[DER_PKCS8] = "PRIVATE KEY",
                                        [DER_PKCS1] = "RSA PRIVATE KEY",
                                        [DER_SEC1] = "EC PRIVATE KEY"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(name, names[i]) == 0) {
            *form = (enum der_form)i;
            return true;
        }
    }
    return false;
}

/* The first key of the file; "EC PARAMETERS" and the like are passed over. */
static bool take_key(const char *name, struct slice der, void *owner)
{
    struct reading *reading = owner;
    struct keypair *pair = reading->pair;
    enum der_form form;
    if (!find_form(name, &form))
        return true;
    if (der.size > KEYPAIR_DER_MAX)
        return fail(reading->error, "%s", der_result_text(DER_RSA_LONG));
    memcpy(pair->key_bytes, der.data, der.size);
    enum der_result result = der_parse_key(slice_of(pair->key_bytes, der.size), form, &pair->key);
    if (result != DER_OK)
        return fail(reading->error, "%s", der_result_text(result));
    pair->kind = pair->key.kind;
    reading->has_key = true;
    return false;
}

static bool read_key(struct reading *reading, struct slice text)
{
    switch (pem_walk(text, take_key, reading)) {
    case PEM_ENDED:
        return reading->has_key;
    case PEM_ENCRYPTED:
        return fail(reading->error, "the key is encrypted with a passphrase; write it without one "
                                    "(openssl pkey -in OLD -out key.pem)");
    case PEM_BROKEN:
        return fail(reading->error, "the key file is broken (PEM)");
    case PEM_DONE:
        break;
    }
    return fail(reading->error, "the key file holds no private key (PEM)");
}

/* ---- signing --------------------------------------------------------------------------------- */

bool keypair_is_message(struct slice message)
{
    if (message.size < RANDOMS_SIZE + PARAMETERS_HEAD + 1 || message.size > KEY_MESSAGE_MAX)
        return false;
    struct slice parameters = slice_from(message, RANDOMS_SIZE);
    size_t point = (unsigned char)parameters.data[3];
    return parameters.data[0] == NAMED_CURVE && parameters.data[1] == 0 &&
           parameters.size == PARAMETERS_HEAD + point;
}

static bool find_hash(unsigned algorithm, struct hash *hash)
{
    switch (algorithm >> 8) {
    case br_sha256_ID:
        *hash = (struct hash){&br_sha256_vtable, BR_HASH_OID_SHA256, br_sha256_SIZE};
        return true;
    case br_sha384_ID:
        *hash = (struct hash){&br_sha384_vtable, BR_HASH_OID_SHA384, br_sha384_SIZE};
        return true;
    case br_sha512_ID:
        *hash = (struct hash){&br_sha512_vtable, BR_HASH_OID_SHA512, br_sha512_SIZE};
        return true;
    default:
        return false;
    }
}

/* BearSSL's structures are not const, though nothing writes to what they point at. */
static unsigned char *bytes_of(struct slice slice)
{
    return (unsigned char *)(uintptr_t)slice.data;
}

static size_t sign_rsa(const struct keypair *pair, const struct hash *hash,
                       const unsigned char *digest, unsigned char *signature)
{
    const struct der_key *key = &pair->key;
    br_rsa_private_key private = {.n_bitlen = key->modulus_bits,
                                  .p = bytes_of(key->p),
                                  .plen = key->p.size,
                                  .q = bytes_of(key->q),
                                  .qlen = key->q.size,
                                  .dp = bytes_of(key->dp),
                                  .dplen = key->dp.size,
                                  .dq = bytes_of(key->dq),
                                  .dqlen = key->dq.size,
                                  .iq = bytes_of(key->iq),
                                  .iqlen = key->iq.size};
    uint32_t done =
        br_rsa_pkcs1_sign_get_default()(hash->object, digest, hash->size, &private, signature);
    return done ? (key->modulus_bits + 7) / 8 : 0;
}

static size_t sign_ec(const struct keypair *pair, const struct hash *hash,
                      const unsigned char *digest, unsigned char *signature)
{
    br_ec_private_key private = {.curve = curve_of_kind[pair->kind],
                                 .x = bytes_of(pair->key.scalar),
                                 .xlen = pair->key.scalar.size};
    return br_ecdsa_sign_asn1_get_default()(br_ec_get_default(), hash->class, digest, &private,
                                            signature);
}

static void digest_message(const struct hash *hash, struct slice message, unsigned char *digest)
{
    br_hash_compat_context context;
    hash->class->init(&context.vtable);
    hash->class->update(&context.vtable, message.data, message.size);
    hash->class->out(&context.vtable, digest);
}

size_t keypair_sign(const struct keypair *pair, unsigned algorithm, struct slice message,
                    unsigned char signature[KEY_SIGNATURE_MAX])
{
    unsigned char digest[br_sha512_SIZE];
    struct hash hash;
    bool is_rsa = pair->kind == KEY_RSA;
    if ((algorithm & 0xff) != (is_rsa ? (KEY_RSA_SHA256 & 0xff) : (KEY_ECDSA_SHA256 & 0xff)) ||
        !find_hash(algorithm, &hash) || !keypair_is_message(message))
        return 0;
    digest_message(&hash, message, digest);
    return is_rsa ? sign_rsa(pair, &hash, digest, signature)
                  : sign_ec(pair, &hash, digest, signature);
}

/* ---- do they belong together? ---------------------------------------------------------------- */

static bool verify(const struct keypair *pair, const br_x509_pkey *leaf, const struct hash *hash,
                   const unsigned char *digest, const unsigned char *signature, size_t size)
{
    unsigned char recovered[br_sha512_SIZE];
    if (pair->kind != KEY_RSA)
        return leaf->key_type == BR_KEYTYPE_EC && leaf->key.ec.curve == curve_of_kind[pair->kind] &&
               br_ecdsa_vrfy_asn1_get_default()(br_ec_get_default(), digest, hash->size,
                                                &leaf->key.ec, signature, size);
    return leaf->key_type == BR_KEYTYPE_RSA && leaf->key.rsa.nlen == pair->key.modulus.size &&
           br_rsa_pkcs1_vrfy_get_default()(signature, size, hash->object, hash->size,
                                           &leaf->key.rsa, recovered) &&
           memcmp(recovered, digest, hash->size) == 0;
}

/* Signs once and verifies with the certificate's key: catches a key of another certificate as well
 * as numbers that only look like a key. */
static bool check_match(const struct keypair *pair, char *error)
{
    static const char sample[] = {[RANDOMS_SIZE] = NAMED_CURVE, 0, BR_EC_secp256r1, 1, 0};
    struct slice message = {sample, sizeof sample};
    br_x509_decoder_context decoder;
    unsigned char signature[KEY_SIGNATURE_MAX];
    unsigned char digest[br_sha512_SIZE];
    struct hash hash;
    br_x509_decoder_init(&decoder, NULL, NULL);
    br_x509_decoder_push(&decoder, pair->chain[0].data, pair->chain[0].size);
    const br_x509_pkey *leaf = br_x509_decoder_get_pkey(&decoder);
    if (!leaf)
        return fail(error,
                    "the first certificate can't be decoded, or its key is neither RSA nor "
                    "EC (error %d)",
                    br_x509_decoder_last_error(&decoder));
    unsigned algorithm = pair->kind == KEY_RSA ? KEY_RSA_SHA256 : KEY_ECDSA_SHA256;
    size_t size = keypair_sign(pair, algorithm, message, signature);
    if (!find_hash(algorithm, &hash) || size == 0)
        return fail(error, "the key can't sign");
    digest_message(&hash, message, digest);
    return verify(pair, leaf, &hash, digest, signature, size) ||
           fail(error, "the key does not belong to the first certificate");
}

struct keypair *keypair_make(struct slice certificate, struct slice key,
                             char error[KEYPAIR_ERROR_MAX])
{
    struct keypair *pair = calloc(1, sizeof *pair);
    struct reading reading = {.pair = pair, .error = error};
    if (!pair) {
        fail(error, "out of memory");
        return NULL;
    }
    if (!read_certificates(&reading, certificate) || !read_key(&reading, key) ||
        !check_match(pair, error))
        keypair_free(&pair);
    return pair;
}

void keypair_free(struct keypair **pair)
{
    if (!*pair)
        return;
    str_free(&(*pair)->chain_bytes);
    explicit_bzero(*pair, sizeof **pair);
    free(*pair);
    *pair = NULL;
}
