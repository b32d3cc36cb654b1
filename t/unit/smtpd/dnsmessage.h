/*
 * dnsmessage - answers of the DNS, as a test writes them
 */
#ifndef TEST_SMTPD_DNSMESSAGE_H
#define TEST_SMTPD_DNSMESSAGE_H

#include "slice.h"

#include <arpa/nameser.h>
#include <stdint.h>
#include <string.h>

struct dnsmessage {
    unsigned char bytes[4096];
    size_t size;
};

static void dnsmessage_put(struct dnsmessage *message, const void *bytes, size_t size)
{
    memcpy(message->bytes + message->size, bytes, size);
    message->size += size;
}

static void dnsmessage_put16(struct dnsmessage *message, unsigned value)
{
    const unsigned char bytes[] = {(unsigned char)(value >> 8), (unsigned char)value};
    dnsmessage_put(message, bytes, sizeof bytes);
}

static void dnsmessage_put32(struct dnsmessage *message, uint32_t value)
{
    dnsmessage_put16(message, value >> 16);
    dnsmessage_put16(message, value & 0xffff);
}

static void dnsmessage_put_name(struct dnsmessage *message, const char *name)
{
    struct slice rest = slice_text(name);
    while (rest.size > 0) {
        struct slice label = slice_cut(&rest, '.');
        const unsigned char size = (unsigned char)label.size;
        dnsmessage_put(message, &size, 1);
        dnsmessage_put(message, label.data, label.size);
    }
    dnsmessage_put(message, "", 1);
}

/* A positive answer to a question for `name`, without records. */
static void dnsmessage_begin(struct dnsmessage *message, const char *name, int type)
{
    static const unsigned char header[NS_HFIXEDSZ] = {0x12, 0x34, 0x81, 0x80, 0, 1};
    message->size = 0;
    dnsmessage_put(message, header, sizeof header);
    dnsmessage_put_name(message, name);
    dnsmessage_put16(message, (unsigned)type);
    dnsmessage_put16(message, ns_c_in);
}

/* A record, in the answer (3) or the authority section (4). */
static void dnsmessage_add(struct dnsmessage *message, int section, const char *owner, int type,
                           uint32_t ttl, const void *data, size_t size)
{
    message->bytes[2 * section + 1]++;
    dnsmessage_put_name(message, owner);
    dnsmessage_put16(message, (unsigned)type);
    dnsmessage_put16(message, ns_c_in);
    dnsmessage_put32(message, ttl);
    dnsmessage_put16(message, (unsigned)size);
    dnsmessage_put(message, data, size);
}

static void dnsmessage_add_name(struct dnsmessage *message, const char *owner, int type,
                                uint32_t ttl, const char *name)
{
    struct dnsmessage data = {.size = 0};
    dnsmessage_put_name(&data, name);
    dnsmessage_add(message, 3, owner, type, ttl, data.bytes, data.size);
}

static void dnsmessage_add_soa(struct dnsmessage *message, uint32_t ttl, uint32_t minimum)
{
    struct dnsmessage data = {.size = 0};
    dnsmessage_put_name(&data, "ns.example");
    dnsmessage_put_name(&data, "hostmaster.example");
    for (int i = 0; i < 4; i++)
        dnsmessage_put32(&data, 1);
    dnsmessage_put32(&data, minimum);
    dnsmessage_add(message, 4, "example", ns_t_soa, ttl, data.bytes, data.size);
}

#endif
