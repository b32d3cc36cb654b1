/*
 * local - writes messages into the mailboxes of one domain
 *
 * Runs as     the uid of the domain, no groups; sandbox: files below mail/DOMAIN, our sockets
 * Started by  spawnd for queued, in mail/DOMAIN; stays for many deliveries
 * Descriptors 0 queued (local/2, ARCHITECTURE.md), 2 log; puts copies that are forwarded into
 *             run/inject/socket
 * Reads       nothing else
 * Trusts      queued's word on mailbox and recipient, which may not leave this folder; nothing in
 *             the message
 * If taken    attacker has the mail of this one domain, and the queue files that come in, for
 *             reading; may queue mail as this domain
 * Limits      100 Received fields, no Delivered-To twice: 5.4.6; disk and quota: 4.x
 * Exits       0 queued closed the connection, 100 wrong use, 111 passing trouble
 */
#include "clock.h"
#include "exits.h"
#include "forward.h"
#include "life.h"
#include "local_delivery.h"
#include "log.h"
#include "sandbox.h"

#include <unistd.h>

enum { QUEUED = STDIN_FILENO, ANSWER_MAX = 1024 };

/* From mail/DOMAIN. */
#define ROOT_ABOVE "../../"

static const struct sandbox sandbox = {
    .grants = SANDBOX_READ_FILES | SANDBOX_WRITE_FILES | SANDBOX_UNIX,
    .write_paths = {"."},
};

static bool answer(const struct local_result *result, struct str *packet)
{
    char letter[] = {verdict_letter(result->verdict), '\0'};
    str_clear(packet);
    wire_put_text(packet, letter);
    wire_put_text(packet, result->status);
    wire_put_text(packet, result->text);
    return !packet->failed && wire_send(QUEUED, str_slice(packet), NULL, 0, CLOCK_NEVER) == WIRE_OK;
}

struct worker {
    struct inject inject;
    struct envelope forward; /* whither the message goes on */
    struct str packet;
};

/* The mailbox first: a copy that could not be queued is tried again, and the mailbox notices. */
static void deliver(struct worker *worker, const struct local_request *request, int fd,
                    struct local_result *result)
{
    local_deliver(request, fd, result);
    if (result->verdict != VERDICT_OK || worker->forward.recipient_count == 0)
        return;
    forward_message(&worker->inject, &worker->forward, request, fd, result);
    inject_close(&worker->inject); /* places there are few */
}

static void serve(struct worker *worker, struct wire_message *message)
{
    while (wire_receive(QUEUED, message, CLOCK_NEVER) == WIRE_OK) {
        struct local_request request;
        struct local_result result;
        if (message->fd_count != 1 || !local_request_parse(message, &request) ||
            !forward_read(request.forward, &worker->forward)) {
            log_trouble("understand", "queued", 0, "install all programs from one build");
            return;
        }
        deliver(worker, &request, message->fds[0], &result);
        if (!answer(&result, &worker->packet))
            return;
    }
}

int main(int argc, char **argv)
{
    struct wire_message message;
    struct worker worker;
    life_begin_command("local");
    if (argc != 2 || argv[1][0] == '\0')
        life_die_permanent("start", "local", "it is started by spawnd, for a domain");
    if (geteuid() == 0)
        life_die_permanent("run as", "root", "it is started by spawnd, as the domain's uid");
    sandbox_enter(&sandbox);
    wire_init(&message);
    str_init(&worker.packet, ANSWER_MAX);
    envelope_init(&worker.forward);
    inject_init(&worker.inject);
    worker.inject.path = ROOT_ABOVE INJECT_SOCKET;
    serve(&worker, &message);
    wire_free(&message);
    str_free(&worker.packet);
    envelope_free(&worker.forward);
    inject_close(&worker.inject);
    return EXIT_DONE;
}
