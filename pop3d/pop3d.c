/*
 * pop3d - serves one account's mail over POP3, after login
 *
 *     pop3d LOCAL@DOMAIN CLIENT TLS TERMS
 *
 * Runs as     the domain's uid, no groups; sandbox: the account's folder and nothing else
 * Started by  spawnd (asked by authd), one process per session, in mail/DOMAIN/LOCAL
 * Descriptors 0/1 client (one socket), 2 log, 3 pipe with input that pop3-login read too far
 * Reads       Maildir/
 * Writes      Maildir/: names (UIDs), removals, pop3-lock, mailbox-*
 * Trusts      its arguments; nothing that arrives on 0
 * If taken    attacker has the mail of this domain, whose password he had for one account
 * Limits      command line 512, 50 errors, 10 minutes of silence; one session per account
 * Exits       0 done, 100 wrong use, 111 passing trouble
 */
#include "exits.h"
#include "handover.h"
#include "io.h"
#include "life.h"
#include "log.h"
#include "pop3session.h"
#include "sandbox.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ARGUMENTS = 5 };

static void read_pending(struct str *pending)
{
    if (!handover_read(HANDOVER_FD, pending))
        life_die_passing("read", "the input that was read too far");
}

int main(int argc, char **argv)
{
    static struct pop3session session;
    struct str pending;
    log_init("pop3d");
    signal(SIGPIPE, SIG_IGN);
    umask(077);
    if (argc != ARGUMENTS)
        life_die_permanent("start with", "these arguments", "pop3d is started by spawnd");
    if (geteuid() == 0)
        life_die_permanent("run as", "root", "pop3d runs as the domain's uid");
    struct pop3session_peer peer = {.account = argv[1], .client = argv[2], .tls = argv[3]};
    if (!terms_parse(slice_text(argv[4]), &peer.terms))
        life_die_permanent("understand", argv[4], "authd and pop3d are not of one version");
    life_limit(&(struct life_limits){.memory_bytes = 1UL << 30, .open_files = 64});
    sandbox_enter(&(struct sandbox){.grants = SANDBOX_READ_FILES | SANDBOX_WRITE_FILES,
                                    .write_paths = {"."}});

    /* An answer waits for nobody's acknowledgement. Behind tlsd it is no TCP socket: no harm. */
    io_set_nodelay(1);
    str_init(&pending, POP3SESSION_PENDING_MAX);
    read_pending(&pending);
    if (!pop3session_init(&session, &peer, 0, 1, str_slice(&pending)))
        life_die_passing("set up", "the session");
    str_free(&pending);
    pop3session_run(&session, AT_FDCWD, "Maildir");
    pop3session_free(&session);
    return EXIT_DONE;
}
