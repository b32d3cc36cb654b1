/*
 * handover - a connection passes from the login program to the one that serves the mailbox
 *
 * imap-login and pop3-login have read what their client sent up to the login, and perhaps more: a
 * client may pipeline (RFC 2449 6.8). That goes into a pipe; authd is asked about the password and
 * gets client and pipe beside the question (auth.h). With a right password spawnd starts imapd or
 * pop3d with the client as descriptors 0 and 1 and the pipe's read end as HANDOVER_FD.
 */
#ifndef COMMON_HANDOVER_H
#define COMMON_HANDOVER_H

#include "auth.h"
#include "log.h"
#include "tls.h"

enum {
    HANDOVER_FD = 3,
    HANDOVER_READ_MS = 10000, /* authd and the login program let go of the pipe long before */
};

/* For the login program. `pending` must be less than what a pipe takes; request->input_fd is set
 * and closed here. False without a pipe: nothing was asked, and `answer` is as it was. */
bool handover_ask(struct auth_request *request, struct slice pending, struct auth_answer *answer);

/* Adds to the login program's line about a login what the answer was, for whom and to whom. */
void handover_describe(struct log_line *line, struct slice user, const char *mechanism,
                       const char *client, const struct tls_session *tls,
                       const struct auth_answer *answer);

/* For the program behind it: reads the pipe `fd` to its end and closes it. False with errno; EFBIG
 * when there is more than `pending` may hold. */
bool handover_read(int fd, struct str *pending);

#endif
