/*
 * key - the protocol between tlsd and keyd
 *
 * SOCK_SEQPACKET run/keyd/socket; only tlsd's uid may ask. One connection serves one TLS session,
 * and each question may be asked once on it, so that who took over a tlsd process gets one
 * signature at most, and that only over what a TLS 1.2 server signs: "key/1", "load", session id ->
 * "ok", version, suite, secret     | "no", reason "key/1", "chain", server name, kind...      ->
 * "ok", kind, certificate (DER)... | "no", reason kind is "p256", "p384", "p521" or "rsa", the
 * asker's first choice first "key/1", "sign", algorithm, message         -> "ok", signature | "no",
 * reason with the key of the chain; algorithm is a number of RFC 8446 4.2.3; message is client
 *            random, server random, ECDHE parameters (RFC 8422 5.4), which keyd hashes itself
 *   "key/1", "save", session id, version, suite, secret  -> "ok"
 */
#ifndef TCPD_KEY_H
#define TCPD_KEY_H

#include <stdint.h>

#define KEY_SOCKET           "run/keyd/socket"
#define KEY_SOCKET_IN_CHROOT "socket" /* where tlsd has its root */

enum {
    KEY_CHAIN_MAX = 10,             /* certificates */
    KEY_CHAIN_SIZE_MAX = 32768,     /* bytes of all of them */
    KEY_SIGNATURE_MAX = 512,        /* RSA-4096 */
    KEY_MESSAGE_MAX = 64 + 4 + 133, /* with a point of P-521 */
    KEY_SESSION_ID_SIZE = 32,
    KEY_SECRET_SIZE = 48,
    KEY_TIMEOUT_MS = 5000,
};

enum key_kind { KEY_P256, KEY_P384, KEY_P521, KEY_RSA, KEY_KINDS };

/* Signature algorithms, RFC 8446 4.2.3 (the same numbers as RFC 5246's pairs). */
enum key_algorithm {
    KEY_RSA_SHA256 = 0x0401,
    KEY_RSA_SHA384 = 0x0501,
    KEY_RSA_SHA512 = 0x0601,
    KEY_ECDSA_SHA256 = 0x0403,
    KEY_ECDSA_SHA384 = 0x0503,
    KEY_ECDSA_SHA512 = 0x0603,
};

/* What a resumed session needs; a secret like a key. */
struct key_session {
    unsigned char id[KEY_SESSION_ID_SIZE];
    uint16_t version;
    uint16_t suite;
    unsigned char secret[KEY_SECRET_SIZE];
};

const char *key_kind_name(enum key_kind kind);

#endif
