/* pool - see pool.h */
#include "pool.h"

#include "clock.h"
#include "io.h"
#include "log.h"
#include "schedule.h"
#include "unixsocket.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

enum worker_state { WORKER_SPAWNING, WORKER_BUSY, WORKER_IDLE };

struct worker {
    struct pool *pool;
    struct destination *destination; /* it is bound to this one, or served it last */
    enum worker_state state;
    int fd;                           /* our end */
    int their_fd;                     /* till spawnd has it */
    struct job *jobs[POOL_DEPTH_MAX]; /* in the order of the answers */
    unsigned job_count;
    unsigned sent;  /* of them; the others wait for spawnd */
    bool is_choked; /* its socket takes no more till it has answered */
    bool has_answered;
    bool has_unread;           /* it died, and of what it was sent it had not read all */
    struct worker *bound_next; /* of the same destination, where it is bound */
    struct spawner_ask ask;
    struct loop_watch watch;
    struct loop_timer timer; /* busy: the job's limit; idle: the end */
    struct worker *next, *previous;
    struct worker *idle_next, *idle_previous;
};

/* For a worker, turns that come to nothing in one round; the next round goes on behind them. */
enum { RESERVED_SHARE = 4, IN_VAIN_MAX = 256, LOOK_AGAIN_MS = 1000 };

static void wake(struct pool *pool);

/* ---- who may have another job -------------------------------------------------------------------
 */

/* One that could not be reached gets one try at a time till it works again; others begin with a few,
 * and with each that goes well may have one more. */
static unsigned limit_of(const struct pool *pool, const struct destination *destination)
{
    if (destination->failures > 0)
        return 1;
    if (pool->kind->is_bound || destination->window > pool->per_destination_max)
        return pool->per_destination_max;
    return destination->window;
}

/* Jobs came, went, or run no more. */
static void update(struct pool *pool, struct destination *destination)
{
    bool is_open = destination->waiting > 0 && destination->running < limit_of(pool, destination);
    if (is_open || destination->is_open)
        job_open(destination, &pool->tenants, is_open);
}

/* The last quarter of the workers is not for retries, nor for destinations that have one already; the
 * last eighth not for tenants that have one: however many destinations of one customer are slow,
 * there is a way for others. */
static unsigned shared_max(const struct pool *pool)
{
    return pool->busy_max - pool->busy_max / RESERVED_SHARE;
}

static bool may_start(const struct pool *pool, const struct lane *lane)
{
    if (pool->busy < shared_max(pool))
        return true;
    bool is_for_all = pool->busy < pool->busy_max - pool->busy_max / RESERVED_SHARE / 2;
    return lane->destination->running == 0 &&
           (is_for_all || lane->tenant->turns[pool->kind->job].running == 0);
}

/* A worker got the job, or has it no more. */
static void count_running(struct pool *pool, const struct job *job, bool is_begun)
{
    unsigned one = is_begun ? 1u : -1u;
    pool->busy += one;
    pool->busy_old += job->is_fresh ? 0 : one;
    job->destination->running += one;
    job->lane->tenant->turns[pool->kind->job].running += one;
    job->message->running = (unsigned short)(job->message->running + one);
}

/* ---- the end of a job ---------------------------------------------------------------------------
 */

/* Gives one of the worker's jobs back to nobody: it neither runs nor waits. */
static struct job *job_detach(struct worker *worker, unsigned index)
{
    struct job *job = worker->jobs[index];
    struct pool *pool = worker->pool;
    worker->job_count--;
    if (index < worker->sent)
        worker->sent--;
    memmove(&worker->jobs[index], &worker->jobs[index + 1],
            (worker->job_count - index) * sizeof worker->jobs[0]);
    count_running(pool, job, false);
    wake(pool);
    return job;
}

static void job_end(struct pool *pool, struct job *job, const struct wire_message *answer,
                    struct slice reason)
{
    struct destination *destination = job->destination;
    /* The hook may forget everything about this destination but this mark. */
    destination->workers++;
    pool->hooks->done(pool->owner, job, answer, reason);
    destination->workers--;
    update(pool, destination);
    destination_release(pool->destinations, destination);
}

