/* remote_delivery - see remote_delivery.h */
#include "remote_delivery.h"

#include "clock.h"
#include "idn.h"
#include "io.h"
#include "log.h"
#include "relaylogin.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/* One message on its way over one address after the other. */
struct run {
    struct remote_delivery *delivery;
    const struct remote_request *request;
    struct smtp_client_outcome *outcomes;
    struct bindroute source; /* that it is to come from */
    bool by_mx;              /* the DNS named the hosts */
    unsigned preference;     /* the host's place among them, from 0 on */
    unsigned attempts;
    int64_t deadline;
    /* The last failure that left recipients undecided; passing ones outweigh permanent ones. */
    enum verdict verdict;
    char status[SMTP_REPLY_STATUS_MAX];
    char text[SMTP_CLIENT_TEXT_MAX];
};

/* ---- outcomes ---------------------------------------------------------------------------------*/

static void note_failure(struct run *run, enum verdict verdict, const char *status,
                         const char *text)
{
    if (run->verdict == VERDICT_TEMP && verdict == VERDICT_PERM)
        return;
    run->verdict = verdict;
    snprintf(run->status, sizeof run->status, "%s", status);
    snprintf(run->text, sizeof run->text, "%s", text);
}

static bool is_all_decided(const struct run *run)
{
    for (size_t i = 0; i < run->request->mail.recipient_count; i++)
        if (!run->outcomes[i].is_decided)
            return false;
    return true;
}

static void decide_rest(struct run *run)
{
    for (size_t i = 0; i < run->request->mail.recipient_count; i++)
        if (!run->outcomes[i].is_decided)
            smtp_client_decide(&run->outcomes[i], run->verdict, run->status, run->text);
}

/* ---- connections ------------------------------------------------------------------------------*/

/* The kernel chooses the port when it connects, so that as many connections can be open from one
 * address as from any. */
static bool bind_to(int fd, const struct ip *source)
{
    struct sockaddr_storage address;
    const int on = 1;
    socklen_t size = ip_to_socket(source, 0, &address);
    (void)setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    return bind(fd, (const struct sockaddr *)&address, size) == 0;
}

static bool finish_connect(int fd, const struct sockaddr_storage *address, socklen_t size)
{
    int error = 0;
    socklen_t error_size = sizeof error;
    if (connect(fd, (const struct sockaddr *)address, size) == 0)
        return true;
    if (errno != EINPROGRESS || !io_wait(fd, POLLOUT, clock_deadline(REMOTE_DELIVERY_CONNECT_MS)) ||
        getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &error_size) < 0)
        return false;
    errno = error;
    return error == 0;
}

static int connect_to(const struct ip *ip, uint16_t port, const struct ip *source)
{
    struct sockaddr_storage address;
    socklen_t size = ip_to_socket(ip, port, &address);
    int fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    if ((source && !bind_to(fd, source)) || !finish_connect(fd, &address, size)) {
        io_close(&fd);
        return -1;
    }
    io_set_nodelay(fd);
    return fd;
}

/* What the open connection is good for: the same destination, whichever of its servers that is. */
static void name_destination(const struct remote_request *request, char *name, size_t capacity)
{
    const char *host = request->host[0] != '\0' ? request->host : request->domain;
    snprintf(name, capacity, "%s:%u", host, request->port);
    for (size_t i = 0; name[i] != '\0'; i++)
        name[i] = slice_lower(name[i]);
}

void remote_delivery_end_connection(struct remote_delivery *delivery)
{
    smtp_client_quit(&delivery->client);
    delivery->destination[0] = '\0';
}

/* What the server's certificate was checked by. */
static const char *name_check(const struct run *run)
{
    static const char *const names[] = {
        [TLS_CHECK_NONE] = "none", [TLS_CHECK_NAMES] = "names", [TLS_CHECK_DANE] = "dane"};
    return run->delivery->client.tls_result == TLSREPORT_SUCCESS
               ? names[run->delivery->demand.tls.check.kind]
               : "failed";
}

