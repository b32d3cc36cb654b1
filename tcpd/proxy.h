/*
 * proxy - the PROXY protocol's header, versions 1 and 2, in front of a connection
 *
 * "The PROXY protocol, versions 1 and 2" (HAProxy, 2020): who the client behind a proxy is.
 */
#ifndef TCPD_PROXY_H
#define TCPD_PROXY_H

#include "ip.h"

enum {
    PROXY_V1_MAX = 107,  /* the longest line with CRLF, by the protocol's own count */
    PROXY_V2_MIN = 16,   /* signature, version, family, length */
    PROXY_V2_MAX = 4096, /* with what a proxy adds about itself (TLVs), which is not looked at */
    PROXY_MAX = PROXY_V2_MAX,
};

struct proxy_header {
    bool has_addresses; /* false: LOCAL or UNKNOWN, the connection is the proxy's own */
    struct ip client;
    struct ip server;
    uint16_t client_port;
    uint16_t server_port;
};

enum proxy_result { PROXY_DONE, PROXY_MORE, PROXY_BAD };

/* Parses a header at the front of `bytes`. PROXY_DONE: *size bytes belong to it. PROXY_MORE: all of
 * `bytes` belongs to it, and more has to come. */
enum proxy_result proxy_parse(struct slice bytes, struct proxy_header *header, size_t *size);

/* Reads a header, and not one byte more, from the socket till the deadline. False with errno:
 * EPROTO it is none, ETIMEDOUT, ECONNRESET when the peer closed. */
bool proxy_receive(int fd, int64_t deadline, struct proxy_header *header);

#endif
