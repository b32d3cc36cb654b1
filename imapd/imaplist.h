/*
 * imaplist - what has the form of LIST's answers, for other commands
 */
#ifndef IMAPD_IMAPLIST_H
#define IMAPD_IMAPLIST_H

#include "imapsession.h"

/* "* LIST () "/" NAME" of a folder that the client called `given`; with ("OLDNAME" (GIVEN)) where it
 * has another name than that (RFC 9051 6.3.9.7). */
void imaplist_tell_name(struct imapsession *session, const struct imapfolder *folder,
                        struct slice given);
/* The same with a name as our lists have it, in modified UTF-7. */
void imaplist_tell_renamed(struct imapsession *session, const struct imapfolder *folder,
                           struct slice old_name);
/* "* LIST (ATTRIBUTE) "/" NAME" of a name that need not be there; the attribute may be "". */
void imaplist_tell_attribute(struct imapsession *session, struct slice name, const char *attribute);

#endif