static void log_attempt(const struct run *run, enum smtp_client_result result, int64_t began_ms,
                        bool is_reused)
{
    static const char *const names[] = {
        [SMTP_CLIENT_OK] = "done",
        [SMTP_CLIENT_REFUSED] = "refused",
        [SMTP_CLIENT_LOST] = "lost",
        [SMTP_CLIENT_TLS_FAILED] = "tls-failed",
    };
    const struct smtp_client *client = &run->delivery->client;
    struct log_line line;
    log_begin(&line, "attempt");
    log_text(&line, "id", run->request->id);
    log_text(&line, "to", run->delivery->destination);
    log_text(&line, "address", client->address);
    log_text(&line, "tls", client->tls_version[0] != '\0' ? client->tls_version : "none");
    if (client->tls_version[0] != '\0')
        log_text(&line, "check", name_check(run));
    log_text(&line, "result", names[result]);
    if (result == SMTP_CLIENT_OK || result == SMTP_CLIENT_REFUSED)
        log_text(&line, "reply", client->reply.text);
    else
        log_text(&line, "reason", client->trouble);
    log_number(&line, "reused", is_reused);
    log_number(&line, "ms", clock_ms() - began_ms);
    log_end(&line);
}

/* Who decided, for reports (Remote-MTA): as it calls itself, else its address. */
static void note_server(struct run *run)
{
    const struct smtp_client *client = &run->delivery->client;
    const char *name = client->name[0] != '\0' ? client->name : client->address;
    for (size_t i = 0; i < run->request->mail.recipient_count; i++)
        if (run->outcomes[i].is_decided && run->outcomes[i].server[0] == '\0')
            snprintf(run->outcomes[i].server, sizeof run->outcomes[i].server, "%s", name);
}

/* Hands the message to the open connection, and looks what is to become of it. */
static void send_message(struct run *run, bool is_reused)
{
    struct smtp_client *client = &run->delivery->client;
    int64_t began_ms = clock_ms();
    enum smtp_client_result result = smtp_client_send(client, &run->request->mail, run->outcomes);
    note_server(run);
    log_attempt(run, result, began_ms, is_reused);
    if (result == SMTP_CLIENT_LOST)
        note_failure(run, VERDICT_TEMP, "4.4.2", client->trouble);
    if (!client->is_clean || client->messages >= REMOTE_DELIVERY_REUSE_MAX)
        remote_delivery_end_connection(run->delivery);
}

static void note_refusal(struct run *run, const struct smtp_client *client)
{
    struct smtp_client_outcome outcome;
    smtp_client_decide_by_reply(client, &outcome);
    note_failure(run, outcome.verdict, outcome.status, outcome.text);
}

/* The address that the server sees us at; "" when it can't be told. */
static void name_sender(int fd, char text[IP_TEXT_MAX])
{
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    struct ip ip;
    uint16_t port;
    text[0] = '\0';
    if (getsockname(fd, (struct sockaddr *)&address, &size) == 0 &&
        ip_from_socket(&address, &ip, &port))
        ip_format(&ip, text);
}

/* Why TLS did not come about, where it must (RFC 3463 3.8). */
static void note_tls_failure(struct run *run, const struct smtp_client *client)
{
    bool offered = client->tls_result != TLSREPORT_STARTTLS_NOT_SUPPORTED;
    note_failure(run, VERDICT_TEMP, offered ? "4.7.5" : "4.7.4", client->trouble);
}

static void note_greeting(struct run *run, enum smtp_client_result result)
{
    const struct smtp_client *client = &run->delivery->client;
    if (result == SMTP_CLIENT_REFUSED)
        note_refusal(run, client);
    else if (result == SMTP_CLIENT_TLS_FAILED)
        note_tls_failure(run, client);
    else
        note_failure(run, VERDICT_TEMP, "4.4.2", client->trouble);
}

/* Nothing of our own: an address that can't be reached from here. */
static bool is_no_way(int error)
{
    return error == ENETUNREACH || error == EAFNOSUPPORT;
}

