/*
 * spawnd - starts programs under other uids: the one root program of the running suite
 *
 * Runs as     root with the capabilities SETUID, SETGID, CHOWN and KILL, and no others
 * Started by  the service tree
 * Descriptors 2 log; the socket run/spawnd/socket
 * Reads       cdb/domains.cdb (whose uid), cdb/host.cdb (sessions-max, sessions-per-domain),
 *             cdb/domain/ (how many IMAP sessions the domain may have)
 * Trusts      cdb/domains.cdb, which root alone writes; the kernel's word who asks. authd, queued
 *             and nightly may each ask for their own programs only (program.c), and everything they
 *             say is checked again: names, uids, arguments; root may have sessions ended
 * If taken    all is lost: hence its size, and that no byte of a stranger reaches it but in names
 * Limits      sessions-max programs at once, sessions-per-domain of one domain, IMAP sessions by its plan, 256 peers, 9 s
 *             until exec; each answered with "temp"; 100 templates
 * Exits       0 told to stop (what it started goes on), 100 wrong configuration, 111 passing
 *             trouble
 */
#include "exits.h"
#include "io.h"
#include "life.h"
#include "log.h"
#include "spawn.h"
#include "starter.h"
#include "unixsocket.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    SPAWND_PEERS_MAX = 256,
    SPAWND_BACKLOG = 1024,
    SPAWND_FILES = 1024,
    SPAWND_CHILD_FDS_END = 16,
};

struct spawnd {
    struct loop loop;
    struct loop_signals signals;
    struct service service;
    struct starter starter;
};

static void signal_came(int number, void *owner)
{
    struct spawnd *spawnd = owner;
    if (number == SIGCHLD)
        starter_reap(&spawnd->starter);
    else
        loop_stop(&spawnd->loop);
}

/* Of root's rights only those that are used: to become another uid (SETUID, SETGID), to give a new
 * mail/DOMAIN away (CHOWN), to end a child that hangs before exec (KILL). Not among them: reading
 * and writing any file (DAC_OVERRIDE, DAC_READ_SEARCH, FOWNER), the network, devices, modules,
 * tracing. uid 0 still owns root's files, hence the care in launch.c. */
static void drop_capabilities(void)
{
    static const unsigned kept[] = {CAP_SETUID, CAP_SETGID, CAP_CHOWN, CAP_KILL};
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {{0}};
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        data[0].effective |= 1u << kept[i];
        data[0].permitted |= 1u << kept[i];
    }
    for (unsigned long capability = 0; capability <= CAP_LAST_CAP; capability++) {
        bool keep = capability < 32 && data[0].permitted & 1u << capability;
        if (!keep && prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0 && errno != EINVAL)
            life_die_passing("drop", "capabilities");
    }
    if (syscall(SYS_capset, &header, data) < 0)
        life_die_passing("drop", "capabilities");
}

/* The numbers that started programs use must not be ours: fill the gaps below. */
static void reserve_descriptors(void)
{
    int fd;
    do
        fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    while (fd >= 0 && fd < SPAWND_CHILD_FDS_END);
    io_close(&fd);
}

static void serve(struct spawnd *spawnd, int socket)
{
    static const int numbers[] = {SIGTERM, SIGINT, SIGCHLD};
    if (!starter_init(&spawnd->starter, &spawnd->loop))
        life_die_permanent("open", "mail", "run make setup");
    if (!loop_init(&spawnd->loop) ||
        !loop_add_signals(&spawnd->loop, &spawnd->signals, numbers, 3, signal_came, spawnd) ||
        !service_start(&spawnd->service, &spawnd->loop, socket, SPAWND_PEERS_MAX, starter_welcome,
                       starter_message, starter_gone, &spawnd->starter))
        life_die_passing("start", "event loop");
    log_event("started", NULL, NULL);
    if (!loop_run(&spawnd->loop))
        life_die_passing("wait for", "events");
}

int main(void)
{
    static struct spawnd spawnd;
    static const struct life_limits limits = {.open_files = SPAWND_FILES};
    life_begin("spawnd");
    if (geteuid() != 0)
        life_die_permanent("run as", "this uid", "start it as root");
    reserve_descriptors();
    int socket = unixsocket_listen(SPAWN_SOCKET, SOCK_SEQPACKET, SPAWND_BACKLOG);
    if (socket < 0)
        life_die_passing("listen on", SPAWN_SOCKET);
    life_limit(&limits);
    drop_capabilities();
    serve(&spawnd, socket);
    service_stop(&spawnd.service);
    starter_free(&spawnd.starter);
    loop_free(&spawnd.loop);
    return EXIT_DONE;
}
