/*
 * imapname - mailbox names between the wire and imapfolder
 *
 * To a client of IMAP4rev1 a name is modified UTF-7, to one that enabled UTF8=ACCEPT or IMAP4rev2
 * it is UTF-8 (RFC 6855 3, RFC 9051 5.1). On disk and in our lists it is modified UTF-7 always.
 * A folder that is made gets its name in normal form NFC, and one that is asked for by another
 * spelling of the same characters (macOS writes NFD) is found.
 */
#ifndef IMAPD_IMAPNAME_H
#define IMAPD_IMAPNAME_H

#include "imapsession.h"

/* Does this client write names in UTF-8? */
bool imapname_is_utf8(const struct imapsession *session);

/* The folder that a client names. ANSWER_DONE, or the answer that says what is wrong. */
enum answer imapname_take(const struct imapsession *session, struct slice name,
                          struct imapfolder *folder);
/* The same for one that shall be made: no wildcards, one '/' at the end is taken off, NFC.
 * *normalised: the folder has another name than the client wrote. */
enum answer imapname_take_new(const struct imapsession *session, struct slice name,
                              struct imapfolder *folder, bool *normalised);
/* A pattern of LIST in UTF-8, NFC. False: it is not written as names are. */
bool imapname_take_pattern(const struct imapsession *session, struct slice pattern,
                           struct str *utf8);
/* A name of ours as such a pattern is to be compared with: a folder of another server may have one in any
 * form. False: it is none. */
bool imapname_normal(struct slice name, struct str *utf8);

/* Appends a name of ours as this client reads it, quoted. */
bool imapname_append(const struct imapsession *session, struct str *out, struct slice name);

#endif
