/*
 * imapd - serves one account's mail over IMAP4rev1, after login
 *
 *     imapd LOCAL@DOMAIN TAG CLIENT TLS TERMS
 *
 * Runs as     the domain's uid, no groups; sandbox: the account's folder, the tables of iconv
 * Started by  spawnd (asked by authd), one process per session, in mail/DOMAIN/LOCAL
 * Descriptors 0/1 client (one socket), 2 log, 3 pipe with input that imap-login read too far
 * Reads       Maildir/
 * Writes      Maildir/: folders, messages, names (UIDs, flags), mailbox-*, subscriptions,
 *             special-use, server-metadata, maildirsize
 * Trusts      its arguments; nothing that arrives on 0, no message
 * If taken    attacker has the mail of this domain, whose password he had for one account
 * Limits      imapsession.h: line 64 KiB, command 1 MiB, message 100 MiB, 20 senseless commands in a
 *             row, 30 minutes of silence; each answered with BAD, NO or BYE
 * Exits       0 done, 100 wrong use, 111 passing trouble
 */
#include "exits.h"
#include "foldertree.h"
#include "handover.h"
#include "imapsession.h"
#include "io.h"
#include "life.h"
#include "log.h"
#include "sandbox.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PENDING_MAX = 65536, ARGUMENTS = 6 };

static void read_pending(struct str *pending)
{
    if (!handover_read(HANDOVER_FD, pending))
        life_die_passing("read", "the input that was read too far");
}

static void begin_session(struct imapsession *session)
{
    struct str pending;
    str_init(&pending, PENDING_MAX);
    read_pending(&pending);
    if (!imapsession_begin(session, STDIN_FILENO, STDOUT_FILENO, str_slice(&pending)))
        life_die_passing("set up", "the session");
    str_free(&pending);
}

static void log_session(const struct imapsession *session)
{
    struct log_line line;
    log_begin(&line, "closed");
    log_text(&line, "account", session->account);
    log_text(&line, "client", session->client);
    log_text(&line, "tls", session->tls);
    identity_describe(&line, &session->identity);
    log_number(&line, "commands", (int64_t)session->commands);
    log_number(&line, "in", (int64_t)session->stream.bytes_in);
    log_number(&line, "out", (int64_t)session->stream.bytes_out);
    log_text(&line, "end", session->how);
    log_end(&line);
}

int main(int argc, char **argv)
{
    log_init("imapd");
    signal(SIGPIPE, SIG_IGN);
    umask(077);
    if (argc != ARGUMENTS)
        life_die_permanent("start with", "these arguments", "imapd is started by spawnd");
    if (geteuid() == 0)
        life_die_permanent("run as", "root", "imapd runs as the domain's uid");
    struct imapsession session = {.account = argv[1], .client = argv[3], .tls = argv[4]};
    if (!terms_parse(slice_text(argv[5]), &session.terms))
        life_die_permanent("understand", argv[5], "authd and imapd are not of one version");
    life_limit(&(struct life_limits){.memory_bytes = 1UL << 30, .open_files = 1024});
    sandbox_enter(&(struct sandbox){
        .grants = SANDBOX_READ_FILES | SANDBOX_WRITE_FILES,
        .read_paths = {"/usr/lib/x86_64-linux-gnu/gconv", "/usr/lib/aarch64-linux-gnu/gconv"},
        .write_paths = {"."}});

    /* An answer waits for nobody's acknowledgement. Behind tlsd it is no TCP socket: no harm. */
    io_set_nodelay(STDOUT_FILENO);
    begin_session(&session);
    if (foldertree_prepare()) {
        imapsession_greet(&session, slice_text(argv[2]));
        imapsession_run(&session);
    } else {
        log_trouble("prepare", "Maildir", errno, "see to the account's folder, its owner and disk");
        imapsession_refuse(&session, slice_text(argv[2]));
    }
    log_session(&session);
    imapsession_end(&session);
    return EXIT_DONE;
}
