/*
 * resolver - questions to the DNS within an event loop, by c-ares
 *
 * One server as the setting `resolver` names it, or those of /etc/resolv.conf. Many questions are
 * in flight at a time; each is answered once, at the latest after RESOLVER_TIMEOUT_MS *
 * (2^RESOLVER_TRIES - 1) per server.
 */
#ifndef SMTPD_RESOLVER_H
#define SMTPD_RESOLVER_H

#include "loop.h"
#include "slice.h"

struct ares_channeldata;

enum { RESOLVER_TIMEOUT_MS = 1500, RESOLVER_TRIES = 2, RESOLVER_SOCKETS_MAX = 32 };

enum resolver_result {
    RESOLVER_FOUND,
    RESOLVER_NONE,    /* the name, or such a record of it, does not exist */
    RESOLVER_TROUBLE, /* no answer, or none to rely on */
};

/* `bytes` is the server's message; empty with RESOLVER_TROUBLE. May be called before resolver_ask
 * returns. */
typedef void resolver_answer(void *owner, enum resolver_result result, const unsigned char *bytes,
                             size_t size);

struct resolver {
    struct loop *loop;
    struct ares_channeldata *channel;
    struct loop_timer timer;
    struct loop_watch sockets[RESOLVER_SOCKETS_MAX];
};

/* `server` is "", ADDRESS or ADDRESS:PORT. False: it is none of these, or memory is out. */
bool resolver_open(struct resolver *resolver, struct loop *loop, struct slice server);
/* Questions in flight are answered with RESOLVER_TROUBLE. */
void resolver_close(struct resolver *resolver);

/* `type` is DNS' number. */
void resolver_ask(struct resolver *resolver, const char *name, int type, resolver_answer *answer,
                  void *owner);

#endif
