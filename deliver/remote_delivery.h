/*
 * remote_delivery - from a request to outcomes: where to, in which order, over which connection
 *
 * Holds the connection to the last destination for the next message to it.
 */
#ifndef DELIVER_REMOTE_DELIVERY_H
#define DELIVER_REMOTE_DELIVERY_H

#include "bindroute.h"
#include "mx.h"
#include "remote_request.h"
#include "tlsdemand.h"

enum {
    REMOTE_DELIVERY_ATTEMPTS_MAX = 8, /* addresses tried for one message */
    REMOTE_DELIVERY_CONNECT_MS = 30000,
    REMOTE_DELIVERY_KEEP_MS = 5000,  /* an idle connection, for the next message */
    REMOTE_DELIVERY_REUSE_MAX = 100, /* messages over one connection */
    /* For all of one message; queued gives up a little after the most (REMOTE_JOB_MS), and a
     * delivery that went on behind its back would be a second one. */
    REMOTE_DELIVERY_LEAST_MS = 1800000,
    REMOTE_DELIVERY_BYTES_PER_MS = 16,
    REMOTE_DELIVERY_MOST_MS = 6900000,
};

enum remote_delivery_families { REMOTE_BOTH_FAMILIES, REMOTE_IPV4_ONLY, REMOTE_IPV6_ONLY };

struct remote_delivery {
    char me[MX_NAME_MAX + 1];
    char helo[MX_NAME_MAX + 1];
    struct mx_resolver resolver;
    struct tlsdemand demand; /* which TLS, for the destination and host at hand */
    enum remote_delivery_families families;
    bool takes_private_mx; /* addresses that no public server has */
    struct cdbfile bindroutes, logins;
    struct smtp_client client;
    struct bindroute source;                       /* of the open connection */
    char destination[REMOTE_REQUEST_HOST_MAX + 8]; /* of the open connection */
};

/* But for the settings, which the caller fills in. */
void remote_delivery_init(struct remote_delivery *delivery);
void remote_delivery_free(struct remote_delivery *delivery);

/* May the DNS name this address for a server that all can reach? */
bool remote_delivery_is_public(const struct ip *ip);
/* Drops what may not be tried, and lets the families take turns: one that does not work costs one
 * attempt before the other is tried (in the spirit of RFC 8305). */
void remote_delivery_sort(struct mx_addresses *addresses, enum remote_delivery_families families,
                          bool only_public);

/* How long a message of this size may take, over all servers. */
int64_t remote_delivery_limit_ms(uint64_t size);
/* Decides all outcomes. */
void remote_delivery_run(struct remote_delivery *delivery, const struct remote_request *request,
                         struct smtp_client_outcome outcomes[]);
/* Says goodbye where a connection is open. */
void remote_delivery_end_connection(struct remote_delivery *delivery);

#endif
