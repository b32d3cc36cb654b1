/* der - see der.h */
#include "der.h"

enum {
    TAG_INTEGER = 0x02,
    TAG_OCTETS = 0x04,
    TAG_OBJECT = 0x06,
    TAG_SEQUENCE = 0x30,
    TAG_CONTEXT_0 = 0xa0,
    TAG_CONTEXT_1 = 0xa1,
    TAG_CONTEXT_1_PRIMITIVE = 0x81,
    LENGTH_LONG = 0x80, /* the length's own length follows */
    RSA_EXPONENT_MAX = 4,
};

/* 1.2.840.113549.1.1.1 rsaEncryption, 1.2.840.10045.2.1 id-ecPublicKey */
static const char object_rsa[] = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01";
static const char object_ec[] = "\x2a\x86\x48\xce\x3d\x02\x01";

struct curve {
    struct slice object;
    enum key_kind kind;
    size_t size; /* bytes of a scalar */
};

static const struct curve curves[] = {
    {{"\x2a\x86\x48\xce\x3d\x03\x01\x07", 8}, KEY_P256, 32},
    {{"\x2b\x81\x04\x00\x22", 5}, KEY_P384, 48},
    {{"\x2b\x81\x04\x00\x23", 5}, KEY_P521, 66},
};

static unsigned byte_at(struct slice bytes, size_t at)
{
    return (unsigned char)bytes.data[at];
}

/* The length after a tag: definite and in its shortest form (X.690 10.1), at most two bytes, which
 * no key we take exceeds. */
static bool cut_length(struct slice *rest, size_t *length)
{
    if (rest->size < 1)
        return false;
    unsigned first = byte_at(*rest, 0);
    size_t more = first & ~(unsigned)LENGTH_LONG;
    if (first < LENGTH_LONG) {
        *length = first;
        *rest = slice_from(*rest, 1);
        return true;
    }
    if (more < 1 || more > 2 || rest->size < 1 + more)
        return false;
    *length = byte_at(*rest, 1);
    if (more == 2)
        *length = *length << 8 | byte_at(*rest, 2);
    *rest = slice_from(*rest, 1 + more);
    return *length >= (more == 1 ? LENGTH_LONG : 0x100);
}

static bool next_is(struct slice rest, unsigned tag)
{
    return rest.size > 0 && byte_at(rest, 0) == tag;
}

bool der_cut(struct slice *rest, unsigned tag, struct slice *content)
{
    struct slice after = slice_from(*rest, 1);
    size_t length;
    if (!next_is(*rest, tag) || !cut_length(&after, &length) || length > after.size)
        return false;
    *content = slice_part(after, 0, length);
    *rest = slice_from(after, length);
    return true;
}

bool der_cut_whole(struct slice *rest, unsigned tag, struct slice *element)
{
    struct slice before = *rest, content;
    if (!der_cut(rest, tag, &content))
        return false;
    *element = slice_part(before, 0, before.size - rest->size);
    return true;
}

/* Cuts off an INTEGER that is not negative, without the zero that keeps it so. 0 becomes empty. */
static bool cut_number(struct slice *rest, struct slice *number)
{
    if (!der_cut(rest, TAG_INTEGER, number) || number->size == 0 || (byte_at(*number, 0) & 0x80))
        return false;
    if (byte_at(*number, 0) != 0)
        return true;
    *number = slice_from(*number, 1);
    return number->size == 0 || (byte_at(*number, 0) & 0x80);
}

static bool cut_version(struct slice *rest, unsigned most, unsigned *version)
{
    struct slice number;
    if (!cut_number(rest, &number) || number.size > 1)
        return false;
    *version = number.size == 0 ? 0 : byte_at(number, 0);
    return *version <= most;
}

static unsigned bits_of(struct slice number)
{
    unsigned bits = (unsigned)number.size * 8;
    for (unsigned mask = 0x80; number.size > 0 && !(byte_at(number, 0) & mask); mask >>= 1)
        bits--;
    return bits;
}

static bool is_odd(struct slice number)
{
    return number.size > 0 && (byte_at(number, number.size - 1) & 1);
}

/* What BearSSL's RSA takes for granted: sizes that fit its buffers, odd moduli. Whether the numbers
 * belong together shows when a signature is verified. */
static bool rsa_numbers_fit(const struct der_key *key)
{
    unsigned primes = bits_of(key->p) + bits_of(key->q);
    return key->p.size <= DER_CRT_MAX && key->q.size <= DER_CRT_MAX && is_odd(key->modulus) &&
           is_odd(key->p) && is_odd(key->q) && is_odd(key->exponent) &&
           key->exponent.size <= RSA_EXPONENT_MAX &&
           (primes == key->modulus_bits || primes == key->modulus_bits + 1) && key->dp.size > 0 &&
           key->dq.size > 0 && key->iq.size > 0 && key->dp.size <= key->p.size &&
           key->dq.size <= key->q.size && key->iq.size <= key->p.size;
}

/* RFC 8017 A.1.2 */
static enum der_result parse_rsa(struct slice der, struct der_key *key)
{
    struct slice all, private_exponent;
    unsigned version;
    if (!der_cut(&der, TAG_SEQUENCE, &all) || !cut_version(&all, 0, &version) ||
        !cut_number(&all, &key->modulus) || !cut_number(&all, &key->exponent) ||
        !cut_number(&all, &private_exponent) || !cut_number(&all, &key->p) ||
        !cut_number(&all, &key->q) || !cut_number(&all, &key->dp) || !cut_number(&all, &key->dq) ||
        !cut_number(&all, &key->iq))
        return DER_MALFORMED;
    if (der.size > 0 || all.size > 0)
        return DER_TRAILING;
    key->kind = KEY_RSA;
    key->modulus_bits = bits_of(key->modulus);
    if (key->modulus_bits > DER_RSA_BITS_MAX)
        return DER_RSA_LONG;
    if (key->modulus_bits < DER_RSA_BITS_MIN)
        return DER_RSA_SHORT;
    return rsa_numbers_fit(key) ? DER_OK : DER_RSA_NUMBERS;
}

