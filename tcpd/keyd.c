/*
 * keyd - holds the private keys: hands out certificates, signs, remembers TLS sessions
 *
 * Usage       keyd
 * Runs as     root till its socket is bound, then keyd, no groups; sandbox: reads below
 *             control/tls, forks; its two workers, which alone answer: nothing at all
 * Started by  the supervisor
 * Descriptors 2 log; a socket at run/keyd/socket
 * Reads       control/tls/HOST/{cert,key}*.pem, looked at every two seconds
 * Trusts      the kernel about its peer's uid (tlsd alone may ask); no certificate or key file
 *             before it was checked; nothing that tlsd says
 * If taken    attacker has the private keys and the secrets of TLS sessions
 * Limits      4096 pairs, 128 KB a file, RSA of 2048 to 4096 bits; 16384 sessions of an hour
 * Exits       0 stopped, 100 wrong use, 111 passing trouble
 */
#include "exits.h"
#include "key.h"
#include "keymaster.h"
#include "keyworker.h"
#include "life.h"
#include "sandbox.h"
#include "unixsocket.h"

#include <sys/socket.h>

enum { BACKLOG = 1024, OWN_FILES = 64 };

int main(int count, char **arguments)
{
    static struct keymaster master;
    static const struct sandbox sandbox = {
        .grants = SANDBOX_READ_FILES | SANDBOX_FORK | SANDBOX_TIGHTEN,
        .read_paths = {KEYSET_FOLDER},
    };
    (void)arguments;
    life_begin("keyd");
    if (count != 1)
        life_die_permanent("understand", "the arguments", "keyd takes none");
    int listener = unixsocket_listen(KEY_SOCKET, SOCK_SEQPACKET, BACKLOG);
    if (listener < 0)
        life_die_passing("listen on", KEY_SOCKET);
    life_limit(&(struct life_limits){.open_files = KEYWORKER_PEERS_MAX + OWN_FILES});
    life_drop(ROLE_KEYD, false, NULL);
    sandbox_enter(&sandbox);
    keymaster_run(&master, listener, life_uid(ROLE_TLSD));
    return EXIT_DONE;
}
