/* dnsanswer - see dnsanswer.h */
#include "dnsanswer.h"

#include "mailaddress.h"

#include <arpa/nameser.h>
#include <resolv.h>
#include <stdio.h>
#include <string.h>

enum { IPV4_SIZE = 4, IPV6_SIZE = 16, SOA_NUMBERS = 20, SOA_MINIMUM = 16 };

/* ---- names to ask for -------------------------------------------------------------------------*/

bool dnsanswer_listed_name(const struct ip *client, const char *zone,
                           char name[LOOKUP_NAME_MAX + 1])
{
    static const char digits[] = "0123456789abcdef";
    size_t size = 0;
    for (unsigned i = client->size; i-- > 0 && size < LOOKUP_NAME_MAX;) {
        unsigned byte = client->bytes[i];
        int added = client->size == IPV4_SIZE
                        ? snprintf(name + size, LOOKUP_NAME_MAX + 1 - size, "%u.", byte)
                        : snprintf(name + size, LOOKUP_NAME_MAX + 1 - size, "%c.%c.",
                                   digits[byte & 15], digits[byte >> 4]);
        size += added > 0 ? (size_t)added : 0;
    }
    return slice_copy_text(slice_text(zone), name + size, LOOKUP_NAME_MAX + 1 - size);
}

void dnsanswer_reverse_name(const struct ip *client, char name[LOOKUP_NAME_MAX + 1])
{
    const char *zone = client->size == IPV4_SIZE ? "in-addr.arpa" : "ip6.arpa";
    (void)dnsanswer_listed_name(client, zone, name); /* always fits */
}

int dnsanswer_number(enum dnsanswer_type type)
{
    static const int numbers[] = {
        [DNSANSWER_A] = ns_t_a,
        [DNSANSWER_AAAA] = ns_t_aaaa,
        [DNSANSWER_PTR] = ns_t_ptr,
        [DNSANSWER_TXT] = ns_t_txt,
    };
    return numbers[type];
}

/* ---- answers ----------------------------------------------------------------------------------*/

typedef void take_record(const ns_msg *message, const ns_rr *record, struct dnsanswer *answer);

static void take_address(const ns_msg *message, const ns_rr *record, struct dnsanswer *answer)
{
    (void)message;
    unsigned size = ns_rr_type(*record) == ns_t_a ? IPV4_SIZE : IPV6_SIZE;
    if (ns_rr_rdlen(*record) != size || answer->address_count == DNSANSWER_ADDRESSES_MAX)
        return;
    struct ip *ip = &answer->addresses[answer->address_count++];
    *ip = (struct ip){.size = size};
    memcpy(ip->bytes, ns_rr_rdata(*record), size);
}

/* A name that is no host's is nobody's: it may hold anything, and stands in headers and logs. */
static void take_name(const ns_msg *message, const ns_rr *record, struct dnsanswer *answer)
{
    char expanded[NS_MAXDNAME];
    if (answer->name_count == DNSANSWER_NAMES_MAX)
        return;
    char *name = answer->names[answer->name_count];
    if (ns_name_uncompress(ns_msg_base(*message), ns_msg_end(*message), ns_rr_rdata(*record),
                           expanded, sizeof expanded) < 0)
        return;
    if (!mailaddress_is_domain(slice_text(expanded), 0) ||
        !slice_copy_text(slice_text(expanded), name, LOOKUP_NAME_MAX + 1))
        return;
    for (char *at = name; *at != '\0'; at++)
        *at = slice_lower(*at);
    answer->name_count++;
}

/* The strings of a record are one text (RFC 1035 3.3.14). */
static void take_text(const ns_msg *message, const ns_rr *record, struct dnsanswer *answer)
{
    (void)message;
    struct slice rest = slice_of(ns_rr_rdata(*record), ns_rr_rdlen(*record));
    struct str text;
    if (answer->text[0] != '\0')
        return;
    str_init(&text, DNSANSWER_SIZE_MAX);
    while (rest.size > 0) {
        size_t size = (unsigned char)rest.data[0];
        str_append_printable(&text, slice_part(rest, 1, size));
        rest = slice_from(rest, 1 + size);
    }
    (void)slice_copy_text(slice_part(str_slice(&text), 0, LOOKUP_TEXT_MAX), answer->text,
                          sizeof answer->text);
    str_free(&text);
}

