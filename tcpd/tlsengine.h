/*
 * tlsengine - BearSSL's engine as this suite uses it: TLS 1.2, ECDHE, AEAD; server or client
 */
#ifndef TCPD_TLSENGINE_H
#define TCPD_TLSENGINE_H

#include "tlskeys.h"

#include <bearssl.h>

struct tlsengine_policy {
    const br_ssl_server_policy_class *vtable; /* first: BearSSL hands us its address */
    struct tlskeys *keys;
    br_x509_certificate chain[KEY_CHAIN_MAX];
};

struct tlsengine_cache {
    const br_ssl_session_cache_class *vtable; /* first */
    struct tlskeys *keys;
};

/* Takes the key of the leaf, whoever signed it (opportunistic TLS). */
struct tlsengine_trust {
    const br_x509_class *vtable; /* first */
    br_x509_decoder_context decoder;
    unsigned certificates; /* seen of this chain */
};

struct tlsengine {
    br_ssl_engine_context *engine; /* of one of the two */
    union {
        br_ssl_server_context server;
        br_ssl_client_context client;
    } context;
    struct tlsengine_policy policy;
    struct tlsengine_cache cache;
    struct tlsengine_trust trust;
};

/* Ready for the handshake; false when BearSSL can't (no entropy). */
bool tlsengine_serve(struct tlsengine *tls, struct tlskeys *keys);
/* `server_name` for SNI; an address or "" sends none. */
bool tlsengine_connect(struct tlsengine *tls, const char *server_name);

/* After the handshake. */
const char *tlsengine_version(const struct tlsengine *tls);
const char *tlsengine_cipher(const struct tlsengine *tls);
/* The name of SNI as far as it is known; may be empty. */
const char *tlsengine_name(const struct tlsengine *tls);
/* Why it failed, for the log and the asker. */
const char *tlsengine_reason(const struct tlsengine *tls);

/* BearSSL's error numbers as sentences. */
const char *tlsengine_error_text(int error);

#endif
