/*
 * tlsverify - is this the server that was asked for? (PKIX with RFC 6125, DANE with RFC 7672)
 *
 * A class of BearSSL's X.509 engine: collects the chain, and judges it at its end.
 *
 * Name constraints are unknown to BearSSL: a chain in which they are marked critical fails. Nothing
 * is asked of anybody about revocation.
 */
#ifndef TCPD_TLSVERIFY_H
#define TCPD_TLSVERIFY_H

#include "slice.h"
#include "tls.h"
#include "tlsanchors.h"

#include <stdint.h>

enum { TLSVERIFY_CHAIN_MAX = 10, TLSVERIFY_CHAIN_SIZE_MAX = 65536 };

struct tlsverify {
    const br_x509_class *vtable; /* first: BearSSL hands us its address */
    const struct tls_check *check;
    const struct tlsanchors *anchors;
    int64_t now; /* seconds since 1970, for validity dates */
    unsigned char bytes[TLSVERIFY_CHAIN_SIZE_MAX];
    size_t size;
    struct slice chain[TLSVERIFY_CHAIN_MAX]; /* into `bytes`; the leaf first */
    size_t count;
    bool is_too_large;
    br_x509_decoder_context leaf; /* its key, where no chain was built */
    br_x509_minimal_context minimal;
    const br_x509_pkey *key; /* of the leaf, into one of the two */
    unsigned usages;
    enum tlsreport_result result; /* what was wrong, also where a lenient check went on */
    const char *reason;           /* "" when nothing was */
};

/* `check` and `anchors` must live as long. */
void tlsverify_init(struct tlsverify *verify, const struct tls_check *check,
                    const struct tlsanchors *anchors, int64_t now);

/* Does the TLSA record (usage, selector, matching type, data) name this certificate? False also for
 * selectors and types that are not known. */
bool tlsverify_record_matches(struct slice record, struct slice der);

#endif
