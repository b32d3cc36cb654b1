/*
 * der - a walk through the DER of a private key, and the steps of any such walk
 *
 * The key decoder of BearSSL 0.6 writes past its structure for some keys, so it is not used: this
 * walk checks the whole structure and says where the numbers are. A pure function; the result
 * points into the bytes that were given.
 */
#ifndef TCPD_DER_H
#define TCPD_DER_H

#include "key.h"
#include "slice.h"

enum {
    DER_RSA_BITS_MIN = 2048, /* clients refuse less */
    DER_RSA_BITS_MAX = 4096, /* more is a lever: one signature of RSA-8192 costs 0.2 s */
    DER_CRT_MAX = 256,       /* bytes of p, q and the like: 257 with the sign's zero */
};

/* Cuts off the element at the front of *rest, if it has this tag and fits; lengths of up to two
 * bytes. */
bool der_cut(struct slice *rest, unsigned tag, struct slice *content);
/* The same; `element` is the element with tag and length. */
bool der_cut_whole(struct slice *rest, unsigned tag, struct slice *element);

enum der_form {
    DER_PKCS8, /* "PRIVATE KEY" */
    DER_PKCS1, /* "RSA PRIVATE KEY" */
    DER_SEC1,  /* "EC PRIVATE KEY" */
};

enum der_result {
    DER_OK,
    DER_MALFORMED,
    DER_TRAILING,
    DER_UNKNOWN_KEY,   /* neither RSA nor EC */
    DER_UNKNOWN_CURVE, /* or none named */
    DER_RSA_SHORT,
    DER_RSA_LONG,
    DER_RSA_NUMBERS, /* numbers that can't belong to one key */
    DER_EC_NUMBER,
};

/* Numbers are big-endian without leading zeros. */
struct der_key {
    enum key_kind kind;
    unsigned modulus_bits; /* of RSA, the next seven too */
    struct slice modulus;
    struct slice exponent;
    struct slice p, q, dp, dq, iq;
    struct slice scalar; /* of EC */
};

enum der_result der_parse_key(struct slice der, enum der_form form, struct der_key *key);
/* A sentence for the log. */
const char *der_result_text(enum der_result result);

#endif
