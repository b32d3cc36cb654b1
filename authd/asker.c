/* asker - see asker.h */
#include "asker.h"

#include "clock.h"
#include "io.h"
#include "unixsocket.h"

#include <sys/epoll.h>
#include <sys/socket.h>

enum { RETRY_MS = 100 };

static void pump(struct asker *asker);

static void retry_due(struct loop_timer *timer)
{
    pump(timer->owner);
}

/* The server is being started anew, it is hoped; the questions' own timers end this. */
static void pump_later(struct asker *asker)
{
    loop_set_timer(asker->loop, &asker->retry, clock_deadline(RETRY_MS), retry_due, asker);
}

void asker_init(struct asker *asker, struct loop *loop, const char *path)
{
    *asker = (struct asker){.loop = loop, .path = path};
    for (int i = 0; i < ASKER_CONNECTIONS_MAX; i++)
        asker->connections[i] = (struct asker_connection){.asker = asker, .fd = -1};
    wire_init(&asker->answer);
}

static void disconnect(struct asker_connection *connection)
{
    if (connection->fd >= 0)
        loop_remove(connection->asker->loop, &connection->watch);
    io_close(&connection->fd);
    connection->question = NULL;
}

void asker_free(struct asker *asker)
{
    for (int i = 0; i < ASKER_CONNECTIONS_MAX; i++)
        disconnect(&asker->connections[i]);
    loop_clear_timer(asker->loop, &asker->retry);
    wire_free(&asker->answer);
}

void asker_prepare(struct asker_question *question)
{
    *question = (struct asker_question){0};
    str_init(&question->packet, ASKER_PACKET_MAX);
}

/* ---- the queue of those that wait -------------------------------------------------------------
 */

static void wait_in_line(struct asker *asker, struct asker_question *question)
{
    question->next = NULL;
    question->connection = NULL;
    if (asker->last)
        asker->last->next = question;
    else
        asker->first = question;
    asker->last = question;
}

static void leave_line(struct asker *asker, struct asker_question *question)
{
    struct asker_question *before = NULL;
    struct asker_question *at = asker->first;
    for (; at && at != question; at = at->next)
        before = at;
    if (!at)
        return;
    if (before)
        before->next = question->next;
    else
        asker->first = question->next;
    if (asker->last == question)
        asker->last = before;
}

/* ---- the end of a question --------------------------------------------------------------------
 */

static void release(struct asker_question *question)
{
    struct asker *asker = question->asker;
    loop_clear_timer(asker->loop, &question->timer);
    str_free(&question->packet);
    question->asker = NULL;
    question->connection = NULL;
}

static void finish(struct asker_question *question, const struct wire_message *answer)
{
    asker_done *done = question->done;
    release(question);
    done(question, answer);
}

void asker_cancel(struct asker_question *question)
{
    struct asker *asker = question->asker;
    if (!asker) {
        str_free(&question->packet);
        return;
    }
    if (question->connection)
        disconnect(question->connection); /* its answer would come for the next question */
    else
        leave_line(asker, question);
    release(question);
    pump(asker);
}

static void timed_out(struct loop_timer *timer)
{
    struct asker_question *question = timer->owner;
    struct asker *asker = question->asker;
    if (question->connection)
        disconnect(question->connection);
    else
        leave_line(asker, question);
    finish(question, NULL);
    pump(asker);
}

/* ---- connections ------------------------------------------------------------------------------
 */

static void lost(struct asker_connection *connection)
{
    struct asker_question *question = connection->question;
    disconnect(connection);
    if (question && question->repeat)
        wait_in_line(connection->asker, question);
    else if (question)
        finish(question, NULL);
}

static void answer_came(struct loop_watch *watch, uint32_t events)
{
    struct asker_connection *connection = watch->owner;
    struct asker *asker = connection->asker;
    (void)events;
    enum wire_result result = wire_receive(connection->fd, &asker->answer, CLOCK_NEVER);
    if (result == WIRE_TIMEOUT)
        return;
    struct asker_question *question = connection->question;
    if (result == WIRE_OK && question && asker->answer.count > 0) {
        connection->question = NULL;
        finish(question, &asker->answer);
        pump(asker);
    } else {
        lost(connection);
        pump_later(asker);
    }
}

static bool connect_to_server(struct asker_connection *connection)
{
    struct asker *asker = connection->asker;
    connection->fd = unixsocket_connect(asker->path, SOCK_SEQPACKET | SOCK_NONBLOCK);
    if (connection->fd < 0)
        return false;
    if (loop_add(asker->loop, &connection->watch, connection->fd, EPOLLIN, answer_came, connection))
        return true;
    io_close(&connection->fd);
    return false;
}

/* An idle connection, or a free place, or NULL: all are busy. */
static struct asker_connection *find_connection(struct asker *asker)
{
    struct asker_connection *place = NULL;
    for (int i = 0; i < ASKER_CONNECTIONS_MAX; i++) {
        struct asker_connection *connection = &asker->connections[i];
        if (connection->fd >= 0 && !connection->question)
            return connection;
        if (connection->fd < 0 && !place)
            place = connection;
    }
    return place;
}

static bool send_question(struct asker_connection *connection, struct asker_question *question)
{
    if (wire_send(connection->fd, str_slice(&question->packet), question->fds, question->fd_count,
                  0) == WIRE_OK)
        return true;
    disconnect(connection); /* the question was not taken */
    return false;
}

/* Sends what waits, as far as there are connections. */
static void pump(struct asker *asker)
{
    while (asker->first) {
        struct asker_question *question = asker->first;
        struct asker_connection *connection = find_connection(asker);
        if (!connection)
            return;
        bool kept = connection->fd >= 0;
        if ((kept || connect_to_server(connection)) && send_question(connection, question)) {
            leave_line(asker, question);
            connection->question = question;
            question->connection = connection;
        } else if (!kept) {
            pump_later(asker);
            return;
        } /* else it died while idle: another connection */
    }
}

bool asker_ask(struct asker *asker, struct asker_question *question, int64_t timeout_ms,
               asker_done *done, void *owner)
{
    if (question->packet.failed || !loop_set_timer(asker->loop, &question->timer,
                                                   clock_deadline(timeout_ms), timed_out, question))
        return false;
    question->asker = asker;
    question->done = done;
    question->owner = owner;
    wait_in_line(asker, question);
    pump(asker);
    return true;
}
