/*
 * bounce - tells senders what became of their mail, and postmaster what they could not be told
 *
 * Runs as     its own uid, group that may read cdb/; sandbox: reading cdb/, the suite's sockets
 * Started by  spawnd for queued, in ROOT; stays for many reports
 * Descriptors 0 queued (bounce/2, ARCHITECTURE.md), 2 log; puts reports into run/inject/socket
 * Reads       cdb/host.cdb: me, bouncefrom (MAILER-DAEMON), postmaster (postmaster@me),
 *             bounce-size (50000)
 * Trusts      queued's word on sender, recipients and reasons; nothing in the message
 * If taken    attacker can send mail with the null sender, and reads what bounces
 * Limits      128 recipients a report; of the original bounce-size bytes, or 64 KiB of its header:
 *             the rest is left out
 * Exits       0 queued closed the connection, 100 wrong use, 111 passing trouble
 */
#include "bounce_report.h"
#include "clock.h"
#include "exits.h"
#include "life.h"
#include "log.h"
#include "sandbox.h"

#include <unistd.h>

enum { QUEUED = STDIN_FILENO, ANSWER_MAX = 1024 };

static const struct sandbox sandbox = {
    .grants = SANDBOX_READ_FILES | SANDBOX_UNIX,
    .read_paths = {"cdb"},
};

/* The reply is "4.3.0 text", or the queue id. */
static bool answer(enum verdict verdict, struct slice reply)
{
    char letter[] = {verdict_letter(verdict), '\0'};
    struct str packet;
    struct slice status = verdict == VERDICT_OK ? SLICE("2.0.0") : slice_cut(&reply, ' ');
    str_init(&packet, ANSWER_MAX);
    wire_put_text(&packet, letter);
    wire_put(&packet, status);
    wire_put(&packet, reply);
    bool sent =
        !packet.failed && wire_send(QUEUED, str_slice(&packet), NULL, 0, CLOCK_NEVER) == WIRE_OK;
    str_free(&packet);
    return sent;
}

static void serve(struct bounce *bounce, struct wire_message *message)
{
    while (wire_receive(QUEUED, message, CLOCK_NEVER) == WIRE_OK) {
        struct bounce_request request;
        if (message->fd_count != 1 || !bounce_request_parse(message, &request)) {
            log_trouble("understand", "queued", 0, "install all programs from one build");
            return;
        }
        enum verdict verdict = bounce_report(bounce, &request, message->fds[0]);
        if (!answer(verdict, str_slice(&bounce->reply)))
            return;
    }
}

int main(void)
{
    struct wire_message message;
    struct bounce bounce;
    life_begin("bounce");
    life_drop(ROLE_BOUNCE, true, NULL);
    sandbox_enter(&sandbox);
    wire_init(&message);
    bounce_init(&bounce);
    serve(&bounce, &message);
    bounce_free(&bounce);
    wire_free(&message);
    return EXIT_DONE;
}
