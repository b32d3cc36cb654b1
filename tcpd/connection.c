/* connection - see connection.h */
#include "connection.h"

#include "clock.h"
#include "exits.h"
#include "log.h"
#include "number.h"
#include "proxy.h"
#include "template.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* Who speaks, and to which address of ours. */
struct ends {
    struct ip client;
    struct ip server;
    uint16_t client_port;
    uint16_t server_port;
};

const char *connection_refusal_name(enum tcpservice_refusal refusal)
{
    static const char *const names[] = {
        [TCPSERVICE_FULL] = "connections-max",
        [TCPSERVICE_CLIENT] = "connections-per-client",
        [TCPSERVICE_DENIED] = "access rule",
        [TCPSERVICE_TROUBLE] = "passing trouble",
    };
    return names[refusal];
}

void connection_refuse(int fd, const struct tcpservice *service, enum tcpservice_refusal refusal)
{
    const char *text = service->refusals[refusal];
    /* As far as it goes: waiting for a refused client would be its attack. */
    if (text && send(fd, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
        shutdown(fd, SHUT_WR);
}

static _Noreturn void refuse(const struct connection *connection, const struct ip *client,
                             const char *reason, enum tcpservice_refusal refusal)
{
    struct log_line line;
    char peer[IP_TEXT_MAX];
    char text[IP_TEXT_MAX];
    ip_format(&connection->peer, peer);
    log_begin(&line, "refused");
    log_text(&line, "service", connection->gate->service->name);
    if (client) {
        ip_format(client, text);
        log_text(&line, "client", text);
    }
    log_text(&line, "peer", peer);
    log_text(&line, "reason", reason);
    log_end(&line);
    connection_refuse(connection->fd, connection->gate->service, refusal);
    exit(EXIT_DONE);
}

static bool is_unspecified(const struct ip *ip)
{
    static const unsigned char zeros[sizeof ip->bytes];
    return memcmp(ip->bytes, zeros, ip->size) == 0;
}

/* Which of our addresses it came to. False: the connection is gone. */
static bool find_server(const struct connection *connection, struct ends *ends)
{
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    ends->server = connection->line->ip;
    ends->server_port = connection->line->port;
    if (!is_unspecified(&ends->server))
        return true;
    memset(&address, 0, sizeof address);
    return getsockname(connection->fd, (struct sockaddr *)&address, &size) == 0 &&
           ip_from_socket(&address, &ends->server, &ends->server_port);
}

static bool put_variables(struct str *packet, const struct connection *connection,
                          const struct ends *ends)
{
    char client[IP_TEXT_MAX];
    char server[IP_TEXT_MAX];
    char client_port[NUMBER_TEXT_SIZE];
    char server_port[NUMBER_TEXT_SIZE];
    struct slice words = connection->variables;
    ip_format(&ends->client, client);
    ip_format(&ends->server, server);
    snprintf(client_port, sizeof client_port, "%u", ends->client_port);
    snprintf(server_port, sizeof server_port, "%u", ends->server_port);
    template_put_variable(packet, "CLIENT", client);
    template_put_variable(packet, "CLIENT_PORT", client_port);
    template_put_variable(packet, "SERVER", server);
    template_put_variable(packet, "SERVER_PORT", server_port);
    if (gate_speaks_for_others(connection->gate, &ends->client))
        template_put_variable(packet, "XCLIENT", "1");
    for (struct slice word = slice_cut_word(&words); word.size > 0; word = slice_cut_word(&words))
        wire_put(packet, word);
    return !packet->failed;
}

static bool make_packet(struct connection *connection, const struct ends *ends, struct str *packet)
{
    template_put_connection(packet, (uint64_t)(connection->seat - connection->gate->seats.all));
    return put_variables(packet, connection, ends);
}

bool connection_give(struct connection *connection)
{
    char bytes[CONNECTION_PACKET_MAX];
    struct str packet = str_on(bytes, sizeof bytes);
    struct ends ends = {.client = connection->peer, .client_port = connection->peer_port};
    if (!find_server(connection, &ends) || !make_packet(connection, &ends, &packet))
        return false;
    templates_give(connection->templates, connection->seat, str_slice(&packet), &connection->fd);
    return true;
}

/* The client behind the proxy passes the same gate as one that came by itself. */
static void admit_behind_proxy(struct connection *connection, const struct ip *client)
{
    seats_name(connection->seat, client);
    struct gate_answer answer = gate_ask(connection->gate, client, connection->seat);
    if (!answer.pass)
        refuse(connection, client, connection_refusal_name(answer.refusal), answer.refusal);
    connection->variables = answer.variables;
}

static const char *proxy_fault(void)
{
    if (errno == EPROTO)
        return "no PROXY header (is the proxy set to send one?)";
    return errno == ETIMEDOUT ? "no PROXY header in time" : strerror(errno);
}

static void look_behind_proxy(struct connection *connection, struct ends *ends)
{
    struct proxy_header header;
    if (!gate_is_proxy(connection->gate, &connection->peer))
        refuse(connection, NULL, "a proxy's port, and the peer is not in control/proxies",
               TCPSERVICE_DENIED);
    if (!proxy_receive(connection->fd, clock_deadline(CONNECTION_PROXY_MS), &header))
        refuse(connection, NULL, proxy_fault(), TCPSERVICE_TROUBLE);
    if (header.has_addresses)
        *ends = (struct ends){header.client, header.server, header.client_port, header.server_port};
    admit_behind_proxy(connection, &ends->client);
}

_Noreturn void connection_behind_proxy(struct connection *connection)
{
    char bytes[CONNECTION_PACKET_MAX];
    struct str packet = str_on(bytes, sizeof bytes);
    struct ends ends = {.client = connection->peer, .client_port = connection->peer_port};
    if (!find_server(connection, &ends))
        exit(EXIT_DONE); /* reset meanwhile */
    look_behind_proxy(connection, &ends);
    if (!make_packet(connection, &ends, &packet) ||
        !templates_give_from_child(connection->templates, str_slice(&packet), connection->fd))
        refuse(connection, NULL, "no template", TCPSERVICE_TROUBLE);
    exit(CONNECTION_GAVE_ON);
}
