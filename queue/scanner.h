/*
 * scanner - has every message looked at by scand before anything else is done with it (scan/1)
 *
 * A few connections, each with one message at a time. New messages go before those that
 * were found at the start or wait again, but every eighth turn is one of these. Among the new ones
 * tenants take turns.
 * No answer, a broken one, or no scand: the message stays and is tried again; it never passes
 * unscanned.
 */
#ifndef QUEUE_SCANNER_H
#define QUEUE_SCANNER_H

#include "loop.h"
#include "tenant.h"
#include "wire.h"

enum { SCANNER_CONNECTIONS_MAX = 100, SCANNER_TIMEOUT_MS = 180000 };

enum scanner_result {
    SCANNER_CLEAN,    /* text: header lines to add */
    SCANNER_INFECTED, /* text: name */
    SCANNER_REFUSED,  /* text: reason */
    SCANNER_FAILED,   /* text: reason; try again later */
    SCANNER_DROPPED,  /* `prepare` said so: nothing to be done */
    SCANNER_SKIPPED,  /* scanning is off: nobody looked at it */
};

struct scanner_hooks {
    /* Names the message's descriptor, start and size; false: SCANNER_DROPPED is next. */
    bool (*prepare)(void *owner, struct message *message, int *fd, uint64_t *start, uint64_t *size);
    /* The message is in no list of the scanner any more. */
    void (*done)(void *owner, struct message *message, enum scanner_result result,
                 struct slice text);
};

struct scanner_connection;

struct scanner {
    struct loop *loop;
    const struct scanner_hooks *hooks;
    void *owner; /* of the hooks */
    unsigned connection_max;
    unsigned busy;
    struct ring tenants; /* with new messages */
    size_t fresh_count;
    struct message_list old;
    struct scanner_connection *connections; /* all that are open */
    struct loop_timer wake;
    unsigned turn;     /* of the lists */
    unsigned failures; /* in a row: scand is down */
    int64_t paused_until;
    bool is_stopping;
    bool is_off; /* the operator has it done elsewhere, or not at all */
    struct wire_message incoming;
};

void scanner_init(struct scanner *scanner, struct loop *loop, const struct scanner_hooks *hooks,
                  void *owner);
void scanner_free(struct scanner *scanner);
void scanner_set_limit(struct scanner *scanner, unsigned connections);
/* What is in line, and what comes, is SCANNER_SKIPPED from now on, or scanned. */
void scanner_set_off(struct scanner *scanner, bool is_off);

/* Puts the message in line; it becomes MESSAGE_UNSCANNED, then MESSAGE_SCANNING. A new one without
 * a tenant counts as old. */
void scanner_add(struct scanner *scanner, struct message *message);
/* Takes a message that is still in line out of it. */
void scanner_forget(struct scanner *scanner, struct message *message);
void scanner_hurry(struct scanner *scanner);

/* What an answer of scand means; pure. */
enum scanner_result scanner_read_answer(const struct wire_message *answer, struct slice *text);

#endif