static void lower_ttl(struct dnsanswer *answer, uint32_t ttl_s)
{
    if (ttl_s < answer->ttl_s)
        answer->ttl_s = ttl_s;
}

/* RFC 2308 3: a denial may be kept for the lesser of the SOA's own TTL and its last field. */
static void take_soa(const ns_rr *record, struct dnsanswer *answer)
{
    const unsigned char *at = ns_rr_rdata(*record);
    const unsigned char *end = at + ns_rr_rdlen(*record);
    if (ns_rr_type(*record) != ns_t_soa || ns_name_skip(&at, end) < 0 ||
        ns_name_skip(&at, end) < 0 || end - at != SOA_NUMBERS)
        return;
    lower_ttl(answer, ns_rr_ttl(*record));
    lower_ttl(answer, (uint32_t)ns_get32(at + SOA_MINIMUM));
}

static take_record *const takers[] = {
    [DNSANSWER_A] = take_address,
    [DNSANSWER_AAAA] = take_address,
    [DNSANSWER_PTR] = take_name,
    [DNSANSWER_TXT] = take_text,
};

/* The alias that the record makes of its owner, if it makes one. */
static bool read_alias(const ns_msg *message, const ns_rr *record, char alias[NS_MAXDNAME])
{
    return ns_rr_type(*record) == ns_t_cname &&
           ns_name_uncompress(ns_msg_base(*message), ns_msg_end(*message), ns_rr_rdata(*record),
                              alias, NS_MAXDNAME) >= 0;
}

static bool read_question(ns_msg *message, char name[NS_MAXDNAME])
{
    ns_rr question;
    if (ns_msg_count(*message, ns_s_qd) != 1 || ns_parserr(message, ns_s_qd, 0, &question) < 0)
        return false;
    return slice_copy_text(slice_text(ns_rr_name(question)), name, NS_MAXDNAME);
}

static int record_count(const ns_msg *message, ns_sect section)
{
    int count = ns_msg_count(*message, section);
    return count < DNSANSWER_RECORDS_MAX ? count : DNSANSWER_RECORDS_MAX;
}

bool dnsanswer_parse(const unsigned char *bytes, size_t size, enum dnsanswer_type type,
                     struct dnsanswer *answer)
{
    ns_msg message;
    ns_rr record;
    char owner[NS_MAXDNAME], alias[NS_MAXDNAME];
    *answer = (struct dnsanswer){.ttl_s = UINT32_MAX};
    if (size > DNSANSWER_SIZE_MAX || ns_initparse(bytes, (int)size, &message) < 0 ||
        !read_question(&message, owner))
        return false;
    for (int i = 0; i < record_count(&message, ns_s_an); i++) {
        if (ns_parserr(&message, ns_s_an, i, &record) < 0)
            return false;
        if (ns_rr_class(record) != ns_c_in ||
            !slice_equal_nocase(slice_text(ns_rr_name(record)), slice_text(owner)))
            continue;
        lower_ttl(answer, ns_rr_ttl(record));
        if (read_alias(&message, &record, alias))
            memcpy(owner, alias, sizeof owner);
        else if ((int)ns_rr_type(record) == dnsanswer_number(type))
            takers[type](&message, &record, answer);
    }
    for (int i = 0; i < record_count(&message, ns_s_ns); i++) {
        if (ns_parserr(&message, ns_s_ns, i, &record) < 0)
            return false;
        take_soa(&record, answer);
    }
    return true;
}

bool dnsanswer_has_address(const struct dnsanswer *answer, const struct ip *ip)
{
    for (size_t i = 0; i < answer->address_count; i++)
        if (ip_equal(&answer->addresses[i], ip))
            return true;
    return false;
}
