/* service: peers come and go, at its maximum and when descriptors run out */
#include "unit.h"

#include "clock.h"
#include "io.h"
#include "service.h"
#include "unixsocket.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CLIENTS = 3, TURNS = 200, SHORT_MS = 200 };

static const char path[] = "test-service-socket";

struct world {
    struct loop loop;
    struct service service;
    int clients[CLIENTS];
};

static bool welcome(uid_t uid, void *owner)
{
    (void)owner;
    return uid == getuid();
}

/* What was told and not asked. */
static int told;

static void echo(struct service_peer *peer, struct wire_message *message)
{
    if (slice_equal(wire_field(message, 0), SLICE("tell")))
        told++;
    else if (slice_equal(wire_field(message, 0), SLICE("close")))
        service_close(peer);
    else
        (void)service_answer(peer, SLICE("2:ok,"), NULL, 0);
}

static int set_up(void **state)
{
    static struct world world;
    int fd = unixsocket_listen(path, SOCK_SEQPACKET, CLIENTS);
    if (fd < 0 || !loop_init(&world.loop) ||
        !service_start(&world.service, &world.loop, fd, CLIENTS, welcome, echo, NULL, NULL))
        return -1;
    for (int i = 0; i < CLIENTS; i++)
        world.clients[i] = unixsocket_connect(path, SOCK_SEQPACKET);
    *state = &world;
    return world.clients[CLIENTS - 1] < 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    for (int i = 0; i < CLIENTS; i++)
        io_close(&world->clients[i]);
    service_stop(&world->service);
    loop_free(&world->loop);
    return unlink(path);
}

/* Turns of the loop within SHORT_MS; it turns as often as it can when something is always ready. */
static int count_turns(struct world *world)
{
    int turns = 0;
    for (int64_t end = clock_deadline(SHORT_MS); turns < TURNS && clock_left(end) > 0; turns++)
        assert_true(loop_once(&world->loop, clock_left(end)));
    return turns;
}

static void asks_and_answers(void **state)
{
    struct world *world = *state;
    struct wire_message answer;
    wire_init(&answer);
    assert_int_equal(wire_send(world->clients[1], SLICE("2:hi,"), NULL, 0, 0), WIRE_OK);
    count_turns(world);
    assert_int_equal(world->service.peer_count, CLIENTS);
    assert_int_equal(wire_receive(world->clients[1], &answer, clock_deadline(0)), WIRE_OK);
    assert_slice(wire_field(&answer, 0), "ok");
    wire_free(&answer);
}

/* One turn each: for the connection with its question, and for its end. */
static void a_question_behind_the_connection_waits_for_nothing(void **state)
{
    struct world *world = *state;
    struct wire_message answer;
    wire_init(&answer);
    count_turns(world);
    for (int i = 0; i < CLIENTS; i++)
        io_close(&world->clients[i]);
    count_turns(world);
    assert_int_equal(world->service.peer_count, 0);
    for (int i = 0; i < CLIENTS; i++) {
        world->service.is_alone = i > 0;
        world->clients[0] = unixsocket_connect(path, SOCK_SEQPACKET);
        assert_int_equal(wire_send(world->clients[0], SLICE("2:hi,"), NULL, 0, 0), WIRE_OK);
        assert_true(loop_once(&world->loop, 0));
        assert_int_equal(wire_receive(world->clients[0], &answer, clock_deadline(0)), WIRE_OK);
        assert_int_equal(world->service.peer_count, 1);
        io_close(&world->clients[0]);
        assert_true(loop_once(&world->loop, 0));
        assert_int_equal(world->service.peer_count, 0);
    }
    assert_int_equal(count_turns(world), 1); /* nothing is ready */
    wire_free(&answer);
}

/* Else one who asks would be answered by what holds no more. */
static void what_was_told_counts_before_what_was_asked_later(void **state)
{
    enum { TOLD = 10 };
    struct world *world = *state;
    count_turns(world);
    told = 0;
    for (int i = 0; i < TOLD; i++)
        assert_int_equal(wire_send(world->clients[0], SLICE("4:tell,"), NULL, 0, 0), WIRE_OK);
    assert_int_equal(wire_send(world->clients[0], SLICE("2:hi,"), NULL, 0, 0), WIRE_OK);
    assert_int_equal(wire_send(world->clients[0], SLICE("4:tell,"), NULL, 0, 0), WIRE_OK);
    assert_true(loop_once(&world->loop, 0));
    assert_int_equal(told, TOLD); /* and after an answer it is the others' turn */
    assert_int_equal(wire_send(world->clients[0], SLICE("5:close,"), NULL, 0, 0), WIRE_OK);
    assert_int_equal(wire_send(world->clients[0], SLICE("4:tell,"), NULL, 0, 0), WIRE_OK);
    assert_true(loop_once(&world->loop, 0));
    assert_int_equal(told, TOLD + 1);
    assert_int_equal(world->service.peer_count, CLIENTS - 1);
    assert_int_equal(count_turns(world), 1);
}

/* Gone with its first message, while it is let in. */
static void a_peer_may_be_lost_by_its_first_message(void **state)
{
    struct world *world = *state;
    count_turns(world);
    io_close(&world->clients[0]);
    count_turns(world);
    world->clients[0] = unixsocket_connect(path, SOCK_SEQPACKET);
    assert_int_equal(wire_send(world->clients[0], SLICE("nonsense"), NULL, 0, 0), WIRE_OK);
    assert_true(loop_once(&world->loop, 0));
    assert_int_equal(world->service.peer_count, CLIENTS - 1);
    assert_int_equal(count_turns(world), 1);
}

/* The listening socket stays ready, which must not be a loop that turns without end. */
static void out_of_descriptors_it_waits_for_a_peer_to_go(void **state)
{
    struct world *world = *state;
    struct rlimit all, few;
    int next = open("/dev/null", O_RDONLY | O_CLOEXEC);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &all), 0);
    few = (struct rlimit){.rlim_cur = (rlim_t)next + 1, .rlim_max = all.rlim_max};
    io_close(&next);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    int turns = count_turns(world);
    size_t peers = world->service.peer_count;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &all), 0);
    assert_int_equal(peers, 1);
    assert_true(turns < TURNS);
    io_close(&world->clients[0]);
    count_turns(world);
    assert_int_equal(world->service.peer_count, CLIENTS - 1);
}

#define SERVICE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SERVICE_TEST(asks_and_answers),
        SERVICE_TEST(a_question_behind_the_connection_waits_for_nothing),
        SERVICE_TEST(what_was_told_counts_before_what_was_asked_later),
        SERVICE_TEST(a_peer_may_be_lost_by_its_first_message),
        SERVICE_TEST(out_of_descriptors_it_waits_for_a_peer_to_go),
    };
    return cmocka_run_group_tests_name("service", tests, NULL, NULL);
}
