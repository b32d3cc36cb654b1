/*
 * capability - what imap-login and imapd announce
 *
 * CONDSTORE, QRESYNC and others get their place here when the mailbox's index is built.
 */
#ifndef IMAPD_CAPABILITY_H
#define IMAPD_CAPABILITY_H

#define CAPABILITY_BEFORE_LOGIN "IMAP4rev1 LITERAL+ SASL-IR ID"
#define CAPABILITY_AFTER_LOGIN                                                                     \
    "IMAP4rev1 LITERAL+ SASL-IR ID IDLE NAMESPACE CHILDREN UNSELECT UIDPLUS MOVE SPECIAL-USE"

#define CAPABILITY_ID "(\"name\" \"mail-suite\")"

#endif
