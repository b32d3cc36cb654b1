/*
 * mx - which hosts take the mail of a domain, and where they are (RFC 5321 5.1, 7505, 1035)
 *
 * Asks by res_nquery, so that all that the DNS says reaches us: "there is no such domain" and "no
 * answer" are not the same, and only the first bounces mail. Answers are strangers' bytes: they are
 * parsed by pure functions.
 *
 * An answer is secure when the resolver has validated it by DNSSEC and says so (the AD bit, RFC
 * 4035 3.2.3). That is believed of resolvers on loopback only: elsewhere anybody on the way could
 * set the bit.
 */
#ifndef DELIVER_MX_H
#define DELIVER_MX_H

#include "ip.h"
#include "str.h"

#include <netinet/in.h>
#include <resolv.h>

enum {
    MX_HOSTS_MAX = 20,
    MX_ADDRESSES_MAX = 16,
    MX_NAME_MAX = 255,
    MX_ALIASES_MAX = 8, /* CNAMEs in a row */
    MX_ANSWER_MAX = 65536,
};

enum mx_result {
    MX_FOUND,
    MX_NONE,      /* the domain is there, but has no such record */
    MX_NO_DOMAIN, /* NXDOMAIN: permanent */
    MX_REFUSES,   /* null MX: takes no mail, permanent */
    MX_TROUBLE,   /* no answer, or none that makes sense: passing */
};

struct mx_host {
    unsigned preference;
    char name[MX_NAME_MAX + 1]; /* lower case, no dot at its end */
};

struct mx_list {
    struct mx_host hosts[MX_HOSTS_MAX]; /* the best that there are, if there are more */
    size_t count;
    bool is_secure;
};

struct mx_addresses {
    struct ip list[MX_ADDRESSES_MAX];
    size_t count;
    bool is_secure;
    char name[MX_NAME_MAX + 1]; /* that has them, behind all CNAMEs */
};

struct mx_resolver {
    struct __res_state state;
    struct sockaddr_in6 server6; /* the state wants memory of its own for such */
    unsigned char *answer;
    bool is_trusted; /* to validate, and asked to */
};

/* `server` is ADDRESS or ADDRESS:PORT; empty: as /etc/resolv.conf says. False: no such thing, or
 * out of memory. */
bool mx_open(struct mx_resolver *resolver, struct slice server);
void mx_close(struct mx_resolver *resolver);
/* From now on the resolver is asked to validate. False: it is not on this machine, so that its word
 * counts for nothing. */
bool mx_trust(struct mx_resolver *resolver);

/* The hosts for `domain`, best first, in random order where equal. A domain without MX has itself.
 */
enum mx_result mx_find_hosts(struct mx_resolver *resolver, const char *domain,
                             struct mx_list *list);
/* The addresses of a host: IPv4 first, since that is where most servers look at a reputation. */
enum mx_result mx_find_addresses(struct mx_resolver *resolver, const char *host,
                                 struct mx_addresses *addresses);

/* Any records (ns_t_txt, ns_t_tlsa, ...) of a name. MX_FOUND: `answer` is a whole answer in the
 * resolver's memory, valid till the next question. */
enum mx_result mx_ask(struct mx_resolver *resolver, const char *name, int type,
                      struct slice *answer, bool *is_secure);

/* ---- the parts without I/O --------------------------------------------------------------------*/

/* Reads the MX records of an answer; `alias` gets the last CNAME's target, or stays empty. */
enum mx_result mx_parse_hosts(const unsigned char *answer, size_t size, struct mx_list *list,
                              char alias[MX_NAME_MAX + 1]);
/* The A (AAAA) records; adds to `addresses`. */
enum mx_result mx_parse_addresses(const unsigned char *answer, size_t size,
                                  struct mx_addresses *addresses, char alias[MX_NAME_MAX + 1]);
/* Calls `take` with the data of each record of the type, after the names in the answer's own form;
 * false when the answer is broken. */
typedef void mx_take_data(struct slice data, void *owner);
bool mx_parse_data(struct slice answer, int type, mx_take_data *take, void *owner);
/* Sorts by preference, in an order that `seed` decides where equal. */
void mx_sort(struct mx_list *list, unsigned seed);
/* Takes the host `me` and all that are no better out (RFC 5321 5.1). False when none is left: mail
 * would come back to us for ever. */
bool mx_remove_self(struct mx_list *list, const char *me);

#endif
