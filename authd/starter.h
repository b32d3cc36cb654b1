/*
 * starter - spawnd's answers to "spawn/1": checks, bounds, launches under way
 */
#ifndef AUTHD_STARTER_H
#define AUTHD_STARTER_H

#include "children.h"
#include "directory.h"
#include "service.h"
#include "templates.h"

struct starter {
    struct loop *loop;
    struct directory directory;
    struct children children;
    struct templates templates;
    struct loop_timer killing; /* of sessions that were to end */
    int mail;                  /* ROOT/mail */
};

/* False with errno. */
bool starter_init(struct starter *starter, struct loop *loop);
void starter_free(struct starter *starter);

/* For service_start; the service's owner is the starter. */
bool starter_welcome(uid_t uid, void *owner);
void starter_message(struct service_peer *peer, struct wire_message *message);
void starter_gone(struct service_peer *peer);

/* Children have ended. */
void starter_reap(struct starter *starter);

#endif
