/*
 * progress - "* OK [INPROGRESS (...)]" while a command takes long (RFC 9585)
 *
 * For loops over messages: nothing is said in the first seconds, and then every few seconds only. Each
 * step costs a look at the clock.
 */
#ifndef IMAPD_PROGRESS_H
#define IMAPD_PROGRESS_H

#include "imapsession.h"

enum { PROGRESS_INTERVAL_MS = 10000 }; /* RFC 9585 4 recommends 10 to 15 seconds */

struct progress {
    struct imapsession *session;
    uint64_t goal;
    int64_t next_ms; /* of clock_ms: when it is time to say something */
};

/* `goal`: how many steps there will be; 0: not known. */
void progress_begin(struct progress *progress, struct imapsession *session, uint64_t goal);
/* `done` steps are done. Writes a line, and sends it, when it is time; not in the middle of a line of
 * the caller's, and not under a lock: a client may be slow to take it. */
void progress_step(struct progress *progress, uint64_t done);

#endif
