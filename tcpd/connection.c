/* connection - see connection.h */
#include "connection.h"

#include "clock.h"
#include "environment.h"
#include "exits.h"
#include "log.h"
#include "loop.h"
#include "proxy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

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

static bool own_address(int fd, struct ip *ip, uint16_t *port)
{
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    memset(&address, 0, sizeof address);
    return getsockname(fd, (struct sockaddr *)&address, &size) == 0 &&
           ip_from_socket(&address, ip, port);
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

static bool fill_environment(struct environment *environment, const struct connection *connection,
                             const struct ends *ends)
{
    char client[IP_TEXT_MAX];
    char server[IP_TEXT_MAX];
    const struct tcpservice *service = connection->gate->service;
    ip_format(&ends->client, client);
    ip_format(&ends->server, server);
    environment_init(environment);
    return environment_set(environment, "SERVICE", service->name) &&
           environment_set(environment, "TLS", service->tls) &&
           environment_set(environment, "CLIENT", client) &&
           environment_set_number(environment, "CLIENT_PORT", ends->client_port) &&
           environment_set(environment, "SERVER", server) &&
           environment_set_number(environment, "SERVER_PORT", ends->server_port) &&
           environment_put_words(environment, connection->variables);
}

static _Noreturn void become_program(const struct connection *connection,
                                     struct environment *environment)
{
    char path[64];
    char name[32];
    const struct tcpservice *service = connection->gate->service;
    char *arguments[] = {name, NULL};
    snprintf(name, sizeof name, "%s", service->program);
    snprintf(path, sizeof path, "bin/%s", service->program);
    if (dup2(connection->fd, STDIN_FILENO) >= 0 && dup2(connection->fd, STDOUT_FILENO) >= 0) {
        loop_unblock_signals();
        execve(path, arguments, environment->variables);
    }
    log_trouble("start", path, errno, "install it by make setup, readable for all");
    connection_refuse(connection->fd, service, TCPSERVICE_TROUBLE);
    exit(EXIT_PASSING);
}

_Noreturn void connection_run(struct connection *connection)
{
    struct ends ends = {.client = connection->peer, .client_port = connection->peer_port};
    struct environment environment;
    if (!own_address(connection->fd, &ends.server, &ends.server_port))
        exit(EXIT_DONE); /* reset meanwhile */
    if (connection->proxy)
        look_behind_proxy(connection, &ends);
    if (!fill_environment(&environment, connection, &ends))
        refuse(connection, NULL, "too many variables", TCPSERVICE_TROUBLE);
    become_program(connection, &environment);
}
