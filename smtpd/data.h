/*
 * data - the DATA command: a message streams from the client to queue-inject
 *
 * Never in memory as a whole. Whatever is wrong with it, the client's bytes are read to their end,
 * so that the reply comes where the client waits for it.
 */
#ifndef SMTPD_DATA_H
#define SMTPD_DATA_H

#include "session.h"

void data_receive(struct session *session, struct slice argument);

#endif
