/*
 * remote - hands messages to other servers: MX, addresses, TLS, SMTP
 *
 * Runs as     ROLE_REMOTE; sandbox: internet, our sockets, reads cdb/
 * Started by  spawnd for queued; one worker takes many messages, one after the other
 * Descriptors 0 SEQPACKET to queued (a request with the message's file, an answer), 2 log
 * Reads       cdb/host.cdb (me, helo, resolver, databytes, inet-protocols, private-mx, tls-out,
 *             dane, mta-sts), cdb/tlspolicy.cdb, cdb/bindroutes.cdb, cdb/relay/relayauth.cdb,
 *             /etc/resolv.conf
 * Asks        the DNS, tlsd (TLS toward servers), mtastsd (MTA-STS policies; counts of TLS)
 * Trusts      queued's requests (parsed strictly all the same); a resolver on loopback about what
 *             DNSSEC vouches for; mtastsd's policies; nothing else that servers or the DNS say
 * If taken    attacker sees the messages that this worker is given, and may speak to the internet;
 *             no queue, no mailbox, no key; the passwords of control/relayauth, no other
 * Limits      connect 30 s, 8 addresses a message, RFC 5321 4.5.3.2 for replies, reply 100 lines;
 *             a message has 30 minutes and 1 second for 16 KB of it, 115 minutes at most; an idle
 *             connection is kept 5 s, and any for 100 messages
 * Exits       0 done (queued closed), 100 wrong use or configuration, 111 passing trouble
 */
#include "clock.h"
#include "directory.h"
#include "exits.h"
#include "io.h"
#include "life.h"
#include "log.h"
#include "number.h"
#include "remote_delivery.h"
#include "sandbox.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

/* Beside the message: address space of libraries, and the tree of its parts while it is encoded. */
#define MEMORY_BYTES (256UL << 20)

static void read_setting(struct directory *directory, const char *name, const char *otherwise,
                         char *text, size_t capacity)
{
    struct str value;
    str_init(&value, DIRECTORY_VALUE_MAX);
    if (!directory_host(directory, name, &value) || value.size == 0) {
        str_clear(&value);
        str_append_text(&value, otherwise);
    }
    if (!slice_copy_text(str_slice(&value), text, capacity))
        life_die_permanent("use the setting", name, "it is too long");
    str_free(&value);
}

static enum remote_delivery_families read_families(struct directory *directory)
{
    char value[DIRECTORY_VALUE_MAX];
    read_setting(directory, "inet-protocols", "both", value, sizeof value);
    if (strcmp(value, "ipv4") == 0)
        return REMOTE_IPV4_ONLY;
    return strcmp(value, "ipv6") == 0 ? REMOTE_IPV6_ONLY : REMOTE_BOTH_FAMILIES;
}

/* Returns the size of the largest message, which is mapped as a whole. */
static uint64_t read_settings(struct remote_delivery *delivery)
{
    static struct directory directory;
    char resolver[DIRECTORY_VALUE_MAX], databytes[DIRECTORY_VALUE_MAX];
    uint64_t largest;
    directory_init(&directory);
    read_setting(&directory, "me", "", delivery->me, sizeof delivery->me);
    if (delivery->me[0] == '\0')
        life_die_passing("read the setting me from", "cdb/host.cdb");
    read_setting(&directory, "helo", delivery->me, delivery->helo, sizeof delivery->helo);
    read_setting(&directory, "resolver", "", resolver, sizeof resolver);
    if (!mx_open(&delivery->resolver, slice_text(resolver)))
        life_die_permanent("use the resolver", resolver, "set control/resolver to ADDRESS[:PORT]");
    tlsdemand_init(&delivery->demand, &delivery->resolver, &directory);
    delivery->families = read_families(&directory);
    delivery->takes_private_mx = directory_host_is_on(&directory, "private-mx");
    read_setting(&directory, "databytes", "0", databytes, sizeof databytes);
    if (!number_parse(slice_text(databytes), INT64_MAX / 2, &largest))
        largest = 0;
    directory_close(&directory);
    return largest;
}

static bool answer(const struct remote_request *request,
                   const struct smtp_client_outcome outcomes[])
{
    struct str packet;
    str_init(&packet, WIRE_MAX_SIZE);
    remote_request_answer(request, outcomes, &packet);
    bool sent = !packet.failed && wire_send(0, str_slice(&packet), NULL, 0, CLOCK_NEVER) == WIRE_OK;
    str_free(&packet);
    return sent;
}

/* Waits for a request; an idle connection is not kept for long. */
static bool receive(struct remote_delivery *delivery, struct wire_message *message)
{
    bool is_there = false;
    if (delivery->client.is_open) {
        is_there = io_wait(0, POLLIN, clock_deadline(REMOTE_DELIVERY_KEEP_MS));
        if (!is_there && errno == ETIMEDOUT)
            remote_delivery_end_connection(delivery);
    }
    return (is_there || io_wait(0, POLLIN, CLOCK_NEVER)) &&
           wire_receive(0, message, CLOCK_NEVER) == WIRE_OK;
}

static void serve(struct remote_delivery *delivery)
{
    static struct wire_message message;
    static struct remote_request request;
    static struct smtp_client_outcome outcomes[REMOTE_REQUEST_RECIPIENTS_MAX];
    wire_init(&message);
    while (receive(delivery, &message)) {
        if (!remote_request_read(&message, &request)) {
            log_event("bad-request", NULL, NULL);
            break; /* no answer: passing trouble */
        }
        for (size_t i = 0; i < request.mail.recipient_count; i++)
            outcomes[i] = (struct smtp_client_outcome){.is_decided = false};
        remote_delivery_run(delivery, &request, outcomes);
        if (!answer(&request, outcomes))
            break;
    }
    remote_delivery_end_connection(delivery);
    wire_free(&message);
}

int main(void)
{
    static struct remote_delivery delivery;
    life_begin("remote");
    life_drop(ROLE_REMOTE, true, NULL);
    remote_delivery_init(&delivery);
    uint64_t largest = read_settings(&delivery);
    life_limit(&(struct life_limits){.memory_bytes = MEMORY_BYTES + largest, .open_files = 64});
    sandbox_enter(&(struct sandbox){.grants = SANDBOX_READ_FILES | SANDBOX_UNIX | SANDBOX_NETWORK,
                                    .read_paths = {"cdb", "/etc/resolv.conf"}});
    serve(&delivery);
    remote_delivery_free(&delivery);
    tlsdemand_free(&delivery.demand);
    mx_close(&delivery.resolver);
    return EXIT_DONE;
}
