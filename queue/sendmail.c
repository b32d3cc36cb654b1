/*
 * sendmail - puts a message from standard input into the queue, for programs that know no SMTP
 *
 * Runs as     whoever calls it; not setuid: queue-inject knows the caller's uid from the kernel
 * Started by  users, cron, CGI programs
 * Descriptors 0 the message, 2 complaints; with -bs 0 and 1 SMTP
 * Reads       ROOT/control/me; ROOT is the folder above the one of this binary
 * Trusts      its caller, who can do no more than it could without
 * If taken    nothing is gained: it has no rights of its own
 * Limits      header 1 MiB, 1000 recipients: 65
 * Exits       as sysexits.h says: 0 done, 64 wrong use, 65 no address, or a header
 *             too large, 69 refused, 71 no memory, 74 can't read, 75 passing trouble,
 *             76 -bs was left within a message, 77 only root may see the queue
 */
#include "life.h"
#include "sendmail_options.h"
#include "sendmail_session.h"
#include "sendmail_smtp.h"
#include "str.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

/* "mailq" beside this binary. */
static int list_queue(void)
{
    struct str path;
    if (geteuid() != 0) {
        fputs("sendmail: only root may see the queue (try: sudo mailq)\n", stderr);
        return EX_NOPERM;
    }
    str_init(&path, 4096);
    str_format(&path, "%s/bin/mailq", life_root());
    const char *text = str_text(&path);
    char name[] = "mailq";
    char *arguments[] = {name, NULL};
    if (text)
        execv(text, arguments);
    fprintf(stderr, "sendmail: can't start %s: %s\n", text ? text : "mailq", strerror(errno));
    str_free(&path);
    return EX_UNAVAILABLE;
}

int main(int argc, char **argv)
{
    struct sendmail_options options;
    life_begin_command("sendmail");
    if (!sendmail_options_parse(argc, argv, &options)) {
        fprintf(stderr, "sendmail: %s: not understood (see sendmail(1))\n", options.wrong);
        return EX_USAGE;
    }
    switch (options.mode) {
    case SENDMAIL_LIST_QUEUE:
        return list_queue();
    case SENDMAIL_NOTHING:
        return EX_OK;
    case SENDMAIL_SMTP:
        return sendmail_smtp(&options, STDIN_FILENO, STDOUT_FILENO, life_root());
    case SENDMAIL_SUBMIT:
        break;
    }
    return sendmail_submit(&options, STDIN_FILENO, life_root());
}
