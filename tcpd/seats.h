/*
 * seats - who is connected: one seat per connection, in memory that tcpd's own children share
 *
 * A seat is taken before a process is asked for, and free again when the process has ended. A child
 * that reads a PROXY header learns its client's address only later and notes it in its own seat, so
 * that limits per client hold there too. Clients are counted by IPv4 address, and by /64 for IPv6, since that
 * is what one customer of a provider is given.
 */
#ifndef TCPD_SEATS_H
#define TCPD_SEATS_H

#include "ip.h"

#include <sys/types.h>

enum {
    SEATS_CEILING = 20000, /* whatever connections-max says */
    SEATS_ASKED = -1,      /* as a pid: a template was asked for the process */
};

struct seat {
    pid_t pid;         /* 0: free */
    unsigned template; /* the number of the template that makes the process */
    struct ip client;  /* size 0: not known yet; for IPv6 its /64 */
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
/* NULL when there is no such seat, or nobody sits there. */
struct seat *seats_at(struct seats *seats, uint64_t index);
struct seat *seats_of(struct seats *seats, pid_t pid);
/* `client` may be NULL: not known yet. */
void seats_sit(struct seats *seats, struct seat *seat, pid_t pid, const struct ip *client);
/* In the child: the client is known now. */
void seats_name(struct seat *seat, const struct ip *client);
void seats_free(struct seats *seats, struct seat *seat);
/* How many seats this client has, without the seat `own` (may be NULL). */
size_t seats_of_client(const struct seats *seats, const struct ip *client, const struct seat *own);

#endif