/* ---- workers ------------------------------------------------------------------------------------
 */

static void idle_remove(struct worker *worker)
{
    struct pool *pool = worker->pool;
    if (worker->idle_previous)
        worker->idle_previous->idle_next = worker->idle_next;
    else
        pool->idle_first = worker->idle_next;
    if (worker->idle_next)
        worker->idle_next->idle_previous = worker->idle_previous;
    else
        pool->idle_last = worker->idle_previous;
    worker->idle_next = worker->idle_previous = NULL;
}

static void idle_append(struct worker *worker)
{
    struct pool *pool = worker->pool;
    worker->idle_next = NULL;
    worker->idle_previous = pool->idle_last;
    if (pool->idle_last)
        pool->idle_last->idle_next = worker;
    else
        pool->idle_first = worker;
    pool->idle_last = worker;
}

static void bound_remove(struct worker *worker)
{
    struct worker **link = &worker->destination->bound;
    while (*link && *link != worker)
        link = &(*link)->bound_next;
    if (*link)
        *link = worker->bound_next;
}

/* The worker sees the end of its socket and leaves. It has no job any more. */
static void worker_close(struct worker *worker)
{
    struct pool *pool = worker->pool;
    if (worker->state == WORKER_IDLE)
        idle_remove(worker);
    bound_remove(worker);
    spawner_cancel(pool->spawner, &worker->ask);
    loop_clear_timer(pool->loop, &worker->timer);
    loop_remove(pool->loop, &worker->watch);
    io_close(&worker->fd);
    io_close(&worker->their_fd);
    if (worker->previous)
        worker->previous->next = worker->next;
    else
        pool->workers = worker->next;
    if (worker->next)
        worker->next->previous = worker->previous;
    pool->worker_count--;
    worker->destination->workers--;
    destination_release(pool->destinations, worker->destination);
    free(worker);
}

/* Puts all jobs but the first `kept` back to the head of their lines. What the worker had been asked
 * for may have been done: a repeat is looked for. */
static void put_back_behind(struct worker *worker, unsigned kept)
{
    while (worker->job_count > kept) {
        bool was_sent = worker->job_count <= worker->sent;
        struct job *job = job_detach(worker, worker->job_count - 1);
        job->message->is_repeat = job->message->is_repeat || was_sent;
        job_return(job);
        update(worker->pool, job->destination);
    }
}

/* A process that is killed takes a while to close its sockets, and may be sent a job meanwhile: that job
 * had no part in it. One that dies before its first answer ever is no reason to start the next at once. */
static bool was_last_unread(const struct worker *worker)
{
    return worker->has_unread && worker->has_answered && worker->sent == 1;
}

/* The job that was next to be answered is the suspect; those behind it shall not suffer. With several
 * written at a time it may be another: then that one is the first before long. */
static void worker_fail(struct worker *worker, struct slice reason)
{
    struct pool *pool = worker->pool;
    put_back_behind(worker, was_last_unread(worker) ? 0 : 1);
    struct job *job = worker->job_count > 0 ? job_detach(worker, 0) : NULL;
    worker_close(worker);
    if (job)
        job_end(pool, job, NULL, reason);
}

static void idle_due(struct loop_timer *timer)
{
    worker_close(timer->owner);
}

static void worker_rest(struct worker *worker)
{
    struct pool *pool = worker->pool;
    worker->state = WORKER_IDLE;
    idle_append(worker);
    if (!loop_set_timer(pool->loop, &worker->timer, clock_deadline(POOL_IDLE_MS), idle_due, worker))
        worker_close(worker);
}

static void job_late(struct loop_timer *timer)
{
    struct worker *worker = timer->owner;
    log_trouble("wait for an answer of", worker->pool->kind->program, 0, "see its log");
    worker_fail(worker, SLICE("the delivery program took too long"));
}

