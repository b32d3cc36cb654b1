/*
 * tlspolicy - which TLS is asked of which destination: control/tlspolicy in cdb/tlspolicy.cdb
 *
 * A line of control/tlspolicy is
 *     DESTINATION LEVEL [match=NAME:NAME...]
 * DESTINATION is a domain, ".parent" (all below it), "[ADDRESS]", or "*" for all others; the levels
 * and names are those of Postfix's smtp_tls_policy_maps. The longest fit wins.
 * Both the compiler of control files (cdb rebuild) and remote use this module.
 */
#ifndef COMMON_TLSPOLICY_H
#define COMMON_TLSPOLICY_H

#include "cdbfile.h"
#include "str.h"

#define TLSPOLICY_FILE "cdb/tlspolicy.cdb"

enum { TLSPOLICY_NAMES_MAX = 8, TLSPOLICY_NAMES_SIZE = 1024 };

enum tlspolicy_level {
    TLSPOLICY_NONE,      /* never TLS */
    TLSPOLICY_MAY,       /* TLS where it is offered and works, else plaintext */
    TLSPOLICY_ENCRYPT,   /* TLS, whoever the server is */
    TLSPOLICY_DANE,      /* with TLSA records as they say, else as "may" */
    TLSPOLICY_DANE_ONLY, /* with TLSA records as they say, else not at all */
    TLSPOLICY_VERIFY,    /* TLS with a certificate; names: by default the MX host's */
    TLSPOLICY_SECURE,    /* the same; by default the destination's own, or below it */
};

struct tlspolicy {
    enum tlspolicy_level level;
    char names[TLSPOLICY_NAMES_SIZE]; /* divided by ':'; "": the level's own */
};

bool tlspolicy_level_named(struct slice name, enum tlspolicy_level *level);

/* Turns a line into a record: appends to `key` and `value`. False: `reason` says what is wrong and
 * right. */
bool tlspolicy_parse_line(struct slice line, struct str *key, struct str *value,
                          struct str *reason);

enum tlspolicy_result { TLSPOLICY_FOUND, TLSPOLICY_MISSING, TLSPOLICY_TROUBLE };
/* What holds for a destination, in lower case and A-labels. */
enum tlspolicy_result tlspolicy_find(struct cdbfile *file, struct slice destination,
                                     struct tlspolicy *policy);

#endif
