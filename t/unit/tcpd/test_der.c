/* test_der - the walk through a private key: good keys, cut ones, changed ones, crafted ones */
#include "unit.h"

#include "der.h"
#include "pem.h"
#include "samples.h"

#include <stdlib.h>
#include <string.h>

struct taken {
    const char *wanted;
    unsigned char der[4096];
    size_t size;
};

static bool take(const char *name, struct slice der, void *owner)
{
    struct taken *taken = owner;
    if (strcmp(name, taken->wanted) != 0)
        return true;
    assert_true(der.size <= sizeof taken->der);
    memcpy(taken->der, der.data, der.size);
    taken->size = der.size;
    return false;
}

static const char *const form_names[] = {
    [DER_PKCS8] = "PRIVATE KEY", [DER_PKCS1] = "RSA PRIVATE KEY", [DER_SEC1] = "EC PRIVATE KEY"};

static void read_sample(const char *pem, enum der_form form, struct taken *taken)
{
    taken->wanted = form_names[form];
    assert_int_equal(pem_walk(slice_text(pem), take, taken), PEM_ENDED);
}

struct sample {
    const char *name;
    const char *pem;
    enum der_form form;
    enum der_result result;
    enum key_kind kind;
};

static const struct sample samples[] = {
    {"P-256, SEC1", SAMPLE_EC_SEC1, DER_SEC1, DER_OK, KEY_P256},
    {"P-256, PKCS#8", SAMPLE_EC_PKCS8, DER_PKCS8, DER_OK, KEY_P256},
    {"P-384", SAMPLE_EC_P384, DER_SEC1, DER_OK, KEY_P384},
    {"P-521", SAMPLE_EC_P521, DER_SEC1, DER_OK, KEY_P521},
    {"RSA, PKCS#1", SAMPLE_RSA_PKCS1, DER_PKCS1, DER_OK, KEY_RSA},
    {"RSA, PKCS#8", SAMPLE_RSA_PKCS8, DER_PKCS8, DER_OK, KEY_RSA},
    {"RSA-1024", SAMPLE_RSA_SHORT, DER_PKCS1, DER_RSA_SHORT, KEY_RSA},
    {"Ed25519", SAMPLE_ED25519, DER_PKCS8, DER_UNKNOWN_KEY, KEY_RSA},
    {"secp256k1", SAMPLE_EC_SECP256K1, DER_SEC1, DER_UNKNOWN_CURVE, KEY_RSA},
    {"explicit curve", SAMPLE_EC_EXPLICIT, DER_SEC1, DER_UNKNOWN_CURVE, KEY_RSA},
};
enum { SAMPLES = sizeof samples / sizeof *samples };

static void keys(void **state)
{
    (void)state;
    for (size_t i = 0; i < SAMPLES; i++) {
        struct taken taken = {0};
        struct der_key key;
        read_sample(samples[i].pem, samples[i].form, &taken);
        enum der_result result =
            der_parse_key(slice_of(taken.der, taken.size), samples[i].form, &key);
        if (result != samples[i].result)
            fail_msg("%s: %s", samples[i].name, der_result_text(result));
        if (result != DER_OK)
            continue;
        assert_int_equal(key.kind, samples[i].kind);
        if (key.kind == KEY_RSA) {
            assert_int_equal(key.modulus_bits, 2048);
            assert_int_equal(key.modulus.size, 256);
            assert_int_equal(key.p.size, 128);
            assert_true(key.exponent.size == 3 && memcmp(key.exponent.data, "\1\0\1", 3) == 0);
        } else {
            assert_true(key.scalar.size > 0);
        }
    }
}

/* The two forms of one key hold the same numbers. */
static void forms(void **state)
{
    struct taken inner = {0};
    struct taken outer = {0};
    struct der_key a, b;
    (void)state;
    read_sample(SAMPLE_RSA_PKCS1, DER_PKCS1, &inner);
    read_sample(SAMPLE_RSA_PKCS8, DER_PKCS8, &outer);
    assert_int_equal(der_parse_key(slice_of(inner.der, inner.size), DER_PKCS1, &a), DER_OK);
    assert_int_equal(der_parse_key(slice_of(outer.der, outer.size), DER_PKCS8, &b), DER_OK);
    assert_true(slice_equal(a.modulus, b.modulus));
    assert_true(slice_equal(a.iq, b.iq));
    /* A form taken for the other is just broken. */
    assert_int_not_equal(der_parse_key(slice_of(inner.der, inner.size), DER_PKCS8, &a), DER_OK);
    assert_int_not_equal(der_parse_key(slice_of(inner.der, inner.size), DER_SEC1, &a), DER_OK);
    assert_int_not_equal(der_parse_key(slice_of(outer.der, outer.size), DER_PKCS1, &a), DER_OK);
}

/* Cut anywhere, or with something behind it, no key is a key. The copy has the very size, so that
 * the sanitizer sees a read past its end. */
static void cut_and_trailing(void **state)
{
    (void)state;
    for (size_t i = 0; i < SAMPLES; i++) {
        struct taken taken = {0};
        struct der_key key;
        if (samples[i].result != DER_OK)
            continue;
        read_sample(samples[i].pem, samples[i].form, &taken);
        for (size_t size = 0; size < taken.size; size++) {
            char *copy = malloc(size + 1);
            assert_non_null(copy);
            memcpy(copy, taken.der, size);
            assert_int_not_equal(der_parse_key(slice_of(copy, size), samples[i].form, &key),
                                 DER_OK);
            free(copy);
        }
        taken.der[taken.size] = 0;
        assert_int_equal(der_parse_key(slice_of(taken.der, taken.size + 1), samples[i].form, &key),
                         DER_TRAILING);
    }
}

