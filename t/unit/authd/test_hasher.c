/* hasher: the queue in front of the children, and who may fill how much of it */
#include "unit.h"

#include "hasher.h"

#include <stdio.h>
#include <string.h>

enum { JOBS = HASHER_QUEUE_MAX + 1, ADDRESS_MAX = 50 };

struct queue {
    struct hashers hashers;
    struct hasher_job jobs[JOBS];
    char addresses[JOBS][ADDRESS_MAX];
    size_t count;
};

/* The children are busy for ever: all that comes has to wait. */
static int set_up(void **state)
{
    static struct queue queue;
    queue = (struct queue){0};
    for (size_t i = 0; i < HASHER_COUNT; i++)
        queue.hashers.hashers[i].busy = true;
    *state = &queue;
    return 0;
}

/* "PREFIX" or, where it ends in a colon, "PREFIXnumber". */
static bool submit(struct queue *queue, const char *prefix, unsigned number)
{
    bool is_ipv6 = prefix[strlen(prefix) - 1] == ':';
    struct hasher_job *job = &queue->jobs[queue->count];
    char *address = queue->addresses[queue->count++];
    if (is_ipv6)
        snprintf(address, ADDRESS_MAX, "%s%x%s", prefix, number,
                 prefix[strlen(prefix) - 2] == ':' ? "" : "::1");
    else
        snprintf(address, ADDRESS_MAX, "%s", prefix);
    *job = (struct hasher_job){.secret = "s", .hash = "h", .client = address};
    return hashers_submit(&queue->hashers, job);
}

static void one_client_does_not_fill_the_queue(void **state)
{
    /* An address; a /64 of IPv6, whose owner has all of it; and somebody else. */
    static const char *const prefixes[][2] = {{"192.0.2.1", "192.0.2.2"},
                                              {"2001:db8:0:1::", "2001:db8:0:2::"}};
    for (size_t i = 0; i < 2; i++) {
        struct queue *queue = *state;
        set_up(state);
        for (unsigned number = 1; number <= HASHER_QUEUE_PER_CLIENT; number++)
            assert_true(submit(queue, prefixes[i][0], number));
        assert_false(submit(queue, prefixes[i][0], HASHER_QUEUE_PER_CLIENT + 1));
        assert_true(submit(queue, prefixes[i][1], 1));
        hashers_cancel(&queue->hashers, &queue->jobs[0]);
        assert_true(submit(queue, prefixes[i][0], HASHER_QUEUE_PER_CLIENT + 2));
    }
}

static void many_clients_fill_it(void **state)
{
    struct queue *queue = *state;
    for (unsigned number = 0; number < HASHER_QUEUE_MAX; number++)
        assert_true(submit(queue, "2001:db8:0:", number));
    assert_false(submit(queue, "192.0.2.1", 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(one_client_does_not_fill_the_queue, set_up),
        cmocka_unit_test_setup(many_clients_fill_it, set_up),
    };
    return cmocka_run_group_tests_name("hasher", tests, NULL, NULL);
}
