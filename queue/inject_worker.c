/* inject_worker - see inject_worker.h */
#include "inject_worker.h"

#include "admission.h"
#include "clock.h"
#include "exits.h"
#include "io.h"
#include "life.h"
#include "log.h"
#include "loop.h"
#include "unixsocket.h"
#include "wire.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    TELL_MS = 1000,
};

static volatile sig_atomic_t is_told_to_stop;

static void note_stop(int number)
{
    (void)number;
    is_told_to_stop = 1;
}

/* A signal only ends the wait for a peer; one that comes just before is noticed at the wait's end. */
static bool handle_stop(void)
{
    struct sigaction action = {.sa_handler = note_stop};
    sigemptyset(&action.sa_mask);
    return sigaction(SIGTERM, &action, NULL) == 0 && sigaction(SIGINT, &action, NULL) == 0;
}

static bool tell(const struct inject_worker *worker, struct slice word, int connection)
{
    return wire_send(worker->parent, word, &connection, connection >= 0 ? 1 : 0,
                     clock_deadline(TELL_MS)) == WIRE_OK;
}

static void serve_ours(struct inject_worker *worker, struct directory *directory, int connection,
                       uid_t uid)
{
    if (!places_admit(worker->places, uid == life_uid(ROLE_SMTPD))) {
        log_event("refused", "answer", "too many clients of smtpd send at once");
        return;
    }
    struct inject_limits limits;
    directory_hold(directory);
    inject_limits_read(directory, &limits);
    worker->serve(connection, uid, &limits, worker->owner);
}

static void serve_peer(struct inject_worker *worker, struct directory *directory, int connection)
{
    uid_t uid;
    pid_t pid;
    place_set(worker->place, PLACE_BUSY);
    if (places_want_worker(worker->places))
        (void)tell(worker, SLICE(INJECT_WORKER_MORE), -1);
    if (!unixsocket_peer(connection, &uid, &pid))
        return;
    if (admission_trust(uid) == ADMISSION_STRANGER)
        (void)tell(worker, SLICE(INJECT_WORKER_OTHER), connection);
    else
        serve_ours(worker, directory, connection, uid);
}

/* False: it should end. */
static bool wait_for_peer(struct inject_worker *worker, struct directory *directory)
{
    int connection = accept4(worker->listener, NULL, NULL, SOCK_CLOEXEC);
    if (connection >= 0) {
        serve_peer(worker, directory, connection);
        io_close(&connection);
        place_set(worker->place, PLACE_WAITING);
        return true;
    }
    if (errno == EAGAIN)
        return !places_want_fewer(worker->places);
    if (errno == EINTR || errno == ECONNABORTED)
        return true;
    log_trouble("accept", "a peer", errno, NULL);
    return false; /* no descriptors, no memory: the parent starts another when one is needed */
}

int inject_worker_run(struct inject_worker *worker)
{
    struct directory directory;
    directory_init(&directory);
    bool goes_on = handle_stop();
    loop_unblock_signals();
    while (goes_on && !is_told_to_stop)
        goes_on = wait_for_peer(worker, &directory);
    directory_close(&directory);
    return EXIT_DONE;
}
