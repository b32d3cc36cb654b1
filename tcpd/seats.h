/*
 * seats - who is connected: one seat per child process of tcpd, in memory that children share
 *
 * The parent gives a seat before it forks and takes it back when the child ends. A child behind a
 * proxy learns its client's address only later and notes it in its own seat, so that limits
 * per client hold there too. Clients are counted by IPv4 address, and by /64 for IPv6, since that
 * is what one customer of a provider is given.
 */
#ifndef TCPD_SEATS_H
#define TCPD_SEATS_H

#include "ip.h"

#include <sys/types.h>

enum { SEATS_CEILING = 20000 }; /* whatever connections-max says */

struct seat {
    pid_t pid;        /* 0: free */
    struct ip client; /* size 0: not known yet; for IPv6 its /64 */
};

struct seats {
    struct seat *all;
    size_t top; /* seats from here on are free */
    size_t count;
};

/* False with errno. */
bool seats_open(struct seats *seats);
void seats_close(struct seats *seats);
/* A free seat; NULL when all are taken. It is taken by seats_sit. */
struct seat *seats_find_free(struct seats *seats);
/* `client` may be NULL: not known yet. */
void seats_sit(struct seats *seats, struct seat *seat, pid_t pid, const struct ip *client);
/* In the child: the client is known now. */
void seats_name(struct seat *seat, const struct ip *client);
/* False when no seat is this child's. */
bool seats_leave(struct seats *seats, pid_t pid);
/* How many seats this client has, without the seat `own` (may be NULL). */
size_t seats_of_client(const struct seats *seats, const struct ip *client, const struct seat *own);

#endif
