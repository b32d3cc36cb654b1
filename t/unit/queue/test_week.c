/*
 * manager: a week in the queue, on a clock of our own - the times of the attempts, the warning of the
 * delay, the report in the end (fakes.h)
 *
 * The linker puts our clock_gettime in front of the C library's (Makefile): the real one and what was
 * skipped. From one attempt to the next we skip to the message's own timer.
 */
#include "fakes.h"

#include <time.h>

enum { HOUR = 3600, DAY = 24 * HOUR, TOLERANCE = 3, ATTEMPTS_MAX = 400 };

static _Atomic int64_t skipped_ms;

int __real_clock_gettime(clockid_t which, struct timespec *now);
int __wrap_clock_gettime(clockid_t which, struct timespec *now);
int __wrap_clock_gettime(clockid_t which, struct timespec *now)
{
    int result = __real_clock_gettime(which, now);
    int64_t ms = now->tv_nsec / 1000000 + skipped_ms % 1000;
    now->tv_sec += skipped_ms / 1000 + ms / 1000;
    now->tv_nsec = ms % 1000 * 1000000 + now->tv_nsec % 1000000;
    return result;
}

struct week {
    int64_t start;
    int64_t attempts[ATTEMPTS_MAX]; /* ages of the message */
    size_t attempt_count;
    int64_t warned, returned; /* ages */
    size_t seen_attempts, seen_warnings, seen_returns;
};

static int64_t age_of(const struct week *week)
{
    return clock_seconds() - week->start;
}

static void look(struct week *week)
{
    size_t attempts = count_asked("\nremote ");
    size_t warnings = count_asked("\nbounce delayed ");
    size_t returns = count_asked("\nbounce failed ") + count_asked("\nbounce double ");
    assert_true(week->attempt_count < ATTEMPTS_MAX);
    if (attempts > week->seen_attempts)
        week->attempts[week->attempt_count++] = age_of(week);
    if (warnings > week->seen_warnings)
        week->warned = age_of(week);
    if (returns > week->seen_returns)
        week->returned = age_of(week);
    week->seen_attempts = attempts;
    week->seen_warnings = warnings;
    week->seen_returns = returns;
}

/* Goes on till the message is gone, or `until` (an age) is reached. */
static void live(struct week *week, const char *id, int64_t until)
{
    for (;;) {
        run();
        look(week);
        const struct message *message =
            message_table_find(&fixture->manager.messages, slice_text(id));
        if (!message || age_of(week) >= until)
            return;
        assert_true(message->timer.position != 0);
        int64_t wait = message->timer.at - clock_ms();
        skipped_ms += wait > 0 ? wait : 0;
    }
}

static void begin(struct week *week)
{
    *week = (struct week){.start = clock_seconds(), .warned = -1, .returned = -1};
}

static void expect_near(int64_t got, int64_t wanted)
{
    if (got < wanted || got > wanted + TOLERANCE)
        fail_msg("after %lld s, not %lld s", (long long)got, (long long)wanted);
}

static void print_table(const struct week *week)
{
    printf("attempts of a message whose host says 4xx for five days:\n");
    for (size_t i = 0; i < week->attempt_count; i++) {
        long long age = week->attempts[i];
        if (i < 20 || i + 3 > week->attempt_count || i % 20 == 0)
            printf("  %3zu  %lld d %02lld:%02lld:%02lld%s\n", i + 1, age / DAY, age % DAY / HOUR,
                   age % HOUR / 60, age % 60,
                   week->attempts[i] == week->warned     ? "  the sender is warned"
                   : week->attempts[i] == week->returned ? "  returned to the sender"
                                                         : "");
    }
}