/* The next job's time begins, or the worker's rest. */
static void worker_goes_on(struct worker *worker)
{
    struct pool *pool = worker->pool;
    worker->is_choked = false;
    if (worker->job_count == 0)
        worker_rest(worker);
    /* Without memory for the timer the job just has no limit. */
    else if (!loop_set_timer(pool->loop, &worker->timer, clock_deadline(pool->kind->job_ms),
                             job_late, worker))
        log_trouble("set a limit for", pool->kind->program, errno, NULL);
}

/* Takes one answer. False: there is none, or no worker any more. */
static bool take_answer(struct worker *worker)
{
    struct pool *pool = worker->pool;
    enum wire_result result = wire_receive(worker->fd, &pool->incoming, CLOCK_NEVER);
    if (result == WIRE_TIMEOUT)
        return false;
    if (result == WIRE_RESET) {
        worker->has_unread = true;
        return true;
    }
    if (result != WIRE_OK || worker->sent == 0) {
        worker_fail(worker, SLICE("the delivery program ended without an answer"));
        return false;
    }
    bool is_last = worker->sent == 1;
    struct job *job = job_detach(worker, 0);
    worker->has_answered = true;
    worker_goes_on(worker);
    job_end(pool, job, &pool->incoming, SLICE(""));
    return !is_last;
}

static void worker_ready(struct loop_watch *watch, uint32_t events)
{
    (void)events;
    while (take_answer(watch->owner))
        ;
}

static void answer_spawn(struct spawner_ask *ask, enum verdict verdict, struct slice reason);

static struct worker *worker_new(struct pool *pool, struct destination *destination)
{
    int pair[2];
    struct worker *worker = calloc(1, sizeof *worker);
    if (!worker || !unixsocket_pair(SOCK_SEQPACKET, pair)) {
        free(worker);
        return NULL;
    }
    *worker = (struct worker){.pool = pool,
                              .destination = destination,
                              .state = WORKER_SPAWNING,
                              .fd = pair[0],
                              .their_fd = pair[1],
                              .next = pool->workers};
    if (!io_set_nonblocking(worker->fd, true) ||
        !loop_add(pool->loop, &worker->watch, worker->fd, EPOLLIN, worker_ready, worker)) {
        io_close(&worker->fd);
        io_close(&worker->their_fd);
        free(worker);
        return NULL;
    }
    if (pool->workers)
        pool->workers->previous = worker;
    pool->workers = worker;
    pool->worker_count++;
    destination->workers++;
    if (pool->kind->is_bound) {
        worker->bound_next = destination->bound;
        destination->bound = worker;
    }
    worker->ask = (struct spawner_ask){
        .program = pool->kind->program,
        .domain = pool->kind->is_bound ? slice_text(destination->name) : SLICE(""),
        .fd = worker->their_fd,
        .answer = answer_spawn,
        .owner = worker};
    spawner_start(pool->spawner, &worker->ask);
    return worker;
}

/* Another destination's worker, for the kinds where that is possible. */
static void worker_bind(struct worker *worker, struct destination *destination)
{
    struct destination *before = worker->destination;
    if (before == destination)
        return;
    destination->workers++;
    before->workers--;
    worker->destination = destination;
    destination_release(worker->pool->destinations, before);
}

/* The one used last, since it is the warmest; of this destination if there is one. */
static struct worker *worker_find_idle(struct pool *pool, const struct destination *destination)
{
    struct worker *worker = pool->idle_last;
    while (worker && worker->destination != destination)
        worker = worker->idle_previous;
    return worker ? worker : pool->idle_last;
}

static bool has_room(const struct worker *worker)
{
    return worker->job_count < worker->pool->kind->depth && !worker->is_choked;
}

/* Of the destination's crew the one with the fewest jobs. */
static struct worker *worker_find_bound(const struct destination *destination)
{
    struct worker *found = NULL;
    for (struct worker *one = destination->bound; one; one = one->bound_next)
        if (has_room(one) && (!found || one->job_count < found->job_count))
            found = one;
    return found;
}

/* May the destination have one more? */
static bool may_grow(const struct pool *pool, const struct destination *destination,
                     const struct worker *best)
{
    if (!pool->kind->is_bound)
        return true;
    return destination->workers < pool->kind->crew &&
           (!best || best->job_count >= (pool->kind->depth + 1) / 2);
}

