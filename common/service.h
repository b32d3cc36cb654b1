/*
 * service - a server on a unix socket: peers, their uids, one message in, one answer out
 *
 * For the daemons that answer other programs of the suite (authd, stated, spawnd, queued).
 * A peer whose uid is not welcome, or whose message does not parse, loses its connection and
 * nothing else happens.
 */
#ifndef COMMON_SERVICE_H
#define COMMON_SERVICE_H

#include "loop.h"
#include "wire.h"

#include <sys/types.h>

struct service;
struct service_peer;

/* One message has come. Descriptors in it that are not taken are closed. The handler answers by
 * service_answer, at once or later; a peer may have closed meanwhile (see peer_gone). */
typedef void service_message(struct service_peer *peer, struct wire_message *message);
/* May this uid talk to us? */
typedef bool service_welcome(uid_t uid, void *owner);
/* The peer closed, or was closed: forget it. It is freed after the call. May be NULL. */
typedef void service_gone(struct service_peer *peer);

struct service_peer {
    struct service *service;
    struct loop_watch watch;
    int fd;
    uid_t uid;
    pid_t pid;
    void *data; /* the handler's own */
    struct service_peer *next, *previous;
};

struct service {
    struct loop *loop;
    struct loop_watch watch;
    int fd;
    size_t peer_count;
    size_t peer_max; /* more wait in the listen queue */
    bool is_alone;   /* set by who never forks: closing a descriptor takes it out of epoll */
    bool paused;
    struct service_peer *peers;
    struct service_peer *heard; /* whose message was the last, till it is answered or closed */
    service_message *message;
    service_welcome *welcome;
    service_gone *gone;
    void *owner;
    struct wire_message incoming;
};

/* Starts to serve on `fd` (from unixsocket_listen, SOCK_SEQPACKET), which it owns then. */
bool service_start(struct service *service, struct loop *loop, int fd, size_t peer_max,
                   service_welcome *welcome, service_message *message, service_gone *gone,
                   void *owner);
void service_stop(struct service *service);

/* Sends an answer; a peer that does not take it (full or closed) is closed. False then. */
bool service_answer(struct service_peer *peer, struct slice packet, const int *fds,
                    size_t fd_count);
/* Closes the connection and frees `peer`. */
void service_close(struct service_peer *peer);

#endif