static void tries_warns_and_gives_up(void **state)
{
    ID;
    /* Squares of 17, 25, 33, ... after the first wait of retry-min; one more at the warning. */
    static const int64_t first[] = {0,    300,  625,  1089, 1681,  2401,  3249,  4225,
                                    5329, 6561, 7921, 9409, 11025, 12769, 14400, 16384};
    struct week week;
    begin(&week);
    add("s@example.org", "later@other.example", "hello\r\n", id);
    live(&week, id, 7 * DAY);
    print_table(&week);
    for (size_t i = 0; i < sizeof first / sizeof *first; i++)
        expect_near(week.attempts[i], first[i]);
    for (size_t i = 1; i < week.attempt_count; i++) {
        int64_t wait = week.attempts[i] - week.attempts[i - 1];
        assert_true(wait <= 4000 + TOLERANCE);
        bool is_milestone = week.attempts[i] == week.warned || week.attempts[i] == week.returned;
        assert_true(is_milestone || wait >= 300);
    }
    assert_in_range(week.attempt_count, 120, 140);
    expect_near(week.warned, 4 * HOUR);
    expect_near(week.returned, 5 * DAY);
    assert_int_equal(week.attempts[week.attempt_count - 1], week.returned);
    assert_int_equal(count_asked("\nbounce "), 2);
    expect_asked("bounce delayed <s@example.org> later@other.example delayed 4.2.0 come back\n");
    expect_asked(
        "bounce failed <s@example.org> later@other.example 5.4.7 come back mx.other.example\n");
    assert_int_equal(folder_count("queue/message") + folder_count("queue/failure"), 0);
}

static void warns_once_even_over_a_restart(void **state)
{
    ID;
    struct week week;
    begin(&week);
    add("s@example.org",
        "later@other.example later2@other.example/FAILURE later3@other.example/DELAY", "hello\r\n",
        id);
    live(&week, id, 6 * HOUR);
    assert_int_equal(count_asked("\nbounce "), 1);
    expect_asked("bounce delayed <s@example.org> later@other.example delayed 4.2.0 come back "
                 "later3@other.example delayed 4.2.0 come back\n");
    assert_int_equal(status_of(id, 0), 'W');
    assert_int_equal(status_of(id, 1), 'T');
    restart();
    live(&week, id, 7 * DAY);
    assert_int_equal(count_asked("\nbounce delayed "), 1);
    assert_int_equal(count_asked("\nbounce failed "), 1);
    /* The third wants to hear of delays alone. */
    expect_asked("later2@other.example 5.4.7 come back mx.other.example\n");
    assert_int_equal(folder_count("queue/message") + folder_count("queue/failure"), 0);
}

/* A host that can't be reached: most attempts are spared, the end is the same. */
static void gives_up_on_dead_hosts(void **state)
{
    ID;
    struct week week;
    begin(&week);
    add("s@example.org", "down@dead.example", "hello\r\n", id);
    live(&week, id, 7 * DAY);
    expect_near(week.warned, 4 * HOUR);
    expect_near(week.returned, 5 * DAY);
    expect_asked("bounce delayed <s@example.org> down@dead.example delayed 4.4.1 can't connect\n");
    expect_asked("bounce failed <s@example.org> down@dead.example 5.4.7 can't connect");
}

/* Mail with the null sender: bounce-lifetime, nobody to warn. */
static void gives_up_on_reports_earlier(void **state)
{
    ID;
    struct week week;
    begin(&week);
    add("", "later@other.example", "a report\r\n", id);
    live(&week, id, 7 * DAY);
    expect_near(week.returned, DAY);
    assert_int_equal(week.warned, -1);
    expect_asked("bounce double <> later@other.example 5.4.7 come back");
}

static int enter(void **state)
{
    static const char *const host[][2] = {
        {"me", "mail.test"}, {"bounce-lifetime", "86400"}, {NULL, NULL}};
    return enter_quietly(state, host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(tries_warns_and_gives_up),
        TEST(warns_once_even_over_a_restart),
        TEST(gives_up_on_dead_hosts),
        TEST(gives_up_on_reports_earlier),
    };
    return cmocka_run_group_tests(tests, enter, folder_leave);
}