/* ---- giving jobs to workers ---------------------------------------------------------------------
 */

static void pause_spawning(struct pool *pool, struct slice reason)
{
    struct log_line line;
    int64_t wait = schedule_peer_wait_ms(++pool->spawn_failures);
    pool->paused_until = clock_deadline(wait);
    log_begin(&line, "trouble");
    log_text(&line, "action", "start");
    log_text(&line, "object", pool->kind->program);
    log_value(&line, "cause", reason);
    log_number(&line, "again_ms", wait);
    log_end(&line);
}

/* The job can't be put into words now. */
static bool drop_unsent(struct worker *worker)
{
    struct pool *pool = worker->pool;
    struct job *job = job_detach(worker, worker->sent);
    bool has_more = worker->job_count > 0;
    if (!has_more)
        worker_rest(worker);
    job_end(pool, job, NULL, str_slice(&pool->reason));
    return has_more;
}

/* A worker that rested may have died meanwhile; a busy one may have all that its socket holds. */
static bool not_sent(struct worker *worker, enum wire_result result, bool was_idle)
{
    bool is_choked = result == WIRE_TIMEOUT && worker->sent > 0;
    bool is_dead = worker->sent == 0 && was_idle;
    if (is_choked || is_dead) {
        put_back_behind(worker, worker->sent);
        worker->is_choked = is_choked;
        if (is_dead)
            worker_close(worker);
    } else {
        worker_fail(worker, SLICE("the delivery program can't be asked"));
    }
    return false;
}

/* Asks for the first job that was not asked for yet. False: for no more, or the worker is gone. */
static bool send_next(struct worker *worker, bool was_idle)
{
    struct pool *pool = worker->pool;
    int fd = -1;
    if (worker->sent == worker->job_count)
        return false;
    str_clear(&pool->packet);
    str_clear(&pool->reason);
    bool is_prepared = pool->hooks->prepare(pool->owner, worker->jobs[worker->sent], &pool->packet,
                                            &fd, &pool->reason);
    if (!is_prepared || pool->packet.failed)
        return drop_unsent(worker);
    enum wire_result result = wire_send(worker->fd, str_slice(&pool->packet), &fd, 1, 0);
    if (result != WIRE_OK)
        return not_sent(worker, result, was_idle);
    worker->sent++;
    if (worker->sent == 1)
        worker_goes_on(worker);
    return true;
}

static void send_all(struct worker *worker, bool was_idle)
{
    worker->state = WORKER_BUSY;
    while (send_next(worker, was_idle))
        ;
}

static void answer_spawn(struct spawner_ask *ask, enum verdict verdict, struct slice reason)
{
    struct worker *worker = ask->owner;
    struct pool *pool = worker->pool;
    io_close(&worker->their_fd);
    switch (verdict) {
    case VERDICT_OK:
        pool->spawn_failures = 0;
        if (worker->job_count > 0)
            send_all(worker, false);
        else
            worker_rest(worker);
        break;
    case VERDICT_TEMP:
        pause_spawning(pool, reason);
        put_back_behind(worker, worker->sent);
        worker_close(worker);
        break;
    case VERDICT_PERM: /* this worker will never be: what it was for is deferred by the schedule */
        worker_fail(worker, reason);
        break;
    }
}

static void give(struct worker *worker, struct job *job)
{
    struct pool *pool = worker->pool;
    worker_bind(worker, job->destination);
    worker->jobs[worker->job_count++] = job;
    job->started_ms = clock_ms();
    count_running(pool, job, true);
    update(pool, job->destination);
    if (worker->state == WORKER_IDLE) {
        loop_clear_timer(pool->loop, &worker->timer);
        idle_remove(worker);
    }
    if (worker->state != WORKER_SPAWNING)
        send_all(worker, worker->state == WORKER_IDLE);
}

