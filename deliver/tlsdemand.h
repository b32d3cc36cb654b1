/*
 * tlsdemand - which TLS is demanded of a destination, and of each of its hosts
 *
 * control/tlspolicy and the setting tls-out say it first. Where they leave it open ("may",
 * "encrypt" of tls-out), the destination itself may ask for more: by TLSA records (DANE, RFC 7672),
 * else by an MTA-STS policy (RFC 8461; section 2 there: DANE goes first).
 */
#ifndef DELIVER_TLSDEMAND_H
#define DELIVER_TLSDEMAND_H

#include "dane.h"
#include "directory.h"
#include "mtasts.h"
#include "smtp_client.h"
#include "tlspolicy.h"

enum { TLSDEMAND_TEXT_MAX = 400, TLSDEMAND_POLICY_SIZE_MAX = 16384 };

struct tlsdemand {
    /* of the process */
    struct mx_resolver *resolver;
    struct cdbfile table;
    enum tlspolicy_level level; /* tls-out */
    bool heeds_dane, heeds_mta_sts;
    int mtastsd; /* -1: not connected */

    /* of the destination */
    char destination[MX_NAME_MAX + 1];
    bool by_mx;              /* its hosts come from the DNS, not from a route */
    bool is_secure;          /* they do so by secure answers */
    bool is_open;            /* the destination may ask for more */
    struct tlspolicy policy; /* in force, before it does */
    bool has_sts;
    struct stspolicy sts;
    enum tlsreport_result sts_result; /* why there is no policy though there should be one */
    char sts_reason[MTASTS_REASON_MAX];

    /* of the host */
    char host[MX_NAME_MAX + 1];
    struct dane dane;
    const char *policy_type; /* as reports have it; NULL: nothing to report */
    struct smtp_client_tls tls;
    char references[TLS_NAMES_MAX][MX_NAME_MAX + 2]; /* that tls.check.names point to */
    enum tlsreport_result finding; /* what is wrong with the host before it is asked */
    const char *finding_reason;

    /* why not, when a function below returned false */
    char status[SMTP_REPLY_STATUS_MAX];
    char text[TLSDEMAND_TEXT_MAX];
};

/* Reads the settings; the files of cdb/ are looked at anew for each destination. */
void tlsdemand_init(struct tlsdemand *demand, struct mx_resolver *resolver,
                    struct directory *directory);
void tlsdemand_free(struct tlsdemand *demand);

/* A destination begins: a domain whose hosts the DNS named (by_mx; `is_secure`: by a validated
 * answer), a host of a route, or "[ADDRESS]". False: nothing may be sent there now. */
bool tlsdemand_begin(struct tlsdemand *demand, const char *destination, bool by_mx, bool is_secure);
/* A password is to be said there: where the operator leaves it open, the certificate must be right.
 * False: the policy allows for plaintext, which can't be. */
bool tlsdemand_raise(struct tlsdemand *demand);
/* One of its hosts; `addresses` NULL: it is known by its address only. True: demand->tls says what
 * to demand. False: this host must not be used now. */
bool tlsdemand_host(struct tlsdemand *demand, const char *host, unsigned port,
                    const struct mx_addresses *addresses);
/* A connection to the host got as far as TLS, or failed over it: counts. `sending_ip` and `ip` as
 * text. */
void tlsdemand_report(struct tlsdemand *demand, enum tlsreport_result result, const char *reason,
                      const char *sending_ip, const char *ip);

#endif
