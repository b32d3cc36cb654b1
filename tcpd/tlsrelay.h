/*
 * tlsrelay - moves bytes between the TLS connection and the plain socketpair, both ways at once
 */
#ifndef TCPD_TLSRELAY_H
#define TCPD_TLSRELAY_H

#include <bearssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TLSRELAY_RAW_SIZE = 4096, TLSRELAY_FLIGHT_SIZE = 2048 };

struct tlsrelay {
    br_ssl_engine_context *engine;
    int net;
    int plain;        /* -1 during the handshake */
    bool net_ended;   /* the peer will send nothing more */
    bool plain_ended; /* the program will write nothing more */
    bool plain_deaf;  /* the program will read nothing more */
    bool broken;      /* the peer can't be reached any more */
    bool moved;       /* a byte moved since the last wait */
    int64_t deadline;
    int64_t linger_ms; /* for the peer's close_notify after ours */
    /* BearSSL asks for a record's five bytes of header first. What came with them waits here, which
     * halves the system calls of small records; large ones go straight to the engine. */
    unsigned char raw[TLSRELAY_RAW_SIZE];
    size_t raw_start, raw_end;
    /* Small records of the handshake, which leave in one piece. */
    unsigned char flight[TLSRELAY_FLIGHT_SIZE];
    size_t flight_size;
};

enum tlsrelay_end {
    TLSRELAY_DONE,    /* one side closed as it should */
    TLSRELAY_BROKEN,  /* the engine's error, or the connection's, says why */
    TLSRELAY_TIMEOUT, /* the handshake took too long, or nothing moved for too long */
};

/* `net` is non-blocking; the relay owns neither of the two. */
void tlsrelay_init(struct tlsrelay *relay, br_ssl_engine_context *engine, int net);

/* Runs the handshake. After TLSRELAY_DONE data may flow. After
 * TLSRELAY_BROKEN the alert that tells the peer has been sent as far as it went at once. */
enum tlsrelay_end tlsrelay_handshake(struct tlsrelay *relay, int64_t deadline);

/* Relays till the connection is over. When the program on the plain
 * side closes, the peer gets close_notify; when the peer closes, the program reads all that
 * came before and then the end. `idle_ms`: without a byte in any direction. */
enum tlsrelay_end tlsrelay_run(struct tlsrelay *relay, int plain, int64_t idle_ms,
                               int64_t linger_ms);

#endif
