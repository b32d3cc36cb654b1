/*
 * tlsreport - how TLS toward other servers went, counted by day (RFC 8460)
 *
 * remote tells mtastsd about each session, mtastsd counts equal ones in state/tls-report/DATE, and
 * mailctl turns such a file into reports. A line of the file is fields divided by tabs:
 *
 *     count  domain  policy type  result  sending address  MX  MX's address  reason  policy string...
 *
 * All but the count is the key: sessions that differ in nothing are one line.
 */
#ifndef COMMON_TLSREPORT_H
#define COMMON_TLSREPORT_H

#include "str.h"

#include <stdint.h>

#define TLSREPORT_FOLDER "state/tls-report"
#define TLSREPORT_SOCKET "run/mtastsd/socket"

enum {
    TLSREPORT_POLICY_MAX = 32,   /* policy strings of one session */
    TLSREPORT_FIELD_MAX = 300,   /* bytes of one field; more are cut off */
    TLSREPORT_KEY_MAX = 8192,    /* bytes of a line without its count */
    TLSREPORT_LINES_MAX = 2000,  /* different lines of one day; further ones are not counted */
    TLSREPORT_DATE_SIZE = 11,    /* "2026-11-22" */
    TLSREPORT_FILE_MAX = 4 << 20 /* what is beyond in a file is not read */
};

/* RFC 8460 4.3. */
enum tlsreport_result {
    TLSREPORT_SUCCESS,
    TLSREPORT_STARTTLS_NOT_SUPPORTED,
    TLSREPORT_CERTIFICATE_HOST_MISMATCH,
    TLSREPORT_CERTIFICATE_EXPIRED,
    TLSREPORT_CERTIFICATE_NOT_TRUSTED,
    TLSREPORT_VALIDATION_FAILURE, /* whatever has no type of its own */
    TLSREPORT_TLSA_INVALID,
    TLSREPORT_DNSSEC_INVALID,
    TLSREPORT_DANE_REQUIRED,
    TLSREPORT_STS_POLICY_FETCH_ERROR,
    TLSREPORT_STS_POLICY_INVALID,
    TLSREPORT_STS_WEBPKI_INVALID,
    TLSREPORT_RESULTS,
};

/* "certificate-expired" */
const char *tlsreport_result_name(enum tlsreport_result result);
/* TLSREPORT_VALIDATION_FAILURE when the name is unknown. */
enum tlsreport_result tlsreport_result_named(struct slice name);

/* One line, or one session (count 1). Slices point into what it was read from. */
struct tlsreport_line {
    uint64_t count;
    struct slice domain;      /* of the policy: the recipients' */
    struct slice policy_type; /* "tlsa", "sts", "no-policy-found" */
    enum tlsreport_result result;
    struct slice sending_ip, mx, mx_ip;
    struct slice reason;                       /* in our words; empty with TLSREPORT_SUCCESS */
    struct slice policy[TLSREPORT_POLICY_MAX]; /* of the record or file, one line each */
    size_t policy_count;
};

/* Appends the line without its count and its end. Control bytes become '?'. False when `text` is
 * full. */
bool tlsreport_put_key(struct str *text, const struct tlsreport_line *line);
/* Reads a line with its count, without its end. */
bool tlsreport_parse(struct slice text, struct tlsreport_line *line);

/* The day of `seconds` since 1970 in UTC, as file names have it. */
void tlsreport_date(int64_t seconds, char date[TLSREPORT_DATE_SIZE]);
/* Is it such a name? */
bool tlsreport_is_date(struct slice text);

#endif
