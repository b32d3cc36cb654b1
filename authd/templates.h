/*
 * templates - programs that are set up once for a domain, and copied for each of its sessions
 *
 * imapd and pop3d are started for a domain, with its uid, in mail/DOMAIN, and then make a copy of
 * themselves for each session (common/template.h): a fork where there were a fork, an exec, a linker
 * and a sandbox. A template belongs to one domain, so copies of one share their address layout with
 * sessions of that domain alone, which has one uid anyway. It ends a minute after the domain's last
 * login, after 5,000 copies, when a copy crashed, or when mail/DOMAIN is another folder than it was.
 */
#ifndef AUTHD_TEMPLATES_H
#define AUTHD_TEMPLATES_H

#include "launch.h"
#include "loop.h"
#include "service.h"

enum {
    TEMPLATES_MAX = 100,          /* more: the one that was used longest ago ends */
    TEMPLATES_GIVEN_MAX = 5000,   /* sessions of one address layout */
    TEMPLATES_IDLE_MS = 60000,    /* without a new session */
    TEMPLATES_SESSIONS_MAX = 200, /* asked for and not begun */
};

/* A session has begun as `pid`, or has not (0, `reason`). The peer may have gone since: NULL. */
typedef void templates_outcome(void *owner, uint64_t seat, struct service_peer *peer, pid_t pid,
                               const char *reason);

struct templates_process;
struct templates_session;

struct templates {
    struct loop *loop;
    int mail; /* ROOT/mail, not owned */
    templates_outcome *outcome;
    void *owner;
    struct templates_process *processes; /* list */
    struct templates_session *sessions;  /* list, the oldest first */
    size_t session_count;
    uint64_t seats; /* the last number given */
    struct loop_timer sweep;
    struct wire_message report;
};

void templates_init(struct templates *templates, struct loop *loop, int mail,
                    templates_outcome *outcome, void *owner);
void templates_free(struct templates *templates);

/* The number of the next session, under which `outcome` will speak of it. */
uint64_t templates_next_seat(struct templates *templates);
/* Begins a session for `request`, whose descriptors are taken out of `message`. peer->data stands for
 * the wait (starter.h). True: `outcome` will come, for all that may go wrong from here on. False with
 * errno: it will not. */
bool templates_begin(struct templates *templates, uint64_t seat,
                     const struct program_request *request, uid_t uid, struct service_peer *peer,
                     struct wire_message *message);

/* Takes in what copies have reported: before their ends are looked at. */
void templates_read_reports(struct templates *templates);
/* A child that is no session and no worker has ended: a template perhaps. */
void templates_ended(struct templates *templates, pid_t pid);
/* A session of this program and uid crashed: no more of its layout. */
void templates_crashed(struct templates *templates, const struct program *program, uid_t uid);

#endif