/* Every byte changed in turn: whatever comes out stays within what BearSSL's code can take. */
static void changed(void **state)
{
    static const unsigned char others[] = {0x00, 0x01, 0x7f, 0x80, 0x81, 0x82, 0x84, 0xff};
    (void)state;
    for (size_t i = 0; i < SAMPLES; i++) {
        struct taken taken = {0};
        read_sample(samples[i].pem, samples[i].form, &taken);
        for (size_t at = 0; at < taken.size; at++) {
            for (size_t k = 0; k < sizeof others; k++) {
                struct der_key key;
                unsigned char kept = taken.der[at];
                taken.der[at] = others[k];
                enum der_result result =
                    der_parse_key(slice_of(taken.der, taken.size), samples[i].form, &key);
                taken.der[at] = kept;
                if (result != DER_OK)
                    continue;
                assert_true(key.scalar.size <= 66);
                assert_true(key.p.size <= DER_CRT_MAX && key.q.size <= DER_CRT_MAX);
                assert_true(key.dp.size <= key.p.size && key.dq.size <= key.q.size);
                assert_true(key.modulus_bits <= DER_RSA_BITS_MAX);
            }
        }
    }
}

/* ---- crafted keys: an RSA key of numbers of chosen sizes ------------------------------------ */

struct builder {
    unsigned char bytes[16384];
    size_t size;
};

static void put_head(struct builder *builder, unsigned char tag, size_t length)
{
    builder->bytes[builder->size++] = tag;
    if (length >= 0x100) {
        builder->bytes[builder->size++] = 0x82;
        builder->bytes[builder->size++] = (unsigned char)(length >> 8);
    } else if (length >= 0x80) {
        builder->bytes[builder->size++] = 0x81;
    }
    builder->bytes[builder->size++] = (unsigned char)length;
}

/* A number of `size` bytes, odd, its first bit set: with a zero in front. */
static void put_number(struct builder *builder, size_t size)
{
    put_head(builder, 2, size + 1);
    builder->bytes[builder->size++] = 0;
    memset(builder->bytes + builder->size, 0xff, size);
    builder->size += size;
}

struct sizes {
    size_t n, e, p, q, dp, dq, iq;
};

static enum der_result crafted(const struct sizes *sizes)
{
    struct builder inner = {.size = 0};
    struct builder whole = {.size = 0};
    struct der_key key;
    put_head(&inner, 2, 1);
    inner.bytes[inner.size++] = 0;
    const size_t numbers[] = {sizes->n, sizes->e,  sizes->n,  sizes->p,
                              sizes->q, sizes->dp, sizes->dq, sizes->iq};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        put_number(&inner, numbers[i]);
    put_head(&whole, 0x30, inner.size);
    memcpy(whole.bytes + whole.size, inner.bytes, inner.size);
    whole.size += inner.size;
    return der_parse_key(slice_of(whole.bytes, whole.size), DER_PKCS1, &key);
}

static void crafted_sizes(void **state)
{
    static const struct {
        struct sizes sizes;
        enum der_result result;
    } cases[] = {
        {{256, 3, 128, 128, 128, 128, 128}, DER_OK},
        {{512, 3, 256, 256, 256, 256, 256}, DER_OK},
        {{513, 3, 256, 257, 256, 256, 256}, DER_RSA_LONG},
        {{1024, 3, 512, 512, 512, 512, 512}, DER_RSA_LONG}, /* the overflow of BearSSL 0.6 */
        {{255, 3, 128, 127, 128, 127, 128}, DER_RSA_SHORT},
        {{512, 3, 257, 255, 257, 255, 257}, DER_RSA_NUMBERS}, /* p too long */
        {{512, 3, 255, 257, 255, 257, 255}, DER_RSA_NUMBERS},
        {{256, 3, 128, 128, 500, 128, 128}, DER_RSA_NUMBERS}, /* dp longer than p */
        {{256, 3, 128, 128, 128, 500, 128}, DER_RSA_NUMBERS},
        {{256, 3, 128, 128, 128, 128, 500}, DER_RSA_NUMBERS},
        {{256, 3, 100, 100, 100, 100, 100}, DER_RSA_NUMBERS}, /* p q shorter than n */
        {{256, 5, 128, 128, 128, 128, 128}, DER_RSA_NUMBERS},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (crafted(&cases[i].sizes) != cases[i].result)
            fail_msg("case %zu: %s", i, der_result_text(crafted(&cases[i].sizes)));
}

static void nonsense(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
    } cases[] = {
        {"", 0},
        {"\x30", 1},
        {"\x30\x80\0\0", 4},     /* indefinite length */
        {"\x30\x81\x01\x02", 4}, /* not the shortest length */
        {"\x30\x82\0\x01\x02", 5},
        {"\x30\x83\xff\xff\xff", 5},
        {"\x30\x84\xff\xff\xff\xff", 6},
        {"\x30\xff", 2},
        {"\x31\x00", 2},
        {"\x30\x03\x02\x01\xff", 5},     /* negative */
        {"\x30\x04\x02\x02\x00\x01", 6}, /* padded */
        {"\x30\x02\x02\x00", 4},         /* INTEGER without a byte */
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int form = DER_PKCS8; form <= DER_SEC1; form++) {
            struct der_key key;
            assert_int_equal(
                der_parse_key(slice_of(cases[i].bytes, cases[i].size), (enum der_form)form, &key),
                DER_MALFORMED);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys),
        cmocka_unit_test(forms),
        cmocka_unit_test(cut_and_trailing),
        cmocka_unit_test(changed),
        cmocka_unit_test(crafted_sizes),
        cmocka_unit_test(nonsense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
