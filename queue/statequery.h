/*
 * statequery - asking stated from an event loop: nobody waits for the answer
 *
 * One question is under way at a time (common/state.h says what may be asked); `done` is called with its
 * answer, or without one when stated is down, stopped, or has nothing to say within STATE_TIMEOUT_MS.
 * Never from within statequery_ask.
 */
#ifndef QUEUE_STATEQUERY_H
#define QUEUE_STATEQUERY_H

#include "loop.h"
#include "wire.h"

struct statequery;
/* `answer` is NULL without one; valid till the call returns. */
typedef void statequery_done(struct statequery *query, const struct wire_message *answer);

struct statequery {
    void *owner; /* for the callback */

    struct loop *loop;
    int fd;
    bool is_asking;
    struct loop_watch watch;
    struct loop_timer timer; /* the answer is late, or there is none */
    struct str question;
    struct wire_message answer;
    statequery_done *done;
};

void statequery_init(struct statequery *query, struct loop *loop, void *owner);
void statequery_free(struct statequery *query);

static inline bool statequery_is_asking(const struct statequery *query)
{
    return query->is_asking;
}

/* Asks with these fields, while no question is under way. */
void statequery_ask(struct statequery *query, const char *const fields[], size_t count,
                    statequery_done *done);

#endif
