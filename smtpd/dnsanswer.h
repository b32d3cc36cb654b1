/*
 * dnsanswer - names to ask the DNS for about a client, and what its answers say
 *
 * Pure: no network, no clock. Answers are strangers' bytes, whoever carried them here.
 */
#ifndef SMTPD_DNSANSWER_H
#define SMTPD_DNSANSWER_H

#include "ip.h"
#include "lookup.h"

enum {
    DNSANSWER_SIZE_MAX = 65535,
    DNSANSWER_RECORDS_MAX = 512, /* that are looked at */
    DNSANSWER_ADDRESSES_MAX = 32,
    DNSANSWER_NAMES_MAX = 3, /* reverse names that are worth a question each */
};

enum dnsanswer_type { DNSANSWER_A, DNSANSWER_AAAA, DNSANSWER_PTR, DNSANSWER_TXT };

struct dnsanswer {
    uint32_t ttl_s; /* the least of what counts; of a denial the zone's SOA's (RFC 2308 5) */
    size_t address_count;
    struct ip addresses[DNSANSWER_ADDRESSES_MAX];
    size_t name_count;
    char names[DNSANSWER_NAMES_MAX][LOOKUP_NAME_MAX + 1]; /* host names in lower case */
    char text[LOOKUP_TEXT_MAX + 1];                       /* of the first TXT record, printable */
};

/* "5.2.0.192.ZONE", or the 32 nibbles of an IPv6 address (RFC 5782 2.1, 2.4). False: too long. */
bool dnsanswer_listed_name(const struct ip *client, const char *zone,
                           char name[LOOKUP_NAME_MAX + 1]);
/* The same below in-addr.arpa and ip6.arpa (RFC 1035 3.5, RFC 3596 2.5). */
void dnsanswer_reverse_name(const struct ip *client, char name[LOOKUP_NAME_MAX + 1]);

/* DNS' number of the type. */
int dnsanswer_number(enum dnsanswer_type type);
/* Reads the records of `type` in the answer to a question for it; an alias was followed by the
 * server (RFC 1034 4.3.2), who puts what it leads to behind it. False: it is no DNS message. */
bool dnsanswer_parse(const unsigned char *bytes, size_t size, enum dnsanswer_type type,
                     struct dnsanswer *answer);

bool dnsanswer_has_address(const struct dnsanswer *answer, const struct ip *ip);

#endif
