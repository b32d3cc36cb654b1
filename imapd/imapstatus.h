/*
 * imapstatus - the figures of a mailbox (RFC 9051 6.3.11), for STATUS and for LIST (RFC 5819)
 */
#ifndef IMAPD_IMAPSTATUS_H
#define IMAPD_IMAPSTATUS_H

#include "imapsession.h"

/* "(MESSAGES UNSEEN)" as a set of items. False: BAD. */
bool imapstatus_parse_items(struct parse *parse, unsigned *items);
/* Has the account these items? Who asks for mod-sequences is told them from now on (RFC 7162 3.1).
 * False: BAD. */
bool imapstatus_may_tell(struct imapsession *session, unsigned items);
/* One untagged STATUS with items that it may tell. ANSWER_DONE, or why there is none. */
enum answer imapstatus_tell(struct imapsession *session, const struct imapfolder *folder,
                            unsigned items);
/* The same of a mailbox that is open, with items that this client may be told. */
void imapstatus_tell_mailbox(struct imapsession *session, const struct imapfolder *folder,
                             struct mailbox *mailbox, unsigned items);

#endif
