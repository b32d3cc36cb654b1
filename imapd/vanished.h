/*
 * vanished - what was expunged while the client was away (RFC 7162 3.2.5, 3.2.6, 3.2.10)
 */
#ifndef IMAPD_VANISHED_H
#define IMAPD_VANISHED_H

#include "imapsession.h"

/* What the client knows of the mailbox, as it says. */
struct vanished_known {
    uint64_t modseq;      /* all that was expunged up to here */
    struct sequence uids; /* resolved; those that it has; of no meaning unless has_uids */
    bool has_uids;
    uint32_t certain; /* UIDs up to this one it has exactly as they are here; 0: none */
};

/* "* VANISHED (EARLIER) 41,43:116": none when nothing was. UIDs may be among them that never were,
 * where the history doesn't reach back. ANSWER_DONE, or ANSWER_TROUBLE without memory. */
enum answer vanished_tell_earlier(struct imapsession *session, const struct vanished_known *known);

#endif
