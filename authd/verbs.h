/*
 * verbs - what stated is asked: "state/1" (common/state.h)
 *
 * A question comes in as fields, the answer goes out as a packet; the socket is the caller's.
 */
#ifndef AUTHD_VERBS_H
#define AUTHD_VERBS_H

#include "journal.h"
#include "ledger.h"
#include "wire.h"

/* What the verbs work on. */
struct verbs {
    struct ledger *ledger;
    struct journal *journal;
    struct board *board; /* begun; may be without memory */
    bool wants_sync;     /* records were appended that verbs_write is to sync */
    int64_t latest;      /* the time of the last question, to see a clock that is set back */
};

/* Who asks. */
enum verbs_peer {
    VERBS_ROOT = 1 << 0,
    VERBS_AUTHD = 1 << 1,
    VERBS_OTHER = 1 << 2,
    VERBS_QUEUE = 1 << 3, /* queue-inject, queued */
};

/* Answers the question at `now` (seconds since 1970); `answer` stays empty where the protocol has
 * none. False: the connection ends; it was not a question of the protocol, or not this peer's to
 * ask, or the peer will ask nothing more. */
bool verbs_answer(struct verbs *verbs, enum verbs_peer peer, int64_t now,
                  const struct wire_message *question, struct str *answer);

/* Is there anything that should be written within a second? */
bool verbs_wants_write(const struct verbs *verbs);
/* Writes the counters that changed, and syncs what logins appended. */
void verbs_write(struct verbs *verbs);

/* Writes the states to the board; it forgets which rules have room. */
void verbs_write_board(struct verbs *verbs);
/* The states and locks that ended by `now` are logged and forgotten, and the board written anew: at
 * least once a minute. */
void verbs_end_states(struct verbs *verbs, int64_t now);
/* Writes the journal anew if it has grown enough. */
void verbs_compact(struct verbs *verbs, int64_t now);

#endif
