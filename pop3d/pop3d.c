/*
 * pop3d - serves one account's mail over POP3, after login
 *
 * Runs as     the domain's uid, no groups; sandbox: mail/DOMAIN; a copy: the account's folder and
 *             nothing else
 * Started by  spawnd (asked by authd) in mail/DOMAIN, as a template (common/template.h) that is copied
 *             for each session
 * Signals     HUP: the account's password is another one, or it is gone: says so and ends
 * Descriptors 0 spawnd; in a copy 0/1 client (one socket), 2 log, 3 pipe with input that pop3-login
 *             read too far
 * Reads       Maildir/
 * Writes      Maildir/: names (UIDs), removals, pop3-lock, mailbox-*
 * Trusts      spawnd about the session; nothing that arrives on 0
 * If taken    attacker has the mail of this domain, whose password he had for one account
 * Limits      command line 512, 50 errors, 10 minutes of silence; one session per account
 * Exits       0 done, 100 wrong use, 111 passing trouble
 */
#include "exits.h"
#include "handover.h"
#include "io.h"
#include "life.h"
#include "log.h"
#include "mailsession.h"
#include "pop3session.h"
#include "sandbox.h"
#include "sessionend.h"
#include "template.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#define STARTED_BY "pop3d is started by spawnd"

static void read_pending(struct str *pending)
{
    if (!handover_read(HANDOVER_FD, pending))
        life_die_passing("read", "the input that was read too far");
}

static const struct sandbox sandbox = {.grants = SANDBOX_READ_FILES | SANDBOX_WRITE_FILES |
                                                 SANDBOX_TEMPLATE | SANDBOX_NARROW,
                                       .write_paths = {"."}};

/* A copy of the template, from here on. */
static void serve(const struct mailsession *mail)
{
    static struct pop3session session;
    struct pop3session_peer peer = {
        .account = mail->account, .client = mail->client, .tls = mail->tls, .terms = mail->terms};
    struct str pending;
    bool entered = mailsession_enter(mail, &sandbox);
    if (!entered)
        log_trouble("enter", mail->folder, errno, "see to mail/DOMAIN/LOCAL, its owner and modes");
    /* An answer waits for nobody's acknowledgement. Behind tlsd it is no TCP socket: no harm. */
    io_set_nodelay(1);
    str_init(&pending, POP3SESSION_PENDING_MAX);
    read_pending(&pending);
    if (!pop3session_init(&session, &peer, 0, 1, str_slice(&pending)))
        life_die_passing("set up", "the session");
    str_free(&pending);
    sessionend_watch(STDIN_FILENO);
    if (entered)
        pop3session_run(&session, AT_FDCWD, "Maildir");
    else
        pop3session_refuse(&session);
}

int main(int argc, char **argv)
{
    static struct wire_message connection;
    struct mailsession mail;
    (void)argv;
    log_init("pop3d");
    signal(SIGPIPE, SIG_IGN);
    umask(077);
    if (argc != 1)
        life_die_permanent("start with", "arguments", STARTED_BY);
    if (geteuid() == 0)
        life_die_permanent("run as", "root", "pop3d runs as the domain's uid");
    life_limit(&(struct life_limits){.memory_bytes = 1UL << 30, .open_files = 64});
    wire_init(&connection);
    sandbox_enter(&sandbox);
    if (!template_serve(&connection, NULL, NULL))
        return EXIT_DONE;

    if (!mailsession_read(&mail, &connection))
        life_die_permanent("understand", "what is said about the session", STARTED_BY);
    serve(&mail);
    /* The end of the process frees and closes faster than we could. */
    _exit(EXIT_DONE);
}
