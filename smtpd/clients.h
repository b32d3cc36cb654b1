/*
 * clients - answers about clients: remembered, in the making, and who waits for them
 *
 * A client is asked about once, however many wait. An answer is kept as long as the DNS says, within
 * bounds. Whoever waits is answered by CLIENTS_PATIENCE_MS at the latest, with what is known by then.
 */
#ifndef SMTPD_CLIENTS_H
#define SMTPD_CLIENTS_H

#include "clientcheck.h"
#include "recent.h"
#include "service.h"

enum {
    CLIENTS_REMEMBERED_MAX = 20000,
    CLIENTS_BYTES_MAX = 32 * 1024 * 1024, /* of remembered answers */
    CLIENTS_CHECKS_MAX = 500,             /* in the making; more clients are let in unknown */
    CLIENTS_PATIENCE_MS = LOOKUP_CLIENT_MS - 500,
    CLIENTS_TTL_LEAST_S = 30,
    CLIENTS_TTL_MOST_S = 3600,
};

struct clients_check;

struct clients {
    struct loop *loop;
    struct clientcheck_context context;
    struct recent answers;
    size_t bytes;
    struct clients_check *checks;
    size_t check_count;
    bool is_full; /* said so */
};

/* `context` is to be filled by the caller (ask, owner, wants_names). False without memory. */
bool clients_init(struct clients *clients, struct loop *loop,
                  const unsigned char seed[RECENT_SEED_SIZE]);
/* Nobody waits any more, and no question is in flight: the resolver was closed. */
void clients_free(struct clients *clients);

/* The list in clients->context was replaced: old answers don't hold. */
void clients_change_list(struct clients *clients);
/* Old answers don't hold for another reason. */
void clients_forget(struct clients *clients);

/* Answers `peer` now or later, and closes it then. */
void clients_ask(struct clients *clients, const struct ip *client, struct service_peer *peer);
/* The peer goes away: for service_gone. */
void clients_gone(struct service_peer *peer);

#endif
