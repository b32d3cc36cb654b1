/*
 * sessiontable - TLS sessions that may be resumed, in memory that keyd's workers share
 *
 * A bounded table: a session has one of a few places, given by its id, and takes the oldest one's.
 * The lock is robust: a worker that dies while it holds it costs the table's content, no more.
 */
#ifndef TCPD_SESSIONTABLE_H
#define TCPD_SESSIONTABLE_H

#include "key.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    SESSIONTABLE_SIZE = 16384,         /* sessions; about 2 MB */
    SESSIONTABLE_PLACES = 4,           /* that one id may take */
    SESSIONTABLE_LIFE_MS = 3600 * 1000 /* an hour */
};

struct sessiontable;

/* Made before the workers are forked. NULL with errno. */
struct sessiontable *sessiontable_make(void);
void sessiontable_free(struct sessiontable **table);
/* `now` is a value of clock_ms. */
void sessiontable_save(struct sessiontable *table, const struct key_session *session, int64_t now);
bool sessiontable_load(struct sessiontable *table, const unsigned char id[KEY_SESSION_ID_SIZE],
                       int64_t now, struct key_session *session);
/* Wipes what has expired. */
void sessiontable_sweep(struct sessiontable *table, int64_t now);

#endif
