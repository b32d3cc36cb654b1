/* gate - see gate.h */
#include "gate.h"

#include <errno.h>
#include <fcntl.h>

bool gate_refresh(struct gate *gate)
{
    /* A file that is gone counts as one that was never made, but only if it never was: rules that
     * were read once hold on. */
    return access_refresh(&gate->rules, AT_FDCWD, ACCESS_FILE) || errno == ENOENT;
}

bool gate_has_room(const struct gate *gate)
{
    return gate->seats.count < gate->limits.connections_max && gate->seats.count < SEATS_CEILING;
}

struct gate_answer gate_ask(struct gate *gate, const struct ip *client, const struct seat *own)
{
    struct gate_answer answer = {0};
    switch (access_find(&gate->rules, slice_text(gate->service->name), client, &answer.variables)) {
    case ACCESS_DENY:
        answer.refusal = TCPSERVICE_DENIED;
        return answer;
    case ACCESS_TROUBLE:
        answer.refusal = TCPSERVICE_TROUBLE;
        return answer;
    case ACCESS_NONE:
        if (tcpservice_is_closed(gate->service) && !ip_is_loopback(client)) {
            answer.refusal = TCPSERVICE_DENIED;
            return answer;
        }
        break;
    case ACCESS_ALLOW:
        break;
    }
    answer.pass = seats_of_client(&gate->seats, client, own) < gate->limits.connections_per_client;
    answer.refusal = TCPSERVICE_CLIENT;
    return answer;
}

bool gate_is_proxy(struct gate *gate, const struct ip *peer)
{
    struct slice variables;
    return access_find(&gate->rules, SLICE("proxy"), peer, &variables) == ACCESS_ALLOW;
}

bool gate_speaks_for_others(struct gate *gate, const struct ip *client)
{
    struct slice variables;
    return gate->service->role == ROLE_SMTPD &&
           access_find(&gate->rules, SLICE("xclient"), client, &variables) == ACCESS_ALLOW;
}
