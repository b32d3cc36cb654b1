/*
 * mtastsd - knows the MTA-STS policies of other domains, and counts how TLS toward them goes
 *
 * Usage       mtastsd
 * Runs as     root till its socket and folders are open, then ROLE_MTASTSD, no groups, sandbox:
 *             reads libraries and trusted certificates, writes its two folders, forks, internet;
 *             children: reads, internet
 * Started by  the supervisor; a child per policy that is fetched, without exec
 * Descriptors 2 log; a socket at run/mtastsd/socket; children: a socket to it
 * Reads       at the start cdb/host.cdb (resolver, tls-ca); state/mta-sts, state/tls-report
 * Asks        the DNS and the web server of a policy: only the children
 * Trusts      the kernel about who asks (remote; root); the trusted certificates; a domain's policy
 *             about that domain
 * If taken    attacker may say that a domain has no policy, or one that keeps mail waiting, and
 *             change counts; a child: the same of one domain, till its next fetch
 * Limits      16 fetches at a time, 60 s and 64 KiB each, no redirect; 2000 different sessions a day,
 *             30 days
 * Exits       0 stopped, 100 wrong use, 111 passing trouble
 */
#include "directory.h"
#include "exits.h"
#include "io.h"
#include "life.h"
#include "mtasts.h"
#include "sandbox.h"
#include "stsserver.h"
#include "unixsocket.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>

enum { BACKLOG = 1024, OPEN_FILES = 1024 };

/* The folder above is stated's: one that is not our own was put there by somebody else. */
static int open_folder(const char *path)
{
    struct stat info;
    int fd = openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        life_die_passing("open", path);
    if (fstat(fd, &info) < 0 || info.st_uid != life_uid(ROLE_MTASTSD))
        life_die_permanent("use", path, "it belongs to another uid: run make setup");
    return fd;
}

static void read_setting(struct directory *directory, const char *name, char *text, size_t capacity)
{
    struct str value;
    str_init(&value, DIRECTORY_VALUE_MAX);
    if (!directory_host(directory, name, &value))
        life_die_passing("read the settings from", "cdb/host.cdb");
    if (!slice_copy_text(str_slice(&value), text, capacity))
        life_die_permanent("use the setting", name, "it is too long");
    str_free(&value);
}

static void read_settings(struct stsserver *server)
{
    static char resolver[DIRECTORY_VALUE_MAX], anchors[DIRECTORY_VALUE_MAX];
    static struct directory directory;
    directory_init(&directory);
    read_setting(&directory, "resolver", resolver, sizeof resolver);
    read_setting(&directory, "tls-ca", anchors, sizeof anchors);
    directory_close(&directory);
    server->resolver = resolver;
    server->anchors = anchors;
}

int main(int count, char **arguments)
{
    static struct stsserver server;
    (void)arguments;
    life_begin("mtastsd");
    if (count != 1)
        life_die_permanent("understand", "the arguments", "mtastsd takes none");
    read_settings(&server);
    server.asker = life_uid(ROLE_REMOTE);
    server.cache = open_folder(STSCACHE_FOLDER);
    server.reports = open_folder(TLSREPORT_FOLDER);
    server.listener = unixsocket_listen(MTASTS_SOCKET, SOCK_SEQPACKET, BACKLOG);
    if (server.listener < 0)
        life_die_passing("listen on", MTASTS_SOCKET);
    life_limit(&(struct life_limits){.open_files = OPEN_FILES});
    life_drop(ROLE_MTASTSD, false, NULL);
    sandbox_enter(&(struct sandbox){
        .grants = SANDBOX_READ_FILES | SANDBOX_WRITE_FILES | SANDBOX_NETWORK | SANDBOX_FORK |
                  SANDBOX_TIGHTEN,
        .read_paths = {"/etc/resolv.conf", "/etc/ld.so.cache", "/usr/lib", "/lib", "/etc/ssl",
                       server.anchors},
        .write_paths = {STSCACHE_FOLDER, TLSREPORT_FOLDER},
    });
    stsserver_run(&server);
    io_close(&server.cache);
    io_close(&server.reports);
    return EXIT_DONE;
}
