/*
 * mtasts - asking mtastsd, and telling it how TLS went (client side)
 *
 * Protocol over SOCK_SEQPACKET run/mtastsd/socket:
 *   ask     "mtasts/1", "policy", domain, id of the TXT record (empty: there is none)
 *   answer  "policy", the policy (stspolicy_put)     it is in force
 *           "none", result (RFC 8460 4.3), reason    no policy; "success": the domain has none
 *   tell    "mtasts/1", "report", domain, policy type, result, sending address, MX, its address,
 *           reason, policy string...                 no answer
 *   ask     "mtasts/1", "flush"                      what was told, to the disk (root only)
 *   answer  "ok" | "no"
 */
#ifndef DELIVER_MTASTS_H
#define DELIVER_MTASTS_H

#include "stspolicy.h"
#include "tlsreport.h"

#define MTASTS_SOCKET TLSREPORT_SOCKET
enum {
    MTASTS_FETCH_MS = 60000, /* RFC 8461 3.3 */
    MTASTS_TIMEOUT_MS = MTASTS_FETCH_MS + 10000,
    MTASTS_REASON_MAX = 256,
};

enum mtasts_result {
    MTASTS_POLICY,
    MTASTS_NONE,  /* *result says whether that is as it should be */
    MTASTS_SILENT /* mtastsd does not answer */
};

/* Asks on *fd, connected when -1 and kept. `id` is "" without a record. */
enum mtasts_result mtasts_ask(int *fd, const char *domain, const char *id, struct stspolicy *policy,
                              enum tlsreport_result *result, char reason[MTASTS_REASON_MAX]);
/* Tells; what does not arrive is lost. */
void mtasts_report(int *fd, const struct tlsreport_line *line);

#endif
