/*
 * lookup - asking lookupd about a client of smtpd (client side)
 *
 * Protocol over SOCK_SEQPACKET run/lookupd/socket, asked by smtpd; the first field is "lookup/1":
 *
 *   "client", address
 *       -> "ok", name, then per blocklist that has the address: zone, "reject"|"tag", text
 *       `name` is the reverse name, confirmed by its own addresses; "" when there is none that is.
 *       The answer takes as long as the DNS, LOOKUP_CLIENT_MS at most, and lookupd closes the
 *       connection behind it: who asked may read it when it needs it, and keeps no place meanwhile.
 *   "rate", "connection"|"message"|"recipient", address
 *       -> "ok" | "no", seconds        one more of these; "no": it is beyond the host's limit
 *   "greylist", address, sender, recipient
 *       -> "ok" | "no", seconds        "no": refuse it for so long
 *
 * Texts come from strangers' zones: lookupd has cut them and made them printable.
 */
#ifndef COMMON_LOOKUP_H
#define COMMON_LOOKUP_H

#include "wire.h"

#define LOOKUP_SOCKET "run/lookupd/socket"

enum {
    LOOKUP_CLIENT_MS = 5000,   /* lookupd answers by then with what it knows */
    LOOKUP_TIMEOUT_MS = 1000,  /* for the questions that need no DNS */
    LOOKUP_NAME_MAX = 253,     /* RFC 1035 2.3.4, as text */
    LOOKUP_TEXT_MAX = 200,     /* of a listing */
    LOOKUP_LISTINGS_MAX = 16,  /* blocklists that may have one address */
    LOOKUP_ADDRESS_MAX = 1024, /* sender and recipient */
};

enum lookup_action { LOOKUP_REJECT, LOOKUP_TAG };

struct lookup_listing {
    char zone[LOOKUP_NAME_MAX + 1];
    enum lookup_action action;
    char text[LOOKUP_TEXT_MAX + 1];
};

struct lookup_client {
    char name[LOOKUP_NAME_MAX + 1];
    size_t listing_count;
    struct lookup_listing listings[LOOKUP_LISTINGS_MAX];
};

const char *lookup_action_name(enum lookup_action action);

/* The question about a client: sends it; -1 with errno. The descriptor is the caller's, who hands
 * it to lookup_client_read some time. */
int lookup_client_ask(const char *address);
/* The answer, waited for till the deadline. False: there is none, or it is none; `client` is empty
 * then. */
bool lookup_client_read(int fd, int64_t deadline, struct lookup_client *client);
/* The same of a message, and the message of the same; for lookupd and tests. */
bool lookup_client_decode(const struct wire_message *message, struct lookup_client *client);
void lookup_client_encode(const struct lookup_client *client, struct str *packet);

enum lookup_verdict { LOOKUP_YES, LOOKUP_NO, LOOKUP_TROUBLE };

/* On *fd, which is connected when -1 and kept. With LOOKUP_NO, *seconds says for how long. */
enum lookup_verdict lookup_rate(int *fd, const char *what, const char *address, uint64_t *seconds);
enum lookup_verdict lookup_greylist(int *fd, const char *address, struct slice sender,
                                    struct slice recipient, uint64_t *seconds);

#endif