/* Opens client->stream. False: noted. */
static bool connect_client(struct run *run, const struct ip *ip, char sender[IP_TEXT_MAX])
{
    struct smtp_client *client = &run->delivery->client;
    char address[IP_TEXT_MAX], text[SMTP_CLIENT_TEXT_MAX];
    const struct ip *source;
    int fd = -1;
    sender[0] = '\0';
    ip_format(ip, address);
    if (bindroute_source(&run->source, ip, &source))
        fd = connect_to(ip, run->request->port, source);
    else
        errno = ENETUNREACH;
    if (fd >= 0)
        name_sender(fd, sender);
    if (fd >= 0 && smtp_client_open(client, fd, address))
        return true;
    if (is_no_way(errno))
        run->attempts--; /* quick, and no try at all */
    snprintf(text, sizeof text, "%s: can't connect%s: %s", address,
             errno == EADDRNOTAVAIL && source ? " from the address of control/bindroutes" : "",
             strerror(errno));
    note_failure(run, VERDICT_TEMP, "4.4.1", text);
    log_event("unreachable", "reason", text);
    return false;
}

/* RFC 5321 5.1: who answers by our name is we. */
static bool is_self(const struct run *run)
{
    return run->by_mx && slice_equal_nocase(slice_text(run->delivery->client.name),
                                            slice_text(run->delivery->me));
}

static void note_self(struct run *run)
{
    char text[SMTP_CLIENT_TEXT_MAX];
    bool is_best = run->preference == 0;
    snprintf(text, sizeof text, "mail for %s loops back to this host: %s answers by its name",
             run->request->domain, run->delivery->client.address);
    note_failure(run, is_best ? VERDICT_PERM : VERDICT_TEMP, is_best ? "5.4.6" : "4.4.6", text);
}

static void note_login(struct run *run, const char *reason)
{
    char text[SMTP_CLIENT_TEXT_MAX];
    snprintf(text, sizeof text, "no login at the relay %s (control/relayauth): %s",
             run->request->host, reason);
    note_failure(run, VERDICT_TEMP, "4.7.8", text);
    log_event("login-failed", "reason", text);
}

/* At a server that relays for us. A refusal is the operator's to mend, and nobody's mail bounces
 * over it. */
static bool log_in(struct run *run)
{
    struct remote_delivery *delivery = run->delivery;
    struct smtp_client *client = &delivery->client;
    struct slice user, password;
    if (run->request->host[0] == '\0')
        return true;
    switch (relaylogin_find(&delivery->logins, run->request->host, run->request->port, &user,
                            &password)) {
    case RELAYLOGIN_NONE:
        return true;
    case RELAYLOGIN_TROUBLE:
        note_login(run, "the table can't be read");
        return false;
    case RELAYLOGIN_FOUND:
        break;
    }
    if (client->tls_version[0] == '\0') {
        note_login(run, "no password is said without TLS");
        return false;
    }
    enum smtp_client_result result = smtp_client_login(client, user, password);
    if (result != SMTP_CLIENT_OK)
        note_login(run, result == SMTP_CLIENT_REFUSED ? client->reply.text : client->trouble);
    return result == SMTP_CLIENT_OK;
}

static void set_destination(struct run *run)
{
    struct remote_delivery *delivery = run->delivery;
    name_destination(run->request, delivery->destination, sizeof delivery->destination);
    delivery->source = run->source;
}

/* Greeted: is the server one to send to? */
static bool is_acceptable(struct run *run)
{
    if (!is_self(run))
        return log_in(run);
    note_self(run);
    return false;
}

