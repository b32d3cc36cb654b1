/*
 * sendmail_session - one message from a descriptor into the queue
 */
#ifndef QUEUE_SENDMAIL_SESSION_H
#define QUEUE_SENDMAIL_SESSION_H

#include "sendmail_options.h"

/* Reads the message from `input` to its end and puts it into the queue of the suite in `root`,
 * which becomes the current folder. Complains on standard error; returns an exit code of
 * sysexits.h. */
int sendmail_submit(const struct sendmail_options *options, int input, const char *root);

#endif
