/*
 * keypair - a certificate chain with its private key
 */
#ifndef TCPD_KEYPAIR_H
#define TCPD_KEYPAIR_H

#include "der.h"
#include "key.h"
#include "str.h"

enum { KEYPAIR_ERROR_MAX = 256, KEYPAIR_DER_MAX = 4096, KEYPAIR_FILE_MAX = 131072 };

struct keypair {
    enum key_kind kind;
    struct slice chain[KEY_CHAIN_MAX]; /* the leaf first */
    size_t chain_length;
    struct str chain_bytes; /* what `chain` points into */
    struct der_key key;     /* points into key_bytes */
    /* The decoder of 0.6 is not used; the slack is for whatever else might read a word too far. */
    unsigned char key_bytes[KEYPAIR_DER_MAX + 64];
};

/* Makes a pair of two PEM files' contents. NULL: `error` says what is wrong with which of them.
 * The key signed something that the leaf's public key verified. */
struct keypair *keypair_make(struct slice certificate, struct slice key,
                             char error[KEYPAIR_ERROR_MAX]);
/* Wipes and frees; NULL does nothing. */
void keypair_free(struct keypair **pair);

/* Signs what a TLS 1.2 server signs: `message` is looked at (key.h) and hashed here. The size of
 * the signature; 0 when the algorithm does not fit the key or the message is none. */
size_t keypair_sign(const struct keypair *pair, unsigned algorithm, struct slice message,
                    unsigned char signature[KEY_SIGNATURE_MAX]);
/* Is it "client random, server random, ECDHE parameters"? */
bool keypair_is_message(struct slice message);

#endif
