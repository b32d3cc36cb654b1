/*
 * srs - senders of forwarded mail, rewritten so that SPF holds at the next server
 *
 * Mail from a@x.example that is forwarded by us would fail x.example's SPF. So it leaves as
 *
 *     SRS0=HASH=DAY=x.example=a@DOMAIN           DOMAIN is the forwarding customer's
 *     SRS1=HASH=y.example==REST@DOMAIN           when a was rewritten by y.example before
 *
 * and what comes back to that address goes to a@x.example, or to y.example, which knows the rest.
 * HASH is a keyed one over all that follows and DOMAIN, so nobody else makes such addresses and we
 * relay for nobody; DAY ends their life. The form is that of the Sender Rewriting Scheme (Meng Weng
 * Wong, Shevek 2004) but for the hash, which only we read. Pure: the day is an argument.
 */
#ifndef COMMON_SRS_H
#define COMMON_SRS_H

#include "str.h"

#include <stdint.h>

enum {
    SRS_SECRET_MIN = 16, /* bytes */
    SRS_DAYS = 21,       /* an address is good for so long: bounces come within a week */
};

/* Does this sender need rewriting to pass through `domain`? The null sender and senders of the
 * domain itself do not. */
bool srs_is_needed(struct slice sender, struct slice domain);
/* Appends the rewritten sender. `day` is days since 1970. False when it would be longer than an
 * address may be, is no address, or memory is out. */
bool srs_forward(struct slice secret, int64_t day, struct slice sender, struct slice domain,
                 struct str *rewritten);

enum srs_result {
    SRS_NONE,    /* not an address of ours: look it up as any other */
    SRS_OK,      /* `original` is where mail for it goes */
    SRS_FORGED,  /* wrong hash */
    SRS_EXPIRED, /* right, but too old */
    SRS_TROUBLE, /* no memory */
};
/* `local` and `domain` of a recipient. */
enum srs_result srs_reverse(struct slice secret, int64_t day, struct slice local,
                            struct slice domain, struct str *original);

#endif
