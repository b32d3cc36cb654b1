/* sessionend - see sessionend.h */
#include "sessionend.h"

#include <errno.h>
#include <signal.h>
#include <sys/socket.h>

static const struct {
    const char *name, *text;
} reasons[SESSIONEND_COUNT] = {
    [SESSIONEND_NOT] = {"", ""},
    [SESSIONEND_CHANGED] = {"password-changed",
                            "The password was changed; log in with the new one"},
    [SESSIONEND_FORCED] = {"password-forced", "The password is void; a new one has to be set"},
    [SESSIONEND_REMOVED] = {"account-removed", "The account was deleted"},
    [SESSIONEND_LOCKED] = {"account-locked", "The account was locked; ask the administrator"},
};

const char *sessionend_name(enum sessionend why)
{
    return reasons[why].name;
}

bool sessionend_named(struct slice name, enum sessionend *why)
{
    for (int i = SESSIONEND_CHANGED; i < SESSIONEND_COUNT; i++)
        if (slice_equal(name, slice_text(reasons[i].name))) {
            *why = (enum sessionend)i;
            return true;
        }
    return false;
}

const char *sessionend_text(enum sessionend why)
{
    return reasons[why].text;
}

/* ---- the session ---- */

/* What a signal handler can reach. */
static volatile sig_atomic_t came;
static volatile sig_atomic_t client_fd = -1;

/* Whoever may signal us, an unknown reason is an end, too. What waits in poll(2) sees the way in shut,
 * wherever it was when the signal came. */
static void signal_came(int number, siginfo_t *info, void *context)
{
    int error = errno;
    int why = info->si_code == SI_QUEUE ? info->si_value.sival_int : SESSIONEND_CHANGED;
    (void)number;
    (void)context;
    came = why > SESSIONEND_NOT && why < SESSIONEND_COUNT ? why : SESSIONEND_CHANGED;
    (void)shutdown(client_fd, SHUT_RD); /* closed already: that is an end as well */
    errno = error;
}

void sessionend_watch(int client)
{
    struct sigaction action = {.sa_flags = SA_SIGINFO | SA_RESTART};
    action.sa_sigaction = signal_came;
    came = SESSIONEND_NOT;
    client_fd = client;
    (void)sigaction(SIGHUP, &action, NULL); /* can't fail */
}

enum sessionend sessionend_came(void)
{
    return (enum sessionend)came;
}

/* ---- spawnd ---- */

bool sessionend_signal(pid_t session, enum sessionend why)
{
    return sigqueue(session, SIGHUP, (union sigval){.sival_int = (int)why}) == 0;
}