static const struct curve *find_curve(struct slice object)
{
    for (size_t i = 0; i < sizeof curves / sizeof *curves; i++)
        if (slice_equal(object, curves[i].object))
            return &curves[i];
    return NULL;
}

/* The optional ends of an ECPrivateKey: [0] the curve, [1] the public key. */
static enum der_result parse_ec_ends(struct slice all, const struct curve **curve)
{
    struct slice part, object;
    if (next_is(all, TAG_CONTEXT_0)) {
        if (!der_cut(&all, TAG_CONTEXT_0, &part))
            return DER_MALFORMED;
        if (!der_cut(&part, TAG_OBJECT, &object)) /* a curve by its numbers, not by name */
            return DER_UNKNOWN_CURVE;
        const struct curve *named = find_curve(object);
        if (part.size > 0)
            return DER_TRAILING;
        if (!named || (*curve && named != *curve))
            return DER_UNKNOWN_CURVE;
        *curve = named;
    }
    if (next_is(all, TAG_CONTEXT_1) && !der_cut(&all, TAG_CONTEXT_1, &part))
        return DER_MALFORMED;
    return all.size > 0 ? DER_TRAILING : DER_OK;
}

/* RFC 5915 3; `curve` is known already when PKCS#8 named it, else NULL. */
static enum der_result parse_ec(struct slice der, const struct curve *curve, struct der_key *key)
{
    struct slice all;
    unsigned version;
    if (!der_cut(&der, TAG_SEQUENCE, &all) || !cut_version(&all, 1, &version) || version != 1 ||
        !der_cut(&all, TAG_OCTETS, &key->scalar))
        return DER_MALFORMED;
    if (der.size > 0)
        return DER_TRAILING;
    enum der_result result = parse_ec_ends(all, &curve);
    if (result != DER_OK)
        return result;
    if (!curve)
        return DER_UNKNOWN_CURVE;
    while (key->scalar.size > 0 && byte_at(key->scalar, 0) == 0)
        key->scalar = slice_from(key->scalar, 1);
    key->kind = curve->kind;
    return key->scalar.size > 0 && key->scalar.size <= curve->size ? DER_OK : DER_EC_NUMBER;
}

static enum der_result parse_inner(struct slice algorithm, struct slice inner, struct der_key *key)
{
    struct slice object, named;
    if (!der_cut(&algorithm, TAG_OBJECT, &object))
        return DER_MALFORMED;
    if (slice_equal(object, slice_of(object_rsa, sizeof object_rsa - 1)))
        return parse_rsa(inner, key);
    if (!slice_equal(object, slice_of(object_ec, sizeof object_ec - 1)))
        return DER_UNKNOWN_KEY;
    const struct curve *curve =
        der_cut(&algorithm, TAG_OBJECT, &named) && algorithm.size == 0 ? find_curve(named) : NULL;
    return curve ? parse_ec(inner, curve, key) : DER_UNKNOWN_CURVE;
}

/* RFC 5958 2: version, algorithm, key, [0] attributes, [1] public key */
static enum der_result parse_pkcs8(struct slice der, struct der_key *key)
{
    struct slice all, algorithm, inner, ignored;
    unsigned version;
    if (!der_cut(&der, TAG_SEQUENCE, &all) || !cut_version(&all, 1, &version) ||
        !der_cut(&all, TAG_SEQUENCE, &algorithm) || !der_cut(&all, TAG_OCTETS, &inner))
        return DER_MALFORMED;
    if (next_is(all, TAG_CONTEXT_0) && !der_cut(&all, TAG_CONTEXT_0, &ignored))
        return DER_MALFORMED;
    if (next_is(all, TAG_CONTEXT_1_PRIMITIVE) && !der_cut(&all, TAG_CONTEXT_1_PRIMITIVE, &ignored))
        return DER_MALFORMED;
    if (der.size > 0 || all.size > 0)
        return DER_TRAILING;
    return parse_inner(algorithm, inner, key);
}

enum der_result der_parse_key(struct slice der, enum der_form form, struct der_key *key)
{
    *key = (struct der_key){0};
    switch (form) {
    case DER_PKCS8:
        return parse_pkcs8(der, key);
    case DER_PKCS1:
        return parse_rsa(der, key);
    case DER_SEC1:
        return parse_ec(der, NULL, key);
    }
    return DER_MALFORMED;
}

const char *der_result_text(enum der_result result)
{
    static const char *const texts[] = {
        [DER_OK] = "good",
        [DER_MALFORMED] = "the key's structure (DER) is broken",
        [DER_TRAILING] = "something stands behind the key's structure (DER)",
        [DER_UNKNOWN_KEY] = "the key is neither RSA nor EC (Ed25519 is not supported)",
        [DER_UNKNOWN_CURVE] = "the key's curve is none of P-256, P-384 and P-521",
        [DER_RSA_SHORT] = "the RSA key is shorter than 2048 bits",
        [DER_RSA_LONG] = "the RSA key is longer than 4096 bits",
        [DER_RSA_NUMBERS] = "the RSA key's numbers don't fit together",
        [DER_EC_NUMBER] = "the EC key's number does not fit its curve",
    };
    return texts[result];
}
