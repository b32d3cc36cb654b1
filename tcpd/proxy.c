/* proxy - see proxy.h */
#include "proxy.h"

#include "io.h"
#include "number.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

enum {
    V2_COMMAND_LOCAL = 0x20,
    V2_COMMAND_PROXY = 0x21,
    V2_TCP4 = 0x11,
    V2_TCP6 = 0x21,
    V2_TCP4_SIZE = 12,
    V2_TCP6_SIZE = 36,
};

static const char v1_beginning[] = "PROXY ";
static const char v2_signature[] = "\r\n\r\n\0\r\nQUIT\n";

static unsigned byte_at(struct slice bytes, size_t at)
{
    return (unsigned char)bytes.data[at];
}

static uint16_t number_at(struct slice bytes, size_t at)
{
    return (uint16_t)(byte_at(bytes, at) << 8 | byte_at(bytes, at + 1));
}

/* An address of a v1 line, in the spelling of the family that the line names. */
static bool v1_address(struct slice word, unsigned size, struct ip *ip)
{
    return slice_has(word, ':') == (size == 16) && ip_parse(word, ip);
}

static bool v1_port(struct slice word, uint16_t *port)
{
    unsigned number;
    if ((word.size > 1 && word.data[0] == '0') || !number_parse_unsigned(word, UINT16_MAX, &number))
        return false;
    *port = (uint16_t)number;
    return true;
}

/* "TCP4 192.0.2.1 192.0.2.2 56324 25": words divided by just one space. */
static bool parse_v1_words(struct slice line, struct proxy_header *header)
{
    struct slice family = slice_cut(&line, ' ');
    if (slice_equal(family, SLICE("UNKNOWN")))
        return true; /* the rest of the line is to be ignored */
    unsigned size = slice_equal(family, SLICE("TCP4")) ? 4 : 16;
    if (size == 16 && !slice_equal(family, SLICE("TCP6")))
        return false;
    struct slice client = slice_cut(&line, ' ');
    struct slice server = slice_cut(&line, ' ');
    struct slice client_port = slice_cut(&line, ' ');
    header->has_addresses = true;
    return v1_address(client, size, &header->client) && v1_address(server, size, &header->server) &&
           v1_port(client_port, &header->client_port) && v1_port(line, &header->server_port);
}

static enum proxy_result parse_v1(struct slice bytes, struct proxy_header *header, size_t *size)
{
    struct slice line = slice_part(bytes, 0, PROXY_V1_MAX);
    size_t end = slice_find(line, '\n');
    if (end == line.size)
        return line.size < PROXY_V1_MAX ? PROXY_MORE : PROXY_BAD;
    *size = end + 1;
    line = slice_from(slice_part(line, 0, end), sizeof v1_beginning - 1);
    if (line.size == 0 || line.data[line.size - 1] != '\r')
        return PROXY_BAD;
    line.size--;
    return parse_v1_words(line, header) ? PROXY_DONE : PROXY_BAD;
}

static void take_ip(struct slice bytes, size_t at, unsigned size, struct ip *ip)
{
    struct sockaddr_storage address;
    uint16_t port;
    *ip = (struct ip){.size = size};
    memcpy(ip->bytes, bytes.data + at, size);
    /* There and back: a mapped address becomes IPv4, as everywhere. */
    (void)ip_to_socket(ip, 0, &address);
    (void)ip_from_socket(&address, ip, &port);
}

static void take_addresses(struct slice block, unsigned size, struct proxy_header *header)
{
    header->has_addresses = true;
    take_ip(block, 0, size, &header->client);
    take_ip(block, size, size, &header->server);
    header->client_port = number_at(block, size * 2);
    header->server_port = number_at(block, size * 2 + 2);
}

static bool parse_v2_block(unsigned command, unsigned family, struct slice block,
                           struct proxy_header *header)
{
    if (command == V2_COMMAND_LOCAL)
        return true; /* a health check: family and addresses are to be ignored */
    if (command != V2_COMMAND_PROXY)
        return false;
    if (family == V2_TCP4 && block.size >= V2_TCP4_SIZE)
        take_addresses(block, 4, header);
    else if (family == V2_TCP6 && block.size >= V2_TCP6_SIZE)
        take_addresses(block, 16, header);
    else
        return family == 0; /* unspecified; anything else is no TCP connection */
    return true;
}

static enum proxy_result parse_v2(struct slice bytes, struct proxy_header *header, size_t *size)
{
    if (bytes.size < PROXY_V2_MIN)
        return PROXY_MORE;
    size_t block = number_at(bytes, PROXY_V2_MIN - 2);
    if (block > PROXY_V2_MAX - PROXY_V2_MIN)
        return PROXY_BAD;
    if (bytes.size < PROXY_V2_MIN + block)
        return PROXY_MORE;
    *size = PROXY_V2_MIN + block;
    return parse_v2_block(byte_at(bytes, 12), byte_at(bytes, 13),
                          slice_part(bytes, PROXY_V2_MIN, block), header)
               ? PROXY_DONE
               : PROXY_BAD;
}

/* Does `bytes` agree with `beginning` as far as both go? */
static bool may_begin(struct slice bytes, struct slice beginning)
{
    size_t size = bytes.size < beginning.size ? bytes.size : beginning.size;
    return size == 0 || memcmp(bytes.data, beginning.data, size) == 0;
}

enum proxy_result proxy_parse(struct slice bytes, struct proxy_header *header, size_t *size)
{
    struct slice v1 = {v1_beginning, sizeof v1_beginning - 1};
    struct slice v2 = {v2_signature, sizeof v2_signature - 1};
    *header = (struct proxy_header){0};
    *size = 0;
    if (may_begin(bytes, v1))
        return bytes.size < v1.size ? PROXY_MORE : parse_v1(bytes, header, size);
    if (may_begin(bytes, v2))
        return bytes.size < v2.size ? PROXY_MORE : parse_v2(bytes, header, size);
    return PROXY_BAD;
}

/* Takes `size` bytes that are known to be there. */
static bool consume(int fd, char *bytes, size_t size)
{
    ssize_t got = recv(fd, bytes, size, MSG_DONTWAIT);
    if (got >= 0 && (size_t)got != size)
        errno = EPROTO;
    return got >= 0 && (size_t)got == size;
}

bool proxy_receive(int fd, int64_t deadline, struct proxy_header *header)
{
    char bytes[PROXY_MAX];
    size_t have = 0;
    for (;;) {
        if (!io_wait(fd, POLLIN, deadline))
            return false;
        /* A look first: what follows the header belongs to the program that comes after us. */
        ssize_t seen = recv(fd, bytes + have, sizeof bytes - have, MSG_PEEK | MSG_DONTWAIT);
        if (seen == 0)
            errno = ECONNRESET;
        if (seen < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (seen <= 0)
            return false;
        size_t size;
        size_t all = have + (size_t)seen;
        enum proxy_result result = proxy_parse(slice_of(bytes, all), header, &size);
        if (result == PROXY_BAD || (result == PROXY_MORE && all == sizeof bytes)) {
            errno = EPROTO;
            return false;
        }
        if (result == PROXY_DONE)
            return size > have && consume(fd, bytes + have, size - have);
        if (!consume(fd, bytes + have, (size_t)seen))
            return false;
        have = all;
    }
}
