/*
 * stspolicy - what a domain says by MTA-STS (RFC 8461): the TXT record and the policy
 *
 * Pure.
 */
#ifndef DELIVER_STSPOLICY_H
#define DELIVER_STSPOLICY_H

#include "str.h"

#include <stdint.h>

enum {
    STSPOLICY_ID_MAX = 32,
    STSPOLICY_RECORD_MAX = 1024, /* bytes of a TXT record */
    STSPOLICY_FILE_MAX = 65536,  /* RFC 8461 3.3 suggests this limit */
    STSPOLICY_MX_MAX = 64,       /* patterns of a policy; with more it is refused */
    STSPOLICY_NAME_MAX = 255,
    STSPOLICY_AGE_MAX = 31557600, /* seconds; RFC 8461 3.2 */
    STSPOLICY_TEXT_MAX = STSPOLICY_MX_MAX * (STSPOLICY_NAME_MAX + 6) + 100, /* in our own form */
};

enum stspolicy_mode { STSPOLICY_NONE, STSPOLICY_TESTING, STSPOLICY_ENFORCE };

struct stspolicy {
    enum stspolicy_mode mode;
    uint32_t max_age;                                  /* seconds */
    char mx[STSPOLICY_MX_MAX][STSPOLICY_NAME_MAX + 1]; /* in lower case */
    size_t mx_count;
};

/* Reads a TXT record (RFC 8461 3.1). False: it is another kind of record, or broken. */
bool stspolicy_parse_record(struct slice text, char id[STSPOLICY_ID_MAX + 1]);

/* Reads a policy (RFC 8461 3.2). False: `reason` says what is wrong. */
bool stspolicy_parse(struct slice text, struct stspolicy *policy, const char **reason);
/* The policy in our own form, that stspolicy_parse reads again: four kinds of lines, each ended by
 * LF. */
bool stspolicy_put(const struct stspolicy *policy, struct str *text);

/* May mail go to this host (RFC 8461 4.1)? */
bool stspolicy_allows(const struct stspolicy *policy, const char *host);

#endif
