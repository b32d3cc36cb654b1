/*
 * local - writes messages into the mailboxes of one domain
 *
 * Runs as     the uid of the domain, no groups; sandbox: files below mail/DOMAIN
 * Started by  spawnd for queued, in mail/DOMAIN; stays for many deliveries
 * Descriptors 0 queued (local/1, ARCHITECTURE.md), 2 log
 * Reads       nothing else
 * Trusts      queued's word on mailbox and recipient, which may not leave this folder; nothing in
 *             the message
 * If taken    attacker has the mail of this one domain, and the queue files that come in, for
 *             reading
 * Limits      100 Received fields, no Delivered-To twice: 5.4.6; disk and quota: 4.x
 * Exits       0 queued closed the connection, 100 wrong use, 111 passing trouble
 */
#include "clock.h"
#include "exits.h"
#include "life.h"
#include "local_delivery.h"
#include "log.h"
#include "sandbox.h"

#include <unistd.h>

enum { QUEUED = STDIN_FILENO, ANSWER_MAX = 1024 };

static const struct sandbox sandbox = {
    .grants = SANDBOX_READ_FILES | SANDBOX_WRITE_FILES,
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

static void serve(struct wire_message *message, struct str *packet)
{
    while (wire_receive(QUEUED, message, CLOCK_NEVER) == WIRE_OK) {
        struct local_request request;
        struct local_result result;
        if (message->fd_count != 1 || !local_request_parse(message, &request)) {
            log_trouble("understand", "queued", 0, "install all programs from one build");
            return;
        }
        local_deliver(&request, message->fds[0], &result);
        if (!answer(&result, packet))
            return;
    }
}

int main(int argc, char **argv)
{
    struct wire_message message;
    struct str packet;
    life_begin_command("local");
    if (argc != 2 || argv[1][0] == '\0')
        life_die_permanent("start", "local", "it is started by spawnd, for a domain");
    if (geteuid() == 0)
        life_die_permanent("run as", "root", "it is started by spawnd, as the domain's uid");
    sandbox_enter(&sandbox);
    wire_init(&message);
    str_init(&packet, ANSWER_MAX);
    serve(&message, &packet);
    wire_free(&message);
    str_free(&packet);
    return EXIT_DONE;
}
