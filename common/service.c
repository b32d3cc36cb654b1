/* service - see service.h */
#include "service.h"

#include "clock.h"
#include "io.h"
#include "unixsocket.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>

/* Of what one peer says without waiting for answers, this much is read in one turn. */
enum { TURN_MAX = 64 };

static void pause_accept(struct service *service, bool pause)
{
    if (service->paused != pause) {
        service->paused = pause;
        loop_change(service->loop, &service->watch, pause ? 0 : EPOLLIN);
    }
}

void service_close(struct service_peer *peer)
{
    struct service *service = peer->service;
    if (service->heard == peer)
        service->heard = NULL;
    if (service->gone)
        service->gone(peer);
    if (service->is_alone)
        loop_forget(service->loop, &peer->watch);
    else
        loop_remove(service->loop, &peer->watch);
    io_close(&peer->fd);
    if (peer->previous)
        peer->previous->next = peer->next;
    else
        service->peers = peer->next;
    if (peer->next)
        peer->next->previous = peer->previous;
    service->peer_count--;
    free(peer);
    pause_accept(service, false);
}

/* False: the peer waits for an answer, or has got one, or is gone. */
static bool hear(struct service_peer *peer)
{
    struct service *service = peer->service;
    service->heard = peer;
    service->message(peer, &service->incoming);
    /* Now, not with the next message: a client's descriptor held here would keep its connection
     * open after everybody else has closed it. */
    wire_clear(&service->incoming);
    return service->heard == peer;
}

/* False: there is no more to be read now. */
static bool take_message(struct service_peer *peer)
{
    /* The socket is non-blocking: WIRE_TIMEOUT is "no message yet". */
    switch (wire_receive(peer->fd, &peer->service->incoming, CLOCK_NEVER)) {
    case WIRE_OK:
        return hear(peer);
    case WIRE_RESET: /* it went without our last answer, but what it asked before counts */
        return true;
    case WIRE_TIMEOUT:
        return false;
    case WIRE_END:
    case WIRE_BAD:
    case WIRE_ERROR:
        service_close(peer);
        break;
    }
    return false;
}

/* Who tells and does not ask is heard to the end: others' questions, one of each in a turn, must not overtake
 * what was told before them. */
static void peer_ready(struct loop_watch *watch, uint32_t events)
{
    (void)events;
    for (int i = 0; i < TURN_MAX && take_message(watch->owner); i++)
        ;
}

static void admit(struct service *service, int fd)
{
    uid_t uid;
    pid_t pid;
    struct service_peer *peer = NULL;
    if (unixsocket_peer(fd, &uid, &pid) && service->welcome(uid, service->owner))
        peer = calloc(1, sizeof *peer);
    if (!peer) {
        io_close(&fd);
        return;
    }
    *peer = (struct service_peer){
        .service = service, .fd = fd, .uid = uid, .pid = pid, .next = service->peers};
    if (!loop_add(service->loop, &peer->watch, fd, EPOLLIN, peer_ready, peer)) {
        io_close(&fd);
        free(peer);
        return;
    }
    if (service->peers)
        service->peers->previous = peer;
    service->peers = peer;
    service->peer_count++;
    peer_ready(&peer->watch, EPOLLIN); /* who connects has something to say, nearly always by now */
}

static bool is_passing(int error)
{
    return error == EAGAIN || error == EINTR || error == ECONNABORTED;
}

/* One; of those behind it, epoll tells again. */
static void listen_ready(struct loop_watch *watch, uint32_t events)
{
    (void)events;
    struct service *service = watch->owner;
    int fd = accept4(service->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    /* No descriptors, no memory: the loop would turn without end. */
    bool has_trouble = fd < 0 && !is_passing(errno) && service->peer_count > 0;
    if (fd >= 0)
        admit(service, fd);
    if (has_trouble || service->peer_count >= service->peer_max)
        pause_accept(service, true); /* till a peer goes */
}

bool service_start(struct service *service, struct loop *loop, int fd, size_t peer_max,
                   service_welcome *welcome, service_message *message, service_gone *gone,
                   void *owner)
{
    *service = (struct service){.loop = loop,
                                .fd = fd,
                                .peer_max = peer_max,
                                .message = message,
                                .welcome = welcome,
                                .gone = gone,
                                .owner = owner};
    wire_init(&service->incoming);
    return loop_add(loop, &service->watch, fd, EPOLLIN, listen_ready, service);
}

void service_stop(struct service *service)
{
    while (service->peers)
        service_close(service->peers); /* NOLINT(clang-analyzer-unix.Malloc): the head moves on */
    loop_remove(service->loop, &service->watch);
    io_close(&service->fd);
    wire_free(&service->incoming);
}

bool service_answer(struct service_peer *peer, struct slice packet, const int *fds, size_t fd_count)
{
    if (peer->service->heard == peer)
        peer->service->heard = NULL;
    /* A peer that asks and does not read would stop the whole server: no waiting for it. */
    if (wire_send(peer->fd, packet, fds, fd_count, 0) == WIRE_OK)
        return true;
    service_close(peer);
    return false;
}
