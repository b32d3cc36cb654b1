/*
 * scand - has every message looked at for viruses by libclamav before it is delivered
 *
 * Runs as     ROLE_SCAND with the group that reads cdb/; started as root only to bind its socket.
 *             Master, loader and workers are processes of this one program. Workers, which parse
 *             strangers' bytes, are confined further: no network, no exec, no fork, no file but in
 *             their own temporary folder (and /usr/lib to read), limits of memory, files and time
 * Started by  the service tree
 * Descriptors 2 log; run/scand/socket
 * Reads       cdb/host.cdb (clamdb, scan-workers, scan-timeout, scan-encrypted, scan-limits),
 *             etc/clamav/, the folder named by clamdb; the queue file that comes with a question
 * Writes      run/scand/tmp/PID, one folder per worker
 * Trusts      the signature files; queued, by its uid; nothing in a message
 * If taken    a worker: attacker sees the messages that this worker scans and may call them clean;
 *             no network, no queue, no mailbox. Master and loader meet no stranger's bytes
 * Limits      scan-timeout per message, 100 MiB for what is in it (engine.h), libclamav's own (400 MiB
 *             a scan, 17 levels, 10,000 files): "refused" or passed by scan-limits; anything that
 *             kept a scan from being whole is "failed", never "clean"
 * Exits       0 told to stop, 100 wrong use, 111 passing trouble
 */
#include "clock.h"
#include "exits.h"
#include "io.h"
#include "life.h"
#include "scan.h"
#include "scanconfig.h"
#include "scanmaster.h"
#include "tempfolder.h"
#include "unixsocket.h"

#include <errno.h>
#include <sys/socket.h>

enum { BACKLOG = 256 };

static int open_socket(void)
{
    int listener = unixsocket_listen(SCAN_SOCKET, SOCK_SEQPACKET, BACKLOG);
    if (listener < 0)
        life_die_passing("listen on", SCAN_SOCKET);
    if (!tempfolder_make_base(life_uid(ROLE_SCAND)))
        life_die_passing("make", TEMPFOLDER_BASE);
    return listener;
}

static void read_settings(struct scanconfig *config)
{
    struct directory directory;
    directory_init(&directory);
    if (!scanconfig_read(&directory, config))
        life_die_passing("read settings from", "cdb/host.cdb");
    directory_close(&directory);
}

int main(void)
{
    struct scanconfig config;
    struct scanmaster master;
    life_begin("scand");
    int listener = open_socket();
    life_drop(ROLE_SCAND, true, NULL);
    tempfolder_remove_stale();
    read_settings(&config);
    if (!scanmaster_start(&master, listener, life_uid(ROLE_QUEUE), &config) ||
        !scanmaster_run(&master))
        life_die_passing("run", "the event loop");
    return EXIT_DONE;
}
