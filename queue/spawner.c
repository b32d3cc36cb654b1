/* spawner - see spawner.h */
#include "spawner.h"

#include "clock.h"
#include "io.h"
#include "peer.h"

#include <sys/epoll.h>

static void ask_next(struct spawner *spawner);
static void next_due(struct loop_timer *timer);

void spawner_init(struct spawner *spawner, struct loop *loop)
{
    *spawner = (struct spawner){.loop = loop, .fd = -1};
    wire_init(&spawner->incoming);
}

static void disconnect(struct spawner *spawner)
{
    loop_remove(spawner->loop, &spawner->watch);
    io_close(&spawner->fd);
}

void spawner_free(struct spawner *spawner)
{
    loop_clear_timer(spawner->loop, &spawner->timer);
    disconnect(spawner);
    wire_free(&spawner->incoming);
}

static void remove_ask(struct spawner *spawner, struct spawner_ask *ask)
{
    struct spawner_ask *previous = NULL;
    for (struct spawner_ask *one = spawner->first; one != ask; one = one->next)
        previous = one;
    if (previous)
        previous->next = ask->next;
    else
        spawner->first = ask->next;
    if (spawner->last == ask)
        spawner->last = previous;
    ask->next = NULL;
    ask->is_waiting = false;
}

/* Ends the question that was asked, and goes on with the next one in the next round. */
static void finish(struct spawner *spawner, enum verdict verdict, struct slice reason)
{
    struct spawner_ask *ask = spawner->is_cancelled ? NULL : spawner->first;
    spawner->is_asking = false;
    spawner->is_cancelled = false;
    loop_set_timer(spawner->loop, &spawner->timer, 0, next_due, spawner);
    if (!ask)
        return;
    remove_ask(spawner, ask);
    ask->answer(ask, verdict, reason);
}

static void fail(struct spawner *spawner, const char *reason)
{
    disconnect(spawner);
    finish(spawner, VERDICT_TEMP, slice_text(reason));
}

static void answer_ready(struct loop_watch *watch, uint32_t events)
{
    (void)events;
    struct spawner *spawner = watch->owner;
    struct str reason;
    enum wire_result result = wire_receive(spawner->fd, &spawner->incoming, CLOCK_NEVER);
    if (result == WIRE_TIMEOUT)
        return;
    if (result == WIRE_OK && spawner->is_asking) {
        str_init(&reason, WIRE_MAX_SIZE);
        enum verdict verdict = spawn_read_answer(&spawner->incoming, &reason);
        finish(spawner, verdict, str_slice(&reason));
        str_free(&reason);
    } else if (spawner->is_asking) {
        fail(spawner, "spawnd closed the connection");
    } else {
        disconnect(spawner); /* restarted while nothing was asked */
    }
}

static void answer_late(struct loop_timer *timer)
{
    fail(timer->owner, "spawnd does not answer");
}

static bool connect_spawnd(struct spawner *spawner)
{
    if (spawner->fd >= 0)
        return true;
    spawner->fd = peer_connect(SPAWN_SOCKET);
    if (spawner->fd >= 0 &&
        !loop_add(spawner->loop, &spawner->watch, spawner->fd, EPOLLIN, answer_ready, spawner))
        io_close(&spawner->fd);
    return spawner->fd >= 0;
}

static bool send_ask(struct spawner *spawner, const struct spawner_ask *ask)
{
    struct str packet;
    struct spawn_request request = {.program = ask->program,
                                    .domain = ask->domain,
                                    .arguments = {ask->domain},
                                    .argument_count = ask->domain.size > 0 ? 1 : 0};
    str_init(&packet, WIRE_MAX_SIZE);
    spawn_put_question(&packet, &request);
    bool sent =
        !packet.failed && wire_send(spawner->fd, str_slice(&packet), &ask->fd, 1, 0) == WIRE_OK;
    str_free(&packet);
    return sent;
}

static void ask_next(struct spawner *spawner)
{
    if (spawner->is_asking || !spawner->first)
        return;
    spawner->is_asking = true;
    bool was_connected = spawner->fd >= 0;
    bool sent = connect_spawnd(spawner) && send_ask(spawner, spawner->first);
    if (!sent && was_connected) { /* spawnd was started anew since the last question */
        disconnect(spawner);
        sent = connect_spawnd(spawner) && send_ask(spawner, spawner->first);
    }
    if (sent)
        loop_set_timer(spawner->loop, &spawner->timer, clock_deadline(SPAWN_TIMEOUT_MS),
                       answer_late, spawner);
    else
        fail(spawner, "spawnd can't be reached");
}

static void next_due(struct loop_timer *timer)
{
    ask_next(timer->owner);
}

void spawner_start(struct spawner *spawner, struct spawner_ask *ask)
{
    ask->next = NULL;
    ask->is_waiting = true;
    if (spawner->last)
        spawner->last->next = ask;
    else
        spawner->first = ask;
    spawner->last = ask;
    if (!spawner->is_asking)
        loop_set_timer(spawner->loop, &spawner->timer, 0, next_due, spawner);
}

void spawner_cancel(struct spawner *spawner, struct spawner_ask *ask)
{
    if (!ask->is_waiting)
        return;
    if (spawner->is_asking && !spawner->is_cancelled && spawner->first == ask)
        spawner->is_cancelled = true;
    remove_ask(spawner, ask);
}