/* Connects and greets. */
static enum smtp_client_result open_connection(struct run *run, const struct ip *ip,
                                               const struct smtp_client_tls *tls)
{
    struct remote_delivery *delivery = run->delivery;
    struct smtp_client *client = &delivery->client;
    const char *helo = run->source.helo[0] != '\0' ? run->source.helo : delivery->helo;
    char sender[IP_TEXT_MAX];
    int64_t began_ms = clock_ms();
    if (!connect_client(run, ip, sender))
        return SMTP_CLIENT_LOST;
    smtp_client_limit(client, run->deadline);
    set_destination(run);
    enum smtp_client_result result = smtp_client_greet(client, helo, tls);
    if (tls->level != SMTP_CLIENT_TLS_NEVER &&
        (result == SMTP_CLIENT_OK || result == SMTP_CLIENT_TLS_FAILED))
        tlsdemand_report(&delivery->demand, client->tls_result, client->tls_trouble, sender,
                         client->address);
    if (result == SMTP_CLIENT_OK && is_acceptable(run))
        return result;
    if (result != SMTP_CLIENT_OK) {
        log_attempt(run, result, began_ms, false);
        note_greeting(run, result);
    }
    remote_delivery_end_connection(delivery);
    return result == SMTP_CLIENT_OK ? SMTP_CLIENT_REFUSED : result;
}

/* At a host that tlsdemand_host has looked at. */
static void try_address(struct run *run, const struct ip *ip)
{
    static const struct smtp_client_tls never = {.level = SMTP_CLIENT_TLS_NEVER};
    const struct smtp_client_tls *tls = &run->delivery->demand.tls;
    run->attempts++;
    enum smtp_client_result result = open_connection(run, ip, tls);
    if (result == SMTP_CLIENT_TLS_FAILED && tls->level == SMTP_CLIENT_TLS_MAY)
        result = open_connection(run, ip, &never);
    if (result == SMTP_CLIENT_OK)
        send_message(run, false);
}

static bool goes_on(const struct run *run)
{
    return run->attempts < REMOTE_DELIVERY_ATTEMPTS_MAX && clock_left(run->deadline) > 0 &&
           !is_all_decided(run);
}

bool remote_delivery_is_public(const struct ip *ip)
{
    static const char *const networks[] = {"0.0.0.0/8",   "127.0.0.0/8", "169.254.0.0/16",
                                           "224.0.0.0/4", "240.0.0.0/4", "::/128",
                                           "::1/128",     "fe80::/10",   "ff00::/8"};
    for (size_t i = 0; i < sizeof networks / sizeof *networks; i++) {
        struct ip network;
        unsigned bits;
        if (ip_parse_network(slice_text(networks[i]), &network, &bits) &&
            ip_in_network(ip, &network, bits))
            return false;
    }
    return true;
}

static bool may_be_tried(const struct ip *ip, enum remote_delivery_families families,
                         bool only_public)
{
    return (families != REMOTE_IPV4_ONLY || ip->size == 4) &&
           (families != REMOTE_IPV6_ONLY || ip->size == 16) &&
           (!only_public || remote_delivery_is_public(ip));
}

void remote_delivery_sort(struct mx_addresses *addresses, enum remote_delivery_families families,
                          bool only_public)
{
    struct mx_addresses all = *addresses;
    size_t next[2] = {0, 0}; /* of the addresses of 4 and of 16 bytes, in that order */
    unsigned size = 4;
    addresses->count = 0;
    while (next[0] < all.count || next[1] < all.count) {
        size_t *at = &next[size == 4 ? 0 : 1];
        while (*at < all.count &&
               (all.list[*at].size != size || !may_be_tried(&all.list[*at], families, only_public)))
            ++*at;
        if (*at < all.count)
            addresses->list[addresses->count++] = all.list[(*at)++];
        size = size == 4 ? 16 : 4;
    }
}

void remote_delivery_init(struct remote_delivery *delivery)
{
    delivery->bindroutes.fd = delivery->logins.fd = -1;
}

void remote_delivery_free(struct remote_delivery *delivery)
{
    remote_delivery_end_connection(delivery);
    cdbfile_close(&delivery->bindroutes);
    cdbfile_close(&delivery->logins);
}

/* ---- where to ---------------------------------------------------------------------------------*/

/* "[192.0.2.1]", "[IPv6:2001:db8::1]", "[2001:db8::1]" */
static bool parse_literal(const char *text, struct ip *ip)
{
    struct slice literal = slice_text(text);
    if (!slice_starts(literal, SLICE("[")) || !slice_ends(literal, SLICE("]")))
        return false;
    literal = slice_part(literal, 1, literal.size - 2);
    if (slice_starts_nocase(literal, SLICE("IPv6:")))
        literal = slice_from(literal, 5);
    return ip_parse(literal, ip);
}

