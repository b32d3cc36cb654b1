/*
 * peercert - what of a server's certificate is looked at here: its key and its names
 *
 * A walk through the DER (RFC 5280 4.1), and RFC 6125's comparison of names. Signatures and dates
 * are BearSSL's. Pure functions; results point into the bytes that were given.
 */
#ifndef TCPD_PEERCERT_H
#define TCPD_PEERCERT_H

#include "slice.h"

struct peercert {
    struct slice der;
    struct slice issuer, subject; /* inside of the two names */
    struct slice key;             /* the whole SubjectPublicKeyInfo: selector 1 of TLSA */
    struct slice names;           /* inside of subjectAltName; empty: there is none */
    struct slice common_name;     /* the last of the subject; empty: none */
};

/* False: it is no certificate. */
bool peercert_parse(struct slice der, struct peercert *certificate);

/* Is it for this name? `reference` is a host's name, or ".example.org": any name below
 * example.org. The common name counts only where there is no dNSName (RFC 6125 6.4.4). */
bool peercert_has_name(const struct peercert *certificate, struct slice reference);

/* Does one name that a certificate shows fit? "*" stands for the whole leftmost label, and for
 * exactly one (RFC 6125 6.4.3). */
bool peercert_name_fits(struct slice presented, struct slice reference);

#endif
