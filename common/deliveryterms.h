/*
 * deliveryterms - what local has to know about the account that it delivers to
 *
 * queued forms it of the compiled settings, as the last field of local/4 (ARCHITECTURE.md):
 * netstrings key, value, key, value ... What is at its default is not sent, so an account without
 * wishes costs nothing; a key that is unknown, stands twice or has a value that makes no sense spoils
 * the field.
 */
#ifndef COMMON_DELIVERYTERMS_H
#define COMMON_DELIVERYTERMS_H

#include "percents.h"

#include <stdint.h>

/* What mail of ours to the mailbox's owner is written in. */
enum deliveryterms_language {
    DELIVERYTERMS_BOTH,
    DELIVERYTERMS_JAPANESE,
    DELIVERYTERMS_ENGLISH,
};

struct delivery_terms {
    bool receives;            /* mail is kept in the mailbox; else it only goes on */
    bool refuses_for_good;    /* who writes to a full mailbox hears 5xx at once */
    uint64_t quota;           /* bytes of all mail; 0: without limit */
    uint64_t domain_quota;    /* the same of the whole domain */
    struct percents warnings; /* of the quota, at which the owner is told */
    enum deliveryterms_language language;
    struct slice reply;       /* what mail is answered with, as it is sent; empty: nothing */
    struct slice reply_seven; /* the same in seven bits; empty: it can't be */
    struct slice
        reply_to; /* who is answered, where that is not the sender as he stands there: he was
                               * rewritten by us (srs.h) */
    uint64_t reply_interval; /* seconds within which a sender is answered once */
};

/* Everything at its default: mail is kept, nothing is answered, and there are no limits. */
void deliveryterms_init(struct delivery_terms *terms);
/* "both", "ja", "en". */
bool deliveryterms_parse_language(struct slice word, enum deliveryterms_language *language);

/* Appends the field's content. A failed append shows in the str's `failed`. */
void deliveryterms_put(struct str *field, const struct delivery_terms *terms);
/* Slices point into the field. False: not such a field. */
bool deliveryterms_read(struct slice field, struct delivery_terms *terms);

#endif
