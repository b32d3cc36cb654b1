/*
 * terms - what imapd and pop3d have to know about their account: one argument, from authd by spawnd
 *
 * Fields `key=value` with one blank between them, keys in lower case and digits, values printable ASCII
 * without a blank; nothing twice. authd writes them from the compiled settings, spawnd checks their
 * form alone, imapd and pop3d read them. A key that is missing means its default, so that a session
 * starts while an older authd runs; one that is not known is an error.
 */
#ifndef COMMON_TERMS_H
#define COMMON_TERMS_H

#include "str.h"

#include <stdint.h>

enum { TERMS_MAX = 1024, TERMS_FIELDS_MAX = 32 };

struct terms {
    uint64_t quota;            /* bytes of all mail; 0: without limit */
    uint64_t message_max;      /* bytes of one message; 0: the program's own limit */
    uint64_t capabilities_off; /* as the setting says (capability.h) */
    uint64_t login_delay;      /* seconds between two POP3 log-ins */
    uint64_t expire;           /* days that POP3 clients are told mail is kept; 0: for ever */
    /* what a POP3 client said before it logged in (RFC 6856) */
    bool utf8;
    bool japanese;
};

/* Appends the terms; nothing where all is default. */
void terms_append(struct str *out, const struct terms *terms);
/* Appends those of `terms` that a client chose, as pop3-login tells authd. */
void terms_append_chosen(struct str *out, const struct terms *terms);
/* Reads these: false when there are others, too. */
bool terms_parse_chosen(struct slice text, struct terms *terms);
/* Reads them. False when anything is not as above, or a value is none of its key's. */
bool terms_parse(struct slice text, struct terms *terms);
/* The form alone: what spawnd checks. The empty text is well formed. */
bool terms_is_well_formed(struct slice text);

#endif