/* NULL: no room for another, or none can be started now. */
static struct worker *find_worker(struct pool *pool, struct destination *destination)
{
    struct worker *worker =
        pool->kind->is_bound ? worker_find_bound(destination) : worker_find_idle(pool, destination);
    bool is_enough = worker && (!pool->kind->is_bound || !may_grow(pool, destination, worker));
    if (is_enough || pool->paused_until > clock_ms() || !may_grow(pool, destination, worker))
        return worker;
    if (pool->worker_count >= pool->worker_max && pool->idle_first)
        worker_close(pool->idle_first);
    if (pool->worker_count >= pool->worker_max)
        return worker;
    struct worker *fresh = worker_new(pool, destination);
    if (!fresh)
        pause_spawning(pool, SLICE("no memory or no descriptors left"));
    return fresh ? fresh : worker;
}

/* The lane whose turn it is, of the tenant whose turn it is. */
static struct lane *next_lane(struct pool *pool)
{
    struct tenant *tenant = ring_turn(&pool->tenants);
    return tenant ? ring_turn(&tenant->turns[pool->kind->job].lanes) : NULL;
}

/* False: not now. */
static bool start_job(struct pool *pool, struct lane *lane)
{
    bool may_be_old = pool->busy_old < shared_max(pool);
    if (!may_start(pool, lane) || (!lane->fresh.first && !may_be_old))
        return false;
    struct destination *destination = lane->destination;
    struct worker *worker = find_worker(pool, destination);
    struct job *job = worker ? job_take(lane, may_be_old) : NULL;
    if (job)
        give(worker, job);
    return job != NULL;
}

static void hand_out(struct loop_timer *timer)
{
    struct pool *pool = timer->owner;
    unsigned in_vain = 0;
    while (pool->busy < pool->busy_max && !pool->is_stopping && in_vain < IN_VAIN_MAX) {
        struct lane *lane = next_lane(pool);
        if (!lane)
            break;
        in_vain = start_job(pool, lane) ? 0 : in_vain + 1;
    }
    bool is_paused = pool->paused_until > clock_ms();
    if (!ring_is_empty(&pool->tenants) && pool->wake.position == 0 && (is_paused || in_vain > 0))
        loop_set_timer(pool->loop, &pool->wake,
                       is_paused ? pool->paused_until : clock_deadline(LOOK_AGAIN_MS), hand_out,
                       pool);
}

static void wake(struct pool *pool)
{
    loop_set_timer(pool->loop, &pool->wake, 0, hand_out, pool);
}

void pool_wake(struct pool *pool, struct destination *destination)
{
    update(pool, destination);
    wake(pool);
}

void pool_forget(struct pool *pool, struct destination *destination)
{
    update(pool, destination);
    destination_release(pool->destinations, destination);
}

void pool_hurry(struct pool *pool)
{
    pool->paused_until = 0;
    wake(pool);
}

void pool_init(struct pool *pool, struct loop *loop, struct spawner *spawner,
               struct destination_table *destinations, const struct pool_hooks *hooks, void *owner,
               const struct pool_kind *kind)
{
    *pool = (struct pool){.loop = loop,
                          .spawner = spawner,
                          .destinations = destinations,
                          .hooks = hooks,
                          .owner = owner,
                          .kind = kind,
                          .busy_max = 1,
                          .worker_max = 1,
                          .per_destination_max = 1};
    ring_init(&pool->tenants);
    wire_init(&pool->incoming);
    str_init(&pool->packet, WIRE_MAX_SIZE);
    str_init(&pool->reason, POOL_TEXT_MAX);
}

void pool_set_limits(struct pool *pool, const struct pool_limits *limits)
{
    pool->busy_max = limits->busy_max;
    pool->worker_max = limits->worker_max;
    pool->per_destination_max = limits->per_destination_max;
    wake(pool);
}

void pool_free(struct pool *pool)
{
    pool->is_stopping = true;
    while (pool->workers) {
        struct worker *worker = pool->workers;
        while (worker->job_count > 0) /* NOLINT(clang-analyzer-unix.Malloc): the head moves on */
            job_detach(worker, 0);
        worker_close(worker);
    }
    loop_clear_timer(pool->loop, &pool->wake);
    wire_free(&pool->incoming);
    str_free(&pool->packet);
    str_free(&pool->reason);
}
