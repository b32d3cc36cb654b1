/*
 * imapd - serves one account's mail over IMAP4rev1 and IMAP4rev2, after login
 *
 * Runs as     the domain's uid, no groups; sandbox: mail/DOMAIN, the tables of iconv; a copy: of these
 *             the account's folder alone
 * Started by  spawnd (asked by authd) in mail/DOMAIN, as a template (common/template.h) that is copied
 *             for each session
 * Signals     HUP: the account's password is another one, or it is gone: says BYE and ends
 * Descriptors 0 spawnd; in a copy 0/1 client (one socket), 2 log, 3 pipe with input that imap-login
 *             read too far
 * Reads       Maildir/
 * Writes      Maildir/: folders, messages, names (UIDs, flags), mailbox-*, subscriptions,
 *             special-use, server-metadata, maildirsize
 * Trusts      spawnd about the session; nothing that arrives on 0, no message
 * If taken    attacker has the mail of this domain, whose password he had for one account
 * Limits      imapsession.h: line 64 KiB, command 1 MiB, message 100 MiB, 20 senseless commands in a
 *             row, 30 minutes of silence; each answered with BAD, NO or BYE
 * Exits       0 done, 100 wrong use, 111 passing trouble
 */
#include "charset.h"
#include "exits.h"
#include "foldertree.h"
#include "handover.h"
#include "imapsession.h"
#include "io.h"
#include "life.h"
#include "log.h"
#include "mailsession.h"
#include "sandbox.h"
#include "sessionend.h"
#include "template.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PENDING_MAX = 65536 };

#define STARTED_BY "imapd is started by spawnd"

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

static const struct sandbox sandbox = {.grants = SANDBOX_READ_FILES | SANDBOX_WRITE_FILES |
                                                 SANDBOX_TEMPLATE | SANDBOX_NARROW,
                                       .read_paths = {CHARSET_FOLDER},
                                       .write_paths = {"."}};

/* A copy of the template, from here on. */
static void serve(struct imapsession *session, const struct mailsession *mail)
{
    bool entered = mailsession_enter(mail, &sandbox);
    if (!entered)
        log_trouble("enter", mail->folder, errno, "see to mail/DOMAIN/LOCAL, its owner and modes");
    /* An answer waits for nobody's acknowledgement. Behind tlsd it is no TCP socket: no harm. */
    io_set_nodelay(STDOUT_FILENO);
    begin_session(session);
    if (entered && foldertree_prepare()) {
        sessionend_watch(STDIN_FILENO);
        imapsession_greet(session, slice_text(mail->tag));
        imapsession_run(session);
    } else {
        if (entered)
            log_trouble("prepare", "Maildir", errno,
                        "see to the account's folder, its owner and disk");
        imapsession_refuse(session, slice_text(mail->tag));
    }
    imapsession_unselect(session);
    log_session(session);
}

int main(int argc, char **argv)
{
    static struct wire_message connection;
    static struct imapsession session;
    struct mailsession mail;
    (void)argv;
    log_init("imapd");
    signal(SIGPIPE, SIG_IGN);
    umask(077);
    if (argc != 1)
        life_die_permanent("start with", "arguments", STARTED_BY);
    if (geteuid() == 0)
        life_die_permanent("run as", "root", "imapd runs as the domain's uid");
    life_limit(&(struct life_limits){.memory_bytes = 1UL << 30, .open_files = 1024});
    wire_init(&connection);
    sandbox_enter(&sandbox);
    if (!template_serve(&connection, NULL, NULL))
        return EXIT_DONE;

    if (!mailsession_read(&mail, &connection) || !mail.tag)
        life_die_permanent("understand", "what is said about the session", STARTED_BY);
    session.account = mail.account;
    session.client = mail.client;
    session.tls = mail.tls;
    session.terms = mail.terms;
    serve(&session, &mail);
    /* The end of the process frees and closes faster than we could. */
    _exit(EXIT_DONE);
}
