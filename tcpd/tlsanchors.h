/*
 * tlsanchors - the certificates that this host trusts, for chains of other servers
 *
 * Read once, by tlsd's first process: 150 of them cost 60 ms and 75 KB, which its children share.
 */
#ifndef TCPD_TLSANCHORS_H
#define TCPD_TLSANCHORS_H

#include <bearssl.h>
#include <stdbool.h>
#include <stddef.h>

enum { TLSANCHORS_MAX = 1000, TLSANCHORS_FILE_MAX = 4 << 20 };

struct tlsanchors {
    br_x509_trust_anchor *list;
    size_t count;
};

/* Reads a file of PEM certificates. Those whose key BearSSL does not know are left out. False with
 * errno when there is no such file, or no certificate in it. */
bool tlsanchors_load(struct tlsanchors *anchors, const char *path);
/* One more, from DER. False: no certificate, or no memory. */
bool tlsanchors_add(struct tlsanchors *anchors, const unsigned char *der, size_t size);
void tlsanchors_free(struct tlsanchors *anchors);

#endif
