/*
 * remote_delivery - from a request to outcomes: where to, in which order, over which connection
 *
 * Holds the connection to the last destination for the next message to it.
 */
#ifndef DELIVER_REMOTE_DELIVERY_H
#define DELIVER_REMOTE_DELIVERY_H

#include "mx.h"
#include "remote_request.h"
#include "tlsdemand.h"

enum {
    REMOTE_DELIVERY_ATTEMPTS_MAX = 8, /* addresses tried for one message */
    REMOTE_DELIVERY_CONNECT_MS = 30000,
    REMOTE_DELIVERY_KEEP_MS = 5000, /* an idle connection, for the next message */
    /* For all of one message; queued gives up a little after the most (REMOTE_JOB_MS), and a
     * delivery that went on behind its back would be a second one. */
    REMOTE_DELIVERY_LEAST_MS = 1800000,
    REMOTE_DELIVERY_BYTES_PER_MS = 16,
    REMOTE_DELIVERY_MOST_MS = 6900000,
};

struct remote_delivery {
    char me[MX_NAME_MAX + 1];
    char helo[MX_NAME_MAX + 1];
    struct mx_resolver resolver;
    struct tlsdemand demand; /* which TLS, for the destination and host at hand */
    struct smtp_client client;
    char destination[REMOTE_REQUEST_HOST_MAX + 8]; /* of the open connection */
};

/* How long a message of this size may take, over all servers. */
int64_t remote_delivery_limit_ms(uint64_t size);
/* Decides all outcomes. */
void remote_delivery_run(struct remote_delivery *delivery, const struct remote_request *request,
                         struct smtp_client_outcome outcomes[]);
/* Says goodbye where a connection is open. */
void remote_delivery_end_connection(struct remote_delivery *delivery);

#endif
