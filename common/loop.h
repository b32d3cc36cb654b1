/*
 * loop - the event loop of the suite's daemons: descriptors, timers, stop
 *
 * One thread. Callbacks may add and remove anything, themselves included. Memory for a watch or
 * timer belongs to the caller (it sits in the caller's struct), so adding a timer can't fail
 * but for the heap's memory, and removing never fails.
 */
#ifndef COMMON_LOOP_H
#define COMMON_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop;
struct loop_watch;
struct loop_timer;

typedef void loop_ready(struct loop_watch *watch, uint32_t events);
typedef void loop_due(struct loop_timer *timer);

/* A descriptor that is waited for. The loop does not own the descriptor. */
struct loop_watch {
    int fd;
    loop_ready *ready;
    void *owner; /* for the callback */
    bool active; /* set by the loop */
};

/* A point in time (clock_ms). */
struct loop_timer {
    loop_due *due;
    void *owner;
    int64_t at;
    size_t position; /* in the heap plus 1; 0 when not set */
};

/* Signals as events: blocked for the process, read from a signalfd. */
typedef void loop_signal(int signal, void *owner);
struct loop_signals {
    struct loop_watch watch;
    loop_signal *handler;
    void *owner;
};

enum { LOOP_LOG_MS = 10 };

struct loop {
    int epoll;
    bool stopping;
    struct loop_timer **heap;
    size_t heap_size;
    size_t heap_capacity;
    size_t round;   /* counts removals: what epoll reported before one may be stale */
    int64_t log_at; /* when the lines that the log keeps leave; 0: there were none */
};

bool loop_init(struct loop *loop);
void loop_free(struct loop *loop);

/* `events` are EPOLLIN, EPOLLOUT. False with errno. */
bool loop_add(struct loop *loop, struct loop_watch *watch, int fd, uint32_t events,
              loop_ready *ready, void *owner);
bool loop_change(struct loop *loop, struct loop_watch *watch, uint32_t events);
/* Call it before the descriptor is closed. */
void loop_remove(struct loop *loop, struct loop_watch *watch);
/* The same, for a descriptor that is closed at once and that no other process has: then the kernel
 * forgets it by itself. */
void loop_forget(struct loop *loop, struct loop_watch *watch);

/* Sets, or moves, the timer. False without memory. */
bool loop_set_timer(struct loop *loop, struct loop_timer *timer, int64_t at, loop_due *due,
                    void *owner);
void loop_clear_timer(struct loop *loop, struct loop_timer *timer);

/* Blocks the `count` signals and calls `handler` for each that arrives. The caller's children
 * inherit the blocked mask: unblock it before exec (loop_unblock_signals). */
bool loop_add_signals(struct loop *loop, struct loop_signals *signals, const int numbers[],
                      size_t count, loop_signal *handler, void *owner);
void loop_unblock_signals(void);

/* Runs till loop_stop. The lines that the log keeps (log_end_later) leave LOOP_LOG_MS after they came:
 * while much happens, in one write for many, so that the logger is not woken for each. False when
 * epoll fails. */
bool loop_run(struct loop *loop);
/* One round: waits till something is due or ready (at most `wait_ms`, -1 for ever). */
bool loop_once(struct loop *loop, int wait_ms);
void loop_stop(struct loop *loop);

#endif
