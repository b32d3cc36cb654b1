/*
 * remote_request - what queued asks of remote, and the answer (ARCHITECTURE.md, "remote/2")
 *
 * Pure.
 */
#ifndef DELIVER_REMOTE_REQUEST_H
#define DELIVER_REMOTE_REQUEST_H

#include "smtp_client.h"
#include "wire.h"

enum {
    REMOTE_REQUEST_RECIPIENTS_MAX = WIRE_MAX_FIELDS / 5, /* five fields each in the answer */
    REMOTE_REQUEST_HOST_MAX = 257,                       /* a name, or an address in [] */
    REMOTE_REQUEST_ID_MAX = 40,
};

struct remote_request {
    char id[REMOTE_REQUEST_ID_MAX + 1];
    struct smtp_client_mail mail; /* recipients point into `recipients`, texts into the message */
    struct smtp_client_recipient recipients[REMOTE_REQUEST_RECIPIENTS_MAX];
    char host[REMOTE_REQUEST_HOST_MAX + 1]; /* "": by MX of `domain` */
    char domain[REMOTE_REQUEST_HOST_MAX + 1];
    uint16_t port;
};

/* Reads a request; slices point into `message`. The descriptor stays the message's. False: not
 * understood. */
bool remote_request_read(const struct wire_message *message, struct remote_request *request);
/* Writes the answer; texts are cut so that it fits into a packet. */
void remote_request_answer(const struct remote_request *request,
                           const struct smtp_client_outcome outcomes[], struct str *packet);

#endif