static void note_no_address(struct run *run, const char *host, enum mx_result result)
{
    char text[SMTP_CLIENT_TEXT_MAX];
    if (result == MX_TROUBLE) {
        snprintf(text, sizeof text, "the DNS gives no answer about %s", host);
        note_failure(run, VERDICT_TEMP, "4.4.3", text);
    } else {
        snprintf(text, sizeof text, "there is no host %s", host);
        note_failure(run, VERDICT_PERM, "5.1.2", text);
    }
}

static void note_no_public_address(struct run *run, const char *host)
{
    char text[SMTP_CLIENT_TEXT_MAX];
    snprintf(text, sizeof text, "%s has no address that mail may be sent to", host);
    note_failure(run, VERDICT_PERM, "5.4.4", text);
}

static void note_demand(struct run *run)
{
    const struct tlsdemand *demand = &run->delivery->demand;
    note_failure(run, VERDICT_TEMP, demand->status, demand->text);
    log_event("tls-demand", "reason", demand->text);
}

/* What TLS the host must offer. False: it is passed over. */
static bool demand_tls(struct run *run, const char *host, const struct mx_addresses *addresses)
{
    struct tlsdemand *demand = &run->delivery->demand;
    if (tlsdemand_host(demand, host, run->request->port, addresses))
        return true;
    tlsdemand_report(demand, TLSREPORT_VALIDATION_FAILURE, demand->text, "", "");
    note_demand(run);
    return false;
}

static void try_host(struct run *run, const char *host)
{
    struct mx_addresses addresses;
    struct ip ip;
    if (parse_literal(host, &ip)) {
        if (demand_tls(run, host, NULL))
            try_address(run, &ip);
        return;
    }
    enum mx_result result = mx_find_addresses(&run->delivery->resolver, host, &addresses);
    if (result != MX_FOUND) {
        note_no_address(run, host, result);
        return;
    }
    remote_delivery_sort(&addresses, run->delivery->families,
                         run->by_mx && !run->delivery->takes_private_mx);
    if (addresses.count == 0) {
        note_no_public_address(run, host);
        return;
    }
    if (!demand_tls(run, host, &addresses))
        return;
    for (size_t i = 0; i < addresses.count && goes_on(run); i++)
        try_address(run, &addresses.list[i]);
}

static void note_no_hosts(struct run *run, const char *domain, enum mx_result result)
{
    char text[SMTP_CLIENT_TEXT_MAX];
    switch (result) {
    case MX_NO_DOMAIN:
        snprintf(text, sizeof text, "there is no domain %s", domain);
        note_failure(run, VERDICT_PERM, "5.1.2", text);
        break;
    case MX_REFUSES: /* RFC 7505 4.1 */
        snprintf(text, sizeof text, "%s takes no mail (null MX)", domain);
        note_failure(run, VERDICT_PERM, "5.1.10", text);
        break;
    case MX_FOUND:
    case MX_NONE:
    case MX_TROUBLE:
        snprintf(text, sizeof text, "the DNS gives no answer about %s", domain);
        note_failure(run, VERDICT_TEMP, "4.4.3", text);
        break;
    }
}

static void try_domain(struct run *run, const char *domain)
{
    struct mx_list list;
    char text[SMTP_CLIENT_TEXT_MAX], ascii[IDN_NAME_MAX + 1];
    const char *name = domain;
    /* The DNS knows A-labels; SMTPUTF8 addresses may have U-labels (RFC 6531 3.2). */
    if (slice_has_high(slice_text(domain)) && idn_to_ascii(slice_text(domain), ascii))
        name = ascii;
    enum mx_result result = mx_find_hosts(&run->delivery->resolver, name, &list);
    if (result != MX_FOUND) {
        note_no_hosts(run, domain, result);
        return;
    }
    if (!mx_remove_self(&list, run->delivery->me)) {
        snprintf(text, sizeof text, "the MX of %s is this host, which does not serve it", domain);
        note_failure(run, VERDICT_PERM, "5.4.6", text);
        return;
    }
    if (!tlsdemand_begin(&run->delivery->demand, name, true, list.is_secure)) {
        note_demand(run);
        return;
    }
    run->by_mx = true;
    for (size_t i = 0; i < list.count && goes_on(run); i++) {
        run->preference += i > 0 && list.hosts[i].preference > list.hosts[i - 1].preference;
        try_host(run, list.hosts[i].name);
    }
}

