/* dane - see dane.h */
#include "dane.h"

#include "encode.h"

#include <arpa/nameser.h>
#include <stdio.h>
#include <string.h>

enum {
    TYPE_TLSA = 52, /* RFC 6698 7.1; older headers don't have it */
    RECORD_HEAD = 3,
    USAGE_TA = 2, /* 0 and 1 are not for SMTP (RFC 7672 3.1.3) */
    USAGE_EE = 3,
    SELECTOR_LAST = 1,
    MATCHING_FULL = 0,
    MATCHING_SHA256 = 1,
    MATCHING_SHA512 = 2,
};

static unsigned byte_of(struct slice record, size_t at)
{
    return (unsigned char)record.data[at];
}

static bool is_usable(struct slice record)
{
    static const size_t hash_sizes[] = {[MATCHING_SHA256] = 32, [MATCHING_SHA512] = 64};
    if (record.size <= RECORD_HEAD || record.size > TLS_RECORD_MAX)
        return false;
    unsigned usage = byte_of(record, 0), matching = byte_of(record, 2);
    return (usage == USAGE_TA || usage == USAGE_EE) && byte_of(record, 1) <= SELECTOR_LAST &&
           (matching == MATCHING_FULL ||
            (matching <= MATCHING_SHA512 && record.size - RECORD_HEAD == hash_sizes[matching]));
}

static void take_record(struct slice record, void *owner)
{
    struct dane *dane = owner;
    dane->seen++;
    if (!is_usable(record) || dane->count == TLS_RECORDS_MAX ||
        record.size > sizeof dane->bytes - dane->size)
        return;
    memcpy(dane->bytes + dane->size, record.data, record.size);
    dane->records[dane->count++] = slice_of(dane->bytes + dane->size, record.size);
    dane->size += record.size;
}

/* Is there a SHA-512 beside this SHA-256? */
static bool is_outdone(const struct dane *dane, struct slice record)
{
    for (size_t i = 0; i < dane->count; i++)
        if (byte_of(record, 2) == MATCHING_SHA256 &&
            byte_of(dane->records[i], 2) == MATCHING_SHA512 &&
            byte_of(dane->records[i], 0) == byte_of(record, 0) &&
            byte_of(dane->records[i], 1) == byte_of(record, 1))
            return true;
    return false;
}

/* The strongest are never taken out, so that what was moved up is still found. */
static void keep_strongest(struct dane *dane)
{
    size_t kept = 0;
    for (size_t i = 0; i < dane->count; i++)
        if (!is_outdone(dane, dane->records[i]))
            dane->records[kept++] = dane->records[i];
    dane->count = kept;
}

enum dane_result dane_parse(struct slice answer, struct dane *dane)
{
    dane->size = dane->count = dane->seen = 0;
    if (!mx_parse_data(answer, TYPE_TLSA, take_record, dane))
        return DANE_TROUBLE;
    keep_strongest(dane);
    return dane->count > 0 ? DANE_USABLE : dane->seen > 0 ? DANE_UNUSABLE : DANE_NONE;
}

bool dane_put_record(struct slice record, struct str *text)
{
    return record.size >= RECORD_HEAD &&
           str_format(text, "%u %u %u ", byte_of(record, 0), byte_of(record, 1),
                      byte_of(record, 2)) &&
           encode_hex(slice_from(record, RECORD_HEAD), text);
}

/* ---- questions --------------------------------------------------------------------------------*/

static enum dane_result find_at(struct mx_resolver *resolver, const char *base, unsigned port,
                                struct dane *dane)
{
    char name[sizeof dane->base + 16];
    struct slice answer;
    bool is_secure;
    dane->size = dane->count = dane->seen = 0;
    snprintf(dane->base, sizeof dane->base, "%s", base);
    snprintf(name, sizeof name, "_%u._tcp.%s", port, base);
    switch (mx_ask(resolver, name, TYPE_TLSA, &answer, &is_secure)) {
    case MX_FOUND:
        break;
    case MX_TROUBLE: /* also an answer that fails validation: somebody may be in between */
        return DANE_TROUBLE;
    default:
        return DANE_NONE;
    }
    return is_secure ? dane_parse(answer, dane) : DANE_NONE;
}

/* Is the alias itself, though not what it leads to, vouched for? */
static enum dane_result find_at_alias(struct mx_resolver *resolver, const char *host, unsigned port,
                                      struct dane *dane)
{
    struct slice answer;
    bool is_secure;
    switch (mx_ask(resolver, host, ns_t_cname, &answer, &is_secure)) {
    case MX_FOUND:
        return is_secure ? find_at(resolver, host, port, dane) : DANE_NONE;
    case MX_TROUBLE:
        return DANE_TROUBLE;
    default:
        return DANE_NONE;
    }
}

enum dane_result dane_find(struct mx_resolver *resolver, const char *host, unsigned port,
                           const struct mx_addresses *addresses, struct dane *dane)
{
    bool is_alias = !slice_equal_nocase(slice_text(host), slice_text(addresses->name));
    dane->size = dane->count = dane->seen = 0;
    dane->base[0] = '\0';
    if (!resolver->is_trusted)
        return DANE_NONE;
    if (!addresses->is_secure)
        return is_alias ? find_at_alias(resolver, host, port, dane) : DANE_NONE;
    enum dane_result result = find_at(resolver, addresses->name, port, dane);
    if (result == DANE_NONE && is_alias)
        result = find_at(resolver, host, port, dane);
    return result;
}
