/*
 * hostfiles - the host's control files: settings, routes, access rules, listening addresses
 */
#ifndef ADMIN_HOSTFILES_H
#define ADMIN_HOSTFILES_H

#include "findings.h"
#include "replacement.h"
#include "sources.h"

#include <sys/types.h>

/* One line of control/smtproutes, as qmail has it: DOMAIN:HOST:PORT. Appends what stands in
 * cdb/routes.cdb: the domain in A-labels (".sub" with its dot, "" for all), and HOST:PORT; an empty
 * host: by MX. False: `reason` says what is wrong and right. */
bool hostfiles_parse_route(struct slice line, struct str *key, struct str *value,
                           struct str *reason);

/* The parts of such lines: a domain as key; HOST[:PORT] as value, with port 25 where none is. */
bool hostfiles_put_domain(struct slice domain, struct str *key, struct str *reason);
bool hostfiles_put_endpoint(struct slice text, struct str *value, struct str *reason);

/* One line of control/listen. *endpoint is its address and port. */
bool hostfiles_parse_listen(struct slice line, struct slice *service, struct slice *endpoint,
                            bool *proxy, struct str *reason);

/* Databases made, not yet put in place. */
struct hostfiles;
/* Reads and checks everything but domains and plans. What is wrong is reported. NULL when memory is
 * out. */
struct hostfiles *hostfiles_load(const struct sources *sources, struct findings *findings);
/* Where the databases go, and which group may read them: what remote alone may read has a folder of
 * its own. */
struct hostfiles_place {
    int folder, relay;
    gid_t group, relay_group;
};
/* Puts to `replacements`: host.cdb, routes.cdb, bindroutes.cdb, access.cdb, tlspolicy.cdb, rbl.cdb into `folder`, and
 * relayauth.cdb into `relay`. */
bool hostfiles_write(struct hostfiles *files, const struct hostfiles_place *place,
                     struct replacements *replacements, struct findings *findings);
void hostfiles_free(struct hostfiles *files);

#endif
