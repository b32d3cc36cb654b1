/*
 * route - where mail for a domain that is not ours goes (control/smtproutes)
 *
 * cdb/routes.cdb: the exact domain, then its parents with a dot in front, then the empty key; the
 * first that is there decides. Its value is HOST:PORT, or empty: look up the MX.
 */
#ifndef QUEUE_ROUTE_H
#define QUEUE_ROUTE_H

#include "cdbfile.h"
#include "str.h"

enum { ROUTE_HOST_MAX = 260, ROUTE_PORT_MAX = 5, ROUTE_KEY_MAX = 256 };

struct route {
    char host[ROUTE_HOST_MAX + 1]; /* empty: by MX */
    char port[ROUTE_PORT_MAX + 1];
};

enum route_result { ROUTE_FOUND, ROUTE_TROUBLE };

/* A table to look in; `value` stays valid till the next call. */
typedef enum cdbfile_result route_table(void *table, struct slice key, struct slice *value);

/* `domain` in lower case. */
enum route_result route_find(route_table *look_up, void *table, struct slice domain,
                             struct route *route);
/* "HOST:PORT", "HOST" (port 25), "[ADDRESS]:PORT" or nothing. False for anything else. */
bool route_parse(struct slice value, struct route *route);

#endif
