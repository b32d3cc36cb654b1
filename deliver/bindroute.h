/*
 * bindroute - the address of ours that a domain's mail is sent from (control/bindroutes)
 */
#ifndef DELIVER_BINDROUTE_H
#define DELIVER_BINDROUTE_H

#include "cdbfile.h"
#include "ip.h"

#define BINDROUTE_FILE "cdb/bindroutes.cdb"

enum { BINDROUTE_NAME_MAX = 255 };

struct bindroute {
    bool is_bound;    /* else any address will do, and the other fields are empty */
    struct ip v4, v6; /* size 0: that family is not used */
    char helo[BINDROUTE_NAME_MAX + 1]; /* "": as for all */
};

enum bindroute_result { BINDROUTE_OK, BINDROUTE_TROUBLE };

/* For mail from `sender` ("": the null sender): its domain decides, else the longest ".parent", else
 * the line for all. Without a line, *route is not bound. */
enum bindroute_result bindroute_find(struct cdbfile *table, struct slice sender,
                                     struct bindroute *route);
/* "192.0.2.1 2001:db8::1 mail.example.jp", with "-" for what is missing. */
bool bindroute_parse(struct slice value, struct bindroute *route);
bool bindroute_equal(const struct bindroute *a, const struct bindroute *b);

/* What to bind to on the way to `to`; NULL: nothing. False: `to` can't be reached from there. */
bool bindroute_source(const struct bindroute *route, const struct ip *to, const struct ip **source);

#endif
