/*
 * identity - what the server says about itself (RFC 2971)
 */
#ifndef IMAPD_IDENTITY_H
#define IMAPD_IDENTITY_H

#define IDENTITY_ANSWER "(\"name\" \"mail-suite\")"

#endif
