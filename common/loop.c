/* loop - see loop.h */
#include "loop.h"

#include "clock.h"
#include "io.h"
#include "log.h"
#include "number.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { LOOP_EVENTS = 64, LOOP_SIGNALS = 8, LOOP_HEAP_FIRST = 64 };

bool loop_init(struct loop *loop)
{
    *loop = (struct loop){.epoll = epoll_create1(EPOLL_CLOEXEC)};
    return loop->epoll >= 0;
}

void loop_free(struct loop *loop)
{
    log_flush();
    io_close(&loop->epoll);
    free(loop->heap);
    *loop = (struct loop){.epoll = -1};
}

bool loop_add(struct loop *loop, struct loop_watch *watch, int fd, uint32_t events,
              loop_ready *ready, void *owner)
{
    struct epoll_event event = {.events = events, .data.ptr = watch};
    *watch = (struct loop_watch){.fd = fd, .ready = ready, .owner = owner, .active = true};
    if (epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event) < 0) {
        watch->active = false;
        return false;
    }
    return true;
}

bool loop_change(struct loop *loop, struct loop_watch *watch, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = watch};
    return epoll_ctl(loop->epoll, EPOLL_CTL_MOD, watch->fd, &event) == 0;
}

void loop_forget(struct loop *loop, struct loop_watch *watch)
{
    watch->active = false;
    loop->round++;
}

void loop_remove(struct loop *loop, struct loop_watch *watch)
{
    if (!watch->active)
        return;
    epoll_ctl(loop->epoll, EPOLL_CTL_DEL, watch->fd, NULL);
    loop_forget(loop, watch);
}

static void place(struct loop *loop, size_t index, struct loop_timer *timer)
{
    loop->heap[index] = timer;
    timer->position = index + 1;
}

static void sift_up(struct loop *loop, size_t index)
{
    struct loop_timer *timer = loop->heap[index];
    while (index > 0 && loop->heap[(index - 1) / 2]->at > timer->at) {
        place(loop, index, loop->heap[(index - 1) / 2]);
        index = (index - 1) / 2;
    }
    place(loop, index, timer);
}

static void sift_down(struct loop *loop, size_t index)
{
    struct loop_timer *timer = loop->heap[index];
    for (;;) {
        size_t child = index * 2 + 1;
        if (child >= loop->heap_size)
            break;
        if (child + 1 < loop->heap_size && loop->heap[child + 1]->at < loop->heap[child]->at)
            child++;
        if (loop->heap[child]->at >= timer->at)
            break;
        place(loop, index, loop->heap[child]);
        index = child;
    }
    place(loop, index, timer);
}

void loop_clear_timer(struct loop *loop, struct loop_timer *timer)
{
    if (timer->position == 0)
        return;
    size_t index = timer->position - 1;
    timer->position = 0;
    struct loop_timer *last = loop->heap[--loop->heap_size];
    if (last == timer)
        return;
    place(loop, index, last);
    sift_up(loop, index);
    sift_down(loop, last->position - 1);
}

static bool heap_room(struct loop *loop)
{
    if (loop->heap_size < loop->heap_capacity)
        return true;
    size_t capacity = loop->heap_capacity ? loop->heap_capacity : LOOP_HEAP_FIRST / 2;
    size_t bytes;
    if (!number_multiply(capacity, 2, &capacity) ||
        !number_multiply(capacity, sizeof(struct loop_timer *), &bytes))
        return false;
    struct loop_timer **heap = realloc(loop->heap, bytes);
    if (!heap)
        return false;
    loop->heap = heap;
    loop->heap_capacity = capacity;
    return true;
}

bool loop_set_timer(struct loop *loop, struct loop_timer *timer, int64_t at, loop_due *due,
                    void *owner)
{
    loop_clear_timer(loop, timer);
    if (!heap_room(loop))
        return false;
    *timer = (struct loop_timer){.due = due, .owner = owner, .at = at};
    place(loop, loop->heap_size, timer);
    loop->heap_size++;
    sift_up(loop, loop->heap_size - 1);
    return true;
}

static void run_timers(struct loop *loop)
{
    int64_t now = clock_ms();
    while (loop->heap_size > 0 && loop->heap[0]->at <= now && !loop->stopping) {
        struct loop_timer *timer = loop->heap[0];
        loop_clear_timer(loop, timer);
        timer->due(timer);
    }
}

static void signals_ready(struct loop_watch *watch, uint32_t events)
{
    (void)events;
    struct loop_signals *signals = watch->owner;
    struct signalfd_siginfo info[LOOP_SIGNALS];
    ssize_t got = read(watch->fd, info, sizeof info);
    for (size_t i = 0; got > 0 && i < (size_t)got / sizeof *info; i++)
        signals->handler((int)info[i].ssi_signo, signals->owner);
}

bool loop_add_signals(struct loop *loop, struct loop_signals *signals, const int numbers[],
                      size_t count, loop_signal *handler, void *owner)
{
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < count; i++)
        sigaddset(&set, numbers[i]);
    int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    signals->handler = handler;
    signals->owner = owner;
    if (fd < 0 || sigprocmask(SIG_BLOCK, &set, NULL) < 0 ||
        !loop_add(loop, &signals->watch, fd, EPOLLIN, signals_ready, signals)) {
        io_close(&fd);
        return false;
    }
    return true;
}

void loop_unblock_signals(void)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* -1 is for ever. */
static int shorter(int wait_ms, int64_t deadline)
{
    int left = clock_left(deadline);
    return wait_ms < 0 || (left >= 0 && left < wait_ms) ? left : wait_ms;
}

static int wait_time(const struct loop *loop, int wait_ms)
{
    if (loop->heap_size > 0)
        wait_ms = shorter(wait_ms, loop->heap[0]->at);
    return loop->log_at != 0 ? shorter(wait_ms, loop->log_at) : wait_ms;
}

static void flush_log_when_due(struct loop *loop)
{
    if (log_is_waiting() && loop->log_at == 0)
        loop->log_at = clock_deadline(LOOP_LOG_MS);
    if (loop->log_at == 0 || clock_left(loop->log_at) > 0)
        return;
    log_flush();
    loop->log_at = 0;
}

bool loop_once(struct loop *loop, int wait_ms)
{
    struct epoll_event events[LOOP_EVENTS];
    flush_log_when_due(loop);
    int count = epoll_wait(loop->epoll, events, LOOP_EVENTS, wait_time(loop, wait_ms));
    if (count < 0)
        return errno == EINTR;
    size_t round = loop->round;
    for (int i = 0; i < count && !loop->stopping; i++) {
        /* A callback that removed a watch may have freed it: the rest of this batch is asked
         * for again (epoll is level-triggered), so nothing stale is called and nothing lost. */
        if (loop->round != round)
            break;
        struct loop_watch *watch = events[i].data.ptr;
        watch->ready(watch, events[i].events);
    }
    run_timers(loop);
    return true;
}

bool loop_run(struct loop *loop)
{
    while (!loop->stopping)
        if (!loop_once(loop, -1))
            return false;
    return true;
}

void loop_stop(struct loop *loop)
{
    loop->stopping = true;
}
