/*
 * resync - the parameters of SELECT: "(CONDSTORE)", "(QRESYNC (67890007 90060115194045001 41:211))"
 * (RFC 7162 3.1.8, 3.2.5)
 */
#ifndef IMAPD_RESYNC_H
#define IMAPD_RESYNC_H

#include "vanished.h"

struct resync {
    bool is_condstore; /* CONDSTORE was there */
    bool is_wanted;    /* QRESYNC was there */
    uint32_t uidvalidity;
    struct vanished_known known;
    struct sequence numbers, uids; /* pairs that the client is certain of; equally long */
};

/* What stands behind the mailbox's name; nothing is right, too. False: BAD. */
bool resync_parse(struct imapsession *session, struct parse *parse, struct resync *resync);
/* What vanished and what changed, for a client that knows the mailbox. */
enum answer resync_tell(struct imapsession *session, struct resync *resync);

#endif
