/* ip - see ip.h */
#include "ip.h"

#include "number.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

enum { IPV4_SIZE = 4, IPV6_SIZE = 16, MAPPED_BITS = 96, LOOPBACK_BYTE = 127 };

static const unsigned char mapped_prefix[MAPPED_BITS / 8] = {[10] = 0xff, [11] = 0xff};

/* RFC 4291 2.5.5.2: a mapped address is the IPv4 address, under whatever family it came. */
static void set_ipv6(struct ip *ip, const void *bytes)
{
    const unsigned char *all = bytes;
    *ip = (struct ip){0};
    if (memcmp(all, mapped_prefix, sizeof mapped_prefix) == 0) {
        ip->size = IPV4_SIZE;
        memcpy(ip->bytes, all + sizeof mapped_prefix, IPV4_SIZE);
    } else {
        ip->size = IPV6_SIZE;
        memcpy(ip->bytes, all, IPV6_SIZE);
    }
}

static void set_ipv4(struct ip *ip, const void *bytes)
{
    *ip = (struct ip){.size = IPV4_SIZE};
    memcpy(ip->bytes, bytes, IPV4_SIZE);
}

bool ip_parse(struct slice text, struct ip *ip)
{
    char copy[IP_TEXT_MAX];
    unsigned char bytes[IPV6_SIZE];
    if (text.size == 0 || !slice_copy_text(text, copy, sizeof copy))
        return false;
    if (inet_pton(AF_INET, copy, bytes) == 1)
        set_ipv4(ip, bytes);
    else if (inet_pton(AF_INET6, copy, bytes) == 1)
        set_ipv6(ip, bytes);
    else
        return false;
    return true;
}

void ip_format(const struct ip *ip, char text[IP_TEXT_MAX])
{
    text[0] = '\0';
    /* Never fails: the family is right and the text large enough. */
    (void)inet_ntop(ip->size == IPV4_SIZE ? AF_INET : AF_INET6, ip->bytes, text, IP_TEXT_MAX);
}

bool ip_equal(const struct ip *a, const struct ip *b)
{
    return a->size == b->size && memcmp(a->bytes, b->bytes, a->size) == 0;
}

bool ip_is_loopback(const struct ip *ip)
{
    static const struct ip loopback6 = {.bytes = {[IPV6_SIZE - 1] = 1}, .size = IPV6_SIZE};
    return ip->size == IPV4_SIZE ? ip->bytes[0] == LOOPBACK_BYTE : ip_equal(ip, &loopback6);
}

struct ip ip_network(const struct ip *ip, unsigned bits)
{
    struct ip network = {.size = ip->size};
    for (unsigned i = 0; i < ip->size; i++) {
        unsigned kept = bits >= (i + 1) * 8 ? 8 : bits > i * 8 ? bits - i * 8 : 0;
        network.bytes[i] = (unsigned char)(ip->bytes[i] & (0xff00u >> kept));
    }
    return network;
}

bool ip_parse_network(struct slice text, struct ip *network, unsigned *bits)
{
    size_t slash = slice_find(text, '/');
    struct slice address = slice_part(text, 0, slash);
    if (!ip_parse(address, network))
        return false;
    unsigned most = network->size * 8;
    /* "::ffff:192.0.2.0/120" became an IPv4 network: its bits count from the mapped prefix on. */
    unsigned before = most == IPV4_SIZE * 8 && slice_has(address, ':') ? MAPPED_BITS : 0;
    unsigned given = most + before;
    if (slash < text.size && !number_parse_unsigned(slice_from(text, slash + 1), given, &given))
        return false;
    if (given < before)
        return false;
    *bits = given - before;
    struct ip zeroed = ip_network(network, *bits);
    return ip_equal(&zeroed, network);
}

bool ip_in_network(const struct ip *ip, const struct ip *network, unsigned bits)
{
    if (ip->size != network->size || bits > ip->size * 8)
        return false;
    struct ip of = ip_network(ip, bits);
    struct ip wanted = ip_network(network, bits);
    return ip_equal(&of, &wanted);
}

/* "[ADDRESS]" of IPv6 or plain IPv4; the brackets tell the port's colon from the address's. */
static bool parse_host(struct slice host, struct ip *ip)
{
    if (host.size > 2 && host.data[0] == '[' && host.data[host.size - 1] == ']')
        return slice_has(host, ':') && ip_parse(slice_part(host, 1, host.size - 2), ip);
    return !slice_has(host, ':') && ip_parse(host, ip);
}

bool ip_parse_endpoint(struct slice text, struct ip *ip, uint16_t *port)
{
    size_t colon = slice_find_last(text, ':');
    unsigned number;
    if (colon >= text.size || !parse_host(slice_part(text, 0, colon), ip) ||
        !number_parse_unsigned(slice_from(text, colon + 1), UINT16_MAX, &number) || number == 0)
        return false;
    *port = (uint16_t)number;
    return true;
}

socklen_t ip_to_socket(const struct ip *ip, uint16_t port, struct sockaddr_storage *address)
{
    memset(address, 0, sizeof *address);
    if (ip->size == IPV4_SIZE) {
        struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
        memcpy(&v4.sin_addr, ip->bytes, IPV4_SIZE);
        memcpy(address, &v4, sizeof v4);
        return sizeof v4;
    }
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    memcpy(&v6.sin6_addr, ip->bytes, IPV6_SIZE);
    memcpy(address, &v6, sizeof v6);
    return sizeof v6;
}

bool ip_from_socket(const struct sockaddr_storage *address, struct ip *ip, uint16_t *port)
{
    if (address->ss_family == AF_INET) {
        struct sockaddr_in v4;
        memcpy(&v4, address, sizeof v4);
        set_ipv4(ip, &v4.sin_addr);
        *port = ntohs(v4.sin_port);
        return true;
    }
    if (address->ss_family == AF_INET6) {
        struct sockaddr_in6 v6;
        memcpy(&v6, address, sizeof v6);
        set_ipv6(ip, &v6.sin6_addr);
        *port = ntohs(v6.sin6_port);
        return true;
    }
    return false;
}