/* Where a password is to be said, the server must show who it is, unless the operator's line in
 * control/tlspolicy asks for less; but never without TLS. */
static bool may_log_in(struct run *run)
{
    struct remote_delivery *delivery = run->delivery;
    struct slice user, password;
    if (run->request->host[0] == '\0' ||
        relaylogin_find(&delivery->logins, run->request->host, run->request->port, &user,
                        &password) == RELAYLOGIN_NONE ||
        tlsdemand_raise(&delivery->demand))
        return true;
    note_demand(run);
    return false;
}

/* A host that a route names, or an address that stands in place of a domain. */
static void try_named_host(struct run *run, const char *host)
{
    char address[IP_TEXT_MAX], literal[IP_TEXT_MAX + 2];
    const char *destination = host;
    struct ip ip;
    if (parse_literal(host, &ip)) { /* as control/tlspolicy has it when compiled */
        ip_format(&ip, address);
        snprintf(literal, sizeof literal, "[%s]", address);
        destination = literal;
    }
    if (!tlsdemand_begin(&run->delivery->demand, destination, false, false))
        note_demand(run);
    else if (may_log_in(run))
        try_host(run, host);
}

/* The connection that is open, if it leads there. */
static void try_open_connection(struct run *run)
{
    struct remote_delivery *delivery = run->delivery;
    char name[sizeof delivery->destination];
    if (!delivery->client.is_open)
        return;
    name_destination(run->request, name, sizeof name);
    smtp_client_limit(&delivery->client, run->deadline);
    if (strcmp(name, delivery->destination) == 0 &&
        bindroute_equal(&run->source, &delivery->source) && smtp_client_is_alive(&delivery->client))
        send_message(run, true);
    else
        remote_delivery_end_connection(delivery);
}

int64_t remote_delivery_limit_ms(uint64_t size)
{
    uint64_t transfer_ms = size / REMOTE_DELIVERY_BYTES_PER_MS;
    uint64_t most_ms = REMOTE_DELIVERY_MOST_MS - REMOTE_DELIVERY_LEAST_MS;
    return REMOTE_DELIVERY_LEAST_MS + (int64_t)(transfer_ms < most_ms ? transfer_ms : most_ms);
}

void remote_delivery_run(struct remote_delivery *delivery, const struct remote_request *request,
                         struct smtp_client_outcome outcomes[])
{
    struct run run = {
        .delivery = delivery, .request = request, .outcomes = outcomes, .verdict = VERDICT_OK};
    run.deadline = clock_deadline(remote_delivery_limit_ms(request->mail.size));
    struct ip ip;
    note_failure(&run, VERDICT_TEMP, "4.4.0", "not tried");
    run.verdict = VERDICT_OK; /* anything that is noted now counts */
    if (bindroute_find(&delivery->bindroutes, request->mail.sender, &run.source) != BINDROUTE_OK) {
        note_failure(&run, VERDICT_TEMP, "4.3.0", "the table of sending addresses can't be read");
        decide_rest(&run);
        return;
    }
    try_open_connection(&run);
    if (goes_on(&run)) {
        if (request->host[0] != '\0')
            try_named_host(&run, request->host);
        else if (parse_literal(request->domain, &ip))
            try_named_host(&run, request->domain);
        else
            try_domain(&run, request->domain);
    }
    if (run.verdict == VERDICT_OK)
        run.verdict = VERDICT_TEMP;
    decide_rest(&run);
}
