/*
 * tls - asking tlsd to put TLS between a client and us (client side; needs no TLS library)
 *
 * Protocol, one SOCK_SEQPACKET connection to run/tlsd/socket per TLS session:
 *   ask     "tls/1", "server", peer address as text            + the client's descriptor
 *           "tls/1", "client", server name for SNI, check...   + the server's descriptor
 *           check  "none"
 *                  "names"|"names-lenient", reference name...
 *                  "dane", number of records, TLSA record..., reference name...
 *   answer  "ok", protocol version, cipher suite, SNI name     + our end of the plain socketpair
 *           "ok", version, cipher, SNI name, reason, result    + the same: "names-lenient" found fault
 *           "no", reason
 *           "no", reason, result (RFC 8460 4.3, to "client" alone)
 * The answer comes when the handshake is over. tlsd closes the plain end when the peer closes.
 */
#ifndef COMMON_TLS_H
#define COMMON_TLS_H

#include "stream.h"
#include "tlsreport.h"
#include "wire.h"

#include <stdint.h>

#define TLS_SOCKET "run/tlsd/socket"
enum {
    TLS_HANDSHAKE_MS = 30000,
    TLS_TEXT_MAX = 256,
    TLS_NAMES_MAX = 16,          /* reference names of a check */
    TLS_RECORDS_MAX = 16,        /* TLSA records of a check */
    TLS_RECORD_MAX = 3072,       /* bytes of one of them */
    TLS_RECORDS_SIZE_MAX = 32768 /* of all of them */
};

struct tls_session {
    int fd;                     /* the plain end, the caller's */
    char version[TLS_TEXT_MAX]; /* "TLSv1.2"; "" without TLS */
    char cipher[TLS_TEXT_MAX];  /* "ECDHE-ECDSA-AES128-GCM-SHA256" */
    char name[TLS_TEXT_MAX];    /* SNI, may be empty */
    char
        reason[TLS_TEXT_MAX]; /* why not, when the call returned false; a lenient check's finding */
    enum tlsreport_result result; /* of tls_connect: TLSREPORT_SUCCESS, or what was wrong */
};

enum tls_check_kind {
    TLS_CHECK_NONE,  /* any certificate, or none that could be verified */
    TLS_CHECK_NAMES, /* a chain to a trust anchor of the host's, for one of the names (RFC 6125) */
    TLS_CHECK_DANE,  /* a TLSA record matches (RFC 7672); `names` count with usage 2 */
};

/* What the server must show. Slices are the caller's. */
struct tls_check {
    enum tls_check_kind kind;
    bool is_lenient;         /* TLS_CHECK_NAMES: go on all the same, and say so in `result` */
    const char *server_name; /* for SNI; an address or "" sends none */
    struct slice names[TLS_NAMES_MAX]; /* in lower case; ".example.org": any name below it */
    size_t name_count;
    struct slice records[TLS_RECORDS_MAX]; /* usage, selector, matching type, data (RFC 6698 2.1) */
    size_t record_count;
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

/* Speaks TLS to the server on `fd`, whose certificate passes the check. */
bool tls_connect(int fd, const struct tls_check *check, struct tls_session *session);

/* The check as it stands in the question, from the word that names it on: for both ends. False:
 * there is too much of it, or it is none. Slices point into the message. */
void tls_check_put(const struct tls_check *check, struct str *packet);
bool tls_check_read(const struct wire_message *message, size_t first, struct tls_check *check);

#endif
