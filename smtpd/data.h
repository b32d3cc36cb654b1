/*
 * data - DATA and BDAT: the message that follows them, up to its dot or by its size (RFC 5321
 * 4.1.1.4, RFC 3030)
 *
 * No byte of a chunk is ever taken for a command: what follows BDAT is counted and read, also where
 * it is out of place, too much, or part of a message that was refused long ago.
 */
#ifndef SMTPD_DATA_H
#define SMTPD_DATA_H

#include "session.h"

void data_receive(struct session *session, struct slice argument);
/* In any state of the session. */
void data_receive_chunk(struct session *session, struct slice argument);

#endif
