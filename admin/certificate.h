/*
 * certificate - do a certificate and a key belong together? Asked of openssl(1), so that mailctl
 * links no TLS library.
 */
#ifndef ADMIN_CERTIFICATE_H
#define ADMIN_CERTIFICATE_H

#include "slice.h"

enum { CERTIFICATE_FILE_MAX = 131072, CERTIFICATE_ERROR_MAX = 256 };
enum certificate_kind { CERTIFICATE_ECDSA, CERTIFICATE_RSA };

/* Both are PEM. False: `error` says what is wrong and what to do. */
bool certificate_check(struct slice certificate, struct slice key, enum certificate_kind *kind,
                       char error[CERTIFICATE_ERROR_MAX]);

/* The kind of a public key as PEM, by its algorithm's OID. False: another kind, or garbage. */
bool certificate_kind_of(struct slice public_key, enum certificate_kind *kind);

#endif
