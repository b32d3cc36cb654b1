/*
 * imapquota - the account's limit, for what adds messages (RFC 9208 5.1)
 */
#ifndef IMAPD_IMAPQUOTA_H
#define IMAPD_IMAPQUOTA_H

#include "imapsession.h"

/* May `bytes` more come? True where there is no limit, and where nobody can tell. */
bool imapquota_has_room(struct imapsession *session, uint64_t bytes);

#endif
