/*
 * acceptor - tcpd's event loop: listeners, templates, signals
 */
#ifndef TCPD_ACCEPTOR_H
#define TCPD_ACCEPTOR_H

#include "directory.h"
#include "gate.h"
#include "listener.h"
#include "loop.h"
#include "templates.h"

struct acceptor;

struct acceptor_listener {
    struct listener_line line;
    struct loop_watch watch;
    struct acceptor *acceptor;
    int fd; /* -1: not open */
};

/* Refusals in the log: each, up to some in a second, then just their number. */
struct acceptor_refusals {
    int64_t since; /* clock_ms */
    unsigned said;
    unsigned unsaid;
    struct loop_timer timer;
};

struct acceptor {
    const struct tcpservice *service;
    struct loop loop;
    struct loop_signals signals;
    struct loop_timer retry; /* accepts again after a shortage of descriptors */
    struct control control;
    struct directory directory;
    struct gate gate;
    struct templates templates;
    struct acceptor_refusals refusals;
    struct acceptor_listener listeners[LISTENER_MAX];
    size_t listener_count;
    bool has_rules; /* the rules of access could be read */
    bool accepting; /* the listeners are watched */
    bool stopping;
};

/* Before the drop of root: reads control/listen and opens its listeners. Ends the program when
 * that can't be. */
void acceptor_open(struct acceptor *acceptor, const struct tcpservice *service);
/* After it: serves till all is stopped. */
void acceptor_run(struct acceptor *acceptor);

#endif
