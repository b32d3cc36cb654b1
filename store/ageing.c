/*
 * ageing - ages the mail of one domain's accounts: INBOX to the archive, trash away
 *
 * Runs as     the uid of the domain, no groups; sandbox: files below mail/DOMAIN
 * Started by  spawnd for nightly, or mailctl age, in mail/DOMAIN; stays for all accounts
 * Descriptors 0 who asks (age/1, common/ageing.h), 2 log
 * Reads       nothing else: which account after how many days comes with each question
 * Trusts      the asker's word on accounts and days; a name may not leave this folder
 * If taken    attacker has the mail of this one domain
 * Limits      batches of 64 messages under a mailbox's lock, at the lowest priority
 * Exits       0 the asker closed the connection, 100 wrong use, 111 passing trouble
 */
#include "ageing.h"

#include "agemailbox.h"
#include "clock.h"
#include "exits.h"
#include "io.h"
#include "life.h"
#include "log.h"
#include "removal.h"
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    ASKER = STDIN_FILENO,
    PACKET_MAX = 1024,
    LOWEST_PRIORITY = 19,
    /* linux/ioprio.h, which Debian's headers of the C library lack */
    IO_OF_PROCESS = 1,
    IO_WHEN_IDLE = 3 << 13,
};

static const struct sandbox sandbox = {
    .grants = SANDBOX_READ_FILES | SANDBOX_WRITE_FILES,
    .write_paths = {"."},
};

/* Clients and deliveries come first. Where that is not to be had it is done anyway. */
static void step_back(void)
{
    (void)setpriority(PRIO_PROCESS, 0, LOWEST_PRIORITY);
    (void)syscall(SYS_ioprio_set, IO_OF_PROCESS, 0, IO_WHEN_IDLE);
}

/* The asker says nothing before it has its answer: what there is to read is the end. */
static bool goes_on(void *owner)
{
    struct pollfd asker = {.fd = ASKER, .events = POLLIN};
    (void)owner;
    return poll(&asker, 1, 0) == 0;
}

/* The account's folder; an account that never got mail has none. */
static bool enter(int domain, const char *local)
{
    int folder = openat(domain, local, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    bool done = folder >= 0 && fchdir(folder) == 0;
    io_close(&folder);
    return done;
}

static void put_trouble(struct str *packet, const char *what)
{
    char text[AGEING_TEXT_MAX];
    snprintf(text, sizeof text, "%s: %s", what, strerror(errno));
    ageing_put_trouble(packet, text);
}

static void age(int domain, const struct ageing_request *request, struct str *packet)
{
    struct agemailbox work = {.days = request->days,
                              .only_looks = request->only_looks,
                              .now = clock_seconds(),
                              .goes_on = goes_on};
    if (!enter(domain, request->local)) {
        if (errno == ENOENT || removal_is_marked(domain, request->local))
            ageing_put_done(packet, &work.result);
        else
            put_trouble(packet, "the account's folder can't be entered");
    } else if (agemailbox_run(&work)) {
        ageing_put_done(packet, &work.result);
    } else {
        put_trouble(packet, work.trouble);
    }
}

static bool serve(int domain, struct wire_message *message)
{
    struct ageing_request request;
    char bytes[PACKET_MAX];
    struct str packet = str_on(bytes, sizeof bytes);
    if (wire_receive(ASKER, message, CLOCK_NEVER) != WIRE_OK)
        return false;
    if (!ageing_read(message, &request)) {
        log_trouble("understand", "the asker", 0, "install all programs from one build");
        return false;
    }
    age(domain, &request, &packet);
    return !packet.failed && wire_send(ASKER, str_slice(&packet), NULL, 0, CLOCK_NEVER) == WIRE_OK;
}

int main(int argc, char **argv)
{
    struct wire_message message;
    life_begin_command("ageing");
    if (argc != 2 || argv[1][0] == '\0')
        life_die_permanent("start", "ageing", "it is started by spawnd, or by mailctl age");
    if (geteuid() == 0)
        life_die_permanent("run as", "root", "it is started as the domain's uid");
    step_back();
    sandbox_enter(&sandbox);
    int domain = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (domain < 0)
        life_die_passing("open", "mail/DOMAIN");
    if (!removal_sweep(domain, clock_seconds()))
        log_trouble("remove", "what is left of accounts that were deleted", errno, NULL);
    wire_init(&message);
    while (serve(domain, &message))
        ;
    wire_free(&message);
    io_close(&domain);
    return EXIT_DONE;
}
