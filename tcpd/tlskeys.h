/*
 * tlskeys - asking keyd (client side of key.h)
 *
 * Each question may be asked once for a TLS session. keyd being down shows as a failed question,
 * with the reason in `trouble`, for the log.
 */
#ifndef TCPD_TLSKEYS_H
#define TCPD_TLSKEYS_H

#include "key.h"
#include "slice.h"
#include "wire.h"

struct tlskeys {
    int fd;                     /* -1: keyd is not there */
    struct wire_message answer; /* the chain points into it: it has an answer of its own */
    struct wire_message reply;  /* to all else */
    char trouble[128];
};

/* Connects; later questions need no further descriptor. */
void tlskeys_open(struct tlskeys *keys, const char *path);
void tlskeys_close(struct tlskeys *keys);

/* `chain` is valid till tlskeys_close. The number of certificates, 0 when there is none to be had.
 */
size_t tlskeys_chain(struct tlskeys *keys, const char *name, const enum key_kind kinds[],
                     size_t kind_count, enum key_kind *kind, struct slice chain[KEY_CHAIN_MAX]);
/* The size of the signature, 0 when there is none. */
size_t tlskeys_sign(struct tlskeys *keys, unsigned algorithm, struct slice message,
                    unsigned char *signature, size_t room);
/* `session->id` is given. */
bool tlskeys_load(struct tlskeys *keys, struct key_session *session);
void tlskeys_save(struct tlskeys *keys, const struct key_session *session);

#endif
