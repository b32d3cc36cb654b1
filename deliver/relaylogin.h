/*
 * relaylogin - whom we are at a server that relays for us (control/relayauth)
 */
#ifndef DELIVER_RELAYLOGIN_H
#define DELIVER_RELAYLOGIN_H

#include "cdbfile.h"

#include <stdint.h>

#define RELAYLOGIN_FILE "cdb/relay/relayauth.cdb"

enum relaylogin_result { RELAYLOGIN_NONE, RELAYLOGIN_FOUND, RELAYLOGIN_TROUBLE };

/* For the host of a route, by its name there. The slices are valid till the next call. */
enum relaylogin_result relaylogin_find(struct cdbfile *table, const char *host, uint16_t port,
                                       struct slice *user, struct slice *password);

#endif
