/*
 * mailq - lists the queue
 *
 * Runs as     the queue's uid; sandbox: reading queue/
 * Started by  root
 * Descriptors 1 the list, 2 complaints
 * Reads       queue/message, queue/hold, queue/failure
 * Trusts      nothing in a queue file that does not parse
 * If taken    attacker reads the queue
 * Limits      none but the queue's own
 * Exits       0 done, 1 not root, 100 wrong use, 111 passing trouble
 */
#include "exits.h"
#include "life.h"
#include "listing.h"
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static const struct sandbox sandbox = {
    .grants = SANDBOX_READ_FILES,
    .read_paths = {"queue"},
};

static int list(void)
{
    struct listing_sums sums = {0};
    int failures = open("queue/failure", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (!listing_folder(stdout, "queue/message", failures, " ", &sums) ||
        !listing_folder(stdout, "queue/hold", failures, "!", &sums))
        life_die_passing("read", "queue");
    listing_sums(stdout, &sums);
    if (fflush(stdout) != 0)
        life_die_passing("write", "the list");
    return EXIT_DONE;
}

int main(int argc, char **argv)
{
    (void)argv;
    life_begin("mailq");
    if (argc > 1)
        life_die_permanent("understand", "the arguments", "mailq takes none");
    if (geteuid() != 0 && geteuid() != life_uid(ROLE_QUEUE)) {
        fputs("mailq: only root may see the queue (try: sudo mailq)\n", stderr);
        return EXIT_REFUSED;
    }
    life_drop(ROLE_QUEUE, false, NULL);
    sandbox_enter(&sandbox);
    return list();
}
