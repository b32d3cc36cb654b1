/*
 * sendmail_smtp - sendmail -bs: SMTP with the program that started us (RFC 5321)
 *
 * For mail programs that speak SMTP with a child of theirs. There is nobody to log in or to encrypt for;
 * who sends is known from the kernel, and limits are those of messages without -bs. Lines may end in LF
 * alone here: what comes on standard input has passed no other server that might see it otherwise.
 */
#ifndef QUEUE_SENDMAIL_SMTP_H
#define QUEUE_SENDMAIL_SMTP_H

#include "sendmail_options.h"

/* Serves till QUIT or the end of the input; any number of messages. The exit code of sysexits.h. */
int sendmail_smtp(const struct sendmail_options *options, int input, int output, const char *root);

#endif
