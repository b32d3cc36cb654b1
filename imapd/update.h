/*
 * update - news of the selected mailbox: EXISTS, RECENT, EXPUNGE, FETCH (RFC 3501 5.2, 7.4.1)
 */
#ifndef IMAPD_UPDATE_H
#define IMAPD_UPDATE_H

#include "imapsession.h"

enum {
    UPDATE_EXPUNGES = 1 << 0, /* else they are held back, because message numbers must not move: the
                               * messages stay in their places till the next call that may tell */
    UPDATE_OWN = 1 << 1, /* all, whatever NOTIFY says: the client has removed messages itself */
};

/* Looks for what others did and tells the client what it wants to hear (notify.h). */
void update_tell(struct imapsession *session, unsigned tells);
/* The first report, of SELECT: EXISTS and RECENT. */
void update_tell_counts(struct imapsession *session);
/* FLAGS and PERMANENTFLAGS. */
void update_tell_flags(struct imapsession *session);
/* "* N FETCH (UID U FLAGS (...) MODSEQ (M))": flags where wanted, MODSEQ where the client knows it. */
void update_tell_message(struct imapsession *session, size_t index, bool flags);

#endif
