/* hasher - see hasher.h */
#include "hasher.h"

#include "clock.h"
#include "exits.h"
#include "io.h"
#include "log.h"
#include "sandbox.h"
#include "unixsocket.h"
#include "wire.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CHILD_SOCKET = 3 };

/* ---- in the children --------------------------------------------------------------------------
 */

const char *hasher_answer(const struct wire_message *question)
{
    if (question->count != 2)
        return "trouble";
    switch (password_verify(wire_field(question, 0), wire_field(question, 1))) {
    case PASSWORD_MATCHES:
        return "match";
    case PASSWORD_DIFFERS:
        return "differ";
    case PASSWORD_TROUBLE:
        break;
    }
    return "trouble";
}

static _Noreturn void work(void)
{
    struct wire_message question;
    struct str answer;
    wire_init(&question);
    str_init(&answer, WIRE_MAX_SIZE);
    while (wire_receive(CHILD_SOCKET, &question, CLOCK_NEVER) == WIRE_OK) {
        str_clear(&answer);
        wire_put_text(&answer, hasher_answer(&question));
        explicit_bzero(question.bytes.data, question.bytes.size);
        if (wire_send(CHILD_SOCKET, str_slice(&answer), NULL, 0, CLOCK_NEVER) != WIRE_OK)
            break;
    }
    _exit(EXIT_DONE); /* nothing to flush, and no exit handler would get far in the sandbox */
}

