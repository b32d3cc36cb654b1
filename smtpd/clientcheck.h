/*
 * clientcheck - what is asked of the DNS about one client, and what its answers come to
 *
 * The reverse names are asked for, and the addresses of each; a name that does not lead back to the
 * client is no name. Every blocklist is asked for the address, and those that have it for their
 * text, unless the operator gave one. All of it at once: the check lasts three answers at most.
 *
 * Knows no network: questions go to `ask`, which answers each once, at once or later.
 */
#ifndef SMTPD_CLIENTCHECK_H
#define SMTPD_CLIENTCHECK_H

#include "blocklist.h"
#include "dnsanswer.h"
#include "resolver.h"

enum {
    /* Troubles in a row after which a list is not asked for a while: each would cost every client
     * the whole wait. Reverse zones are strangers', and silent more often. */
    CLIENTCHECK_ZONE_TROUBLES = 5,
    CLIENTCHECK_NAME_TROUBLES = 20,
    CLIENTCHECK_REST_MS = 30000,
    CLIENTCHECK_TROUBLE_TTL_S = 30,
};

typedef void clientcheck_ask(void *owner, const char *name, int type, resolver_answer *answer,
                             void *question);

/* How well a source answers. */
struct clientcheck_health {
    unsigned troubles;   /* in a row */
    int64_t rests_until; /* clock_ms */
};

/* What all checks share. */
struct clientcheck_context {
    clientcheck_ask *ask;
    void *owner;
    bool wants_names;
    struct blocklist list;
    unsigned generation; /* of the list: checks that began with another take no more of it */
    struct clientcheck_health names;
    struct clientcheck_health zones[BLOCKLIST_ZONES_MAX];
};

struct clientcheck;
typedef void clientcheck_done(struct clientcheck *check);

struct clientcheck_question {
    struct clientcheck *check;
    size_t index;
};

struct clientcheck {
    struct clientcheck_context *context;
    struct ip client;
    unsigned generation;
    clientcheck_done *done;
    size_t pending;
    uint32_t ttl_s;
    struct dnsanswer reverse; /* its names are the candidates */
    bool confirmed[DNSANSWER_NAMES_MAX];
    const struct blocklist_rule *listed[BLOCKLIST_ZONES_MAX];
    char texts[BLOCKLIST_ZONES_MAX][LOOKUP_TEXT_MAX + 1];
    struct clientcheck_question name_questions[DNSANSWER_NAMES_MAX];
    struct clientcheck_question zone_questions[BLOCKLIST_ZONES_MAX];
};

/* Takes another list: what was known of the zones' health is forgotten. */
void clientcheck_change_list(struct clientcheck_context *context);
/* Asks. `done` is called once, maybe before this returns, when everything is answered. */
void clientcheck_start(struct clientcheck *check, struct clientcheck_context *context,
                       const struct ip *client, clientcheck_done *done);
/* What is known by now. */
void clientcheck_result(const struct clientcheck *check, struct lookup_client *result);
/* Does the result hold for a while? Not when the list has changed since. */
bool clientcheck_is_current(const struct clientcheck *check);

#endif
