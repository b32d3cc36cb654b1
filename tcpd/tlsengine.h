/*
 * tlsengine - BearSSL's engine as this suite uses it: TLS 1.2, ECDHE, AEAD; server or client
 */
#ifndef TCPD_TLSENGINE_H
#define TCPD_TLSENGINE_H

#include "tlskeys.h"
#include "tlsverify.h"

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

struct tlsengine {
    br_ssl_engine_context *engine; /* of one of the two */
    union {
        br_ssl_server_context server;
        br_ssl_client_context client;
    } context;
    struct tlsengine_policy policy;
    struct tlsengine_cache cache;
    struct tlsverify verify;
};

/* Ready for the handshake; false when BearSSL can't (no entropy). */
bool tlsengine_serve(struct tlsengine *tls, struct tlskeys *keys);
/* Toward a server that passes the check; `check` and `anchors` must live as long. */
bool tlsengine_connect(struct tlsengine *tls, const struct tls_check *check,
                       const struct tlsanchors *anchors);

/* After the handshake. */
const char *tlsengine_version(const struct tlsengine *tls);
const char *tlsengine_cipher(const struct tlsengine *tls);
/* The name of SNI as far as it is known; may be empty. */
const char *tlsengine_name(const struct tlsengine *tls);
/* Why it failed, for the log and the asker. */
const char *tlsengine_reason(const struct tlsengine *tls);
/* The same as RFC 8460 has it. */
enum tlsreport_result tlsengine_result(const struct tlsengine *tls);

/* BearSSL's error numbers as sentences. */
const char *tlsengine_error_text(int error);

#endif