static _Noreturn void become_child(int socket)
{
    static const struct sandbox nothing = {.grants = SANDBOX_NOTHING};
    /* They end when authd does, not by a signal to the group meanwhile. */
    signal(SIGTERM, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    int moved = fcntl(socket, F_DUPFD_CLOEXEC, CHILD_SOCKET + 1);
    if (moved < 0 || dup2(moved, CHILD_SOCKET) < 0 || dup2(STDERR_FILENO, STDIN_FILENO) < 0 ||
        dup2(STDERR_FILENO, STDOUT_FILENO) < 0 || close_range(CHILD_SOCKET + 1, UINT_MAX, 0) < 0)
        _exit(EXIT_PASSING);
    sandbox_enter(&nothing);
    work();
}

/* ---- in authd ---------------------------------------------------------------------------------
 */

bool hashers_fork(struct hashers *hashers)
{
    *hashers = (struct hashers){0};
    for (int i = 0; i < HASHER_COUNT; i++)
        hashers->hashers[i].fd = -1;
    for (int i = 0; i < HASHER_COUNT; i++) {
        int pair[2];
        if (!unixsocket_pair(SOCK_SEQPACKET, pair))
            return false;
        pid_t pid = fork();
        if (pid == 0)
            become_child(pair[1]);
        io_close(&pair[1]);
        hashers->hashers[i].fd = pair[0];
        if (pid < 0 || !io_set_nonblocking(pair[0], true))
            return false;
    }
    return true;
}

static void timed_out(struct loop_timer *timer)
{
    struct hasher *hasher = timer->owner;
    log_trouble("wait for", "a password hash", ETIMEDOUT, "look for a hash of absurd cost");
    hasher->all->broken(hasher->all->owner);
}

static bool give(struct hasher *hasher, struct hasher_job *job)
{
    struct str packet;
    str_init(&packet, WIRE_MAX_SIZE);
    /* One growth only: the secret shall not lie about in freed memory. */
    str_reserve(&packet, strlen(job->secret) + strlen(job->hash) + 2 * (WIRE_LENGTH_DIGITS + 2));
    wire_put_text(&packet, job->secret);
    wire_put_text(&packet, job->hash);
    bool sent = !packet.failed &&
                wire_send(hasher->fd, str_slice(&packet), NULL, 0, 0) == WIRE_OK &&
                loop_set_timer(hasher->all->loop, &hasher->timer, clock_deadline(HASHER_TIMEOUT_MS),
                               timed_out, hasher);
    if (packet.data)
        explicit_bzero(packet.data, packet.capacity);
    str_free(&packet);
    hasher->busy = true;
    hasher->job = job;
    return sent;
}

static struct hasher_job *take_first(struct hashers *hashers)
{
    struct hasher_job *job = hashers->first;
    if (job) {
        hashers->first = job->next;
        if (!hashers->first)
            hashers->last = NULL;
        hashers->waiting--;
        job->waiting = false;
        job->next = NULL;
    }
    return job;
}

static void give_next(struct hasher *hasher)
{
    struct hasher_job *job = take_first(hasher->all);
    if (job && !give(hasher, job))
        hasher->all->broken(hasher->all->owner);
}

static enum password_result read_answer(const struct wire_message *answer)
{
    if (slice_equal(wire_field(answer, 0), SLICE("match")))
        return PASSWORD_MATCHES;
    return slice_equal(wire_field(answer, 0), SLICE("differ")) ? PASSWORD_DIFFERS
                                                               : PASSWORD_TROUBLE;
}

static void answer_came(struct loop_watch *watch, uint32_t events)
{
    struct hasher *hasher = watch->owner;
    struct wire_message answer;
    (void)events;
    wire_init(&answer);
    enum wire_result received = wire_receive(hasher->fd, &answer, CLOCK_NEVER);
    enum password_result result = read_answer(&answer);
    wire_free(&answer);
    if (received == WIRE_TIMEOUT)
        return;
    if (received != WIRE_OK || !hasher->busy) {
        log_trouble("hear from", "a hashing child", 0, "it is started anew");
        hasher->all->broken(hasher->all->owner);
        return;
    }
    struct hasher_job *job = hasher->job;
    loop_clear_timer(hasher->all->loop, &hasher->timer);
    hasher->busy = false;
    hasher->job = NULL;
    give_next(hasher);
    if (job)
        job->done(job, result);
}

bool hashers_start(struct hashers *hashers, struct loop *loop, void (*broken)(void *owner),
                   void *owner)
{
    hashers->loop = loop;
    hashers->broken = broken;
    hashers->owner = owner;
    for (int i = 0; i < HASHER_COUNT; i++) {
        struct hasher *hasher = &hashers->hashers[i];
        hasher->all = hashers;
        if (!loop_add(loop, &hasher->watch, hasher->fd, EPOLLIN, answer_came, hasher))
            return false;
    }
    return true;
}

void hashers_stop(struct hashers *hashers)
{
    for (int i = 0; i < HASHER_COUNT; i++) {
        struct hasher *hasher = &hashers->hashers[i];
        if (hashers->loop) {
            loop_remove(hashers->loop, &hasher->watch);
            loop_clear_timer(hashers->loop, &hasher->timer);
        }
        io_close(&hasher->fd);
    }
}

static size_t waiting_of(const struct hashers *hashers, const char *network)
{
    size_t count = 0;
    for (const struct hasher_job *job = hashers->first; job; job = job->next)
        if (strcmp(job->network, network) == 0)
            count++;
    return count;
}

bool hashers_submit(struct hashers *hashers, struct hasher_job *job)
{
    job->next = NULL;
    job->waiting = false;
    /* A customer has 2^64 addresses of IPv6, and so would have the queue. */
    failures_client(slice_text(job->client), job->network);
    for (int i = 0; i < HASHER_COUNT; i++)
        if (!hashers->hashers[i].busy) {
            if (!give(&hashers->hashers[i], job))
                hashers->broken(hashers->owner);
            return true;
        }
    if (hashers->waiting >= HASHER_QUEUE_MAX ||
        waiting_of(hashers, job->network) >= HASHER_QUEUE_PER_CLIENT)
        return false;
    if (hashers->last)
        hashers->last->next = job;
    else
        hashers->first = job;
    hashers->last = job;
    hashers->waiting++;
    job->waiting = true;
    return true;
}

static void take_out(struct hashers *hashers, struct hasher_job *job)
{
    struct hasher_job *before = NULL;
    for (struct hasher_job *at = hashers->first; at != job; at = at->next)
        before = at;
    if (before)
        before->next = job->next;
    else
        hashers->first = job->next;
    if (hashers->last == job)
        hashers->last = before;
    hashers->waiting--;
    job->waiting = false;
}

void hashers_cancel(struct hashers *hashers, struct hasher_job *job)
{
    if (job->waiting)
        take_out(hashers, job);
    for (int i = 0; i < HASHER_COUNT; i++)
        if (hashers->hashers[i].job == job)
            hashers->hashers[i].job = NULL;
}
