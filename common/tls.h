/*
 * tls - asking tlsd to put TLS between a client and us (client side; needs no TLS library)
 *
 * Protocol, one SOCK_SEQPACKET connection to run/tlsd/socket per TLS session:
 *   ask     "tls/1", "server", peer address as text            + the client's descriptor
 *           "tls/1", "client", server name for SNI, check      + the server's descriptor
 *           check is "none" (opportunistic); stricter ones come with MTA-STS and DANE
 *   answer  "ok", protocol version, cipher suite, SNI name     + our end of the plain socketpair
 *           "no", reason
 * The answer comes when the handshake is over. tlsd closes the plain end when the peer closes.
 */
#ifndef COMMON_TLS_H
#define COMMON_TLS_H

#include "stream.h"

#include <stdint.h>

#define TLS_SOCKET "run/tlsd/socket"
enum { TLS_HANDSHAKE_MS = 30000, TLS_TEXT_MAX = 256 };

struct tls_session {
    int fd;                     /* the plain end, the caller's */
    char version[TLS_TEXT_MAX]; /* "TLSv1.2"; "" without TLS */
    char cipher[TLS_TEXT_MAX];  /* "ECDHE-ECDSA-AES128-GCM-SHA256" */
    char name[TLS_TEXT_MAX];    /* SNI, may be empty */
    char reason[TLS_TEXT_MAX];  /* why not, when the call returned false */
};

/* Serves TLS to the client on `fd`. The caller closes its `fd` afterwards in any case. */
bool tls_serve(int fd, const char *peer_address, struct tls_session *session);

enum tls_result {
    TLS_SERVED,
    TLS_REFUSED,     /* session->reason says why; version is "" */
    TLS_DESCRIPTORS, /* the session is lost over our own descriptors */
};
/* Puts TLS between the client and the stream, whose descriptors keep their numbers. Output must be
 * flushed; what is pending was said in plaintext and is discarded (CVE-2011-0411). */
enum tls_result tls_serve_stream(struct stream *stream, const char *peer_address,
                                 struct tls_session *session);
bool tls_is_on(const struct tls_session *session);
/* For the log: the version, or "none". */
const char *tls_name(const struct tls_session *session);

/* Speaks TLS to the server on `fd`. */
bool tls_connect(int fd, const char *server_name, const char *check, struct tls_session *session);

#endif
