/*
 * fuzz_tcpd_der - private keys: the walk through DER, and what BearSSL does with its result
 *
 * The first byte chooses the form. Every key that the walk lets through signs once, as keyd's check
 * of a pair does.
 */
#include "keypair.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_inside(struct slice part, struct slice whole)
{
    if (part.size > 0 && (part.data < whole.data || part.size > whole.size ||
                          part.data + part.size > whole.data + whole.size))
        abort();
}

static void sign(const struct der_key *key)
{
    char message[64 + 4 + 1] = {0};
    unsigned char signature[KEY_SIGNATURE_MAX];
    struct keypair *pair = calloc(1, sizeof *pair);
    if (!pair)
        return;
    message[64] = 3;
    message[67] = 1;
    pair->kind = key->kind;
    pair->key = *key;
    (void)keypair_sign(pair, key->kind == KEY_RSA ? KEY_RSA_SHA256 : KEY_ECDSA_SHA256,
                       slice_of(message, sizeof message), signature);
    free(pair);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct der_key key;
    if (size < 1)
        return 0;
    struct slice der = slice_of(data + 1, size - 1);
    enum der_result result = der_parse_key(der, (enum der_form)(data[0] % 3), &key);
    if (der_result_text(result)[0] == '\0')
        abort();
    if (result != DER_OK)
        return 0;
    const struct slice parts[] = {key.modulus, key.exponent, key.p,  key.q,
                                  key.dp,      key.dq,       key.iq, key.scalar};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        check_inside(parts[i], der);
    sign(&key);
    return 0;
}
