/*
 * dane - the TLSA records of a mail server (RFC 6698, 7671, 7672)
 */
#ifndef DELIVER_DANE_H
#define DELIVER_DANE_H

#include "mx.h"
#include "tls.h"

enum dane_result {
    DANE_NONE,     /* there are none, or none that DNSSEC vouches for */
    DANE_USABLE,   /* records to check the certificate by */
    DANE_UNUSABLE, /* there are records, all of kinds unknown here: TLS without a check */
    DANE_TROUBLE,  /* no answer that can be believed: the server must not be used */
};

struct dane {
    unsigned char bytes[TLS_RECORDS_SIZE_MAX];
    size_t size;
    struct slice records[TLS_RECORDS_MAX]; /* usage, selector, matching type, data; into `bytes` */
    size_t count;
    size_t seen;                /* all that there were, usable or not */
    char base[MX_NAME_MAX + 1]; /* the name that has them: for SNI and names */
};

/* The records for `host` at `port`, whose addresses were looked up (RFC 7672 2.2.2). */
enum dane_result dane_find(struct mx_resolver *resolver, const char *host, unsigned port,
                           const struct mx_addresses *addresses, struct dane *dane);

/* Reads the records of an answer: keeps those that can be used, and of several hashes of one kind
 * the strongest (RFC 7671 9). Pure. */
enum dane_result dane_parse(struct slice answer, struct dane *dane);
/* The record as zone files have it: "3 1 1 0123...". */
bool dane_put_record(struct slice record, struct str *text);

#endif
