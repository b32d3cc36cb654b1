/*
 * peer - connecting to a daemon of the suite from an event loop
 */
#ifndef QUEUE_PEER_H
#define QUEUE_PEER_H

/* A non-blocking SOCK_SEQPACKET connection to the socket at `path`. A daemon that is busy (its
 * listen queue is full) is EAGAIN, not a wait. -1 with errno. */
int peer_connect(const char *path);

#endif
