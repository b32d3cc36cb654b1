/*
 * ip - IPv4 and IPv6 addresses and networks as text and bytes
 */
#ifndef COMMON_IP_H
#define COMMON_IP_H

#include "slice.h"

#include <stdint.h>
#include <sys/socket.h>

enum { IP_TEXT_MAX = 64 };

/* An address; IPv4-mapped IPv6 is turned into IPv4. */
struct ip {
    unsigned char bytes[16];
    unsigned size; /* 4 or 16 */
};

bool ip_parse(struct slice text, struct ip *ip);
void ip_format(const struct ip *ip, char text[IP_TEXT_MAX]);
bool ip_equal(const struct ip *a, const struct ip *b);
/* 127.0.0.0/8, ::1 */
bool ip_is_loopback(const struct ip *ip);
/* "192.0.2.0/24", "2001:db8::/32" or a bare address. Host bits must be zero. */
bool ip_parse_network(struct slice text, struct ip *network, unsigned *bits);
bool ip_in_network(const struct ip *ip, const struct ip *network, unsigned bits);
/* The network of the first `bits` bits: the others become zero. */
struct ip ip_network(const struct ip *ip, unsigned bits);
/* "192.0.2.1:25", "[::1]:25". */
bool ip_parse_endpoint(struct slice text, struct ip *ip, uint16_t *port);
socklen_t ip_to_socket(const struct ip *ip, uint16_t port, struct sockaddr_storage *address);
bool ip_from_socket(const struct sockaddr_storage *address, struct ip *ip, uint16_t *port);

#endif
