/*
 * host - the host's control files: settings, routes, access rules, listening addresses
 */
#ifndef ADMIN_HOST_H
#define ADMIN_HOST_H

#include "report.h"
#include "sources.h"

#include <sys/types.h>

/* One line of control/smtproutes, as qmail has it: DOMAIN:HOST:PORT. Appends what stands in
 * cdb/routes.cdb: the domain in A-labels (".sub" with its dot, "" for all), and HOST:PORT; an empty
 * host: by MX. False: `reason` says what is wrong and right. */
bool host_parse_route(struct slice line, struct str *key, struct str *value, struct str *reason);

/* One line of control/listen. *endpoint is its address and port. */
bool host_parse_listen(struct slice line, struct slice *service, struct slice *endpoint,
                       bool *proxy, struct str *reason);

/* Databases made, not yet put in place. */
struct host_files;
/* Reads and checks everything but domains and plans. What is wrong is reported. NULL when memory is
 * out. */
struct host_files *host_load(const struct sources *sources, struct report *report);
/* Puts host.cdb, routes.cdb, access.cdb into `folder`. */
bool host_write(struct host_files *files, int folder, gid_t group, struct report *report);
void host_free(struct host_files *files);

#endif
