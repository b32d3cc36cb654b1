/*
 * update - news of the selected mailbox: EXISTS, RECENT, EXPUNGE, FETCH (RFC 3501 5.2, 7.4.1)
 */
#ifndef IMAPD_UPDATE_H
#define IMAPD_UPDATE_H

#include "imapsession.h"

/* Looks for what others did and tells the client. Expunges are held back where message numbers
 * must not move: the messages stay in their places till the next call that may tell. */
void update_tell(struct imapsession *session, bool expunges);
/* The first report, of SELECT: EXISTS and RECENT. */
void update_tell_counts(struct imapsession *session);
/* FLAGS and PERMANENTFLAGS. */
void update_tell_flags(struct imapsession *session);
/* "* N FETCH (UID U FLAGS (...) MODSEQ (M))": flags where wanted, MODSEQ where the client knows it. */
void update_tell_message(struct imapsession *session, size_t index, bool flags);

#endif
