/* statequery - see statequery.h */
#include "statequery.h"

#include "clock.h"
#include "io.h"
#include "peer.h"
#include "state.h"

#include <sys/epoll.h>

static void disconnect(struct statequery *query)
{
    loop_remove(query->loop, &query->watch);
    io_close(&query->fd);
}

void statequery_init(struct statequery *query, struct loop *loop, void *owner)
{
    *query = (struct statequery){.owner = owner, .loop = loop, .fd = -1};
    wire_init(&query->answer);
    str_init(&query->question, WIRE_MAX_SIZE);
}

void statequery_free(struct statequery *query)
{
    loop_clear_timer(query->loop, &query->timer);
    disconnect(query);
    wire_free(&query->answer);
    str_free(&query->question);
}

static void finish(struct statequery *query, const struct wire_message *answer)
{
    loop_clear_timer(query->loop, &query->timer);
    query->is_asking = false;
    query->done(query, answer);
}

/* A late answer must not be taken for that of the next question. */
static void fail(struct statequery *query)
{
    disconnect(query);
    finish(query, NULL);
}

static void failed_before(struct loop_timer *timer)
{
    fail(timer->owner);
}

static void answer_ready(struct loop_watch *watch, uint32_t events)
{
    struct statequery *query = watch->owner;
    (void)events;
    enum wire_result result = wire_receive(query->fd, &query->answer, CLOCK_NEVER);
    if (result == WIRE_TIMEOUT)
        return;
    if (!query->is_asking)
        disconnect(query); /* stated ended, or says what nobody asked */
    else if (result == WIRE_OK && query->answer.count > 0)
        finish(query, &query->answer);
    else
        fail(query);
}

static bool connect_stated(struct statequery *query)
{
    if (query->fd >= 0)
        return true;
    query->fd = peer_connect(STATE_SOCKET);
    if (query->fd >= 0 &&
        !loop_add(query->loop, &query->watch, query->fd, EPOLLIN, answer_ready, query))
        io_close(&query->fd);
    return query->fd >= 0;
}

static bool send_question(struct statequery *query)
{
    return !query->question.failed && connect_stated(query) &&
           wire_send(query->fd, str_slice(&query->question), NULL, 0, 0) == WIRE_OK;
}

void statequery_ask(struct statequery *query, const char *const fields[], size_t count,
                    statequery_done *done)
{
    str_clear(&query->question);
    wire_put_text(&query->question, "state/1");
    for (size_t i = 0; i < count; i++)
        wire_put_text(&query->question, fields[i]);
    query->is_asking = true;
    query->done = done;
    bool was_connected = query->fd >= 0;
    bool is_sent = send_question(query);
    if (!is_sent && was_connected) { /* stated was started anew since the last question */
        disconnect(query);
        is_sent = send_question(query);
    }
    loop_set_timer(query->loop, &query->timer, is_sent ? clock_deadline(STATE_TIMEOUT_MS) : 0,
                   failed_before, query);
}
