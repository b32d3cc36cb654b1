/*
 * templates - tcpd's template processes: one takes the connections, others come and go
 *
 * The service's program is started once (template.h) and takes connections when it says that it is
 * ready. It is replaced when one of its copies crashed, so that nobody can try the same address
 * layout twice; when cdb/host.cdb has been replaced, which it reads once; after TEMPLATES_SERVES
 * connections, so that no layout lasts for ever; and when it ends by itself, after a pause if it
 * did not last. While none is ready, clients wait in the
 * listen queue. One that is replaced serves what it was given and ends; its copies go on.
 *
 * Nobody is woken for the reports of copies: they are read when a session has ended, when there is
 * no room for another connection, and each TEMPLATES_LOOK_MS while one is owed. Only while there is
 * no room they are waited for. The end of a template is seen at once.
 */
#ifndef TCPD_TEMPLATES_H
#define TCPD_TEMPLATES_H

#include "directory.h"
#include "loop.h"
#include "seats.h"
#include "str.h"
#include "tcpservice.h"
#include "wire.h"

enum {
    TEMPLATES_MAX =
        4, /* processes at a time: one in use, one starting, and those on their way out */
    /* Connections given and not reported: below what the kernel queues on such a socket (10), so
     * that neither side ever waits for the other. */
    TEMPLATES_IN_FLIGHT = 8,
    TEMPLATES_SERVES = 5000,
    TEMPLATES_LASTED_MS = 5000,
    TEMPLATES_PAUSE_MS = 1000,
    TEMPLATES_GIVE_MS = 1000, /* then it does not answer any more */
    TEMPLATES_LOOK_MS = 100,
    TEMPLATES_PENDING = TEMPLATES_MAX * TEMPLATES_IN_FLIGHT,
};

/* A connection that no process has reported yet. */
struct templates_connection {
    int fd; /* owned; -1: there is none */
    struct seat *seat;
    struct str packet;
};

struct templates;

struct templates_process {
    struct templates *templates;
    struct loop_watch watch;
    int fd;           /* -1: has ended */
    pid_t pid;        /* 0: has been waited for */
    unsigned number;  /* never twice; in the seats of its connections */
    unsigned version; /* of cdb/host.cdb before it started */
    bool is_retired;
    bool is_watched; /* for reports; its end is seen always */
    struct templates_connection in_flight[TEMPLATES_IN_FLIGHT];
    unsigned in_flight_count;
    unsigned given;
    int64_t since; /* clock_ms */
};

/* There may be room for more connections now, or not any more; seats may be free. */
typedef void templates_changed(void *owner);

struct templates {
    struct loop *loop;
    const struct tcpservice *service;
    struct seats *seats;
    struct directory *directory;
    templates_changed *changed;
    void *owner;
    struct templates_process all[TEMPLATES_MAX];
    struct templates_process *current;  /* is ready; NULL: none is */
    struct templates_process *starting; /* is not ready yet */
    /* Their template is gone: the next one gets them. */
    struct templates_connection pending[TEMPLATES_PENDING];
    unsigned pending_count;
    struct loop_timer again;
    struct loop_timer look;      /* at reports */
    struct wire_message message; /* the report that is being read */
    unsigned started;
    bool stopping;
};

void templates_init(struct templates *templates, struct loop *loop,
                    const struct tcpservice *service, struct seats *seats,
                    struct directory *directory, templates_changed *changed, void *owner);
/* Starts the first. */
void templates_start(struct templates *templates);
/* The settings may have changed: then no connection more goes to who has read the old ones. */
void templates_refresh(struct templates *templates);
/* Is there one that takes a connection now? If not, `changed` is called when there may be. */
bool templates_have_room(struct templates *templates);
/* Reads the reports that are there. */
void templates_look(struct templates *templates);
/* The number to note in a seat whose connection the one in use will be given. */
unsigned templates_number(const struct templates *templates);
/* Gives it a connection, which has taken a seat (SEATS_ASKED), and takes over the descriptor. If the
 * template goes down before a process of its own has the connection, the next one gets it. */
void templates_give(struct templates *templates, struct seat *seat, struct slice packet, int *fd);
/* For a child of tcpd, which has a copy of all this. */
bool templates_give_from_child(const struct templates *templates, struct slice packet,
                               int connection);

/* A child of tcpd has ended: a template, a session, or one that read a PROXY header and gave its
 * connection on (`gave_on`). All that was reported is read before. */
void templates_reap(struct templates *templates, pid_t pid, int status, bool gave_on);

/* No more connections: each ends when it has served what it was given. */
void templates_stop(struct templates *templates);

#endif
