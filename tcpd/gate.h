/*
 * gate - may this client come in: the rules of control/access and the limits on connections
 */
#ifndef TCPD_GATE_H
#define TCPD_GATE_H

#include "access.h"
#include "ip.h"
#include "seats.h"
#include "tcpservice.h"

#include <stdint.h>

enum { GATE_CONNECTIONS_MAX = 1000, GATE_CONNECTIONS_PER_CLIENT = 50 }; /* the defaults */

struct gate_limits {
    uint64_t connections_max;
    uint64_t connections_per_client;
};

struct gate {
    const struct tcpservice *service;
    struct access rules; /* cdb/access.cdb; without it everybody may come in */
    struct seats seats;
    struct gate_limits limits;
};

struct gate_answer {
    bool pass;
    enum tcpservice_refusal refusal; /* unless pass */
    struct slice variables;          /* of the rule, if pass; valid till the next question */
};

/* Looks whether the file of rules was replaced. False when it is there and can't be read. */
bool gate_refresh(struct gate *gate);
/* Is there room for one more connection at all? */
bool gate_has_room(const struct gate *gate);
/* `own`: the seat that the connection has already, or NULL. */
struct gate_answer gate_ask(struct gate *gate, const struct ip *client, const struct seat *own);
/* May it speak for others, by the PROXY protocol? */
bool gate_is_proxy(struct gate *gate, const struct ip *peer);
/* And by SMTP's XCLIENT? */
bool gate_speaks_for_others(struct gate *gate, const struct ip *client);

#endif
