/* loop: order of timers, moving and clearing them, watches that vanish while events are handed out
 */
#include "unit.h"

#include "clock.h"
#include "log.h"
#include "loop.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { TIMERS = 200 };

struct record {
    struct loop_timer timers[TIMERS];
    size_t fired[TIMERS];
    size_t count;
};

static void note(struct loop_timer *timer)
{
    struct record *record = timer->owner;
    record->fired[record->count++] = (size_t)(timer - record->timers);
}

static void timers_fire_in_order(void **state)
{
    (void)state;
    struct loop loop;
    static struct record record;
    record = (struct record){0};
    assert_true(loop_init(&loop));
    int64_t now = clock_ms();
    for (size_t i = 0; i < TIMERS; i++)
        assert_true(loop_set_timer(&loop, &record.timers[i],
                                   now - 1000 + (int64_t)(i * 37 % TIMERS), note, &record));
    /* Every third is cleared, every fourth moved behind all others. */
    size_t expected = 0;
    for (size_t i = 0; i < TIMERS; i++) {
        if (i % 3 == 0)
            loop_clear_timer(&loop, &record.timers[i]);
        else if (i % 4 == 0)
            assert_true(
                loop_set_timer(&loop, &record.timers[i], now - 500 + (int64_t)i, note, &record));
        expected += i % 3 != 0;
    }
    assert_true(loop_once(&loop, 0));
    assert_int_equal(record.count, expected);
    for (size_t i = 1; i < record.count; i++)
        assert_true(record.timers[record.fired[i - 1]].at <= record.timers[record.fired[i]].at);
    loop_clear_timer(&loop, &record.timers[0]); /* not set: nothing happens */
    loop_free(&loop);
}

struct pair {
    struct loop *loop;
    struct loop_watch *watches[2];
    int calls;
};

/* Whoever is called first removes and frees the other. */
static void remove_other(struct loop_watch *watch, uint32_t events)
{
    (void)events;
    struct pair *pair = watch->owner;
    pair->calls++;
    size_t other = pair->watches[0] == watch ? 1 : 0;
    if (pair->watches[other]) {
        loop_remove(pair->loop, pair->watches[other]);
        free(pair->watches[other]);
        pair->watches[other] = NULL;
    }
}

static void a_removed_watch_is_not_called(void **state)
{
    (void)state;
    struct loop loop;
    int pipes[2][2];
    assert_true(loop_init(&loop));
    struct pair pair = {.loop = &loop};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pipe(pipes[i]), 0);
        assert_int_equal(write(pipes[i][1], "x", 1), 1);
        pair.watches[i] = calloc(1, sizeof(struct loop_watch));
        assert_true(loop_add(&loop, pair.watches[i], pipes[i][0], EPOLLIN, remove_other, &pair));
    }
    assert_true(loop_once(&loop, 0));
    assert_int_equal(pair.calls, 1);
    assert_true(loop_once(&loop, 0));
    assert_int_equal(pair.calls, 2);
    for (int i = 0; i < 2; i++) {
        free(pair.watches[i]);
        close(pipes[i][0]);
        close(pipes[i][1]);
    }
    loop_free(&loop);
}

static size_t read_lines(int fd)
{
    char bytes[65536];
    size_t lines = 0;
    ssize_t got = read(fd, bytes, sizeof bytes);
    for (ssize_t i = 0; i < got; i++)
        lines += bytes[i] == '\n';
    return lines;
}

static void say_later(void)
{
    struct log_line line;
    log_begin(&line, "said");
    log_end_later(&line);
}

/* In one write for many, soon, and with the loop's end at the latest. */
static void lines_that_wait_leave_together(void **state)
{
    (void)state;
    struct loop loop;
    int ends[2], kept = dup(STDERR_FILENO);
    assert_true(kept >= 0);
    assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
    assert_true(dup2(ends[1], STDERR_FILENO) >= 0);
    assert_true(loop_init(&loop));
    int64_t began = clock_ms();
    size_t said = 0, left = 0;
    while (left == 0) {
        say_later();
        said++;
        assert_true(loop_once(&loop, 1)); /* few enough for one write */
        left = read_lines(ends[0]);
    }
    assert_true(clock_ms() >= began + LOOP_LOG_MS);
    assert_int_equal(left, said);
    /* Nothing else comes: the wait is as short as the line may wait. */
    say_later();
    assert_true(loop_once(&loop, -1));
    assert_true(loop_once(&loop, 0));
    assert_int_equal(read_lines(ends[0]), 1);
    assert_false(log_is_waiting());
    say_later();
    loop_free(&loop);
    assert_int_equal(read_lines(ends[0]), 1);
    assert_true(dup2(kept, STDERR_FILENO) >= 0);
    close(kept);
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timers_fire_in_order),
        cmocka_unit_test(a_removed_watch_is_not_called),
        cmocka_unit_test(lines_that_wait_leave_together),
    };
    return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}
