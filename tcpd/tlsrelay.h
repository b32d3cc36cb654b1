/*
 * tlsrelay - moves bytes between the TLS connection and the plain socketpair, both ways at once
 */
#ifndef TCPD_TLSRELAY_H
#define TCPD_TLSRELAY_H

#include <bearssl.h>
#include <stdbool.h>
#include <stdint.h>

enum tlsrelay_end {
    TLSRELAY_DONE,    /* one side closed as it should */
    TLSRELAY_BROKEN,  /* the engine's error, or the connection's, says why */
    TLSRELAY_TIMEOUT, /* the handshake took too long, or nothing moved for too long */
};

/* Runs the handshake on `net` (non-blocking). After TLSRELAY_DONE data may flow. After
 * TLSRELAY_BROKEN the alert that tells the peer has been sent as far as it went at once. */
enum tlsrelay_end tlsrelay_handshake(br_ssl_engine_context *engine, int net, int64_t deadline);

/* Relays till the connection is over. `plain` is non-blocking too. When the program on the plain
 * side closes, the peer gets close_notify; when the peer closes, the program reads all that
 * came before and then the end. `idle_ms`: without a byte in any direction. */
enum tlsrelay_end tlsrelay_run(br_ssl_engine_context *engine, int net, int plain, int64_t idle_ms,
                               int64_t linger_ms);

#endif
